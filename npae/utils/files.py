"""Atomic writes: a reader finds the old file or the complete new one, never half of one."""

import errno
import os
import re
import secrets
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, BinaryIO

from npae.utils.errors import one_line

IS_WINDOWS = sys.platform == "win32"
#: Errors of a disk that is full, read-only or damaged.
REFUSALS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.EACCES, errno.EPERM}
#: Errors of Windows for a file that a program has open: access denied, sharing violation, lock violation.
IN_USE = (5, 32, 33)
PATIENCE = 1.0  # seconds; virus scanners open new files for a moment
#: Errors of a drive that cannot set permissions or flush a folder.
UNSUPPORTED = {errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES, errno.EPERM}
NO_NAME = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9]) *(\.|$)|.*[<>:\"|?*]|(?!\.\.$).*[. ]$", re.IGNORECASE)


#: Ends the name of a file that is being written; one that no process holds was left by a process that was killed.
UNFINISHED = ".npae-unfinished"
LONGEST_NAME = 100  # bytes of a file's name that its unfinished one begins with: some drives allow 143 in all
MOST_TRIES = 100
OLD = 3600.0  # seconds after which an unfinished file is abandoned, where the system cannot tell whether it is held


@contextmanager
def atomic_write(path: str | Path) -> Iterator[IO[bytes]]:
    """Open a new file for writing that replaces ``path`` when the block ends without an error.

    It is written to a temporary file in the same folder, flushed to the disk, and renamed. After an error ``path`` is
    unchanged. A replaced file keeps its permissions. Temporary files of killed processes in the folder are removed.

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
    path = _target(path)  # a link stays one
    sweep(path.parent)
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
    mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else None
    file = _open_beside(path, mode)
    try:
        yield file
        file.flush()
        _flush(file.fileno())
        if mode is not None:
            _set_mode(file.name, mode)
        if IS_WINDOWS:  # renames no file that is open; elsewhere it is held until it has its name
            file.close()
        persistently(os.replace, file.name, path)
    except BaseException:
        with suppress(OSError):  # what went wrong first is what is told
            file.close()
        with suppress(OSError):
            persistently(os.unlink, file.name)
        raise
    file.close()


def _open_beside(path: Path, mode: int | None) -> BinaryIO:
    """A new file beside ``path``, held by this process; readable to no one who may not read the file it replaces."""
    # Of a new file the system takes away what the process's umask says.
    permissions = 0o666 if mode is None else mode & 0o777 | 0o600
    for _ in range(MOST_TRIES):
        name = unfinished(path, secrets.token_hex(4))
        try:
            file = open(name, "xb", opener=lambda name, flags: os.open(name, flags, permissions))  # noqa: SIM115
        except FileExistsError:
            continue
        if _hold(file.fileno()) is not False and name.exists():
            return file
        file.close()  # another process, which sweeps, was faster
    raise OSError(f"no file can be kept beside {path}, since something removes it at once; choose another folder")


def _set_mode(path: str, mode: int) -> None:
    try:
        os.chmod(path, mode)
    except OSError as error:  # a shared drive or a memory card may know no permissions
        if error.errno not in UNSUPPORTED:
            raise


def _hold(descriptor: int) -> bool | None:
    """Hold an unfinished file; False where another process holds it, None where the system has no such locks."""
    try:
        import fcntl
    except ImportError:  # Windows
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def unfinished(path: Path, which: str) -> Path:
    """A name beside ``path`` for a file that is there only while a process holds it."""
    begin = path.name.encode("utf-8", "ignore")[:LONGEST_NAME].decode("utf-8", "ignore")
    return path.with_name(f".{begin}.{which}{UNFINISHED}")


def sweep(folder: Path) -> None:
    """Remove the files in ``folder`` that processes were writing when they were killed."""
    for leftover in folder.glob(f".*{UNFINISHED}"):
        with suppress(OSError):  # it is another user's, or gone
            descriptor = os.open(leftover, os.O_RDWR)
            try:
                is_held = _hold(descriptor)
                age = time.time() - os.fstat(descriptor).st_mtime
                if is_held is None and IS_WINDOWS:  # removes no file that is open
                    os.close(descriptor)
                    descriptor = -1
                if is_held is True or (is_held is None and age > OLD):
                    os.unlink(leftover)
            finally:
                if descriptor >= 0:
                    os.close(descriptor)


def damaged_name(path: Path) -> Path:
    """A name beside ``path``, ending in .damaged, that no file has: what was set aside before stays."""
    name, number = path.with_name(f"{path.name}.damaged"), 1
    while name.exists():
        number += 1
        name = path.with_name(f"{path.name}.{number}.damaged")
    return name


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


def require_file(path: Path) -> None:
    """Raise FileNotFoundError where there is no file of this name that could be read."""
    if path.is_dir():
        inside = sorted(found.name for found in path.glob("*.safetensors"))[:3]
        which = f", such as {path / inside[0]}" if inside else ""
        raise FileNotFoundError(f"{path} is a folder, but a file is expected; give one in it{which}")
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}; check the path")


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
    """Raise now what ``atomic_write`` would raise later, before work is done that could not be kept.

    A link that leads to no file is refused, too: where it leads is not what its name says.
    """
    target = _target(path)
    if Path(path).is_symlink() and not target.exists():
        raise FileNotFoundError(f"{path} is a link to {target}, which does not exist; give another name")
    try:
        tempfile.TemporaryFile(dir=target.parent).close()
    except OSError as error:
        raise OSError(f"the folder {target.parent} cannot be written ({error.strerror}); choose another") from None


def check_folder(path: str | Path) -> None:
    """Raise now what ``make_folder`` would raise later; nothing is made."""
    refuse_name(path)
    path = Path(path)
    missing: list[str] = []
    folder = path
    while not _exists(folder):
        if folder.is_symlink():
            raise FileNotFoundError(f"{folder} is a link to a folder that does not exist; choose another path")
        missing.append(folder.name)
        folder = folder.parent
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file; give a folder")
    for name in missing:  # too long ones
        _exists(folder / name)
    check_writable(folder / "new")


def _target(path: str | Path) -> Path:
    """Where a file of this name is written, links followed; raises where no file can be."""
    refuse_name(path)
    path = Path(path)
    if _exists(path):
        if path.is_dir():
            raise IsADirectoryError(f"{path} is a folder; give the name of a file")
        if not path.is_file():
            raise ValueError(f"{path} is a device or a pipe, no file; give the name of a file")
    target = path.resolve()
    if not _exists(target.parent):
        raise FileNotFoundError(f"the folder {target.parent} does not exist; make it, or choose another path")
    if not target.parent.is_dir():
        raise NotADirectoryError(f"{target.parent} is no folder; choose another path")
    return target


def _exists(path: Path) -> bool:
    """Whether there is a file or folder; raises where there can be none, as with links in a circle or long names."""
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        named = one_line(str(path), 200)
        raise OSError(f"{named} cannot be written ({error.strerror}); choose another path") from None
    return True


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
