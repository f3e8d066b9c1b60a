"""Open what a command line names as a source, where it is not read into memory."""

import glob
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from npae.datasets.containers import is_zarr
from npae.datasets.shard_files import Shard
from npae.datasets.shards import HDF5_SUFFIXES, PARQUET_SUFFIXES, ShardSource, holds_images, shards_in
from npae.utils.errors import FileFormatError
from npae.utils.sources import IN_MEMORY, Source
from npae.utils.types import Array

#: The first bytes of a file, where its suffix alone does not say that it is read in parts.
MAGIC = {
    **dict.fromkeys(HDF5_SUFFIXES, b"\x89HDF\r\n\x1a\n"),
    **dict.fromkeys(PARQUET_SUFFIXES, b"PAR1"),
}
IMAGES = (3, 4)  # dimensions of an array of images: (n, h, w) or (n, h, w, channels)


def is_source(name: str | os.PathLike[str]) -> bool:
    """Whether a name stands for data that is read in parts: shards in a folder, a pattern, a large .npy, containers."""
    path, text = Path(name), os.fspath(name)
    if path.is_dir():
        shards, others = shards_in(path)
        is_stray = len(shards) == 1 and holds_images(others)  # one array in a folder of images
        return is_zarr(path) or (bool(shards) and not is_stray)
    if path.suffix.lower() == ".npy":
        if path.is_file():
            return path.stat().st_size > IN_MEMORY
    elif path.is_file() and path.suffix.lower() in MAGIC:
        with path.open("rb") as opened:
            return opened.read(len(MAGIC[path.suffix.lower()])) == MAGIC[path.suffix.lower()]
    file, _, inner = text.rpartition(":/")
    return bool(inner and Path(file).suffix.lower() in HDF5_SUFFIXES) or (glob.has_magic(text) and not path.exists())


def may_be_bytes(x: Array | Shard | Source) -> bool:
    """Whether samples may be images of bytes, which are divided by 255: these are if they reach beyond 1."""
    return x.dtype == np.uint8 and len(x.shape) in IMAGES


def open_source(names: str | os.PathLike[str] | Sequence[str], *, divide: float | None = None) -> Source:
    """The source that a name, or several, stand for; numbers are divided as :func:`npae.datasets.read` divides them.

    Parameters
    ----------
    names : str, PathLike or sequence of them
        As for :class:`ShardSource`.
    divide : float, optional
        By default 255 for images of bytes, of shape (n, h, w) or (n, h, w, channels), that reach beyond 1.

    Returns
    -------
    Source

    Raises
    ------
    FileNotFoundError, FileFormatError, MissingExtraError
        As :class:`ShardSource`.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.datasets import open_source
    >>> np.save("bytes.npy", np.full((4, 8, 8), 51, dtype="uint8"))
    >>> source = open_source("bytes.npy")
    >>> source.shape, source.divide
    ((4, 8, 8), 255.0)
    """
    source = ShardSource(names, divide=divide)
    if source.dtype.kind in "iu" and source.dtype.itemsize > 4:
        low, high = int(source.survey.low), int(source.survey.high)
        if max(-low, high) > 2**53:
            raise FileFormatError(
                f"the data holds whole numbers beyond 2**53, from {low} to {high}, of which floating-point numbers do "
                f"not hold all; scale them, or leave them out if they only name the samples"
            )
    if divide is None and may_be_bytes(source) and source.survey.high > 1:
        source.divide = 255.0
    return source
