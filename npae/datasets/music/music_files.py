"""Which files of music a folder holds, in itself and in the folders below it."""

import os
from pathlib import Path

from npae.datasets.image_files import SUFFIXES as IMAGE_SUFFIXES
from npae.utils.errors import FileFormatError

MIDI_SUFFIXES = (".mid", ".midi")
XML_SUFFIXES = (".musicxml", ".mxl", ".xml")
SUFFIXES = MIDI_SUFFIXES + XML_SUFFIXES
#: Of music that is not read.
OTHER_SUFFIXES = (
    ".abc",
    ".capx",
    ".gp",
    ".gp5",
    ".gpx",
    ".kar",
    ".krn",
    ".ly",
    ".mei",
    ".mscx",
    ".mscz",
    ".rmi",
    ".sib",
)


def is_music(path: Path) -> bool:
    """Whether a path is a file of music, by its suffix, or a folder that holds some, in itself or below.

    A folder of images may hold .xml files that describe them: there they are no music.
    """
    if not path.is_dir():
        return path.suffix.lower() in SUFFIXES
    suffixes = {file.suffix.lower() for file in _files(path)}
    of_music = suffixes.intersection(SUFFIXES)
    return bool(of_music) and (of_music != {".xml"} or not suffixes.intersection(IMAGE_SUFFIXES))


def find_music(source: Path) -> list[Path]:
    """The file itself, or all files of music in a folder and below it, sorted; hidden ones (``.name``) are passed over.

    Raises
    ------
    FileFormatError
        If the folder holds images, too, or no music.
    """
    if not source.is_dir():
        return [source]
    files = _files(source)
    music = [file for file in files if file.suffix.lower() in SUFFIXES]
    image = next((file for file in files if file.suffix.lower() in IMAGE_SUFFIXES), None)
    if not music:
        raise FileFormatError(f"{str(source)!r} holds no music; put some ({' '.join(SUFFIXES)}) into it")
    if image is not None:
        raise FileFormatError(
            f"{str(source)!r} holds music ({music[0].name!r}) and images ({image.name!r}), but only one of the two can "
            f"be read; give a folder of one kind"
        )
    return music


def find_other_music(source: Path) -> list[Path]:
    """Files of music in a folder and below it whose format is not read."""
    return [file for file in _files(source) if file.suffix.lower() in OTHER_SUFFIXES] if source.is_dir() else []


def _files(folder: Path) -> list[Path]:
    found = []
    for above, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(above, name) for name in names if not name.startswith(".")]
    return sorted(found)
