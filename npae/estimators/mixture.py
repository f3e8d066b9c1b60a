"""A mixture of normal distributions fitted to codes, which follows their groups where one Gaussian cannot."""

import warnings
from dataclasses import dataclass
from typing import Self

import numpy as np

from npae.utils.scikit_learn import require_sklearn
from npae.utils.types import Array

#: As many as Ghosh et al. use for every data set.
COMPONENTS = 10
ROUNDS = 200  # of expectation maximisation


def codes_needed(size: int) -> int:
    """Fewest codes of ``size`` values to which a mixture is fitted: for each component more than it has axes."""
    return COMPONENTS * (size + 1)


@dataclass(frozen=True)
class Mixture:
    """Σₖ weightₖ N(meanₖ, factorₖ · factorₖᵀ), as Ghosh et al. (ICLR 2020, §4) fit it to the codes of an autoencoder.

    Attributes
    ----------
    weights : ndarray of shape (components,)
        They sum to 1.
    means : ndarray of shape (components, size)
    factors : ndarray of shape (components, size, size)
        Lower triangular: the Cholesky factors of the covariances.
    """

    weights: Array
    means: Array
    factors: Array

    @classmethod
    def fit(cls, codes: Array) -> Self:
        """The mixture that expectation maximisation finds for codes (n, size). Needs scikit-learn."""
        require_sklearn("a mixture of normal distributions")
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.mixture import GaussianMixture

        codes = codes.astype(np.float64)
        # What scikit-learn adds to each variance, 10⁻⁶, has no unit: codes are scaled, so that it is small for all.
        scale = float(codes.std(axis=0).max()) or 1.0
        with warnings.catch_warnings():
            # After these rounds the likelihood hardly rises; and fewer different codes than components are no obstacle.
            warnings.simplefilter("ignore", ConvergenceWarning)
            fitted = GaussianMixture(COMPONENTS, max_iter=ROUNDS, random_state=0).fit(codes / scale)
        return cls(fitted.weights_, fitted.means_ * scale, np.linalg.cholesky(fitted.covariances_) * scale)

    def transform(self, z: Array, u: Array) -> Array:
        """Draws from this mixture, for draws z (n, size) from N(0, 1), and u (n,) from U(0, 1) for the components."""
        shares = self.weights.cumsum()
        chosen = np.searchsorted(shares / shares[-1], u, side="right")  # never a component without weight
        draws: Array = self.means[chosen] + np.einsum("nij,nj->ni", self.factors[chosen], z)
        return draws
