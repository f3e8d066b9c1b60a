"""A lock on a folder, so that one process at a time trains into it; released by the system when the process ends."""

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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
    path = Path(folder) / NAME
    descriptor = _open_and_lock(path)
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


def _open_and_lock(path: Path) -> int:
    descriptor = _opened(path)
    for _ in range(MOST_ROUNDS):
        _lock_or_refuse(path, descriptor)
        if _is_still(path, descriptor):
            return descriptor
        os.close(descriptor)  # the owner before has removed the file in between
        descriptor = _opened(path)
    _lock_or_refuse(path, descriptor)
    _warn(path, "the drive gives a file a different inode number at each look")
    return descriptor


def _opened(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise OSError(f"the folder {path.parent} cannot be written ({error.strerror}); choose another") from None


def _lock_or_refuse(path: Path, descriptor: int) -> None:
    try:
        _try_to_lock(descriptor)
    except (BlockingIOError, PermissionError):
        number = os.read(descriptor, 20).decode("ascii", "replace")
        os.close(descriptor)
        raise FolderInUseError(
            f"the folder {path.parent} is in use: process {number or 'unknown'} trains into it; wait for its "
            f"end, or choose another folder"
        ) from None
    except OSError as error:
        _warn(path, error.strerror)


def _warn(path: Path, reason: str | None) -> None:
    warnings.warn(
        f"the folder {path.parent} cannot be locked ({reason}); take care that no other process trains into it",
        stacklevel=6,
    )


def _is_still(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False
