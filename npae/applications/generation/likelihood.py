"""Bounds of the log-likelihood of samples under a variational model: ELBO and IWAE, and what each dimension carries."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from npae.estimators import AutoencoderEstimator, VariationalAutoencoder
from npae.estimators.hints import CARRIED
from npae.network.posterior import posterior
from npae.utils.randomness import generator
from npae.utils.samples import dense
from npae.utils.scalars import whole_number
from npae.utils.types import Array

VARYING = 0.01  # variance of its mean above which Burda et al. (2016, §5.2) call a unit active
HEADER: Sequence[str] = ("dimension", "KL, nats", "variance of mean", "active")


@dataclass(frozen=True)
class Bounds:
    """Bounds of the log-likelihood under a variational model, in nats per sample.

    Attributes
    ----------
    elbo : float
        Evidence lower bound, estimated with the same draws: E_q[log p(x, z) − log q(z|x)].
    importance_weighted : float
        The tighter bound log ¹⁄ₖ Σ p(x, z) / q(z|x) (Burda, Grosse & Salakhutdinov 2016).
    kl : ndarray of shape (code_size,)
        Mean divergence of each dimension of the code from N(0, 1).
    variance : ndarray of shape (code_size,)
        Variance of the mean of each dimension over the samples.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.applications.generation import Bounds
    >>> found = Bounds(-100.0, -99.0, kl=np.array([2.0, 0.001]), variance=np.array([0.9, 0.002]))
    >>> found.active.tolist()
    [True, False]
    """

    elbo: float
    importance_weighted: float
    kl: Array
    variance: Array

    @property
    def active(self) -> Array:
        """Whether each dimension carries at least 0.05 nats about a sample (code_size,).

        A mean whose variance is above 0.01 (``varying``) may carry far less, 0.005 nats of a normal distribution.
        """
        carries: Array = self.kl >= CARRIED
        return carries

    @property
    def varying(self) -> Array:
        """Whether the mean of each dimension has a variance above 0.01 (code_size,), after Burda et al. (2016)."""
        varies: Array = self.variance > VARYING
        return varies


def bounds(
    model: AutoencoderEstimator, X: Any, draws: int = 50, random_state: int = 0, *, labels: Any = None
) -> Bounds:
    """Lower bounds of log p(x), and the KL term of each dimension of the code, with β = 1.

    With squared error as loss, p(x|z) is a normal distribution with variance ½, including its constant.

    Parameters
    ----------
    model : fitted VariationalAutoencoder
    X : array-like of shape ``(n, *shape)``
    draws : int, default 50
        Number of draws of z for each sample.
    random_state : int, default 0
        Seed of the draws.
    labels : array-like of shape (n,), optional
        Of a conditional model, whose bounds are those of log p(x | label).

    Returns
    -------
    Bounds

    Raises
    ------
    ValueError
        If the model is not variational, or X has another shape or is out of range.

    Warns
    -----
    UserWarning
        If the code has collapsed: fewer than half of its dimensions are active.

    Examples
    --------
    >>> import warnings
    >>> import numpy as np
    >>> import npae
    >>> from npae.applications.generation import bounds
    >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
    >>> model = npae.VariationalAutoencoder(hidden=(8,), code_size=2, epochs=1, random_state=0).fit(X)
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")  # a code that one epoch has not brought to life
    ...     found = bounds(model, X, draws=5)
    >>> found.elbo <= found.importance_weighted < 0
    True
    """
    if not isinstance(model, VariationalAutoencoder):
        raise ValueError(
            f"bounds need a VariationalAutoencoder, which has a distribution of codes; {type(model).__name__} has none"
        )
    net = model.network_
    X = dense(net.check(X, as_target=True))
    mu, log_var = posterior(net, X)
    places = model.places_of(labels, len(X))
    noise = generator(random_state, "bounds")
    log_weights = np.empty((whole_number(draws, "draws"), len(X)))
    for i in range(draws):
        eps = noise.standard_normal(mu.shape)
        z = mu + np.exp(0.5 * log_var) * eps
        # log p(z) − log q(z|x); the two constants ½ log 2π cancel
        ratio = 0.5 * (eps**2 + log_var - z**2).sum(axis=1)
        log_weights[i] = log_likelihood(model, X, z, places) + ratio
    kl = 0.5 * (mu**2 + np.exp(log_var) - 1 - log_var).mean(axis=0)
    highest = log_weights.max(axis=0)
    weighted = highest + np.log(np.exp(log_weights - highest).mean(axis=0))
    found = Bounds(float(log_weights.mean()), float(weighted.mean()), kl, mu.var(axis=0))
    _warn_of_collapse(found.active)
    return found


def log_likelihood(model: AutoencoderEstimator, X: Array, z: Array, places: Array | None = None) -> Array:
    """The logarithm of the likelihood p(x|z) of each sample.

    Parameters
    ----------
    model : fitted estimator
    X : ndarray of shape ``(n, *shape)``
    z : ndarray of shape (n, code_size)
        Codes.
    places : ndarray of int, shape (n,), optional
        The labels of a conditional model, as ``places_of`` returns them.

    Returns
    -------
    ndarray of float64, shape (n,)
        In nats: a Bernoulli distribution for cross-entropy, a normal one with variance ½ for squared error.

    Examples
    --------
    >>> import numpy as np
    >>> import npae
    >>> from npae.applications.generation import log_likelihood
    >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
    >>> model = npae.VariationalAutoencoder(hidden=(8,), code_size=2, epochs=1, random_state=0).fit(X)
    >>> log_likelihood(model, X[:3], model.transform(X[:3])).shape
    (3,)
    """
    rebuilt = model.network_.decode(z, places).reshape(len(X), -1).astype(np.float64)
    x = X.reshape(len(X), -1).astype(np.float64)
    if model.network_.loss.name == "mse":
        by_value = -np.square(x - rebuilt) - 0.5 * np.log(np.pi)
    else:
        p = np.clip(rebuilt, 1e-7, 1 - 1e-7)
        by_value = x * np.log(p) + (1 - x) * np.log1p(-p)
    total: Array = by_value.sum(axis=1)
    return total


def _warn_of_collapse(active: Array) -> None:
    if active.sum() < len(active) / 2:
        warnings.warn(
            f"the code has collapsed: only {active.sum()} of {len(active)} dimensions carry {CARRIED:g} nats about a "
            f"sample; lower beta, give beta_warm_up some epochs, or choose a smaller code_size",
            stacklevel=3,
        )
