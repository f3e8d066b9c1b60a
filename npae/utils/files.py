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
#: Errors of a disk that is full, read-only or damaged.
REFUSALS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.EACCES, errno.EPERM}
#: Errors of Windows for a file that a program has open: access denied, sharing violation, lock violation.
IN_USE = (5, 32, 33)
PATIENCE = 1.0  # seconds; virus scanners open new files for a moment
#: Errors of a drive that cannot set permissions or flush a folder.
UNSUPPORTED = {errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES, errno.EPERM}
NO_NAME = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9]) *(\.|$)|.*[<>:\"|?*]|(?!\.\.$).*[. ]$", re.IGNORECASE)


@contextmanager
def atomic_write(path: str | Path) -> Iterator[IO[bytes]]:
    """Open a new file for writing that replaces ``path`` when the block ends without an error.

    It is written to a temporary file in the same folder, flushed to the disk, and renamed. After an error ``path`` is
    unchanged.

    Parameters
    ----------
    path : str or Path
        A file; a symbolic link is followed.

    Yields
    ------
    binary file

    Raises
    ------
    OSError
        If the folder does not exist or is not writable, or the disk is full.
    ValueError
        If ``path`` is a device or a pipe, or a name that Windows does not allow.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.txt"
    >>> with atomic_write(path) as file:
    ...     _ = file.write(b"complete")
    >>> path.read_bytes()
    b'complete'
    """
    refuse_name(path)
    path = Path(path).resolve()  # replace the target of a link, not the link
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
        except OSError as error:  # a shared drive or a memory card may not support permissions
            if error.errno not in UNSUPPORTED:
                raise
        persistently(os.replace, temporary, path)
    except BaseException:
        with suppress(OSError):  # report the first error
            persistently(os.unlink, temporary)
        raise


def persistently(change: Callable[..., Any], *paths: str | Path) -> None:
    """Rename or remove a file; if Windows reports that a program has it open, retry for ``PATIENCE`` seconds."""
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
    """Whether the error is Windows' refusal to rename or remove a file that a program has open."""
    return getattr(error, "winerror", None) in IN_USE


def refuse_name(path: str | Path) -> None:
    """On Windows, raise ValueError for names of devices, alternate data streams, and other invalid names."""
    name = Path(path).name
    if IS_WINDOWS and NO_NAME.match(name):
        raise ValueError(
            f'{name!r} is no name for a file or folder on Windows; choose one without <>:"|?*, without a dot or space '
            f"at its end, and not that of a device such as CON or NUL"
        )


def remove_unfinished(folder: Path, pattern: str) -> None:
    """Remove temporary files of ``atomic_write`` that killed processes have left, for file names of this pattern."""
    for leftover in folder.glob(f".{pattern}.*"):
        with suppress(FileNotFoundError):
            persistently(os.unlink, leftover)


def make_folder(path: str | Path) -> Path:
    """Make the folder if it does not exist, check that it is writable, and return it; raises OSError otherwise."""
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
    """Raise the error that ``atomic_write`` would raise, before work is done whose result could not be written."""
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
    """Flush a file to the disk, including the disk's own cache."""
    os.fsync(descriptor)
    try:
        import fcntl
    except ImportError:  # Windows
        return
    if hasattr(fcntl, "F_FULLFSYNC"):  # on macOS fsync does not flush the disk's cache
        with suppress(OSError):  # not supported by all drives
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)


def _flush_folder(folder: Path) -> None:
    """Make a rename durable, on systems where a folder can be flushed."""
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
