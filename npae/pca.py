"""Principal component analysis, the yardstick: the best that a linear code of a given size can do."""

import numpy as np

from npae.types import Array


class PCA:
    """The linear code with the least squared error (Pearson 1901; Eckart & Young 1936).

    Parameters
    ----------
    X : ndarray of shape (n, ...)
        Samples of any one shape; their mean and principal axes are kept.
    code_size : int
        Largest number of axes that will be used.
    """

    mean: Array  # (features,)
    axes: Array  # (code_size, features), orthonormal, the one of largest variance first

    def __init__(self, X: Array, code_size: int) -> None:
        flat = X.reshape(len(X), -1)
        self.mean = flat.mean(axis=0)
        _, _, axes = np.linalg.svd(flat - self.mean, full_matrices=False)
        self.axes = axes[:code_size]

    def reconstruct(self, X: Array, code_size: int) -> Array:
        """X (n, ...) rebuilt from its first ``code_size`` coordinates."""
        axes = self.axes[:code_size]
        centred = X.reshape(len(X), -1) - self.mean
        rebuilt: Array = centred @ axes.T @ axes + self.mean
        return rebuilt.reshape(X.shape)
