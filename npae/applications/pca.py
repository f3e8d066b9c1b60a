"""Principal component analysis: the best linear code of a given size, as a baseline."""

import numpy as np

from npae.utils.scalars import whole_number
from npae.utils.types import Array


class PCA:
    """The linear code with the least squared error (Pearson 1901; Eckart & Young 1936).

    Parameters
    ----------
    X : ndarray of shape (n, ...)
        Samples; their mean and principal axes are stored.
    code_size : int
        Number of axes to store.

    Examples
    --------
    >>> X = np.random.default_rng(0).random((100, 8))
    >>> PCA(X, 3).encode(X, 2).shape
    (100, 2)
    """

    mean: Array  # (features,)
    axes: Array  # (code_size, features), orthonormal, the one of largest variance first

    def __init__(self, X: Array, code_size: int) -> None:
        code_size = whole_number(code_size, "code_size")
        flat = X.reshape(len(X), -1)
        self.mean = flat.mean(axis=0)
        _, _, axes = np.linalg.svd(flat - self.mean, full_matrices=False)
        self.axes = axes[:code_size]

    def encode(self, X: Array, code_size: int) -> Array:
        """The first ``code_size`` coordinates of X (n, ...) along the axes: codes (n, code_size)."""
        codes: Array = (X.reshape(len(X), -1) - self.mean) @ self.axes[:code_size].T
        return codes

    def decode(self, codes: Array) -> Array:
        """Flat samples (n, features) reconstructed from codes (n, code_size)."""
        rebuilt: Array = codes @ self.axes[: codes.shape[1]] + self.mean
        return rebuilt

    def reconstruct(self, X: Array, code_size: int) -> Array:
        """X (n, ...) reconstructed from its first ``code_size`` coordinates."""
        return self.decode(self.encode(X, code_size)).reshape(X.shape)
