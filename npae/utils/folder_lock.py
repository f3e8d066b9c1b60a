"""Locks on folders and files, so that one process at a time writes there. The system releases them with the process."""

import errno
import os
import sys
import time
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from npae.utils import files
from npae.utils.errors import FolderInUseError

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


@dataclass(frozen=True)
class Purpose:
    """What a lock is for: the name of its file, what its owner does, and the advice where it cannot be had.

    Attributes
    ----------
    name : str
    does : str
        As in "process 17 writes into it".
    in_use, unwritable : str
        As in "wait for its end" and "choose another".
    """

    name: str
    does: str
    in_use: str
    unwritable: str


WRITING = Purpose(".lock", "writes into it", "wait for its end, or choose another folder", "choose another")
ONE_FILE = Purpose("", "writes it", "wait for its end, or choose another name", "choose another")


@contextmanager
def locked(folder: str | Path, purpose: Purpose = WRITING) -> Iterator[None]:
    """Hold an exclusive lock on ``folder``, which must exist, during the block.

    A file in it holds the process number, for messages; the lock is the operating system's lock on that file. If the
    drive does not support locks, a warning says so.

    Parameters
    ----------
    folder : str or Path
    purpose : Purpose, default=WRITING

    Raises
    ------
    FolderInUseError
        If another process, or another thread of this one, has the lock.
    OSError
        If the folder is not writable.
    """
    with _locked(Path(folder) / purpose.name, f"the folder {folder}", purpose):
        yield


@contextmanager
def file_locked(path: Path) -> Iterator[None]:
    """As ``locked``, for one file, which need not exist; its folder must."""
    with _locked(files.unfinished(path, f"{zlib.crc32(os.fsencode(path.name)):08x}"), str(path), ONE_FILE):
        yield


@contextmanager
def _locked(path: Path, what: str, purpose: Purpose) -> Iterator[None]:
    descriptor = _open_and_lock(path, what, purpose)
    with suppress(OSError):  # the number is only for messages, and may be missing on a full disk
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


def _open_and_lock(path: Path, what: str, purpose: Purpose) -> int:
    descriptor = _opened(path, purpose)
    for _ in range(MOST_ROUNDS):
        _lock_or_refuse(descriptor, what, purpose)
        if _is_still(path, descriptor):
            return descriptor
        os.close(descriptor)  # the owner before has removed the file in between
        descriptor = _opened(path, purpose)
    _lock_or_refuse(descriptor, what, purpose)
    _warn(what, "its drive gives a file a different inode number at each look", purpose)
    return descriptor


def _opened(path: Path, purpose: Purpose) -> int:
    """Open the lock file; a link is refused, because the file is emptied."""
    soon = time.monotonic() + files.PATIENCE
    while True:
        try:
            return os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
        except OSError as error:
            is_going = files.IS_WINDOWS and isinstance(error, PermissionError)  # its owner is removing it
            if not is_going or time.monotonic() > soon:
                reason = f"{path.name} is a link" if error.errno == errno.ELOOP else error.strerror
                raise OSError(f"the folder {path.parent} cannot be written ({reason}); {purpose.unwritable}") from None
        time.sleep(0.05)


def _lock_or_refuse(descriptor: int, what: str, purpose: Purpose) -> None:
    try:
        _try_to_lock(descriptor)
    except (BlockingIOError, PermissionError):
        number = os.read(descriptor, 20).decode("ascii", "replace")
        os.close(descriptor)
        raise FolderInUseError(
            f"{what} is in use: process {number or 'unknown'} {purpose.does}; {purpose.in_use}"
        ) from None
    except OSError as error:
        _warn(what, error.strerror, purpose)


def _warn(what: str, reason: str | None, purpose: Purpose) -> None:
    warnings.warn(
        f"{what} cannot be locked ({reason}); take care that no other process {purpose.does}",
        stacklevel=8,
    )


def _is_still(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False
