"""Read samples from a file or folder of any supported format, as floating-point numbers."""

import os
from collections.abc import Callable
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from npae.datasets.arrays import read_npy, read_npz
from npae.datasets.digits import load_digits
from npae.datasets.idx import read_idx
from npae.datasets.image_files import OTHER_SUFFIXES, SUFFIXES
from npae.datasets.images import read_images
from npae.datasets.music.bars import read_bars
from npae.datasets.music.layout import Layout
from npae.datasets.music.midi import MAGIC as MIDI_MAGIC
from npae.datasets.music.music_files import SUFFIXES as MUSIC_SUFFIXES
from npae.datasets.music.music_files import is_music
from npae.datasets.named_columns import NamedColumns
from npae.datasets.open_source import is_source, may_be_bytes
from npae.datasets.other_formats import refuse_by_content, refuse_by_suffix
from npae.datasets.shard_files import NpyShard
from npae.datasets.shards import ShardSource, listed_once
from npae.datasets.streams import MAX_BYTES, open_file
from npae.datasets.table import read_named_table
from npae.datasets.table_columns import Drop
from npae.utils.errors import FileFormatError
from npae.utils.scalars import real_number
from npae.utils.sources import chunk_bounds
from npae.utils.types import Array, Shape
from npae.utils.wording import counted


class Data(NamedTuple):
    """Samples, and what they mean.

    Attributes
    ----------
    X : ndarray
        As :func:`read` returns them.
    metadata : dict
        For the ``metadata_`` of a model that is fitted to them; empty but for music.
    """

    X: Array
    metadata: dict[str, Any]


Reader = Callable[..., Array | Data]


def read_music(path: Path, **options: Any) -> Data:
    """The bars of a file or folder of music."""
    bars = read_bars(path, **options)
    return Data(bars.X, bars.layout.to_metadata())


def read_digits(_: Path) -> Array:
    """The training images that come with npae."""
    return load_digits().train_images


def read_shards(path: Path) -> Array:
    """All samples of shards, of a Parquet or HDF5 file, or of zarr, in memory."""
    source = ShardSource(path)
    _refuse_large(path, source.shape, source.dtype)
    x = source.read(0, len(source))
    return NamedColumns.of(x, tuple(source.columns)) if source.columns else x


BY_SUFFIX: dict[str, Reader] = {
    ".npy": read_npy,
    ".npz": read_npz,
    ".csv": read_named_table,
    ".tsv": read_named_table,
    ".csv.gz": read_named_table,
    ".tsv.gz": read_named_table,
    ".idx": read_idx,
    ".gz": read_idx,
}
#: By the first two bytes of files whose suffix does not say what they are.
BY_FIRST_BYTES: dict[bytes, Reader] = {b"\x93N": read_npy, b"PK": read_npz, b"\0\0": read_idx, b"\x1f\x8b": read_idx}
TEXT_SUFFIXES = (".txt", ".data", ".dat")  # which do not say what is in the file
#: The options of each reader, and what they are for, in words.
OPTIONS: dict[Reader, tuple[str, ...]] = {
    read_npy: ("divide",),
    read_shards: ("divide",),
    read_npz: ("name", "divide"),
    read_idx: ("divide",),
    read_named_table: ("header", "drop", "divide"),
    read_images: ("size",),
    read_music: ("meter", "steps_per_quarter", "transpose", "layout"),
}
USES = {
    "name": "an npz file",
    "size": "a folder of images",
    "header": "a csv or tsv",
    "drop": "a csv or tsv",
    "divide": "a file of numbers, while images and the digits that come with npae are in [0, 1] already",
    **dict.fromkeys(OPTIONS[read_music], "music"),
}


def read(
    source: str | os.PathLike[str],
    *,
    name: str | None = None,
    size: tuple[int, int] | None = None,
    header: bool | None = None,
    drop: Drop | None = None,
    divide: float | None = None,
    meter: str | None = None,
    steps_per_quarter: int | None = None,
    transpose: str | None = None,
    layout: Layout | None = None,
) -> Array:
    """Read samples from a file, from a folder of images or music, or the digits that come with npae.

    Shards (a folder or a pattern of .npy or .parquet files), a .parquet, ``x.h5:/name`` and a .zarr are read whole, as
    :func:`npae.datasets.open_source` reads them in parts. Any other folder is read as images: its own, or those of its
    sub-folders, of which :func:`read_labels` gives the labels; or, if it holds files of music, in itself or below, as
    the bars of :func:`npae.datasets.music.read_bars`. A file's suffix says what it is: .npy, .npz, .csv, .tsv, .csv.gz,
    .tsv.gz, .idx, .gz (idx compressed by gzip), .mid, .midi, .musicxml, .mxl or .xml (MusicXML); with any other, such
    as train-images-idx3-ubyte, its first bytes do. Files of other known formats are refused by name.

    Images are wanted in [0, 1]: those of a folder, and uint8 arrays of shape (n, h, w) or (n, h, w, channels) in npy,
    npz or idx, are divided by 255, unless such an array holds zeros and ones alone. All other numbers keep their
    values: tables and labels, which have one or two dimensions, of uint8 too, and integers of other types.
    ``divide`` says otherwise.

    Parameters
    ----------
    source : str or PathLike
        A path, or "digits" for the training images of :func:`load_digits`; for a folder of that name give "./digits".
    name : str, optional
        Name of the array in an npz file; for the default see :func:`npae.datasets.arrays.read_npz`.
    size : pair of int, optional
        Height and width to resize the images of a folder to; without it they must be of one size.
    header : bool, optional
        Whether the first line of a csv or tsv names its columns; see :func:`npae.datasets.table.read_table`.
    drop : sequence of str or int, optional
        Columns of a csv or tsv to leave out, by name or by number from 1; "index" is also a first column without name.
    divide : float, optional
        Divide all numbers of a file by this one, above 0, and by nothing else: 255 for rows of pixels in 0–255, 1 for
        bytes that are to stay as they are.
    meter, steps_per_quarter, transpose, layout : optional
        How music is read; see :func:`npae.datasets.music.read_bars`.

    Returns
    -------
    ndarray of float32 or float64
        In the shape of the file. float32 where it holds the file's numbers exactly, float64 otherwise.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    MissingExtraError
        If the source is a folder of images and Pillow is not installed, or music and mido or music21.
    FileFormatError
        If the source is of no known format, damaged, or larger than 4 GiB, in the file or as what is returned; if it
        holds more than would be returned, as integers beyond 2**53 do; the readers say more.
    ValueError
        If an option is given for a source that has no use for it.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.datasets import read
    >>> read("digits").shape
    (5000, 28, 28)
    >>> np.save("pixels.npy", np.array([[0, 51, 255]], dtype="uint8"))
    >>> read("pixels.npy", divide=255).tolist()
    [[0.0, 0.20000000298023224, 1.0]]
    """
    options: dict[str, Any] = {
        "name": name,
        "size": size,
        "header": header,
        "drop": drop,
        "divide": divide,
        "meter": meter,
        "steps_per_quarter": steps_per_quarter,
        "transpose": transpose,
        "layout": layout,
    }
    return np.asarray(read_data(source, **options).X)


def read_data(
    source: str | os.PathLike[str], *, divide: float | None = None, are_bytes: bool = False, **options: Any
) -> Data:
    """Samples, as :func:`read` gives them with the same options, and what they mean.

    An array of a table with a header also has ``columns``, the names of its columns. With ``are_bytes`` images of uint8
    are divided by 255 even if they hold zeros and ones alone, since they are part of data that does not.
    """
    with listed_once():
        return _read(source, divide, are_bytes, options)


def _read(source: str | os.PathLike[str], divide: float | None, are_bytes: bool, options: dict[str, Any]) -> Data:
    options["divide"] = divide
    given = {option: value for option, value in options.items() if value is not None}
    reader = find_reader(source)
    for option, value in given.items():
        if option not in OPTIONS.get(reader, ()):
            raise ValueError(
                f"{option}={value!r} was given with {str(source)!r}, but is for {USES[option]}; leave it out"
            )
    given.pop("divide", None)
    divisor = None if divide is None else real_number(divide, "divide", above=0)
    found = reader(Path(source), **given)
    return found if isinstance(found, Data) else Data(_as_float(found, Path(source), divisor, are_bytes), {})


def holds_bytes(source: str | os.PathLike[str]) -> bool:
    """Whether a file holds images of bytes that reach beyond 1, which :func:`read` divides by 255."""
    path, reader = Path(source), find_reader(source)
    if reader is read_npy:
        shard = NpyShard(path, repr(str(path)))
        bounds = pairwise(chunk_bounds(shard.shape[:1], shard.row_bytes))
        return may_be_bytes(shard) and any(shard.read(start, stop).max() > 1 for start, stop in bounds)
    if reader not in (read_npz, read_idx):
        return False
    x = np.asarray(reader(path))
    return may_be_bytes(x) and bool(x.max(initial=0) > 1)


def options_for(source: str | os.PathLike[str]) -> tuple[str, ...]:
    """Which of the options of :func:`read` a source has a use for.

    Raises
    ------
    FileNotFoundError, FileFormatError
        As :func:`read`, if there is no such file or no reader for it.
    """
    return OPTIONS.get(find_reader(source), ())


def find_reader(source: str | os.PathLike[str]) -> Reader:
    """The reader of a source; raises as :func:`options_for`."""
    path = Path(source)
    if source == "digits":
        return read_digits
    if is_music(path):
        return read_music
    if path.suffix.lower() != ".npy" and is_source(path):
        return read_shards
    if path.is_dir():
        return read_images
    refuse_by_content(path)
    suffixes = [suffix.lower() for suffix in path.suffixes]
    for suffix in ("".join(suffixes[-2:]), "".join(suffixes[-1:])):
        if suffix in BY_SUFFIX:
            return BY_SUFFIX[suffix]
    with open_file(path) as file:
        head = file.read(4)
        reader = read_music if head == MIDI_MAGIC else BY_FIRST_BYTES.get(head[:2])
    if reader is None:
        refuse_by_suffix(path)
        hint = "one of these"
        if suffixes and suffixes[-1] in SUFFIXES + OTHER_SUFFIXES:
            hint = "the folder that the image is in"
        elif suffixes and suffixes[-1] in TEXT_SUFFIXES:
            hint = "one of these, or call it .csv if each line holds numbers between commas"
        raise FileFormatError(
            f"{str(path)!r} is of no known format; expected is npy, npz, csv, tsv, idx, csv.gz, idx.gz, "
            f'{", ".join(suffix[1:] for suffix in MUSIC_SUFFIXES)}, a folder of images or music, or "digits": give '
            f"{hint}"
        )
    return reader


def _refuse_large(path: Path, shape: Shape, stored: np.dtype[Any]) -> np.dtype[Any]:
    """Raise FileFormatError where so many numbers are too many as floating-point numbers; returns their dtype."""
    dtype = np.dtype(np.float32 if np.promote_types(stored, np.float32) == np.float32 else np.float64)
    if prod(shape) * dtype.itemsize > MAX_BYTES:
        raise FileFormatError(
            f"{str(path)!r} holds {counted(prod(shape), 'number')}, which as {dtype} take more than {MAX_BYTES:,} "
            f"bytes; split it into smaller files"
        )
    return dtype


def _as_float(x: Array, path: Path, divisor: float | None, are_bytes: bool) -> Array:
    if divisor is None and may_be_bytes(x) and (are_bytes or x.max(initial=0) > 1):
        divisor = 255
    dtype = _refuse_large(path, x.shape, x.dtype)
    if x.dtype.kind in "iu" and x.size and max(-int(x.min()), int(x.max())) > 2**53:
        raise FileFormatError(
            f"{str(path)!r} holds whole numbers beyond 2**53, from {int(x.min())} to {int(x.max())}, of which "
            f"floating-point numbers do not hold all; scale them, or leave them out if they only name the samples"
        )
    with np.errstate(all="ignore"):  # a long double may become infinite, which models refuse
        numbers = x.astype(dtype, copy=False)
    return numbers if divisor is None else np.divide(numbers, dtype.type(divisor), out=numbers)
