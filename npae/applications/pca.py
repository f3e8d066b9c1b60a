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
    >>> import numpy as np
    >>> from npae.applications.pca import PCA
    >>> X = np.random.default_rng(0).random((100, 8))
    >>> pca = PCA(X, 3)
    >>> codes = pca.encode(X, 2)
    >>> codes.shape, pca.decode(codes).shape
    ((100, 2), (100, 8))
    >>> pca.reconstruct(X, 3).shape
    (100, 8)
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
        """Coordinates of samples along the first axes.

        Parameters
        ----------
        X : ndarray of shape (n, ...)
        code_size : int
            Number of axes; at most as many as are stored.

        Returns
        -------
        ndarray of shape (n, code_size)
        """
        codes: Array = (X.reshape(len(X), -1) - self.mean) @ self.axes[:code_size].T
        return codes

    def decode(self, codes: Array) -> Array:
        """Samples reconstructed from codes.

        Parameters
        ----------
        codes : ndarray of shape (n, code_size)

        Returns
        -------
        ndarray of shape (n, features)
            Flat.
        """
        rebuilt: Array = codes @ self.axes[: codes.shape[1]] + self.mean
        return rebuilt

    def reconstruct(self, X: Array, code_size: int) -> Array:
        """Samples reconstructed from their first coordinates.

        Parameters
        ----------
        X : ndarray of shape (n, ...)
        code_size : int
            Number of coordinates.

        Returns
        -------
        ndarray of the shape of X
        """
        return self.decode(self.encode(X, code_size)).reshape(X.shape)
