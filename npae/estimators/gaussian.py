"""A normal distribution fitted to codes, for ``sample`` of models without a prior."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from npae.utils.types import Array


@dataclass(frozen=True)
class Gaussian:
    """N(mean, factor · factorᵀ).

    Attributes
    ----------
    mean : ndarray of shape (size,)
    factor : ndarray of shape (size, size)
        Lower triangular: the Cholesky factor of the covariance.
    """

    mean: Array
    factor: Array

    @classmethod
    def fit(cls, codes: Array) -> Self:
        """The distribution with the mean and covariance of codes (n, size)."""
        codes = codes.astype(np.float64)
        size = codes.shape[1]
        centred = codes - codes.mean(axis=0)
        covariance = centred.T @ centred / len(codes)
        # A constant unit has no variance; a small constant keeps the covariance positive definite.
        covariance += (1e-9 + 1e-6 * np.trace(covariance) / size) * np.eye(size)
        return cls(codes.mean(axis=0), np.linalg.cholesky(covariance))

    def transform(self, z: Array) -> Array:
        """Draws from this distribution, for draws z (n, size) from N(0, 1)."""
        draws: Array = self.mean + z @ self.factor.T
        return draws
