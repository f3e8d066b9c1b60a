"""Choice of the reader for a file or folder; every reader returns an array of floating-point numbers."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from npae.datasets.arrays import read_npy, read_npz
from npae.datasets.digits import load_digits
from npae.datasets.idx import read_idx
from npae.datasets.images import SUFFIXES, read_images
from npae.datasets.streams import MAX_BYTES, open_file
from npae.datasets.table import read_table
from npae.utils.errors import FileFormatError
from npae.utils.types import Array

Reader = Callable[[Path], Array]
BY_SUFFIX: dict[str, Reader] = {
    ".npy": read_npy,
    ".npz": read_npz,
    ".csv": read_table,
    ".tsv": read_table,
    ".idx": read_idx,
    ".gz": read_idx,
}
BY_FIRST_BYTES: dict[bytes, Reader] = {b"\x93N": read_npy, b"PK": read_npz, b"\0\0": read_idx, b"\x1f\x8b": read_idx}


def read(source: str | os.PathLike[str], *, name: str | None = None, size: tuple[int, int] | None = None) -> Array:
    """Read samples from a file, from a folder of images, or the digits that come with npae.

    A folder is read as images. A file's suffix says what it is: .npy, .npz, .csv, .tsv, .idx or .gz (idx compressed
    by gzip); with any other, such as train-images-idx3-ubyte, its first bytes do.

    Images are wanted in [0, 1]: an array of uint8 with two or more dimensions, in npy, npz or idx, is divided by 255,
    unless it holds zeros and ones alone.
    All other numbers keep their values: labels, which have one dimension, and integers of other types too.

    Parameters
    ----------
    source : str or PathLike
        A path, or "digits" for the training images of :func:`load_digits`; a folder called so is "./digits".
    name : str, optional
        Which array of an npz file; see :func:`npae.datasets.arrays.read_npz` for what is taken without it.
    size : pair of int, optional
        Height and width to resize the images of a folder to; without it they must be of one size.

    Returns
    -------
    ndarray of float32 or float64
        In the shape of the file. float32 where it holds the file's numbers exactly, float64 otherwise (which rounds
        integers beyond 2**53).

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    MissingExtraError
        If the source is a folder of images and Pillow is not installed.
    FileFormatError
        If the source is of no known format, damaged, or larger than 4 GiB, in the file or as what is returned; the
        readers say more.
    ValueError
        If ``name`` or ``size`` is given for a source that has no use for it.
    """
    if source == "digits":
        _refuse(source, name=name, size=size)
        return load_digits().train_images
    path = Path(source)
    if path.is_dir():
        _refuse(source, name=name)
        return read_images(path, size)
    _refuse(source, size=size)
    reader = BY_SUFFIX.get(path.suffix.lower()) or _reader_by_first_bytes(path)
    if reader is read_npz:
        return _as_float(read_npz(path, name), path)
    _refuse(source, name=name)
    return _as_float(reader(path), path)


def _reader_by_first_bytes(path: Path) -> Reader:
    with open_file(path) as file:
        reader = BY_FIRST_BYTES.get(file.read(2))
    if reader is None:
        hint = "the folder that the image is in" if path.suffix.lower() in SUFFIXES else "one of these"
        raise FileFormatError(
            f"{str(path)!r} is of no known format; expected is npy, npz, csv, tsv, idx, idx.gz, a folder of images "
            f'or "digits": give {hint}'
        )
    return reader


def _refuse(source: str | os.PathLike[str], **options: object) -> None:
    for option, value in options.items():
        if value is not None:
            use = {"name": "an npz file", "size": "a folder of images"}[option]
            raise ValueError(f"{option}={value!r} was given with {str(source)!r}, but is for {use}; leave it out")


def _as_float(x: Array, path: Path) -> Array:
    is_bytes = x.dtype == np.uint8 and x.ndim >= 2 and x.max(initial=0) > 1
    exact = np.promote_types(x.dtype, np.float32)
    itemsize = 4 if is_bytes or exact == np.float32 else 8
    if x.size * itemsize > MAX_BYTES:
        raise FileFormatError(
            f"{str(path)!r} holds {x.size:,} numbers, which as float{8 * itemsize} take more than {MAX_BYTES:,} bytes; "
            f"split it into smaller files"
        )
    if is_bytes:
        return x / np.float32(255)
    with np.errstate(all="ignore"):  # a long double may become infinite; the model refuses that, and says where
        return x.astype(np.float32 if exact == np.float32 else np.float64, copy=False)
