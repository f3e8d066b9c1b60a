"""Locks on folders and files, so that one process at a time writes there. The system releases them with the process."""

import os
import sys
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from npae.utils import files
from npae.utils.errors import FolderInUseError

NAME = ".lock"
MOST_ROUNDS = 100  # attempts, if other processes remove the lock file meanwhile
PLACE = 2**30  # Windows locks bytes, and locked bytes cannot be read: lock one beyond the end of the file

if sys.platform == "win32":
    import msvcrt

    def _try_to_lock(descriptor: int) -> None:
        os.lseek(descriptor, PLACE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        finally:  # a refused process reads the owner's number from the beginning
            os.lseek(descriptor, 0, os.SEEK_SET)

else:
    import fcntl

    def _try_to_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def locked(folder: str | Path) -> Iterator[None]:
    """Hold an exclusive lock on ``folder``, which must exist, during the block.

    The file ``.lock`` in it holds the process number, for messages; the lock is the operating system's lock on that
    file. If the drive does not support locks, a warning says so.

    Raises
    ------
    FolderInUseError
        If another process, or another thread of this one, has the lock.
    OSError
        If the folder is not writable.
    """
    with _locked(Path(folder) / NAME, Place(f"the folder {folder}", "writes into it", "choose another folder")):
        yield


@contextmanager
def file_locked(path: Path) -> Iterator[None]:
    """As ``locked``, for one file, which need not exist; its folder must."""
    place = Place(str(path), "writes it", "choose another name")
    with _locked(files.unfinished(path, f"{zlib.crc32(os.fsencode(path.name)):08x}"), place):
        yield


@dataclass(frozen=True)
class Place:
    """What is locked, in words: its name, what a process does there, and what else one can do."""

    name: str
    use: str
    advice: str


@contextmanager
def _locked(path: Path, place: Place) -> Iterator[None]:
    descriptor = _open_and_lock(path, place)
    with suppress(OSError):  # the number is for whoever is refused; a full disk does without it
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
    owner = os.getpid()
    try:
        yield
    finally:
        if files.IS_WINDOWS:  # Windows does not remove open files
            os.close(descriptor)
        if os.getpid() == owner:  # a forked child does not own the lock
            with suppress(OSError):  # the folder may be gone
                path.unlink()
        if not files.IS_WINDOWS:
            os.close(descriptor)


def _open_and_lock(path: Path, place: Place) -> int:
    descriptor = _opened(path)
    for _ in range(MOST_ROUNDS):
        _lock_or_refuse(descriptor, place)
        if _is_still(path, descriptor):
            return descriptor
        os.close(descriptor)  # the owner before has removed the file in between
        descriptor = _opened(path)
    _lock_or_refuse(descriptor, place)
    _warn(place, "its drive gives a file a different inode number at each look")
    return descriptor


def _opened(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise OSError(f"the folder {path.parent} cannot be written ({error.strerror}); choose another") from None


def _lock_or_refuse(descriptor: int, place: Place) -> None:
    try:
        _try_to_lock(descriptor)
    except (BlockingIOError, PermissionError):
        number = os.read(descriptor, 20).decode("ascii", "replace")
        os.close(descriptor)
        raise FolderInUseError(
            f"{place.name} is in use: process {number or 'unknown'} {place.use}; wait for its end, or {place.advice}"
        ) from None
    except OSError as error:
        _warn(place, error.strerror)


def _warn(place: Place, reason: str | None) -> None:
    warnings.warn(
        f"{place.name} cannot be locked ({reason}); take care that no other process {place.use}",
        stacklevel=8,
    )


def _is_still(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False
