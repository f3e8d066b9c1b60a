"""npae crop: find faces in the images of a folder and cut them out, to train on."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from npae.cli.arguments import height_and_width
from npae.cli.paths import add_input, add_output
from npae.cli.rows import write_rows
from npae.datasets.faces import crop_faces, cropped_files
from npae.datasets.image_files import CROPS
from npae.utils.console import say
from npae.utils.wording import counted

HELP = "find the faces in a folder of images and cut them out, each as a PNG of one size"
EXAMPLE = "npae crop photographs --out faces --size 64,64"
SHOWN = 5  # names of images that are printed


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """FOLDER --out --size."""
    add_input(parser, "folder", metavar="FOLDER", help="a folder of images, or of such folders")
    parser.add_argument(
        "--size",
        type=height_and_width,
        default=(64, 64),
        metavar="H,W",
        help="height and width of the faces (default: 64,64)",
    )
    add_output(
        parser,
        "--out",
        declared={"is_folder": True, "files": _files},
        default="faces",
        metavar="FACES",
        help="the folder to write, with the names and sub-folders of FOLDER (default: faces)",
    )


def run(args: argparse.Namespace) -> int:
    """Cut out and write; says which images have no face, or several. Returns 1 where no image has one."""
    crops = crop_faces(args.folder, args.out, args.size, replace=args.force)
    rows = [(_name(c.image, args.folder), c.n_faces, c.face and _name(c.face, args.out)) for c in crops]
    write_rows(str(Path(args.out) / CROPS), ("image", "n_faces", "face"), rows)
    n_written = sum(crop.n_faces > 0 for crop in crops)
    say(f"{counted(n_written, 'face')} of {counted(len(crops), 'image')} in {args.out}, listed in {CROPS}")
    _say("no face was found in", [image for image, n, _ in rows if not n])
    _say("several were found, of which the largest was taken, in", [image for image, n, _ in rows if n > 1])
    return 0 if n_written else 1


def _files(args: argparse.Namespace, out: Path) -> list[Path]:
    faces = cropped_files(args.folder, out).values() if Path(args.folder).is_dir() else ()
    return [out / CROPS, *faces]


def _name(path: Path, folder: str) -> str:
    return path.relative_to(folder).as_posix()


def _say(what: str, images: Sequence[str]) -> None:
    if images:
        say(f"{what} {len(images):,}: {', '.join(images[:SHOWN])}{', …' if len(images) > SHOWN else ''}")
