"""Grids of images as one array, and PNG files."""

import io
from importlib.util import find_spec
from math import ceil, sqrt
from pathlib import Path

import numpy as np

from npae.utils.errors import MissingExtraError
from npae.utils.scalars import whole_number
from npae.utils.types import Array

MARK = b"tEXtSoftware\0npae"  # as PNG has it


def are_images(X: Array) -> bool:
    """Whether samples (n, ...) have the shape of images: (height, width), or with one or three channels."""
    return X.ndim == 3 or (X.ndim == 4 and X.shape[3] in (1, 3))


def grid(images: Array, columns: int | None = None, gap: int = 1) -> Array:
    """Arrange images in a grid, row by row.

    Parameters
    ----------
    images : ndarray of shape (n, height, width) or (n, height, width, 1 or 3)
        Values in [0, 1]; others are clipped.
    columns : int, optional
        About √n by default.
    gap : int, default 1
        White pixels between the images.

    Returns
    -------
    ndarray of uint8, shape (rows · (height + gap) − gap, columns · (width + gap) − gap[, 3])

    Raises
    ------
    ValueError
        If the samples do not have the shape of images.

    Examples
    --------
    >>> grid(np.zeros((4, 28, 28))).shape
    (57, 57)
    """
    if not are_images(images):
        raise ValueError(
            f"samples of shape {images.shape[1:]} are no images (height, width[, 1 or 3]); write them to a .npy or .csv"
        )
    if images.ndim == 4 and images.shape[3] == 1:
        images = images[..., 0]
    n, height, width = images.shape[:3]
    columns, gap = (
        ceil(sqrt(n)) if columns is None else whole_number(columns, "columns"),
        whole_number(gap, "gap", least=0),
    )
    canvas = np.full(
        (ceil(n / columns) * (height + gap) - gap, columns * (width + gap) - gap, *images.shape[3:]), 255, np.uint8
    )
    for i, image in enumerate(np.rint(np.clip(images, 0, 1) * 255).astype(np.uint8)):
        top, left = i // columns * (height + gap), i % columns * (width + gap)
        canvas[top : top + height, left : left + width] = image
    return canvas


def rows(*batches: Array) -> Array:
    """A grid with one row for each batch (n, height, width[, channels])."""
    return grid(np.concatenate(batches), columns=len(batches[0]))


def require_pillow() -> None:
    """Raise MissingExtraError if Pillow is not installed."""
    if find_spec("PIL") is None:
        raise MissingExtraError("pictures need Pillow, which is not installed; pip install 'npae[plot]'")


def png(image: Array, scale: int = 2) -> bytes:
    """PNG file of an image (height, width[, 3]) of uint8, enlarged ``scale`` times; needs Pillow."""
    require_pillow()
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    about = PngInfo()
    about.add_text("Software", "npae")
    scale, buffer = whole_number(scale, "scale"), io.BytesIO()
    pixels = Image.fromarray(image.repeat(scale, axis=0).repeat(scale, axis=1))
    pixels.save(buffer, format="png", optimize=True, pnginfo=about)
    return buffer.getvalue()


def is_of_npae(path: Path) -> bool:
    """Whether ``png`` made the picture in a file."""
    with path.open("rb") as file:
        return MARK in file.read(200)
