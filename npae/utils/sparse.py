"""Sparse matrices of SciPy as samples: made dense a few rows at a time, never all at once. SciPy is not imported."""

import sys
from math import prod
from typing import Any

import numpy as np

from npae.utils.samples import Rows
from npae.utils.types import Array, Shape


class SparseRows(Rows):
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
        self.dtype = np.dtype(matrix.dtype if dtype is None else dtype)

    @classmethod
    def of(cls, x: Any) -> "SparseRows":
        """Those of a sparse matrix or array of any format, whose first axis counts the samples."""
        n, *sample_shape = x.shape
        matrix = _by_rows(x if x.ndim == 2 else x.reshape((n, prod(sample_shape))))
        return cls(matrix, tuple(sample_shape))

    @property
    def shape(self) -> Shape:
        return self.matrix.shape[0], *self.sample_shape

    @property
    def nbytes(self) -> int:
        return int(self.matrix.data.nbytes + self.matrix.indices.nbytes + self.matrix.indptr.nbytes)

    def __getitem__(self, rows: slice | Array) -> "SparseRows":
        return SparseRows(self.matrix[rows], self.sample_shape, self.dtype)

    def astype(self, dtype: Any) -> "SparseRows":
        return SparseRows(self.matrix, self.sample_shape, dtype)

    def toarray(self) -> Array:
        return np.ascontiguousarray(self.matrix.toarray(), self.dtype).reshape(self.shape)


def is_sparse(x: Any) -> bool:
    """Whether x is a sparse matrix or array of SciPy, which then has been imported."""
    sparse = sys.modules.get("scipy.sparse")
    return sparse is not None and bool(sparse.issparse(x))


def _by_rows(x: Any) -> Any:
    """x in compressed rows. Of what is stored twice for one place the order stays, and with it the bits of the sum."""
    if x.format in ("csr", "csc"):
        return x.tocsr()
    entries = x.tocoo()  # whose own tocsr sorts and sums
    order = np.argsort(entries.row, kind="stable")
    starts = np.searchsorted(entries.row[order], np.arange(x.shape[0] + 1))
    csr_array = sys.modules["scipy.sparse"].csr_array
    return csr_array((entries.data[order], entries.col[order], starts), shape=x.shape)
