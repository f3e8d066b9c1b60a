"""One image file as an array of bytes; what such an array cannot hold is refused by name. Needs Pillow."""

import io
import math
import os
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from npae.datasets.streams import damage_is_reported, open_file
from npae.datasets.tiff import Samples, tiff_samples
from npae.utils.errors import FileFormatError, MissingExtraError
from npae.utils.types import Array
from npae.utils.wording import counted

FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")  # decoded without starting another program
MAX_FILE = 2**29  # bytes; 89 million pixels of 4 bytes fit
GREY = ("1", "L", "LA")  # Pillow's modes of 8 bits and fewer
COLOUR = ("CMYK", "P", "PA", "RGB", "RGBA", "YCbCr")
WIDE = {"I": 32, "I;16": 16, "I;16B": 16, "I;16L": 16, "F": 32}  # bits of the modes that have more


def read_image(path: Path, size: tuple[int, int] | None = None) -> Array:
    """Read one image, turned as its EXIF orientation says.

    A palette is looked up; an image with a palette of greys is grey. Colour profiles are not applied.

    Parameters
    ----------
    path : Path
        BMP, GIF, JPEG, PNG, PPM, TIFF or WEBP, of at most 512 MiB and as many pixels as Pillow holds to be safe.
    size : pair of int, optional
        Height and width to resize to.

    Returns
    -------
    (h, w) or (h, w, 3) ndarray of uint8
        Grey, or red, green and blue.

    Raises
    ------
    MissingExtraError
        If Pillow is not installed.
    FileFormatError
        If it is no such image, or damaged, or holds more than is returned: further pages or frames, more than 8 bits a
        channel, bands beyond red, green and blue, transparent pixels.
    """
    Image = _pillow()
    with open_file(path) as file, damage_is_reported(path, "an image that can be read"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        # From memory: a file allocates as much as a decoder asks for, be it the 4 GiB that a damaged length claims.
        if os.fstat(file.fileno()).st_size > MAX_FILE:
            raise FileFormatError(f"{str(path)!r} has more than {MAX_FILE:,} bytes; give a smaller image")
        content = file.read()
        samples = tiff_samples(content)
        _check_header(path, content, samples)
        try:
            image: Any = Image.open(io.BytesIO(content), formats=FORMATS)
        except Image.UnidentifiedImageError:
            if samples is not None and samples.per_pixel == 2:  # older Pillow
                _check_bands(path, 2, 1)
            raise FileFormatError(
                f"{str(path)!r} is not an image that can be read, or is damaged; convert it to PNG, or fetch it again"
            ) from None
        _check_depth(path, _bits(image))
        _check_mode(path, image)
        if samples is not None:
            _check_bands(path, samples.per_pixel, len(image.getbands()))
        _check_frames(path, image, len(content))
        return _pixels(path, image, size)


def _pixels(path: Path, image: Any, size: tuple[int, int] | None) -> Array:
    from PIL import Image, ImageOps

    ImageOps.exif_transpose(image, in_place=True)
    if "A" in image.getbands() or "transparency" in image.info:
        with_alpha = image if "A" in image.getbands() else image.convert("RGBA")
        lowest, highest = with_alpha.getchannel("A").getextrema()
        del with_alpha  # a large image is not kept in memory twice
        if lowest < 255:
            raise FileFormatError(
                f"{str(path)!r} has transparent pixels (alpha from {lowest} to {highest}), but grey or red, green and "
                f"blue are read; put it on a background and save it without the alpha band"
            )
    has_palette = image.mode in ("P", "PA")
    image = image.convert("L" if image.mode in GREY else "RGB")
    if has_palette:
        rgb = np.asarray(image)
        if np.array_equal(rgb[..., 0], rgb[..., 1]) and np.array_equal(rgb[..., 1], rgb[..., 2]):
            image = image.getchannel(0)
    if size is not None:
        height, width = size
        image = image.resize((width, height), Image.Resampling.BILINEAR)
    return np.array(image)


def _check_header(path: Path, content: bytes, samples: Samples | None) -> None:
    """Refuse by the file's own header what Pillow would open with fewer bits, or would not open at all."""
    if content.startswith(b"\x89PNG\r\n\x1a\n") and content[24:25] == b"\x10":  # the depth, in the first chunk
        _check_depth(path, 16)
    if samples is not None:
        _check_depth(path, samples.bits)
        _check_bands(path, samples.per_pixel, 4)


def _check_bands(path: Path, bands: int, most: int) -> None:
    if bands > most:
        raise FileFormatError(
            f"{str(path)!r} has {bands} bands, but grey or red, green and blue are read; save its pixels with "
            f"numpy.save, or write it again without the others"
        )


def _check_depth(path: Path, bits: int) -> None:
    if bits > 8:
        raise FileFormatError(
            f"{str(path)!r} has {bits} bits a channel, but images of 8 bits are read; convert it, or save its pixels "
            f"with numpy.save"
        )


def _bits(image: Any) -> int:
    if image.format == "PPM":
        arguments = image.tile[0][3]  # the raw mode, with the largest value if it is unusual
        raw, *more = (arguments,) if isinstance(arguments, str) else arguments
        return max(8, int(more[0]).bit_length() if len(more) == 1 else 8, WIDE.get(raw, 8))
    return WIDE.get(image.mode, 8)


def _check_mode(path: Path, image: Any) -> None:
    if image.mode == "RGBX":
        _check_bands(path, 4, 3)
    if image.mode not in GREY + COLOUR:
        raise FileFormatError(
            f"{str(path)!r} has pixels of mode {image.mode!r}, but grey or colour of 8 bits a channel is expected; "
            f"convert it"
        )


def _check_frames(path: Path, image: Any, size: int) -> None:
    frames = getattr(image, "n_frames", 1)
    if frames > 1:
        name = "pages" if image.format == "TIFF" else "frames"
        raise FileFormatError(
            f"{str(path)!r} holds {frames} {name}, but one image a file is expected; save each as a file of its own"
        )
    if image.format == "PPM" and image.tile[0][0] != "ppm_plain":
        row = math.ceil(image.width / 8) if image.mode == "1" else image.width * len(image.getbands())
        end = image.tile[0][2] + row * image.height
        if size > end + 1:  # some programs write a line break behind the pixels
            raise FileFormatError(
                f"{str(path)!r} holds {counted(size - end, 'byte')} behind its first image, but one image a file is "
                f"expected; save each as a file of its own"
            )


def _pillow() -> ModuleType:
    try:
        from PIL import Image
    except ImportError:
        raise MissingExtraError("reading images needs Pillow; install it: pip install 'npae[plot]'") from None
    return Image
