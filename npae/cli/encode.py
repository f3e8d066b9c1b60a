"""npae encode: encode samples into codes; with workers, a file of codes for each file of a folder."""

import argparse
from pathlib import Path
from typing import Any

from npae.applications.encoded_parts import RECORD, codes_of, encode_parts, parts_in
from npae.applications.encoded_parts import SUFFIXES as PARTS
from npae.cli.arguments import add_model, check_options, count, read_model
from npae.cli.open_data import add_large_data, open_data
from npae.cli.output import SUFFIXES, write_parts
from npae.cli.paths import add_output
from npae.datasets.music.music_files import is_music
from npae.datasets.open_source import is_source
from npae.datasets.shards import entries_of, holds_images, warn_passed_over
from npae.utils.console import say
from npae.utils.errors import listed
from npae.utils.wording import counted

HELP = "turn samples into codes"
EXAMPLE = "npae encode runs/deep --data digits --out codes.npy"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """MODEL --data --out --workers --scheduler."""
    add_model(parser)
    add_large_data(parser)
    add_output(
        parser,
        "--out",
        declared={"suffixes": SUFFIXES, "is_stream": True, "depending": _folder_of_parts},
        default="codes.npy",
        help="the file to write: .npy, .csv, or .png for images; - for a .npy on standard output; with workers "
        "a folder (default: codes.npy)",
    )
    parser.add_argument(
        "--workers",
        type=count,
        metavar="N",
        help="encode each file of the folder --data into one of the folder --out, by N processes of dask; what is "
        "there already, of the same data and model, is kept",
    )
    parser.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="the same, by the workers of a scheduler of dask, such as tcp://host:8786, which see the same folders",
    )


def run(args: argparse.Namespace) -> None:
    """Encode and write, some samples at a time."""
    if _by_workers(args):
        _run_workers(args)
        return
    model = read_model(args)
    _refuse_parts(args)
    X = open_data(args, model)
    shape = len(X), *model.network_.code_shape
    write_parts(args.out, model.transform_parts(X), shape, model.network_.arena.dtype)
    say(f"{counted(len(X), 'code')} of {counted(shape[1], 'value')} in {args.out}")


def _by_workers(args: argparse.Namespace) -> bool:
    return args.workers is not None or args.scheduler is not None


def _refuse_parts(args: argparse.Namespace) -> None:
    """Raise ValueError for a folder of tables, which workers alone take."""
    folder = Path(args.data) if isinstance(args.data, str) else None
    if folder is None or not folder.is_dir() or is_source(folder) or is_music(folder):
        return
    entries = entries_of(folder)
    parts = [path for path in entries if path.suffix.lower() in PARTS and path.is_file()]
    if parts and not any(path.is_dir() for path in entries) and not holds_images(entries):
        names = listed([path.name for path in parts])
        raise ValueError(
            f"--data {folder} holds {counted(len(parts), 'file')} of samples ({names}); "
            f"give one of them, or --workers to encode each into a file of its own"
        )


def _folder_of_parts(args: argparse.Namespace) -> dict[str, Any]:
    """The folder --out, where there are workers; its files are replaced where a record of them is there."""
    if not _by_workers(args):
        return {}
    return {"is_stream": False, "is_folder": True, "suffixes": (), "files": _files, "is_own": _is_recorded}


def _files(args: argparse.Namespace, out: Path) -> list[Path]:
    return [out / RECORD, *(codes_of(part, out) for part in parts_in(_folder(args)))]


def _folder(args: argparse.Namespace) -> Path:
    if not isinstance(args.data, str):
        raise ValueError("several --data were given, but workers encode the files of one folder; give that")
    return Path(args.data)


def _is_recorded(args: argparse.Namespace, path: Path) -> bool:
    return (path.parent / RECORD).exists()


def _run_workers(args: argparse.Namespace) -> None:
    if args.workers is not None and args.scheduler is not None:
        raise ValueError("--workers starts processes here, and --scheduler has its own; give one of the two")
    parts, out = parts_in(_folder(args)), Path(args.out)
    warn_passed_over([entry for entry in entries_of(_folder(args)) if entry not in parts], _folder(args), stacklevel=2)
    made, kept = encode_parts(
        Path(args.model),
        parts,
        out,
        workers=args.workers,
        scheduler=args.scheduler,
        options=check_options(args, str(parts[0]))[str(parts[0])],
        say=say,
    )
    say(f"{counted(made, 'part')} encoded, {kept} there already; {out}")
