"""A file is complete, or it is the old one."""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

#: What a disk says that takes no more.
REFUSALS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.EACCES, errno.EPERM}


@contextmanager
def replacing(path: str | Path) -> Iterator[IO[bytes]]:
    """Open a new file that takes the place of ``path`` only once it is written and on the disk.

    It is written beside ``path``, flushed, and renamed; whatever goes wrong before leaves ``path`` as it was.

    Raises
    ------
    OSError
        Where the folder does not exist or cannot be written, or the disk is full.
    """
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
        raise OSError(f"{path} cannot be written ({error.strerror}); make room, or choose another path") from None
    _flush_folder(path.parent)


@contextmanager
def _written_beside(path: Path) -> Iterator[IO[bytes]]:
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def remove_unfinished(folder: Path, pattern: str) -> None:
    """Remove what processes that were killed while they wrote files of this pattern have left in the folder."""
    for leftover in folder.glob(f".{pattern}.*"):
        leftover.unlink(missing_ok=True)


def make_folder(path: str | Path) -> Path:
    """The folder, made where it does not exist, and seen to be writable."""
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
    """Raise now what ``replacing`` would raise later, before work is done that could not be kept."""
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


def _flush_folder(folder: Path) -> None:
    """Make the rename itself durable, where the system lets a folder be flushed."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
