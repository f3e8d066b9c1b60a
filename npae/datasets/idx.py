"""Reader for idx files, the format of MNIST.

A file has two zero bytes, the type, the number of dimensions, the dimensions, and the numbers, all big-endian (http://yann.lecun.com/exdb/mnist/).
"""

import gzip
import os
from pathlib import Path
from typing import Any

import numpy as np

from npae.datasets.streams import GZIP_MAGIC, Stream, damage_is_reported, open_file, read_array
from npae.utils.errors import FileFormatError
from npae.utils.types import Array

DTYPES: dict[int, np.dtype[Any]] = {
    0x08: np.dtype("u1"),
    0x09: np.dtype("i1"),
    0x0B: np.dtype(">i2"),
    0x0C: np.dtype(">i4"),
    0x0D: np.dtype(">f4"),
    0x0E: np.dtype(">f8"),
}
MAX_DIMENSIONS = 64  # NumPy's own limit


def read_idx(path: str | os.PathLike[str]) -> Array:
    """Read an idx file, plain or compressed by gzip.

    Compression is recognised by the first bytes, not by the name. At most 4 GiB are read; a compressed file is
    decompressed piece by piece, and no further than its header announces.

    Parameters
    ----------
    path : str or PathLike
        For example ``train-images-idx3-ubyte.gz``.

    Returns
    -------
    ndarray of uint8, int8, int16, int32, float32 or float64
        In the file's shape, 1 to 64 dimensions, and native byte order.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FileFormatError
        If it is not an idx file, if bytes are missing or left over, or if it is too large.
    """
    path = Path(path)
    with open_file(path) as file:
        compressed = file.read(2) == GZIP_MAGIC
        file.seek(0)
        if not compressed:
            return _read(file, path, os.fstat(file.fileno()).st_size)
        with damage_is_reported(path, "an idx file compressed by gzip"), gzip.GzipFile(fileobj=file) as stream:
            return _read(stream, path, None)


def _read(stream: Stream, path: Path, size: int | None) -> Array:
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in DTYPES or not 1 <= magic[3] <= MAX_DIMENSIONS:
        raise FileFormatError(
            f"{str(path)!r} begins with the bytes {magic.hex(' ') or '(none)'}, but an idx file begins with 00 00, "
            f"a type (08, 09, 0b to 0e) and 1 to {MAX_DIMENSIONS} dimensions; give an idx file, or call a compressed "
            f"table .csv.gz"
        )
    sizes = stream.read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise FileFormatError(f"{str(path)!r} ends within its idx header; it is damaged: fetch or write it again")
    shape = tuple(int(n) for n in np.frombuffer(sizes, ">u4"))
    x = read_array(stream, DTYPES[magic[2]], shape, path, size)
    return x.astype(x.dtype.newbyteorder("="), copy=False)
