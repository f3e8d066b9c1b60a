"""Arguments that several verbs share."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from npae import datasets
from npae.cli.output import SUFFIXES
from npae.cli.paths import add_input, add_output
from npae.cli.samples_file import MUSIC_SUFFIXES
from npae.datasets.file_columns import check_file_columns
from npae.datasets.formats import USES, Data, options_for
from npae.datasets.music.bars import TRANSPOSE, parse_meter
from npae.datasets.music.layout import Layout
from npae.datasets.music.music_files import is_music
from npae.estimators import AutoencoderEstimator
from npae.estimators.load import load
from npae.utils.pictures import are_images, require_pillow
from npae.utils.types import Array

#: What ``npae train`` writes the model to.
MODEL_FILE = "model.safetensors"

DATA = (
    "a .npy, .npz, .csv or idx file, a folder of images or of such folders, .mid files or MusicXML or a folder of "
    'them, - for a .npy on standard input, or "digits", which come with npae'
)


def add_model(parser: argparse.ArgumentParser, **instead: Any) -> None:
    """Add the argument MODEL, a saved model; ``instead`` says, as for ``add_input``, what may take its place."""
    text = f"a file that npae train or save wrote, or the folder of npae train, for its {MODEL_FILE}"
    if instead:
        instead = {"needed": text, "nargs": "?"} | instead
    add_input(parser, "model", metavar="MODEL", type=model_file, help=text, **instead)


def model_file(name: str) -> str:
    """The model that npae train wrote into the folder ``name``; any other name is that of a file."""
    path = os.path.join(name, MODEL_FILE)
    return path if name.strip() and os.path.isfile(path) else name  # False also of a name that is too long


def samples_in(value: str) -> list[Path]:
    """The file or folder that ``--data`` and its like name; none for the digits that come with npae."""
    return [] if value == "digits" else [Path(value)]


def add_data(parser: argparse.ArgumentParser, default: str | None = None) -> None:
    """Add the option --data, which must be given where there is no default, and how it is read."""
    add_input(
        parser,
        "--data",
        needed=DATA,
        holds=samples_in,
        is_stream=True,
        default=default,
        help=DATA + (f" (default: {default})" if default else " (needed)"),
    )
    add_reading(parser)


def add_reading(parser: argparse.ArgumentParser) -> None:
    """How the data is read: the options of ``datasets.read``."""
    parser.add_argument(
        "--header",
        action=argparse.BooleanOptionalAction,
        help="whether the first line of a csv names its columns (default: it does if none of its cells is a number)",
    )
    parser.add_argument(
        "--drop",
        nargs="*",
        action="extend",
        metavar="COLUMN",
        help="columns of a csv to leave out, by name or by number from 1; without any, all are kept, an index too",
    )
    parser.add_argument(
        "--size", type=height_and_width, metavar="H,W", help="height and width to resize the images of a folder to"
    )
    parser.add_argument(
        "--divide",
        type=divisor,
        metavar="X",
        help="divide all numbers of a file by X, such as 255 for rows of pixels in 0-255 (default: images of bytes, of "
        "shape (n, h, w) or (n, h, w, channels), are divided by 255, and nothing else is)",
    )
    parser.add_argument(
        "--meter", type=meter, metavar="N/M", help="of the bars of music that are read (default: the most common)"
    )
    parser.add_argument("--steps-per-quarter", type=count, metavar="N", help="of a quarter note of music (default: 4)")
    parser.add_argument(
        "--transpose", choices=TRANSPOSE, help='music into C major or A minor ("c"), or into twelve keys ("all")'
    )


def add_samples_out(parser: argparse.ArgumentParser, default: str) -> None:
    """Add the option --out, the file to write samples to, which ``write_samples`` does."""
    add_output(
        parser,
        "--out",
        declared={"suffixes": SUFFIXES + MUSIC_SUFFIXES, "is_stream": True},
        default=default,
        help="the file to write: .npy, .csv, .png for images and music, .mid or .wav for music; - for a .npy on "
        f"standard output (default: {default})",
    )


def add_out(parser: argparse.ArgumentParser, default: str) -> None:
    """Add the option --out, the file to write."""
    add_output(
        parser,
        "--out",
        declared={"suffixes": SUFFIXES, "is_stream": True},
        default=default,
        help=f"the file to write: .npy, .csv, or .png for images; - for a .npy on standard output (default: {default})",
    )


def beside_model(args: argparse.Namespace, suffix: str) -> str:
    """The model's path with another suffix."""
    path = Path(args.model)
    if not path.name:
        raise FileNotFoundError(f"there is no file {args.model!r}; give a model that npae train or save wrote")
    return str(path.with_suffix(suffix))


def read_model(args: argparse.Namespace) -> AutoencoderEstimator:
    """The estimator in ``args.model``."""
    if Path(args.model).is_dir():
        raise ValueError(f"{args.model} is a folder without {MODEL_FILE}; give the folder of one npae train, or a file")
    model: Any = load(args.model)
    if not isinstance(model, AutoencoderEstimator):
        raise ValueError(
            f"{args.model} holds a bare network; the command line uses models of npae train, load this one in Python"
        )
    return model


def read_data(args: argparse.Namespace, model: AutoencoderEstimator | None = None) -> Array:
    """The samples that ``args.data`` names, for a fitted model if one is given."""
    return read_sources(args, args.data, model=model)[0]


def read_described(args: argparse.Namespace) -> Data:
    """The samples that ``args.data`` names, and what they mean."""
    return datasets.formats.read_data(args.data, **check_options(args, args.data)[args.data])


def read_sources(
    args: argparse.Namespace,
    *sources: str,
    model: AutoencoderEstimator | None = None,
    others: Sequence[str] = (),
    compared: bool = True,
) -> list[Array]:
    """The samples of each source, read as ``add_reading`` asks for: an option goes to those that have a use for it.

    An option that neither they nor the ``others``, which are read elsewhere, have a use for is refused. The names of a
    table's columns go with it; if they are not those of the ``model``, it is refused, unless ``compared`` is False.
    """
    options = check_options(args, *sources, *others)
    read = [
        datasets.formats.read_data(source, **options[source], **_as_the_model(args, source, model)).X
        for source in sources
    ]
    if model is None or not compared:
        return read
    return [check_file_columns(X, source, model.network_.columns) for X, source in zip(read, sources, strict=True)]


def _as_the_model(args: argparse.Namespace, source: str, model: AutoencoderEstimator | None) -> dict[str, Any]:
    """The layout of the model's music, where the source is music: the same pitch must be the same value."""
    if model is None or not is_music(Path(source)):
        return {}
    layout = Layout.from_metadata(model.metadata_)
    for name in ("meter", "steps_per_quarter"):
        if layout is not None and getattr(args, name) is not None:
            option = name.replace("_", "-")
            raise ValueError(f"--{option} was given, but {args.model} was trained on {layout}; leave it out")
    return {"layout": layout}


def check_options(args: argparse.Namespace, *sources: str) -> dict[str, dict[str, Any]]:
    """For each source, those of the given options that it has a use for."""
    names = ("header", "drop", "size", "divide", "meter", "steps_per_quarter", "transpose")
    options = {name: getattr(args, name) for name in names}
    given = {name: value for name, value in options.items() if value is not None}
    if not given:
        return {source: {} for source in sources}
    useful = {source: options_for(source) for source in sources}
    for name in given:
        if not any(name in names for names in useful.values()):
            option = "no-header" if given[name] is False else name.replace("_", "-")
            raise ValueError(f"--{option} was given with {', '.join(useful)}, but is for {USES[name]}; leave it out")
    return {source: {name: given[name] for name in given if name in names} for source, names in useful.items()}


def refuse_with(args: argparse.Namespace, names: Sequence[str], reason: str) -> None:
    """Raise ValueError if one of the arguments is given; ``names`` are their dests."""
    for name in names:
        if getattr(args, name) not in (None, []):
            raise ValueError(f"--{name.replace('_', '-')} {reason}")


def check_picture(model: AutoencoderEstimator) -> None:
    """Raise ValueError if the model's samples are no images, which --picture is for."""
    shape = model.network_.input_shape
    if not are_images(np.empty((0, *shape))):
        raise ValueError(f"--picture is for images, but the model's samples have shape {shape}; leave it out")
    require_pillow()


def height_and_width(text: str) -> tuple[int, int]:
    """Two whole numbers of at least 1, with a comma between them."""
    numbers = text.split(",")
    if len(numbers) != 2 or not all(number.strip().isdecimal() and int(number) for number in numbers):
        raise argparse.ArgumentTypeError(f"{text} is not a height and a width, such as 28,28")
    return int(numbers[0]), int(numbers[1])


def divisor(text: str) -> float:
    """A finite number above 0."""
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a number above 0")
    return number


def meter(text: str) -> str:
    """A time signature."""
    try:
        parse_meter(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def seed_number(text: str) -> int:
    """A whole number of at least 0."""
    return _whole_number(text, least=0)


def count(text: str) -> int:
    """A whole number of at least 1."""
    return _whole_number(text, least=1)


def _whole_number(text: str, *, least: int) -> int:
    number = int(text)
    if number < least:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number of at least {least}")
    return number


def add_neighbours(parser: argparse.ArgumentParser, help: str) -> None:
    """Add ``-k``, a number of neighbours."""
    parser.add_argument(
        "-k", "--neighbours", dest="k", type=count, default=10, metavar="K", help=f"{help} (default: 10)"
    )
