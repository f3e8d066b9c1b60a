"""Generation: interpolation, latent traversals and grids, and the ELBO and IWAE bounds of variational models.

Estimators have ``sample`` and linear ``interpolate``; here are paths on a sphere, along one dimension and over a plane
of the code, and bounds of the log-likelihood. A conditional model decodes them with the given ``labels``, as for
``sample``. ``npae.applications.frechet`` measures how far samples are from data.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from npae.applications.pca import PCA
from npae.estimators import AutoencoderEstimator, VariationalAutoencoder
from npae.estimators.hints import CARRIED
from npae.network.posterior import posterior
from npae.utils.randomness import generator
from npae.utils.samples import dense
from npae.utils.scalars import real_number, truth_value, whole_number
from npae.utils.types import Array
from npae.utils.validation import one_sample, stack_two

VARYING = 0.01  # variance of its mean above which Burda et al. (2016, §5.2) call a unit active


def slerp(a: Array, b: Array, t: Array) -> Array:
    """Codes on the great circle from a to b: (sin((1−t)Ω) a + sin(tΩ) b) / sin Ω (Shoemake 1985).

    Codes from N(0, 1) in many dimensions are close to a sphere, which a straight line between two of them leaves
    (White 2016). The length changes linearly from that of a to that of b.

    Parameters
    ----------
    a, b : ndarray of shape (size,)
        Not zero.
    t : ndarray of shape (steps,)
        From 0 (a) to 1 (b).

    Returns
    -------
    ndarray of shape (steps, size)

    Raises
    ------
    ValueError
        If a code is zero, which has no direction.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.applications.generation import slerp
    >>> slerp(np.array([1.0, 0.0]), np.array([0.0, 1.0]), np.array([0.5])).round(4)
    array([[0.7071, 0.7071]])
    """
    lengths = np.linalg.norm(a), np.linalg.norm(b)
    if min(lengths) == 0:
        raise ValueError("one of the codes is zero, which has no direction; interpolate along a straight line")
    u, v = a / lengths[0], b / lengths[1]
    omega = np.arccos(np.clip(u @ v, -1, 1))
    t = t[:, None]
    direction = ((1 - t) * u + t * v) if omega < 1e-6 else (np.sin((1 - t) * omega) * u + np.sin(t * omega) * v)
    direction = direction / np.linalg.norm(direction, axis=1, keepdims=True)
    path: Array = direction * ((1 - t) * lengths[0] + t * lengths[1])
    return path


def walk(
    model: AutoencoderEstimator, a: Any, b: Any, steps: int = 9, *, spherical: bool = False, labels: Any = None
) -> Array:
    """Samples from a to b, both ends included, along a straight line or a great circle of codes.

    Parameters
    ----------
    model : fitted estimator
    a, b : array-like of shape ``shape``
        Two samples.
    steps : int, default 9
        Number of samples to return.
    spherical : bool, default False
        Whether codes are on a great circle; see ``slerp``.
    labels : label or array-like of labels, optional
        Those of a conditional model, which needs them.

    Returns
    -------
    ndarray of shape ``(steps, *shape)``

    Raises
    ------
    ValueError
        As ``AutoencoderEstimator.interpolate``, or if a code on a great circle is zero.

    Examples
    --------
    >>> import numpy as np
    >>> import npae
    >>> from npae.applications.generation import walk
    >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
    >>> model = npae.DeepAutoencoder(hidden=(8,), code_size=2, epochs=1, random_state=0).fit(X)
    >>> walk(model, X[0], X[1], steps=5, spherical=True).shape
    (5, 8)
    """
    if not truth_value(spherical, "spherical"):
        return model.interpolate(a, b, steps, labels=labels)
    start, end = model.network_.encode(stack_two(a, b)).astype(np.float64)
    return model.inverse_transform(slerp(start, end, np.linspace(0, 1, whole_number(steps, "steps"))), labels)


def traversals(model: AutoencoderEstimator, x: Any, steps: int = 9, reach: float = 2.5, *, labels: Any = None) -> Array:
    """Latent traversals of one sample: each dimension of its code takes values from −reach to reach.

    Parameters
    ----------
    model : fitted estimator
    x : array-like of shape ``shape``
        The sample.
    steps : int, default 9
        Number of values of each dimension.
    reach : float, default 2.5
        For a variational model, whose codes are close to N(0, 1), in standard deviations; for others in units of the
        code.
    labels : label or array-like of labels, optional
        Those of a conditional model, which needs them.

    Returns
    -------
    ndarray of shape ``(code_size, steps, *shape)``

    Examples
    --------
    >>> import numpy as np
    >>> import npae
    >>> from npae.applications.generation import traversals
    >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
    >>> model = npae.DeepAutoencoder(hidden=(8,), code_size=2, epochs=1, random_state=0).fit(X)
    >>> traversals(model, X[0], steps=5).shape
    (2, 5, 8)
    """
    (code,) = model.network_.encode(one_sample(x, "x")[None])
    steps, reach = whole_number(steps, "steps"), real_number(reach, "reach")
    codes = np.tile(code, (len(code), steps, 1))  # (code, steps, code)
    each = np.arange(len(code))
    codes[each, :, each] = np.linspace(-reach, reach, steps)
    samples = model.inverse_transform(codes.reshape(-1, len(code)), labels)
    return samples.reshape(len(code), steps, *samples.shape[1:])


def latent_grid(
    model: AutoencoderEstimator, X: Any, steps: int = 15, reach: float = 2.0, *, labels: Any = None
) -> Array:
    """Samples on a grid in the plane of the first two principal components of codes.

    Parameters
    ----------
    model : fitted estimator
    X : array-like of shape ``(n, *shape)``
        Whose codes the plane is fitted to.
    steps : int, default 15
        Number of rows, and of columns.
    reach : float, default 2.0
        Standard deviations to which the grid extends on both sides of each axis.
    labels : label or array-like of labels, optional
        Those of a conditional model, which needs them.

    Returns
    -------
    ndarray of shape ``(steps², *shape)``
        In row-major order.

    Examples
    --------
    >>> import numpy as np
    >>> import npae
    >>> from npae.applications.generation import latent_grid
    >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
    >>> model = npae.DeepAutoencoder(hidden=(8,), code_size=2, epochs=1, random_state=0).fit(X)
    >>> latent_grid(model, X, steps=3).shape
    (9, 8)
    """
    codes = model.network_.encode(X).astype(np.float64)
    pca = PCA(codes, 2)
    deviation = pca.encode(codes, 2).std(axis=0)
    reach = real_number(reach, "reach")
    ticks = np.linspace(-reach, reach, whole_number(steps, "steps"))
    plane = np.stack(np.meshgrid(ticks, ticks[::-1]), axis=-1).reshape(-1, 2)
    return model.inverse_transform(pca.decode(plane[:, : len(deviation)] * deviation), labels)


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


HEADER: Sequence[str] = ("dimension", "KL, nats", "variance of mean", "active")
