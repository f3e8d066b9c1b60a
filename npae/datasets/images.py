"""Reader for a folder of images: each file is a sample, in the order of their names. Needs Pillow."""

import io
import math
import os
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from npae.datasets.streams import MAX_BYTES, damage_is_reported, open_file
from npae.utils.errors import FileFormatError, MissingExtraError
from npae.utils.types import Array, Shape

# Formats that are decoded without starting another program, and the suffixes of their files.
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp")
MAX_FILE = 2**29  # bytes; 89 million pixels of 4 bytes fit
GREY = ("1", "L", "LA")  # Pillow's modes of 8 bits and fewer
COLOUR = ("CMYK", "P", "PA", "RGB", "RGBA", "RGBX", "YCbCr")


def read_images(folder: str | os.PathLike[str], size: tuple[int, int] | None = None) -> Array:
    """Read all images of a folder.

    Files of other suffixes and sub-folders are ignored; a file with an image's suffix must be an image. The
    order is that of the names as text: 10.png comes before 2.png. Transparency is ignored, and of an animation the
    first frame is read. BMP, GIF, JPEG, PNG, PPM, TIFF and WEBP are read, with at most 8 bits a channel.

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
        If the folder holds no images, if one cannot be read or is too large, or if sizes differ.
    """
    folder = Path(folder)
    if not folder.exists():
        raise FileNotFoundError(f"{str(folder)!r} does not exist; check its spelling and the folder you are in")
    if not folder.is_dir():
        raise FileFormatError(f"{str(folder)!r} is not a folder, but one with images was expected; give its folder")
    if size is not None and not (len(size) == 2 and all(n >= 1 for n in size)):
        raise ValueError(f"size is {size}, but a height and a width of at least 1 are expected; give e.g. (28, 28)")
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file())
    if not paths:
        raise FileFormatError(
            f"{str(folder)!r} holds no images; put files ({' '.join(SUFFIXES)}) into it, not into its sub-folders"
        )

    if size is not None:
        _check_total(folder, len(paths), size)
    images: list[Array] = []  # each (h, w) or (h, w, 3), uint8
    for path in paths:
        image = _read(path, size)
        if images and image.shape[:2] != images[0].shape[:2]:
            raise FileFormatError(
                f"{str(path)!r} has {_size(image.shape)} pixels, but {paths[0].name!r} has {_size(images[0].shape)} "
                f"(height × width); give images of one size, or size=(height, width) to resize them"
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
            f"{str(folder)!r} has {n} images to be read at {_size(shape)} pixels, more than {MAX_BYTES:,} bytes of "
            f"float32; give fewer, or a smaller size=(height, width)"
        )


def _size(shape: Shape) -> str:
    return f"{shape[0]}×{shape[1]}"


def _read(path: Path, size: tuple[int, int] | None) -> Array:
    """One image as (h, w) or (h, w, 3), uint8."""
    Image = _pillow()
    with open_file(path) as file, damage_is_reported(path, "an image that can be read"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        # From memory, since reading from a file allocates what the decoder requests, up to 4 GiB for a damaged length.
        if os.fstat(file.fileno()).st_size > MAX_FILE:
            raise FileFormatError(f"{str(path)!r} has more than {MAX_FILE:,} bytes; give a smaller image")
        image: Any = Image.open(io.BytesIO(file.read()), formats=FORMATS)
        if image.mode not in GREY + COLOUR:
            raise FileFormatError(
                f"{str(path)!r} has pixels of mode {image.mode!r}, but 8 bits a channel are expected; convert it"
            )
        image = image.convert("L" if image.mode in GREY else "RGB")
        if size is not None:
            height, width = size
            image = image.resize((width, height), Image.Resampling.BILINEAR)
        return np.array(image)


def _pillow() -> ModuleType:
    try:
        from PIL import Image
    except ImportError:
        raise MissingExtraError("reading images needs Pillow; install it: pip install 'npae[plot]'") from None
    return Image
