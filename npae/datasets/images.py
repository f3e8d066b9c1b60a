"""Reader for a folder of images: each file is a sample, in the order of their names. Needs Pillow."""

import math
import os
from pathlib import Path

import numpy as np

from npae.datasets.image_files import find_images
from npae.datasets.pixels import read_image
from npae.datasets.streams import MAX_BYTES
from npae.utils.errors import FileFormatError
from npae.utils.types import Array, Shape
from npae.utils.wording import counted

SIZE = "(size=(height, width), on the command line --size HEIGHT,WIDTH)"


def read_images(folder: str | os.PathLike[str], size: tuple[int, int] | None = None) -> Array:
    """Read all images of a folder, or of its sub-folders, whose names :func:`read_labels` gives as labels.

    A file with an image's suffix must be an image. An image with another suffix, or of a format that is not read, is
    refused; other files are passed over, with one warning that counts and names them, but for hidden files (``.name``)
    and those that systems make, such as Thumbs.db. The order is that of the names as text, folders first: 10.png comes
    before 2.png. BMP, GIF, JPEG, PNG, PPM, TIFF and WEBP are read, turned as their EXIF orientation says. An image with
    a palette is in colour, unless its palette is grey.

    A file may have up to 512 MiB, one image as many pixels as Pillow considers safe (``PIL.Image.MAX_IMAGE_PIXELS``,
    89 million), and the result up to 4 GiB.

    Parameters
    ----------
    folder : str or PathLike
        The folder.
    size : pair of int, optional
        Height and width to which every image is resized, without keeping proportions. By default all must have the same
        size.

    Returns
    -------
    ndarray of float32 in [0, 1]
        (n, h, w) if all images are grey, (n, h, w, 3) if any is in colour.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    MissingExtraError
        If Pillow is not installed.
    FileFormatError
        If the folder holds no images, if one cannot be read or is too large, or if sizes differ. Also if something
        would be left out: images in further folders, further pages or frames of a file, more than 8 bits a channel,
        bands beyond red, green and blue, transparency.
    """
    folder = Path(folder)
    if size is not None and not is_size(size):
        raise ValueError(f"size is {size}, but a height and a width of at least 1 are expected; give e.g. (28, 28)")
    found = find_images(folder)
    found.warn(folder, stacklevel=2)
    paths = found.paths
    if size is not None:
        _check_total(folder, len(paths), size)
    images: list[Array] = []  # each (h, w) or (h, w, 3), uint8
    for path in paths:
        image = read_image(path, size)
        if images and image.shape[:2] != images[0].shape[:2]:
            raise FileFormatError(
                f"{str(path)!r} has {_size(image.shape)} pixels, but {paths[0].name!r} has {_size(images[0].shape)} "
                f"(height × width); give images of one size, or have them resized {SIZE}"
            )
        images.append(image)
        _check_total(folder, len(paths), image.shape)

    in_colour = any(image.ndim == 3 for image in images)
    x = np.empty((len(images), *images[0].shape[:2], *([3] if in_colour else [])), np.float32)  # (n, h, w[, 3])
    for y, image in zip(x, images, strict=True):
        np.divide(image[..., None] if in_colour and image.ndim == 2 else image, np.float32(255), out=y)
    return x


def _check_total(folder: Path, n: int, shape: Shape) -> None:
    if n * math.prod(shape) * np.dtype(np.float32).itemsize > MAX_BYTES:
        raise FileFormatError(
            f"{str(folder)!r} has {counted(n, 'image')} to be read at {_size(shape)} pixels, more than {MAX_BYTES:,} "
            f"bytes of float32; give fewer, or have them made smaller {SIZE}"
        )


def is_size(size: object) -> bool:
    """Whether it is a pair of whole numbers of at least 1."""
    is_pair = isinstance(size, tuple | list | np.ndarray) and len(size) == 2
    return is_pair and all(isinstance(n, int | np.integer) and n >= 1 for n in size)  # type: ignore[attr-defined]


def _size(shape: Shape) -> str:
    return f"{shape[0]}×{shape[1]}"
