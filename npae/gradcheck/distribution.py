"""Statistical check of a variational model: whether its draws have the mean, variance and KL that it states.

A forward pass with σ = exp(log σ²) instead of exp(½ log σ²) can have a backward that is consistent with it, and then
passes every finite-difference check. So the draws are tested: their mean and variance, the KL divergence estimated from
them, and the bound on the evidence.
"""

import math
from time import monotonic
from types import ModuleType
from typing import Any

import numpy as np

from npae.gradcheck.model import in_precision
from npae.gradcheck.report.findings import Invariant
from npae.gradcheck.report.report import Report
from npae.kernels import default_kernels
from npae.layers import Reparameterization
from npae.network.autoencoder import Autoencoder
from npae.utils.scalars import whole_number
from npae.utils.types import Array

SIGMAS = 5.0  # standard errors that a mean of draws may be off; a right model exceeds it once in two million means


def check_distribution(
    model: Any,
    x: Array | None = None,
    *,
    draws: int = 2000,
    seed: int = 0,
    kernels: ModuleType | None = None,
) -> Report:
    """Check the draws of a variational model against its μ and log σ².

    Four things must hold (Kingma & Welling 2014; the last: Burda et al. 2016, theorem 1)::

        mean of z                  = μ
        variance of z              = exp(log σ²)
        KL(q ‖ N(0, 1)), as stated = mean over draws of log q(z) − log p(z)
        ELBO                      ≤ log mean over draws of p(x, z) / q(z)

    Parameters
    ----------
    model : Autoencoder with a ``Reparameterization`` in its code, or a fitted estimator
        It is not changed: a float64 copy is checked.
    x : ndarray of shape (N, ``*input_shape``), optional
        Samples; by default 4, uniform in [0, 1), for which the network must be built.
    draws : int, default 2000
        Number of draws of each sample's code; at least 100.
    seed : int, default 0
        Seed of the default x and of the draws.
    kernels : module, optional
        ``npae.kernels.reference``, or the compiled ones: the default where Numba is installed.

    Returns
    -------
    Report
        ``invariants`` has the four results; ``blocks`` is empty.

    Raises
    ------
    ValueError
        Where the model has no ``Reparameterization``, draws is below 100, or the default x is wanted of a network that
        is not built.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.gradcheck import check_distribution
    >>> from npae.recipes import variational
    >>> print(check_distribution(variational((6,), code_size=2, hidden=(4,)), np.full((3, 6), 0.5)).verdict)
    PASS
    """
    start = monotonic()
    net = getattr(model, "network_", model)
    if not isinstance(net, Autoencoder) or not any(isinstance(part, Reparameterization) for part in net.code.layers):
        raise ValueError(f"{type(model).__name__} has no Reparameterization in its code; give a variational model")
    draws = whole_number(draws, "draws", least=100)  # means are compared
    seed = whole_number(seed, "seed", least=0)
    if x is None:
        if not hasattr(net, "arena"):
            raise ValueError("the network is not built, so its samples' shape is not known; build it, or give x")
        x = np.random.default_rng(seed).random((4, *net.input_shape))
    net = in_precision(net, np.asarray(x), kernels or default_kernels(), "float64")
    net.run.seed = seed
    drawn = Draws(net, np.array(x, dtype=np.float64, order="C"), draws)
    invariants = [drawn.mean(), drawn.variance(), drawn.divergence(), drawn.bound()]
    return Report(type(model).__name__, [], invariants, seconds=monotonic() - start)


class Draws:
    """Repeated draws of the codes z (draws, N, code) of the same samples, with their losses, μ, log σ² and KL terms."""

    def __init__(self, net: Autoencoder, x: Array, draws: int) -> None:
        (self.layer,) = (part for part in net.code.layers if isinstance(part, Reparameterization))
        net.arena.resize(len(x))
        net.run.training, net.run.sample_weight = True, 1 / len(x)
        z, losses = [], []
        for step in range(draws):
            net.run.step = step
            h = net.encoder.forward(x)  # of clean samples: μ and σ belong to one x
            z.append(self.layer.forward(h).copy())
            code = z[-1]
            for part in net.code.layers[net.code.layers.index(self.layer) + 1 :]:
                code = part.forward(code)
            losses.append(net.loss.value_and_gradient(net.decoder.forward(code), x)[0].copy())
        net.run.training = False
        beta = self.layer.effective_beta or 1.0
        self.layer.forward(h)
        self.z, self.losses = np.array(z), np.array(losses)  # (draws, N, code), (draws, N)
        self.mu, self.log_var = self.layer.mu.copy(), self.layer.log_var.copy()  # (N, code)
        self.announced = self.layer.penalty / beta  # (N,), the KL term without its weight
        self.log_ratio = self._log_ratio()

    def _log_ratio(self) -> Array:
        """log q(z) − log p(z), summed over the code: (draws, N)."""
        standard = (self.z - self.mu) ** 2 / np.exp(self.log_var)
        ratio: Array = 0.5 * (self.z**2 - standard - self.log_var).sum(axis=2)
        return ratio

    def mean(self) -> Invariant:
        """z is μ on average."""
        return _close("the mean of the draws is μ", self.z - self.mu)

    def variance(self) -> Invariant:
        """(z − μ)² is exp(log σ²) on average."""
        ratio = (self.z - self.mu) ** 2 / np.exp(self.log_var) - 1
        return _close("the variance of the draws is exp(log σ²)", ratio)

    def divergence(self) -> Invariant:
        """The KL term that the model states is the mean over its draws of log q(z) − log p(z)."""
        return _close("the KL term is that of the draws", self.log_ratio - self.announced)

    def bound(self) -> Invariant:
        """The ELBO is not above the importance-weighted bound, computed from all draws together."""
        name = "the ELBO is not above its importance-weighted bound"
        log_weight = -self.losses - self.log_ratio  # log p(x, z) / q(z), but for a constant
        top = log_weight.max(axis=0)
        tight = top + np.log(np.mean(np.exp(log_weight - top), axis=0))
        elbo = -self.losses.mean(axis=0) - self.announced
        slack = SIGMAS * log_weight.std(axis=0) / math.sqrt(len(log_weight))
        worst = int(np.argmax(elbo - tight - slack))
        holds = bool(elbo[worst] <= tight[worst] + slack[worst])
        detail = f"of sample {worst} it is {elbo[worst]:.4g}, and the bound {tight[worst]:.4g}"
        return Invariant(name, holds, "" if holds else detail)


def _close(name: str, differences: Array) -> Invariant:
    """Whether differences (draws, …) have mean 0, within ``SIGMAS`` standard errors."""
    mean = differences.mean(axis=0)
    error = differences.std(axis=0) / math.sqrt(len(differences)) + 1e-12
    off = np.abs(mean) / error
    worst = np.unravel_index(int(np.argmax(off)), off.shape)
    holds = bool(off[worst] <= SIGMAS)
    place = ", ".join(str(int(i)) for i in worst)
    detail = f"at [{place}] it is off by {mean[worst]:.3g}, {off[worst]:.0f} standard errors"
    return Invariant(name, holds, "" if holds else detail)
