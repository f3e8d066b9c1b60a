"""Mahalanobis distance: how far a sample lies from the mean, in standard deviations of its direction."""

import numpy as np

from npae.utils.types import Array

RIDGE = 1e-3  # times the mean variance, added to each: keeps directions without variance from deciding alone


class Mahalanobis:
    """d(x) = √((x − m)ᵀ (S + λ I)⁻¹ (x − m)), with the mean m and covariance S of features (Mahalanobis 1936).

    λ is a thousandth of the mean variance.

    Parameters
    ----------
    features : ndarray of shape (n, size)
        n is at least 2.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.applications.mahalanobis import Mahalanobis
    >>> distance = Mahalanobis(np.array([[-1.0, 0.0], [1.0, 0.0], [0.0, -2.0], [0.0, 2.0]]))
    >>> distance(np.array([[0.0, 0.0], [0.0, 2.0]])).round(2).tolist()
    [0.0, 1.41]
    """

    def __init__(self, features: Array) -> None:
        self._features = features.astype(np.float64)
        self.mean = self._features.mean(axis=0)  # (size,)
        centred = self._features - self.mean
        covariance = centred.T @ centred / len(centred)  # (size, size)
        size = len(covariance)
        covariance[np.diag_indices(size)] += RIDGE * np.trace(covariance) / size + np.finfo(np.float64).tiny
        self._factor = np.linalg.cholesky(covariance)

    def __call__(self, features: Array) -> Array:
        """Distances (n,) of features (n, size)."""
        whitened = np.linalg.solve(self._factor, (features.astype(np.float64) - self.mean).T)  # (size, n)
        distances: Array = np.sqrt(np.square(whitened).sum(axis=0))
        return distances

    def of_own(self) -> Array:
        r"""Distance of each of the own features from mean and covariance of the others.

        A sample pulls mean and covariance towards itself, so that its distance by ``__call__`` is smaller than that of
        a new sample. Without sample i, m and S change by a matrix of rank one, whose inverse is known (Sherman &
        Morrison 1950):

        .. math::

           d_{(-i)}^2 = \frac{n}{n - 1} \cdot \frac{d^2}{1 - d^2 / (n - 1)}

        Returns
        -------
        ndarray of float64, shape (n,)

        Examples
        --------
        >>> import numpy as np
        >>> from npae.applications.mahalanobis import Mahalanobis
        >>> distance = Mahalanobis(np.array([[-1.0, 0.0], [1.0, 0.0], [0.0, -2.0], [0.0, 2.0]]))
        >>> bool((distance.of_own() > distance(np.array([[-1.0, 0.0], [1.0, 0.0], [0.0, -2.0], [0.0, 2.0]]))).all())
        True
        """
        n = len(self._features)
        d2 = np.square(self(self._features))
        distances: Array = np.sqrt(n / (n - 1) * d2 / np.maximum(1 - d2 / (n - 1), np.finfo(np.float64).eps))
        return distances
