"""Sources: samples that are read in parts, in the type of number in which they are stored.

A source is cut into chunks, which are what is read at once where all of it is read. Where its samples become numbers
of a network is ``npae.utils.source_rows``.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any, NoReturn

import numpy as np

from npae.utils.not_numbers import numbers_of, refuse_masked
from npae.utils.scalars import real_number
from npae.utils.types import Array, Shape

CHUNK_BYTES = 2**22  # of a chunk, unless a sample is larger
#: Bytes up to which data outside of memory is treated as if it were in memory: held, or converted at once.
IN_MEMORY = 2**27


@dataclass(frozen=True)
class Survey:
    """What the first reading of a source finds: its range, or the first sample with a value that is not finite.

    Attributes
    ----------
    low, high : number
        As they are stored; of the chunks before the sample that is not finite, where there is one.
    bad : int or None
        The row of the first sample with NaN or infinity.
    """

    low: Any
    high: Any
    bad: int | None = None


class Source(ABC):
    """Samples ``(n, *shape)`` that are read in parts; the base class of all sources.

    Attributes
    ----------
    shape : tuple of int
        Of all samples: (n, ...).
    dtype : dtype
        Of the stored numbers.
    divide : float or None
        By what the stored numbers are divided: 255 for bytes of images that are to lie in [0, 1].
    bounds : ndarray of int64, shape (chunks + 1,)
        The first row of each chunk, and n.
    is_in_memory : bool
        Whether reading a row at random takes no longer than reading it in sequence.
    can_seek : bool
        Whether single rows can be read at random without reading their chunks.
    is_stream : bool
        Whether all rows are read in their order, of every epoch anew.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.datasets import ArraySource
    >>> source = ArraySource(np.arange(6, dtype="float32").reshape(3, 2))
    >>> source.read(1, 3).tolist(), source.take(np.array([2, 0])).tolist()
    ([[2.0, 3.0], [4.0, 5.0]], [[4.0, 5.0], [0.0, 1.0]])
    >>> y = np.empty((1, 2), dtype="float32")
    >>> source.read_into(0, 1, y)
    >>> source.begin_epoch(1)
    >>> y.tolist(), source.place(2), source.fingerprint()
    ([[0.0, 1.0]], 'row 2', None)
    """

    shape: Shape
    dtype: np.dtype[Any]
    divide: float | None = None
    is_in_memory: bool = False
    can_seek: bool = True
    is_stream: bool = False
    _survey: Survey | None = None

    @property
    @abstractmethod
    def bounds(self) -> Array:
        """The first row of each chunk, and n."""

    @abstractmethod
    def read(self, start: int, stop: int) -> Array:
        """The rows ``start`` ≤ i < ``stop`` as they are stored; the caller does not write to them.

        Parameters
        ----------
        start, stop : int

        Returns
        -------
        ndarray of shape (stop − start, ...)
        """

    def read_into(self, start: int, stop: int, y: Array) -> None:
        """Read rows into an array that is there.

        Parameters
        ----------
        start, stop : int
            The rows ``start`` ≤ i < ``stop``.
        y : ndarray of shape (stop − start, ...)
        """
        y[...] = self.read(start, stop)

    @abstractmethod
    def fingerprint(self) -> str | None:
        """A digest of the content.

        Returns
        -------
        str or None
            None where it is that of the samples as numbers of the network.
        """

    def take(self, rows: Array) -> Array:
        """Rows in any order, as they are stored.

        Parameters
        ----------
        rows : ndarray of int, shape (m,)

        Returns
        -------
        ndarray of shape (m, ...)
        """
        taken = np.empty((len(rows), *self.shape[1:]), self.dtype)
        chunks = np.searchsorted(self.bounds, rows, side="right") - 1
        for chunk in np.unique(chunks):
            start, stop = (int(bound) for bound in self.bounds[chunk : chunk + 2])
            here = chunks == chunk
            taken[here] = self.read(start, stop)[rows[here] - start]
        return taken

    def place(self, row: int) -> str:
        """Where a row is, for messages.

        Parameters
        ----------
        row : int

        Returns
        -------
        str
        """
        return f"row {row}"

    def begin_epoch(self, epoch: int) -> None:  # noqa: B027 (most sources are the same in every epoch)
        """Called before an epoch is read; what is not the same in every epoch becomes that of this one.

        Parameters
        ----------
        epoch : int
            From 0.
        """

    def begin_use(self) -> None:  # noqa: B027 (most sources are files, which are known not to have changed)
        """Called where the source is given to a method of a model.

        What was found out of samples that may have changed since, as those of an array in memory, is forgotten.

        Examples
        --------
        >>> import numpy as np
        >>> from npae.datasets import ArraySource
        >>> rows = np.zeros((3, 2))
        >>> source = ArraySource(rows)
        >>> rows[0] = 1
        >>> source.begin_use()
        """

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        divided = "" if self.divide is None else f", divide={self.divide:g}"
        return f"<{type(self).__name__} of {self.shape} {self.dtype}{divided}>"

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NoReturn:
        """Refused, since NumPy would else make an array of one object: a source may be larger than memory."""
        raise TypeError(
            f"{type(self).__name__} was given, but an array is needed here; give source.read(0, len(source)), which "
            f"holds all samples as they are stored, or some of them"
        )

    @property
    def nbytes(self) -> int:
        """Bytes of all samples as they are stored."""
        return prod(self.shape) * self.dtype.itemsize

    @property
    def survey(self) -> Survey:
        """What the first reading found, which is now where there was none."""
        if self._survey is None:
            self._survey = self._surveyed()
        return self._survey

    def _surveyed(self) -> Survey:
        """All chunks are read once, in their order, until a value is not finite."""
        low = high = None
        for start, stop in zip(self.bounds[:-1].tolist(), self.bounds[1:].tolist(), strict=True):
            chunk = self.read(start, stop)
            least, greatest = chunk.min(), chunk.max()
            if not (np.isfinite(least) and np.isfinite(greatest)):
                is_bad = ~np.isfinite(chunk.reshape(len(chunk), -1)).all(axis=1)
                return Survey(low, high, start + int(np.argmax(is_bad)))
            low = least if low is None else min(low, least)
            high = greatest if high is None else max(high, greatest)
        return Survey(low, high)


def chunk_bounds(lengths: Sequence[int], row_bytes: int) -> Array:
    """The bounds of chunks: parts of ``lengths`` rows, each of which is cut evenly where it is larger than a chunk.

    >>> chunk_bounds([10, 3], 2**20).tolist()
    [0, 3, 6, 10, 13]
    """
    bounds, first = [0], 0
    for length in lengths:
        n = -(-length * row_bytes // CHUNK_BYTES) or 1
        n = min(max(n, 1), max(length, 1))
        bounds += [first + length * (i + 1) // n for i in range(n)] if length else []
        first += length
    return np.asarray(bounds, np.int64)


class ArraySource(Source):
    """An array or a memory map of any dtype and order, converted batch by batch.

    Parameters
    ----------
    array : ndarray of shape (n, ...)
        Of real numbers. They may change between two methods, each of which looks at them anew.
    divide : float, optional
        Divide all numbers by this one, such as 255.

    Raises
    ------
    TypeError
        If it is no array of NumPy, or holds dates or what is no number.
    ValueError
        If it has fewer than two axes, complex numbers, or masked or missing values.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.datasets import ArraySource
    >>> source = ArraySource(np.arange(6, dtype=np.uint8).reshape(3, 2), divide=255)
    >>> source.shape, source.read(1, 2).tolist()
    ((3, 2), [[2, 3]])
    """

    def __init__(self, array: Array, *, divide: float | None = None) -> None:
        if not isinstance(array, np.ndarray):
            raise TypeError(
                f"array is a {type(array).__name__}, but an array of NumPy is expected; models take lists and "
                f"dataframes without a source"
            )
        refuse_masked(array, "array")
        self.array = numbers_of(np.asarray(array), "array")
        if self.array.ndim < 2:
            raise ValueError(f"array has shape {array.shape}, but holds samples, (n, ...); give two axes or more")
        self.divide = None if divide is None else real_number(divide, "divide", above=0)
        self.shape, self.dtype = self.array.shape, self.array.dtype
        self.is_in_memory = not is_mapped(self.array)

    @cached_property
    def bounds(self) -> Array:
        return chunk_bounds([len(self.array)], prod(self.shape[1:]) * self.dtype.itemsize)

    def read(self, start: int, stop: int) -> Array:
        return np.asarray(self.array[start:stop])

    def take(self, rows: Array) -> Array:
        return np.asarray(self.array[rows])

    def begin_use(self) -> None:
        self._survey = None

    def fingerprint(self) -> None:
        return None


def is_mapped(array: Array) -> bool:
    """Whether an array lies in a file that is mapped into memory."""
    base: Any = array
    while base is not None:
        if isinstance(base, np.memmap):
            return True
        base = getattr(base, "base", None)
    return False
