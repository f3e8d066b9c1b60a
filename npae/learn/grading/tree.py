"""Files of a folder or a zip archive as one tree, read with limits: what is handed in may be a link or a zip bomb.

A zip archive in the tree is a folder; nothing is unpacked to the disk.
"""

import io
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO

MOST_ENTRIES = 2000  # files and folders of one learner
MOST_BYTES = 64 << 20  # of one learner's archives, unpacked
LARGEST_ARCHIVE = 64 << 20  # bytes of a zip file
LONGEST_NAME = 200  # bytes of a file's name
DEEPEST = 12  # folders within folders
DEEPEST_ZIP = 3  # archives within archives
ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError, OSError)
ENCRYPTED = 1  # bit of a zip entry's flags


class LimitError(ValueError):
    """More files or bytes than one learner may hand in; the message says which limit."""


class UnreadableError(ValueError):
    """A file that cannot be read; the message goes on after its name."""


@dataclass
class Budget:
    """What one learner's tree may still take."""

    entries: int = MOST_ENTRIES
    unpacked: int = MOST_BYTES

    def take_entry(self) -> None:
        self.entries -= 1
        if self.entries < 0:
            raise LimitError(f"more than {MOST_ENTRIES:,} files and folders were handed in; keep exercises only")

    def take_bytes(self, count: int) -> None:
        self.unpacked -= count
        if self.unpacked < 0:
            raise LimitError(f"the zip files have more than {MOST_BYTES:,} bytes unpacked; keep exercises only")


@dataclass
class Entry:
    """A file in a tree.

    Attributes
    ----------
    name : str
        Path from the learner's folder, with "/"; an archive in it is named like a folder.
    time : float or None
        When it was last changed, in seconds since 1970.
    fault : str
        Why it cannot be read, such as "is no file"; else "".
    """

    name: str
    time: float | None = None
    fault: str = ""

    def read(self, most: int) -> bytes:
        """The content; more than ``most`` bytes raise ``UnreadableError``."""
        raise NotImplementedError


@dataclass
class DiskEntry(Entry):
    """A file on the disk."""

    path: Path = field(default_factory=Path)

    def read(self, most: int) -> bytes:
        try:
            with open(self.path, "rb") as file:
                return _at_most(file, most)
        except OSError as error:
            raise UnreadableError(f"cannot be read: {error.strerror}") from None


@dataclass
class ZipEntry(Entry):
    """A file in a zip archive."""

    archive: zipfile.ZipFile | None = None
    info: zipfile.ZipInfo | None = None
    budget: Budget = field(default_factory=Budget)

    def read(self, most: int) -> bytes:
        assert self.archive is not None
        assert self.info is not None
        try:
            with self.archive.open(self.info) as file:
                content = _at_most(file, most)
        except UnreadableError:
            raise
        except ZIP_ERRORS as error:
            raise UnreadableError(f"cannot be unpacked ({str(error) or type(error).__name__})") from None
        self.budget.take_bytes(len(content))
        return content


def _at_most(file: IO[bytes], most: int) -> bytes:
    content = file.read(most + 1)
    if len(content) > most:
        raise UnreadableError(f"has more than {most:,} bytes; it holds functions only")
    return content


def entries_of(path: Path, budget: Budget | None = None) -> Iterator[Entry]:
    """The files of a folder, of a zip archive, or the file itself; those in archives within it, too.

    Hidden folders, those of Python and macOS (``__pycache__``, ``__MACOSX``) and virtual environments are left out.

    Raises
    ------
    LimitError
        Where there are too many files.
    OSError
        Where the folder cannot be read.
    """
    budget = budget or Budget()
    if path.is_dir():
        yield from _of_folder(path, path, "", budget, 0)
    else:
        yield from _opened(_on_disk(path, path.parent, path.name), budget, 0, as_root=True)


def _of_folder(folder: Path, root: Path, prefix: str, budget: Budget, depth: int) -> Iterator[Entry]:
    names = sorted(os.listdir(folder))
    if "pyvenv.cfg" in names:
        return
    for name in names:
        if is_left_out(name):
            continue
        budget.take_entry()
        path = folder / name
        if path.is_dir() and not name.endswith((".py", ".ipynb")):
            if path.is_symlink() or depth >= DEEPEST:
                yield Entry(prefix + name, fault="is a link to a folder" if path.is_symlink() else "is nested too deep")
            else:
                yield from _of_folder(path, root, f"{prefix}{name}/", budget, depth + 1)
        else:
            yield from _opened(_on_disk(path, root, prefix + name), budget, 0)


def is_left_out(name: str) -> bool:
    """Whether a file or folder is hidden, or one that Python or macOS makes; a learner's progress is read."""
    return name.startswith((".", "__")) and name not in (".npae-learn.json", "__init__.py")


def _on_disk(path: Path, root: Path, name: str) -> Entry:
    try:
        if not path.resolve().is_relative_to(root.resolve()):
            return Entry(name, fault="is a link that leads out of the learner's folder")
        if not path.is_file():
            return Entry(name, fault="is no file")
    except (OSError, RuntimeError) as error:  # links in a circle are a RuntimeError before Python 3.13
        return Entry(name, fault=f"cannot be read: {getattr(error, 'strerror', None) or 'a link in a circle'}")
    return DiskEntry(name, _time_of(path), path=path)


def _time_of(path: Path) -> float | None:
    try:
        return path.stat().st_mtime
    except OSError:
        return None


def _opened(entry: Entry, budget: Budget, depth: int, as_root: bool = False) -> Iterator[Entry]:
    """The entry, or, where it is a zip archive, the files in it."""
    if entry.fault or not entry.name.lower().endswith(".zip"):
        yield entry
        return
    prefix = "" if as_root else f"{entry.name}/"
    try:
        if depth >= DEEPEST_ZIP:
            raise UnreadableError(f"is a zip file within {DEEPEST_ZIP} others")
        archive = zipfile.ZipFile(io.BytesIO(entry.read(LARGEST_ARCHIVE)))
    except UnreadableError as error:
        yield Entry(entry.name, entry.time, fault=str(error))
        return
    except ZIP_ERRORS:
        yield Entry(entry.name, entry.time, fault="is no zip file that can be opened")
        return
    for info in archive.infolist():
        parts = PurePosixPath(info.filename.replace("\\", "/")).parts
        if info.is_dir() or any(is_left_out(part) for part in parts if part not in (".", "..")):
            continue
        budget.take_entry()
        yield from _opened(_in_zip(archive, info, prefix, budget), budget, depth + 1)


def _in_zip(archive: zipfile.ZipFile, info: zipfile.ZipInfo, prefix: str, budget: Budget) -> Entry:
    path = PurePosixPath(info.filename.replace("\\", "/"))
    name = f"{prefix}{path}"
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        return Entry(name, fault="has a path that leads out of the zip file")
    if not all(part.isprintable() and len(part.encode(errors="replace")) <= LONGEST_NAME for part in path.parts):
        return Entry(name, fault="has a name that no file can have")
    if stat.S_ISLNK(info.external_attr >> 16):
        return Entry(name, fault="is a link within a zip file")
    if info.flag_bits & ENCRYPTED:
        return Entry(name, fault="is encrypted")
    try:
        time = datetime(*info.date_time).timestamp()
    except (ValueError, OverflowError):
        time = None
    return ZipEntry(name, time, archive=archive, info=info, budget=budget)
