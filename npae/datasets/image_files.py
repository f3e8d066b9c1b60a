"""Which images a folder holds: its own, or those of its sub-folders, each of which is then a label."""

import os
from pathlib import Path
from typing import NamedTuple

from npae.utils.errors import FileFormatError

SUFFIXES = (
    ".bmp",
    ".gif",
    ".jfif",
    ".jpe",
    ".jpeg",
    ".jpg",
    ".pbm",
    ".pgm",
    ".png",
    ".pnm",
    ".ppm",
    ".tif",
    ".tiff",
    ".webp",
)
#: Of images that are not read: among images that are, such a file would be left out without a word.
OTHER_SUFFIXES = (
    ".avif",
    ".dcm",
    ".dng",
    ".exr",
    ".heic",
    ".heif",
    ".ico",
    ".j2k",
    ".jp2",
    ".jxl",
    ".pcx",
    ".psd",
    ".svg",
    ".tga",
)


class ImageFiles(NamedTuple):
    """The images of a folder, in the order in which they are read.

    Attributes
    ----------
    paths : list of Path
        By the name of the sub-folder, if there are any, then by the name of the file.
    labels : list of str, or None
        The sub-folder of each; None if the images are in the folder itself.
    """

    paths: list[Path]
    labels: list[str] | None


def find_images(folder: Path) -> ImageFiles:
    """List the images of a folder, or of its sub-folders; what is hidden (``.name``) is passed over.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    FileFormatError
        If it is not a folder, or if some of the images below it would be left out: if both the folder and a sub-folder
        hold some, if they lie deeper, or if some are of formats that are not read.
    """
    if not folder.exists():
        raise FileNotFoundError(f"{str(folder)!r} does not exist; check its spelling and the folder you are in")
    if not folder.is_dir():
        raise FileFormatError(f"{str(folder)!r} is not a folder, but one with images was expected; give its folder")
    own = _images_in(folder)
    classes = {entry: _images_in(entry) for entry in _visible(folder) if entry.is_dir()}
    for entry in classes:
        for deeper in filter(Path.is_dir, _visible(entry)):
            if (where := _first_below(deeper)) is not None:
                raise FileFormatError(
                    f"{str(where)!r} lies more than one folder below {str(folder)!r}, and would be left out; give "
                    f"{str(entry)!r}, or put the images of each label into one folder"
                )
    classes = {entry: images for entry, images in classes.items() if images}
    if own and classes:
        raise FileFormatError(
            f"{str(folder)!r} holds images itself ({own[0].name!r}) and in folders ({next(iter(classes)).name!r}), "
            f"but only one of the two can be read; give another folder, or move them"
        )
    if not own and not classes:
        raise FileFormatError(
            f"{str(folder)!r} holds no images; put some ({' '.join(SUFFIXES)}) into it, or give a file in it"
        )
    if own:
        return ImageFiles(own, None)
    paths = [path for images in classes.values() for path in images]
    return ImageFiles(paths, [path.parent.name for path in paths])


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _images_in(folder: Path) -> list[Path]:
    files = [path for path in _visible(folder) if not path.is_dir()]
    images = [path for path in files if path.suffix.lower() in SUFFIXES]
    for path in files if images else ():
        if path.suffix.lower() in OTHER_SUFFIXES:
            raise FileFormatError(
                f"{str(path)!r} is of a format that is not read, while {images[0].name!r} beside it is; convert it to "
                f"PNG, or move it elsewhere"
            )
    return images


def _first_below(folder: Path) -> Path | None:
    """Any image in a folder or below it."""
    for above, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES:
                return Path(above) / name
    return None
