"""Write results as files: arrays as .npy or .csv, images as one .png."""

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from npae.utils.files import atomic_write
from npae.utils.types import Array, Shape

SUFFIXES = (".npy", ".csv", ".png")


def write_array(path: str, array: Array, *, columns: int | None = None) -> None:
    """Write ``array`` in the format of the suffix; the write is atomic.

    Parameters
    ----------
    path : str
        Ends in .npy (any array), .csv (one row for each sample) or .png (images, laid out in a grid).
    array : ndarray of shape (n, ...)
    columns : int, optional
        Number of images in a row of a .png.
    """
    suffix = Path(path).suffix.lower()
    assert suffix in SUFFIXES
    if suffix == ".npy":
        buffer = io.BytesIO()
        np.save(buffer, array, allow_pickle=False)
    elif suffix == ".csv":
        buffer = io.BytesIO()
        np.savetxt(buffer, array.reshape(len(array), -1), delimiter=",", fmt="%.9g")
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
                np.savetxt(file, part.reshape(len(part), -1), delimiter=",", fmt="%.9g")


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write a file atomically."""
    with atomic_write(path) as file:
        file.write(content)
