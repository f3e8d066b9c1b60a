"""Write results as files: arrays as .npy or .csv, images as one .png."""

import csv
import io
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from npae.datasets.table_columns import is_header
from npae.datasets.table_rows import DELIMITERS
from npae.utils.errors import Hint
from npae.utils.files import atomic_write
from npae.utils.types import Array, Shape

SUFFIXES = (".npy", ".csv", ".png")


def write_array(path: str, array: Array, *, columns: int | None = None, names: Sequence[str] | None = None) -> None:
    """Write ``array`` in the format of the suffix; the write is atomic.

    Parameters
    ----------
    path : str
        Ends in .npy (any array), .csv (one row for each sample) or .png (images, laid out in a grid).
    array : ndarray of shape (n, ...)
    columns : int, optional
        Number of images in a row of a .png.
    names : sequence of str, optional
        Names of the columns of a .csv, its first line; a hint says where they look like numbers.
    """
    suffix = Path(path).suffix.lower()
    assert suffix in SUFFIXES
    if suffix == ".npy":
        buffer = io.BytesIO()
        np.save(buffer, array, allow_pickle=False)
    elif suffix == ".csv":
        buffer = io.BytesIO(b"" if names is None else _header(path, names))
        buffer.seek(0, io.SEEK_END)
        _write_lines(buffer, array)
    else:
        from npae.utils.pictures import grid, png

        buffer = io.BytesIO(png(grid(array, columns)))
    write_bytes(path, buffer.getvalue())


def write_parts(path: str, parts: Iterable[Array], shape: Shape, dtype: np.dtype[Any]) -> None:
    """Write an array of ``shape`` that comes in parts, one after the other; a .npy or .csv never lies in memory whole.

    Otherwise as ``write_array``.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in (".npy", ".csv"):
        write_array(path, np.concatenate(list(parts)))
        return
    with atomic_write(path) as file:
        if suffix == ".npy":
            header = {"descr": npy.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
            npy.write_array_header_1_0(file, header)
        for part in parts:
            if suffix == ".npy":
                file.write(np.ascontiguousarray(part, dtype).data)
            else:
                _write_lines(file, part)


def _header(path: str, names: Sequence[str]) -> bytes:
    """The first line of a .csv, which names its columns."""
    if not is_header(list(names), None):
        warnings.warn(
            f"the names of the columns in {path} look like values; give --header where the file is read",
            Hint,
            stacklevel=4,
        )
    line = io.StringIO(newline="")
    has_mark = any(mark in name for name in names for mark in DELIMITERS)
    csv.writer(line, lineterminator="\n", quoting=csv.QUOTE_ALL if has_mark else csv.QUOTE_MINIMAL).writerow(names)
    return line.getvalue().encode("utf-8")


def _write_lines(file: IO[bytes], array: Array) -> None:
    """A line for each sample, with as many digits as give the same numbers again."""
    digits = "%.17g" if array.dtype == np.float64 else "%.9g"
    np.savetxt(file, array.reshape(len(array), -1), delimiter=",", fmt=digits)


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write a file atomically."""
    with atomic_write(path) as file:
        file.write(content)
