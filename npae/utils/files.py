"""Atomic writes: a reader finds the old file or the complete new one, never half of one."""

import errno
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

IS_WINDOWS = sys.platform == "win32"
#: What a disk says that takes no more.
REFUSALS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.EACCES, errno.EPERM}
#: What Windows says of a file that a program has open: access denied, a sharing violation, a lock.
IN_USE = (5, 32, 33)
PATIENCE = 1.0  # seconds, for a virus scanner that looks at a new file
#: What a drive says of what it cannot do: set permissions, flush a folder.
UNSUPPORTED = {errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES, errno.EPERM}
NO_NAME = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9]) *(\.|$)|.*[<>:\"|?*]|(?!\.\.$).*[. ]$", re.IGNORECASE)


@contextmanager
def atomic_write(path: str | Path) -> Iterator[IO[bytes]]:
    """Open a new file that takes the place of ``path`` only once it is written and on the disk.

    It is written beside ``path``, flushed, and renamed; whatever goes wrong before leaves ``path`` as it was.

    Raises
    ------
    OSError
        Where the folder does not exist or cannot be written, or the disk is full.
    """
    refuse_name(path)
    path = Path(path).resolve()  # a link stays one
    if path.exists() and not path.is_file() and not path.is_dir():
        raise ValueError(f"{path} is a device or a pipe, no file; give the name of a file")
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; give the name of a file")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"the folder {path.parent} does not exist; make it, or choose another path")
    try:
        with _written_beside(path) as file:
            yield file
    except OSError as error:
        if error.errno not in REFUSALS:
            raise
        advice = "close the program that has it open" if is_in_use(error) else "make room"
        raise OSError(f"{path} cannot be written ({error.strerror}); {advice}, or choose another path") from None
    _flush_folder(path.parent)


@contextmanager
def _written_beside(path: Path) -> Iterator[IO[bytes]]:
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            _flush(file.fileno())
        try:
            os.chmod(temporary, 0o666 & ~_umask())
        except OSError as error:  # a shared drive or a memory card may know no permissions
            if error.errno not in UNSUPPORTED:
                raise
        persistently(os.replace, temporary, path)
    except BaseException:
        with suppress(OSError):  # what went wrong first is what is told
            persistently(os.unlink, temporary)
        raise


def persistently(change: Callable[..., Any], *paths: str | Path) -> None:
    """Rename or remove a file; where Windows says that somebody has it open, try again for a second."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            change(*paths)
            return
        except OSError as error:
            if not is_in_use(error) or time.monotonic() > deadline:
                raise
        time.sleep(0.02)


def is_in_use(error: OSError) -> bool:
    """Whether Windows refused to rename or remove a file because somebody has it open."""
    return getattr(error, "winerror", None) in IN_USE


def refuse_name(path: str | Path) -> None:
    """Raise where Windows would take the name for that of a device, or of a hidden part of another file."""
    name = Path(path).name
    if IS_WINDOWS and NO_NAME.match(name):
        raise ValueError(
            f'{name!r} is no name for a file or folder on Windows; choose one without <>:"|?*, without a dot or space '
            f"at its end, and not that of a device such as CON or NUL"
        )


def remove_unfinished(folder: Path, pattern: str) -> None:
    """Remove what processes that were killed while they wrote files of this pattern have left in the folder."""
    for leftover in folder.glob(f".{pattern}.*"):
        with suppress(FileNotFoundError):
            persistently(os.unlink, leftover)


def make_folder(path: str | Path) -> Path:
    """The folder, made where it does not exist, and seen to be writable."""
    refuse_name(path)
    path = Path(path)
    if path.exists() and not path.is_dir():
        raise NotADirectoryError(f"{path} is a file; give a folder")
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(f"the folder {path} cannot be made ({error.strerror}); choose another") from None
    check_writable(path / "new")
    return path


def check_writable(path: str | Path) -> None:
    """Raise now what ``atomic_write`` would raise later, before work is done that could not be kept."""
    refuse_name(path)
    path = Path(path)
    existed = path.exists()
    if existed and not path.is_file():
        raise IsADirectoryError(f"{path} is no file; give the name of a file")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"the folder {path.parent} does not exist; make it, or choose another path")
    try:
        tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        raise OSError(f"the folder {path.parent} cannot be written ({error.strerror}); choose another") from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _flush(descriptor: int) -> None:
    """Have what is written on the disk itself, not only in its memory."""
    os.fsync(descriptor)
    try:
        import fcntl
    except ImportError:  # Windows
        return
    if hasattr(fcntl, "F_FULLFSYNC"):  # macOS, where fsync leaves it to the disk when to write
        with suppress(OSError):  # a drive that cannot
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)


def _flush_folder(folder: Path) -> None:
    """Make the rename itself durable, where the system lets a folder be flushed."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise
    finally:
        os.close(descriptor)
