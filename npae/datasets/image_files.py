"""Which images a folder holds: its own, or those of its sub-folders, each of which is then a label."""

import re
import warnings
from pathlib import Path
from typing import NamedTuple

from npae.datasets.streams import require_existing
from npae.utils.errors import FileFormatError, quoted
from npae.utils.wording import counted

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
    *(".ai", ".avif", ".bpg", ".cur", ".dcm", ".dds", ".djvu", ".eps", ".exr", ".fits"),
    *(".hdr", ".heic", ".heif", ".icns", ".ico", ".im", ".j2k", ".jp2", ".jpf", ".jpx"),
    *(".jxl", ".jxr", ".mpo", ".nii", ".pam", ".pcx", ".pfm", ".psd", ".qoi", ".ras"),
    *(".rgb", ".sgi", ".svg", ".tga", ".wbmp", ".xbm", ".xcf", ".xpm"),
    *(".arw", ".cr2", ".cr3", ".dng", ".nef", ".orf", ".pef", ".raf", ".raw", ".rw2", ".srw"),  # of cameras
)
#: What a file begins with that is read if its suffix says so, and what such an image is called.
MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\0", "tif"),
    (b"MM\0*", "tif"),
)
HEAD = 12  # bytes that are looked at
#: Files that systems put into folders by themselves, in small letters.
OF_SYSTEMS = ("desktop.ini", "ehthumbs.db", "ehthumbs_vista.db", "icon\r", "thumbs.db")
SHOWN = 3  # names in a warning


CROPS = "faces.csv"  # the list that npae crop writes beside the faces: expected there, so that nothing is said


class ImageFiles(NamedTuple):
    """The images of a folder, in the order in which they are read.

    Attributes
    ----------
    paths : list of Path
        By the name of the sub-folder, if there are any, then by the name of the file.
    labels : list of str, or None
        The sub-folder of each; None if the images are in the folder itself.
    passed_over : list of Path
        The other files in the folder and below it, which are no images.
    """

    paths: list[Path]
    labels: list[str] | None
    passed_over: list[Path]

    def warn(self, folder: Path, stacklevel: int) -> None:
        """Say in one warning how many files are passed over, and name some."""
        if self.passed_over:
            n, names = len(self.passed_over), [quoted(path.name) for path in self.passed_over[:SHOWN]]
            what = f"{'is no image and was' if n == 1 else 'are no images and were'} passed over"
            which = f"{', such as' if n > SHOWN else ':'} {', '.join(names)}"
            warnings.warn(
                f"{counted(n, 'file')} in {str(folder)!r} {what}{which}",
                stacklevel=stacklevel + 1,
            )


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
    require_existing(folder)
    if not folder.is_dir():
        raise FileFormatError(f"{str(folder)!r} is not a folder, but one with images was expected; give its folder")
    own, others = _sorted_out(folder)
    passed_over = [path for path in others if path.name != CROPS]
    classes: dict[Path, list[Path]] = {}
    for entry in filter(Path.is_dir, _visible(folder)):
        images, others = _sorted_out(entry)
        passed_over += others
        if images:
            classes[entry] = images
        for deeper in filter(Path.is_dir, _visible(entry)):
            images, others = _sorted_out_below(deeper)
            passed_over += others
            if images:
                raise FileFormatError(
                    f"{str(images[0])!r} lies more than one folder below {str(folder)!r}, and would be left out; give "
                    f"{str(entry)!r}, or put the images of each label into one folder"
                )
    if own and classes:
        raise FileFormatError(
            f"{str(folder)!r} holds images itself ({own[0].name!r}) and in folders ({next(iter(classes)).name!r}), "
            f"but only one of the two can be read; give another folder, or move them"
        )
    if not own and not classes:
        raise FileFormatError(f"{str(folder)!r} holds {_without_images(passed_over)}")
    if own:
        return ImageFiles(own, None, passed_over)
    paths = [path for images in classes.values() for path in images]
    return ImageFiles(paths, [path.parent.name for path in paths], passed_over)


def _without_images(others: list[Path]) -> str:
    """What a folder without images holds, and what to do."""
    if not others:
        return f"no images; put some ({' '.join(SUFFIXES)}) into it, or give another"
    some = ", ".join(quoted(path.name) for path in others[:SHOWN])
    which = f": {some}" if len(others) <= SHOWN else f", such as {some}"
    return (
        f"no images, but {counted(len(others), 'other file')}{which}; give a file of samples, or a folder of images "
        f"({' '.join(SUFFIXES)})"
    )


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _sorted_out(folder: Path) -> tuple[list[Path], list[Path]]:
    """The images in a folder, and its other files; refuses what is an image and would not be read."""
    images: list[Path] = []
    others: list[Path] = []
    for path in _visible(folder):
        if path.is_dir() or path.name.lower() in OF_SYSTEMS:
            continue
        suffix = path.suffix.lower()
        if suffix in SUFFIXES:
            images.append(path)
        elif suffix in OTHER_SUFFIXES:
            raise FileFormatError(
                f"{str(path)!r} is of a format that is not read, and would be left out of the images; convert it to "
                f"PNG, or move it elsewhere"
            )
        elif (kind := _kind(path)) is not None:
            raise FileFormatError(
                f"{str(path)!r} begins as an image, but its suffix is not that of one, and it would be left out; give "
                f"it a name that ends in .{kind}, or move it elsewhere"
            )
        else:
            others.append(path)
    return images, others


def _kind(path: Path) -> str | None:
    """The suffix that an image should have, by its first bytes; None if it is none of those that are read."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        head = file.read(HEAD)
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "webp"
    if head.startswith(b"BM") and head[6:10] == bytes(4):
        return "bmp"
    if re.match(rb"P[1-6]\n(#|[0-9]+ [0-9])", head):
        return "ppm"
    return next((kind for magic, kind in MAGIC if head.startswith(magic)), None)


def _sorted_out_below(folder: Path) -> tuple[list[Path], list[Path]]:
    """As ``_sorted_out``, of a folder and all below it."""
    images, others = _sorted_out(folder)
    for below in filter(Path.is_dir, _visible(folder)):
        if not below.is_symlink():
            more_images, more_others = _sorted_out_below(below)
            images, others = images + more_images, others + more_others
    return images, others
