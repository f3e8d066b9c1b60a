"""Wrong gradients of the variational code: z = μ + e^{ℓ/2} ε with ℓ = log σ², and KL = β/2N Σ (μ² + e^ℓ − 1 − ℓ)."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from npae.gradcheck.bugs.registry import BugCase, Gradients, Kind, add, bug
from npae.utils.types import Array


def divergence(c: BugCase) -> float:
    """Σ ½ (μ² + e^ℓ − 1 − ℓ)."""
    return float(0.5 * (c.mu**2 + np.exp(c.log_var) - 1 - c.log_var).sum())


def code_part(c: BugCase) -> tuple[Array, Array]:
    """The gradients by μ and ℓ that come through z."""
    g = upstream(c)[0]
    return g, 0.5 * g * c.eps * np.exp(0.5 * c.log_var)


def kl_part(c: BugCase) -> tuple[Array, Array]:
    """The gradients by μ and ℓ of the KL term."""
    k = kl_weight(c)
    return k * c.mu, 0.5 * k * (np.exp(c.log_var) - 1)


def upstream(c: BugCase) -> tuple[Array, float]:
    """The upstream gradients of z and of the KL term; the latter is 0 where the output has no KL term."""
    return c.g if isinstance(c.g, tuple) else (c.g, 0.0)


def kl_weight(c: BugCase) -> float:
    """β/N times the upstream gradient of the KL term."""
    return float(upstream(c)[1] * (c.beta or 0.0) / len(c))


@add
class Reparameterization(Kind):
    """(z, KL) of μ, ℓ and ε, or z alone: dμ = g + βμ/N, dℓ = ½ g ε e^{ℓ/2} + β (e^ℓ − 1)/2N."""

    name = "reparameterization"
    inputs = ("mu", "log_var", "eps")
    blocks = ("mu", "log_var")

    def draw(self, rng: np.random.Generator, **special: bool) -> dict[str, Any]:
        mu, log_var, eps = rng.standard_normal((3, 4, 3))
        return {"mu": mu, "log_var": log_var, "eps": eps, "beta": 2.5}

    def forward(self, c: BugCase) -> Any:
        z = c.mu + np.exp(0.5 * c.log_var) * c.eps
        return z if c.beta is None else (z, c.beta * divergence(c) / len(c))

    def backward(self, c: BugCase) -> Gradients:
        (dmu, dlog_var), (kl_mu, kl_log_var) = code_part(c), kl_part(c)
        return {"mu": dmu + kl_mu, "log_var": dlog_var + kl_log_var}

    def options(self, arrays: Mapping[str, Array], outputs: list[Array]) -> Iterator[dict[str, Any]]:
        if len(outputs) == 1:
            yield {"beta": None}
        elif outputs[1].size == 1:
            c = BugCase(**arrays)
            yield {"beta": float(outputs[1].reshape(())) * len(c) / divergence(c)}


@bug("reparameterization", "log_var", "dℓ = g ε e^{ℓ/2}", "σ is the exponential of half of ℓ.", number=61)
def no_half(c: BugCase) -> Any:
    return 2 * code_part(c)[1] + kl_part(c)[1]


@bug(
    "reparameterization",
    "log_var",
    "dℓ = ½ g e^{ℓ/2}",
    "σ is multiplied by ε, so its slope is ε.",
    number=62,
    name="no-ε",
)
def no_eps(c: BugCase) -> Any:
    return 0.5 * upstream(c)[0] * np.exp(0.5 * c.log_var) + kl_part(c)[1]


@bug("reparameterization", "log_var", "dℓ = ½ g ε e^ℓ", "z holds a standard deviation, not a variance.", number=63)
def variance(c: BugCase) -> Any:
    return 0.5 * upstream(c)[0] * c.eps * np.exp(c.log_var) + kl_part(c)[1]


@bug(
    "reparameterization",
    "log_var",
    "ε drawn anew",
    "Backward must use the ε that forward drew.",
    number=64,
    name="fresh-ε",
    how="draws",
)
def fresh_eps(c: BugCase) -> Any:
    eps = c.rng.standard_normal(c.mu.shape)
    return 0.5 * upstream(c)[0] * eps * np.exp(0.5 * c.log_var) + kl_part(c)[1]


@bug("reparameterization", "mu", "dμ = g ε", "If μ rises by 1, so does z.", number=65, name="μ-times-ε")
def mu_times_eps(c: BugCase) -> Any:
    return upstream(c)[0] * c.eps + kl_part(c)[0]


@bug(
    "reparameterization",
    "mu log_var",
    "only the KL's part",
    "z depends on μ and ℓ, so the reconstruction has a gradient by them too.",
    number=66,
    name="KL-only",
)
def kl_only(c: BugCase) -> Any:
    return kl_part(c)


@bug(
    "reparameterization",
    "mu log_var",
    "without the KL's part",
    "Every term of the loss sends a gradient back.",
    number=67,
    name="KL-missing",
)
def kl_missing(c: BugCase) -> Any:
    return code_part(c)


@bug(
    "reparameterization",
    "mu log_var",
    "the KL's part subtracted",
    "The KL term is part of the loss: gradient descent must make it smaller.",
    number=68,
    name="KL-sign",
)
def kl_sign(c: BugCase) -> Any:
    return with_kl(c, -1.0)


@bug(
    "reparameterization",
    "log_var",
    "KL part β(e^ℓ − 1)/N",
    "The divergence of two Gaussians begins with ½.",
    number=69,
    name="KL-no-half",
)
def kl_no_half(c: BugCase) -> Any:
    return with_kl(c, 2.0)[1]


@bug(
    "reparameterization",
    "log_var",
    "KL part ½ β e^ℓ/N",
    "At σ = 1 the divergence is smallest, so its slope is 0 there.",
    number=70,
    name="KL-no-one",
)
def kl_no_one(c: BugCase) -> Any:
    return code_part(c)[1] + 0.5 * kl_weight(c) * np.exp(c.log_var)


@bug(
    "reparameterization",
    "mu log_var",
    "KL part divided by Z too",
    "The divergence is summed over the code, and averaged over the batch.",
    number=71,
    name="KL-latent-mean",
)
def kl_latent_mean(c: BugCase) -> Any:
    return with_kl(c, 1 / c.mu.shape[1])


@bug(
    "reparameterization",
    "mu log_var",
    "KL part not divided by N",
    "The divergence is averaged over the batch, as the reconstruction is.",
    number=72,
    name="KL-batch-sum",
)
def kl_batch_sum(c: BugCase) -> Any:
    return with_kl(c, len(c))


@bug(
    "reparameterization",
    "mu log_var",
    "β times the whole gradient",
    "β weights one term of the loss, not the reconstruction.",
    number=73,
    name="β-on-all",
)
def beta_on_all(c: BugCase) -> Any:
    beta = 1.0 if c.beta is None else c.beta
    (dmu, dlog_var), (kl_mu, kl_log_var) = code_part(c), kl_part(c)
    return beta * dmu + kl_mu, beta * dlog_var + kl_log_var


@bug(
    "reparameterization",
    "log_var",
    "KL part β(e^{2ℓ} − 1)/N",
    "The network's output is log σ², so e to its power is the variance already.",
    number=74,
    name="logσ-confusion",
)
def log_sigma_confusion(c: BugCase) -> Any:
    return code_part(c)[1] + kl_weight(c) * (np.exp(2 * c.log_var) - 1)


@bug(
    "reparameterization",
    "mu log_var",
    "dμ and dℓ exchanged",
    "Two heads of one shape: each receives its own gradient.",
    number=75,
)
def heads_swapped(c: BugCase) -> Any:
    right = RIGHT.backward(c)
    return right["log_var"], right["mu"]


def with_kl(c: BugCase, factor: float) -> tuple[Array, Array]:
    """The gradients by μ and ℓ, with the part of the KL term multiplied by a factor."""
    (dmu, dlog_var), (kl_mu, kl_log_var) = code_part(c), kl_part(c)
    return dmu + factor * kl_mu, dlog_var + factor * kl_log_var


RIGHT = Reparameterization()
