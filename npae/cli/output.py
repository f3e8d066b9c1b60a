"""Write results as files: arrays as .npy or .csv, images as one .png."""

import io
from pathlib import Path

import numpy as np

from npae.utils.files import atomic_write
from npae.utils.types import Array

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


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write a file atomically."""
    with atomic_write(path) as file:
        file.write(content)
