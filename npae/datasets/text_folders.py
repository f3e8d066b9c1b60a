"""Texts in folders: each file is a text, and its folder, below the one that is given, its label."""

import os
import warnings
from pathlib import Path
from typing import NamedTuple

from npae.datasets.streams import MAX_BYTES, require_existing
from npae.datasets.text_files import UTF8, open_text
from npae.utils.errors import FileFormatError, Hint
from npae.utils.wording import counted

LARGEST_TEXT = 2**24  # characters
SUFFIX = ".txt"


class TextFiles(NamedTuple):
    """The texts of a folder, in the order in which they are read.

    Attributes
    ----------
    paths : list of Path
        By the name of the sub-folder, if there are any, then by the name of the file.
    labels : list of str, or None
        The sub-folder of each; None if the texts are in the folder itself.
    """

    paths: list[Path]
    labels: list[str] | None


def find_texts(folder: Path) -> TextFiles:
    """List the texts of a folder: those of its sub-folders, or if these have none, its own.

    Texts are files that end in .txt or, in a folder without such, files without a suffix. What is hidden (``.name``) is
    passed over. Where other files are left out, a hint says so.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    FileFormatError
        If it is not a folder, holds no texts, or has some that lie more than one folder deeper.
    """
    require_existing(folder)
    own, others = _texts_in(folder)
    classes = {}
    for entry in filter(Path.is_dir, _visible(folder)):
        texts, more = _texts_in(entry)
        others += more
        if texts:
            classes[entry] = texts
        for deeper in filter(Path.is_dir, _visible(entry)):
            if (where := _first_below(deeper)) is not None:
                raise FileFormatError(
                    f"{str(where)!r} lies more than one folder below {str(folder)!r}, and would be left out; give "
                    f"{str(entry)!r}, or put the texts of each label into one folder"
                )
    if not own and not classes:
        raise FileFormatError(f"{str(folder)!r} holds no texts; put some into it, as .txt files")
    if classes:
        others = own + others
    if others:
        example, place = others[0].relative_to(folder).as_posix(), "its sub-folders" if classes else "it"
        warnings.warn(
            f"{counted(len(others), 'other file')} in {str(folder)!r} left out, such as {example!r}; only texts in "
            f"{place} were read",
            Hint,
            stacklevel=3,
        )
    if not classes:
        return TextFiles(own, None)
    paths = [path for texts in classes.values() for path in texts]
    return TextFiles(paths, [path.parent.name for path in paths])


def read_text_files(paths: list[Path], encoding: str = UTF8) -> list[str]:
    """The content of each file, without a mark of its encoding.

    Raises
    ------
    FileFormatError
        If a file is not of this encoding or has more than 16 Mi characters, or if all have more than 4 Gi.
    """
    texts, total = [], 0
    for path in paths:
        with open_text(path, "a text", encoding) as file:
            text = file.read(LARGEST_TEXT + 1)
        if len(text) > LARGEST_TEXT:
            raise FileFormatError(
                f"{str(path)!r} has more than {LARGEST_TEXT:,} characters; split it into smaller ones"
            )
        total += len(text)
        if total > MAX_BYTES:
            raise FileFormatError(f"up to {str(path)!r}, the texts have more than {MAX_BYTES:,} characters; give fewer")
        texts.append(text)
    return texts


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _texts_in(folder: Path) -> tuple[list[Path], list[Path]]:
    """The texts of a folder, and its other files."""
    files = [path for path in _visible(folder) if not path.is_dir()]
    texts = [path for path in files if path.suffix.lower() == SUFFIX] or [path for path in files if not path.suffix]
    return texts, [path for path in files if path not in set(texts)]


def _first_below(folder: Path) -> Path | None:
    """Any text in a folder or below it."""
    for above, folders, _ in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        texts, _ = _texts_in(Path(above))
        if texts:
            return texts[0]
    return None
