"""Samples: an array, or rows of something larger that become an array some at a time, never all at once."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from math import prod
from typing import Any, Self

import numpy as np

from npae.utils.types import Array, Shape

BLOCK_VALUES = 2**20  # made dense at once, where all values are looked at


class Rows(ABC):
    """Samples ``(n, *shape)`` that are no array: those of a sparse matrix, or of a source that is read in parts.

    Attributes
    ----------
    dtype : dtype
        Of the arrays that some of them become.
    """

    dtype: np.dtype[Any]

    @property
    @abstractmethod
    def shape(self) -> Shape:
        """Of all samples: (n, ...)."""

    @property
    @abstractmethod
    def nbytes(self) -> int:
        """Bytes of what is stored."""

    @abstractmethod
    def __getitem__(self, rows: slice | Array) -> Self:
        """Some of the samples, still no array."""

    @abstractmethod
    def astype(self, dtype: Any) -> Self:
        """The same, to become arrays of ``dtype``."""

    @abstractmethod
    def toarray(self) -> Array:
        """All of these samples as an array, C-contiguous."""

    @property
    def ndim(self) -> int:
        """Axes, that of the samples included."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Values of all samples."""
        return prod(self.shape)

    def __len__(self) -> int:
        return int(self.shape[0])

    def fill(self, chosen: Array, y: Array) -> None:
        """Write the samples ``chosen`` (m,) into the array y ``(m, *shape)``."""
        y[...] = self[chosen].toarray()

    def blocks(self) -> Iterator[Array]:
        """All samples in their order as arrays, some at a time."""
        size = max(1, BLOCK_VALUES // max(1, prod(self.shape[1:])))
        for start in range(0, len(self), size):
            yield self[start : start + size].toarray()

    def extremes(self) -> tuple[Any, Any]:
        """The least and the greatest value."""
        found = [(block.min(), block.max()) for block in self.blocks()]
        return min(low for low, _ in found), max(high for _, high in found)

    def min(self) -> Any:
        """The least value."""
        return self.extremes()[0]

    def max(self) -> Any:
        """The greatest value."""
        return self.extremes()[1]


#: What a network takes and a gate returns: an array, or rows that become arrays batch by batch.
Samples = Array | Rows


def dense(x: Samples) -> Array:
    """x as an array; for a batch of it."""
    return x.toarray() if isinstance(x, Rows) else x


def blocks(x: Samples) -> Iterator[Array]:
    """x as arrays, one after the other: an array whole, rows some at a time."""
    if isinstance(x, Rows):
        yield from x.blocks()
    else:
        yield x
