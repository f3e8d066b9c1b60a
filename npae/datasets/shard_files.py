"""Shards: files, or arrays in memory, each of which holds some of the samples of a source.

An npy file is read by its own offsets and not through a memory map, so that what was read does not count as memory of
the process, and a file that became shorter is an error rather than a crash.
"""

import hashlib
import os
from abc import ABC, abstractmethod
from functools import cached_property
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import IO, Any, NoReturn

import numpy as np

from npae.datasets.arrays import npy_layout
from npae.utils.errors import FileFormatError
from npae.utils.sources import chunk_bounds
from npae.utils.types import Array, Shape

MOST_EXPANDED = 2**16  # bytes of samples for a stored byte; constant numbers take zarr a ten thousandth of their size
#: Of a file: its size, and when it was last changed.
Stamp = tuple[int, int]


def stamp_of(path: Path) -> Stamp:
    """Size and time of the last change of a file, by which it is known to be the same."""
    found = os.stat(path)
    return found.st_size, found.st_mtime_ns


class Shard(ABC):
    """Samples ``(n, *shape)`` of one file.

    Attributes
    ----------
    name : str
        For messages.
    shape : tuple of int
    dtype : dtype
    can_seek : bool
        Whether rows can be read at random without reading more than them.
    notes : dict of str to str
        What the reader of the file has to say of it, as warnings, by what they are about.
    """

    name: str
    shape: Shape
    dtype: np.dtype[Any]
    can_seek: bool = False

    @cached_property
    def notes(self) -> dict[str, str]:
        return {}

    @property
    def row_bytes(self) -> int:
        """Bytes of one sample as it is stored."""
        return prod(self.shape[1:]) * self.dtype.itemsize

    @abstractmethod
    def read(self, start: int, stop: int) -> Array:
        """The rows ``start`` ≤ i < ``stop``."""

    def read_into(self, start: int, stop: int, y: Array) -> None:
        """``read`` into an array that is there, C-contiguous."""
        y[...] = self.read(start, stop)

    def take(self, rows: Array) -> Array:
        """Rows in any order; where they cannot be read at random, from the part of the shard that has them."""
        first = int(rows.min())
        found: Array = self.read(first, int(rows.max()) + 1)[rows - first]
        return found

    def content(self) -> str:
        """BLAKE2b digest of all numbers."""
        digest = hashlib.blake2b(repr((self.shape, self.dtype.str)).encode(), digest_size=16)
        bounds = chunk_bounds([self.shape[0]], self.row_bytes).tolist()
        for start, stop in pairwise(bounds):
            digest.update(np.ascontiguousarray(self.read(start, stop)).reshape(-1).view(np.uint8).data)
        return digest.hexdigest()


class ArrayShard(Shard):
    """An array in memory, or mapped, as a shard."""

    can_seek = True

    def __init__(self, array: Array, name: str) -> None:
        self.array, self.name = array, name
        self.shape, self.dtype = array.shape, array.dtype

    def read(self, start: int, stop: int) -> Array:
        return np.asarray(self.array[start:stop])

    def take(self, rows: Array) -> Array:
        return np.asarray(self.array[rows])


class FileShard(Shard):
    """A shard in a file, which is taken not to change; that it has is found out at the next reading.

    Parameters
    ----------
    path : Path
    name : str
    """

    def __init__(self, path: Path, name: str) -> None:
        self.path, self.name = path, name
        self.stamp = self._present_stamp()
        self._content: tuple[Stamp, str] | None = None

    def content(self) -> str:
        """As of every shard; computed once for a path, a size and a time."""
        if self._content is None or self._content[0] != self.stamp:
            self._content = self.stamp, super().content()
        return self._content[1]

    def stored_bytes(self) -> int:
        """How many bytes the file has, or the folder in which the samples are."""
        return self.stamp[0]

    def refuse_claim(self) -> None:
        """Raise FileFormatError if far more samples are claimed than can be stored in so few bytes."""
        claimed = self.shape[0] * self.row_bytes if self.shape else 0
        if claimed > MOST_EXPANDED * self.stamp[0] and claimed > MOST_EXPANDED * self.stored_bytes():
            raise FileFormatError(
                f"{self.name} claims an array of shape {self.shape} and dtype {self.dtype}, {claimed:,} bytes, but "
                f"stores {self.stored_bytes():,}, and at most {MOST_EXPANDED:,} times as many are read; fetch or write "
                f"it again"
            )

    def refuse_change(self) -> None:
        """Raise FileFormatError if the file is gone, or another than at first."""
        if self._present_stamp() != self.stamp:
            self.refuse_as_changed()

    def refuse_as_changed(self) -> NoReturn:
        """Raise the FileFormatError of a file that has changed."""
        raise FileFormatError(f"{self.name} changed while it was in use; begin anew with data that stays as it is")

    def _present_stamp(self) -> Stamp:
        try:
            return stamp_of(self.path)
        except (FileNotFoundError, NotADirectoryError):
            raise FileNotFoundError(
                f"{self.name} does not exist, or does not any more; check its spelling, and leave data where it is "
                f"while it is in use"
            ) from None


class NpyShard(FileShard):
    """An npy file of real numbers."""

    can_seek = True

    def __init__(self, path: Path, name: str) -> None:
        super().__init__(path, name)
        self.shape, self._is_fortran, self.dtype, self._offset = npy_layout(path)
        self._map: Array | None = None

    def read(self, start: int, stop: int) -> Array:
        if self._is_fortran:
            return np.ascontiguousarray(self._mapped()[start:stop])
        y = np.empty((stop - start, *self.shape[1:]), self.dtype)
        self.read_into(start, stop, y)
        return y

    def read_into(self, start: int, stop: int, y: Array) -> None:
        if self._is_fortran:
            y[...] = self._mapped()[start:stop]
            return
        with self._opened() as file:
            self._read_rows(file, start, y)

    def take(self, rows: Array) -> Array:
        if self._is_fortran:
            return np.asarray(self._mapped()[rows])
        y = np.empty((len(rows), *self.shape[1:]), self.dtype)
        with self._opened() as file:
            for i, row in enumerate(rows.tolist()):
                self._read_rows(file, row, y[i : i + 1])
        return y

    def _opened(self) -> IO[bytes]:
        self.refuse_change()
        return self.path.open("rb", buffering=0)

    def _read_rows(self, file: IO[bytes], start: int, y: Array) -> None:
        """Read rows from ``start`` on until y, C-contiguous, is full."""
        left = memoryview(y.reshape(-1).view(np.uint8).data)
        file.seek(self._offset + start * self.row_bytes)
        while len(left):
            n = file.readinto(left)  # type: ignore[attr-defined]
            if not n:
                raise FileFormatError(f"{self.name} became shorter while it was read; fetch or write it again")
            left = left[n:]

    def _mapped(self) -> Array:
        self.refuse_change()
        if self._map is None:
            order: Any = "F" if self._is_fortran else "C"
            self._map = np.memmap(self.path, self.dtype, "r", self._offset, self.shape, order)
        return self._map

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_map": None}
