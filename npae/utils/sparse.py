"""Sparse matrices of SciPy as samples: made dense a few rows at a time, never all at once. SciPy is not imported."""

import sys
from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

from npae.utils.types import Array, Shape

BLOCK_VALUES = 2**20  # made dense at once, where all values are looked at


class SparseRows:
    """Samples ``(n, *shape)`` of a sparse matrix.

    What is dense has the bits of the matrix's own ``toarray()``, also where a place is stored several times.

    Parameters
    ----------
    matrix : scipy.sparse.csr_array or csr_matrix of shape (n, values)
        A sample a row.
    sample_shape : tuple of int
    dtype : dtype, optional
        Of what is made dense; the matrix's own by default.
    """

    def __init__(self, matrix: Any, sample_shape: Shape, dtype: Any = None) -> None:
        self.matrix, self.sample_shape = matrix, sample_shape
        self.dtype: np.dtype[Any] = np.dtype(matrix.dtype if dtype is None else dtype)

    @classmethod
    def of(cls, x: Any) -> "SparseRows":
        """Those of a sparse matrix or array of any format, whose first axis counts the samples."""
        n, *sample_shape = x.shape
        matrix = _by_rows(x if x.ndim == 2 else x.reshape((n, prod(sample_shape))))
        return cls(matrix, tuple(sample_shape))

    @property
    def shape(self) -> Shape:
        """Of all samples: (n, ...)."""
        return self.matrix.shape[0], *self.sample_shape

    @property
    def ndim(self) -> int:
        """Axes, that of the samples included."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Values, stored or not."""
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of what is stored."""
        return int(self.matrix.data.nbytes + self.matrix.indices.nbytes + self.matrix.indptr.nbytes)

    def __len__(self) -> int:
        return int(self.matrix.shape[0])

    def __getitem__(self, rows: slice | Array) -> "SparseRows":
        """Some of the samples, still sparse."""
        return SparseRows(self.matrix[rows], self.sample_shape, self.dtype)

    def astype(self, dtype: Any) -> "SparseRows":
        """The same, to be made dense as ``dtype``."""
        return SparseRows(self.matrix, self.sample_shape, dtype)

    def toarray(self) -> Array:
        """All of these samples, dense and C-contiguous."""
        return np.ascontiguousarray(self.matrix.toarray(), self.dtype).reshape(self.shape)

    def blocks(self) -> Iterator[Array]:
        """All samples in their order, dense, some at a time."""
        size = max(1, BLOCK_VALUES // max(1, prod(self.sample_shape)))
        for start in range(0, len(self), size):
            yield self[start : start + size].toarray()

    def min(self) -> Any:
        """The least value."""
        return min(block.min() for block in self.blocks())

    def max(self) -> Any:
        """The greatest value."""
        return max(block.max() for block in self.blocks())


#: What a network takes and a gate returns: an array, or rows that become arrays batch by batch.
Samples = Array | SparseRows


def is_sparse(x: Any) -> bool:
    """Whether x is a sparse matrix or array of SciPy, which then has been imported."""
    sparse = sys.modules.get("scipy.sparse")
    return sparse is not None and bool(sparse.issparse(x))


def dense(x: Samples) -> Array:
    """x as an array; for a batch of it."""
    return x.toarray() if isinstance(x, SparseRows) else x


def blocks(x: Samples) -> Iterator[Array]:
    """x as arrays, one after the other: an array whole, sparse rows some at a time."""
    if isinstance(x, SparseRows):
        yield from x.blocks()
    else:
        yield x


def _by_rows(x: Any) -> Any:
    """x in compressed rows. Of what is stored twice for one place the order stays, and with it the bits of the sum."""
    if x.format in ("csr", "csc"):
        return x.tocsr()
    entries = x.tocoo()  # whose own tocsr sorts and sums
    order = np.argsort(entries.row, kind="stable")
    starts = np.searchsorted(entries.row[order], np.arange(x.shape[0] + 1))
    csr_array = sys.modules["scipy.sparse"].csr_array
    return csr_array((entries.data[order], entries.col[order], starts), shape=x.shape)
