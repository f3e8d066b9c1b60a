"""Reading arrays and lines from files that may be damaged or malicious, with memory limited by their actual size."""

import math
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol, TextIO

import numpy as np

from npae.utils.errors import FileFormatError, one_line
from npae.utils.types import Array, Shape

MAX_BYTES = 2**32  # of one array, and of one text file
PIECE = 2**20  # read at once
GZIP_MAGIC = b"\x1f\x8b"


#: The beginning of an address, as a path writes it, which has one slash; drives of Windows have one letter.
ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/+")


class Stream(Protocol):
    """The methods used of an open file, a gzip stream or a member of a zip archive."""

    def read(self, size: int = -1, /) -> bytes:
        """Read at most ``size`` bytes."""

    def tell(self) -> int:
        """Return the number of bytes read so far."""


def open_file(path: Path) -> IO[bytes]:
    """Open a regular file for reading; a folder, pipe or device is refused.

    Raises
    ------
    FileNotFoundError
        If there is nothing of this name.
    FileFormatError
        If it is not a regular file.
    """
    require_existing(path)
    if not path.is_file():
        raise FileFormatError(f"{str(path)!r} is not a regular file, but one was expected; give a file's path")
    return path.open("rb")


def read_array(stream: Stream, dtype: np.dtype[Any], shape: Shape, path: Path, size: int | None = None) -> Array:
    """Read the rest of the stream as an array of ``dtype`` and ``shape``; its length must match exactly.

    Memory grows with the bytes that are read, not with the announced shape.

    Parameters
    ----------
    stream : Stream
        Positioned after the header.
    dtype, shape
        As announced by the header.
    path : Path
        For messages.
    size : int, optional
        Length of the whole stream in bytes, if it is known.

    Returns
    -------
    ndarray of ``shape`` and ``dtype``
        C-contiguous and writable.

    Raises
    ------
    FileFormatError
        If more than ``MAX_BYTES`` (4 GiB) are announced, or if more or fewer bytes follow.
    """
    promised = math.prod(shape) * dtype.itemsize
    claim = f"{str(path)!r} promises an array of shape {shape} and dtype {dtype}"
    if promised > MAX_BYTES:
        raise FileFormatError(f"{claim}, but at most {MAX_BYTES:,} bytes are read; split it into smaller files")
    if size is not None and size - stream.tell() != promised:
        raise FileFormatError(
            f"{claim}, {promised:,} bytes, but holds {size - stream.tell():,}; it is damaged: fetch or write it again"
        )
    data = bytearray()
    # One byte more is requested, to detect surplus bytes and to make gzip verify its checksum at the end.
    while piece := stream.read(min(PIECE, promised + 1 - len(data))):
        data += piece
    if len(data) != promised:
        found = f"only {len(data):,}" if len(data) < promised else "more"
        raise FileFormatError(f"{claim}, {promised:,} bytes, but holds {found}; it is damaged: fetch or write it again")
    try:
        return np.ndarray(shape, dtype, buffer=data)
    except ValueError:  # (0, 2**62, 2**62) has no elements and is too large all the same
        raise FileFormatError(f"{claim}, which no array can have; it is damaged: fetch or write it again") from None


def lines(text: TextIO, path: Path, longest: int) -> Iterator[str]:
    """Yield the lines of a text; at most ``longest`` characters are read at once.

    Raises
    ------
    FileFormatError
        At a line that is longer, or after ``MAX_BYTES`` characters, which a compressed file may have.
    """
    total = 0
    while line := text.readline(longest + 1):
        total += len(line)
        if len(line) > longest:
            raise FileFormatError(f"{str(path)!r} has a line of more than {longest:,} characters; break it up")
        if total > MAX_BYTES:
            raise FileFormatError(
                f"{str(path)!r} has more than {MAX_BYTES:,} characters when it is expanded; split it into smaller files"
            )
        yield line


def require_existing(path: Path) -> None:
    """Raise FileNotFoundError where there is no such file or folder, with what may be meant."""
    if path.exists():
        return
    if path.is_symlink():
        raise FileNotFoundError(
            f"{str(path)!r} is a link to {os.readlink(path)!r}, which does not exist; remove the link, or bring back "
            f"what it leads to"
        )
    if ADDRESS.match(str(path)):
        raise FileNotFoundError(f"{str(path)!r} is an address, but files of this machine are read; download it first")
    raise FileNotFoundError(f"{str(path)!r} does not exist; check its spelling and the folder you are in")


@contextmanager
def damage_is_reported(path: Path, kind: str) -> Iterator[None]:
    """Turn the exceptions that libraries raise for damaged files into a FileFormatError that names the file.

    Decoders raise a dozen exception types, such as zlib.error and struct.error, which differ between versions, so all
    are caught except MemoryError.
    """
    try:
        yield
    except (FileFormatError, MemoryError):
        raise
    except Exception as error:
        reason = one_line(f"{type(error).__name__}: {error}")
        raise FileFormatError(
            f"{str(path)!r} is not {kind}, or is damaged ({reason}); fetch or write it again"
        ) from error
