"""A lock on a folder, so that one process at a time writes into it. The system releases it with the process."""

import errno
import os
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from npae.utils import files
from npae.utils.errors import FolderInUseError

MOST_ROUNDS = 100  # in which others take the lock and give it back
PLACE = 2**30  # Windows locks bytes, and a locked byte cannot be read: one that the file does not have

if sys.platform == "win32":
    import msvcrt

    def _try_to_lock(descriptor: int) -> None:
        os.lseek(descriptor, PLACE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        finally:  # who is refused reads the owner's number, from the beginning
            os.lseek(descriptor, 0, os.SEEK_SET)

else:
    import fcntl

    def _try_to_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


@dataclass(frozen=True)
class Purpose:
    """What a lock is for: the name of its file, what its owner does, and what to do where it cannot be had.

    Attributes
    ----------
    name : str
    does : str
        As in "process 17 trains into it".
    in_use, unwritable : str
        As in "wait for its end" and "choose another".
    """

    name: str
    does: str
    in_use: str
    unwritable: str


TRAINING = Purpose(".lock", "trains into it", "wait for its end, or choose another folder", "choose another")


@contextmanager
def locked(folder: str | Path, purpose: Purpose = TRAINING) -> Iterator[None]:
    """Keep everybody else who asks for this lock out of ``folder``, which must exist.

    A file in it holds the number of the process; what counts is not the file but the system's lock on it.

    Parameters
    ----------
    folder : str or Path
    purpose : Purpose, default=TRAINING

    Raises
    ------
    FolderInUseError
        Where another process, or another thread of this one, has the lock.
    """
    path = Path(folder) / purpose.name
    descriptor = _open_and_lock(path, purpose)
    with suppress(OSError):  # the number is for whoever is refused; a full disk does without it
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
    owner = os.getpid()
    try:
        yield
    finally:
        if files.IS_WINDOWS:  # removes no file that is open, be it by the next who has the lock
            os.close(descriptor)
        if os.getpid() == owner:  # the lock is not a forked child's to give back
            with suppress(OSError):  # the folder may be gone
                path.unlink()
        if not files.IS_WINDOWS:
            os.close(descriptor)


def _open_and_lock(path: Path, purpose: Purpose) -> int:
    descriptor = _opened(path, purpose)
    for _ in range(MOST_ROUNDS):
        _lock_or_refuse(path, descriptor, purpose)
        if _is_still(path, descriptor):
            return descriptor
        os.close(descriptor)  # whoever had it before has removed it in between
        descriptor = _opened(path, purpose)
    _lock_or_refuse(path, descriptor, purpose)
    _warn(path, "its drive gives a file another number at each look", purpose)
    return descriptor


def _opened(path: Path, purpose: Purpose) -> int:
    """The file, open; never one that a link leads to, since it is emptied."""
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


def _lock_or_refuse(path: Path, descriptor: int, purpose: Purpose) -> None:
    try:
        _try_to_lock(descriptor)
    except (BlockingIOError, PermissionError):
        number = os.read(descriptor, 20).decode("ascii", "replace")
        os.close(descriptor)
        raise FolderInUseError(
            f"the folder {path.parent} is in use: process {number or 'unknown'} {purpose.does}; {purpose.in_use}"
        ) from None
    except OSError as error:
        _warn(path, error.strerror, purpose)


def _warn(path: Path, reason: str | None, purpose: Purpose) -> None:
    warnings.warn(
        f"the folder {path.parent} cannot be locked ({reason}); take care that no other process {purpose.does}",
        stacklevel=6,
    )


def _is_still(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False
