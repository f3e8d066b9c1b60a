"""Wrong gradients of losses: one number from a prediction and a target.

``c.share`` is the weight of one element in the loss: 1/n for a mean over all n elements, 1 for a sum.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from npae.gradcheck.bugs.activation import sigmoid
from npae.gradcheck.bugs.registry import BugCase, Gradients, Kind, add, bug
from npae.utils.types import Array


class Loss(Kind):
    """L = share · Σ l(prediction, target); the upstream gradient g is a scalar."""

    def draw(self, rng: np.random.Generator, **special: bool) -> dict[str, Any]:
        first = rng.uniform(0.1, 0.9, (3, 4)) if self.name == "bce" else rng.standard_normal((3, 4))
        return {self.inputs[0]: first, "t": rng.uniform(0.1, 0.9, (3, 4)), "share": 1 / 12}

    def total(self, c: BugCase) -> float:
        """The sum over all elements."""
        raise NotImplementedError

    def forward(self, c: BugCase) -> Any:
        return c.share * self.total(c)

    def options(self, arrays: Mapping[str, Array], outputs: list[Array]) -> Iterator[dict[str, Any]]:
        first = arrays[self.inputs[0]]
        total = self.total(BugCase(**arrays)) if first.shape == arrays["t"].shape else 0.0
        if len(outputs) == 1 and outputs[0].size == 1 and total:
            share = float(outputs[0].reshape(())) / total
            # Any output is a multiple of the sum, so only the usual averages are accepted.
            if any(np.isclose(share, 1 / n) for n in (1, len(first), first.size, first.size // len(first))):
                yield {"share": share}


@add
class SquaredError(Loss):
    """Σ (p − t)²: dp = 2 (p − t) · share."""

    name = "mse"
    inputs = ("p", "t")
    blocks = ("p",)

    def total(self, c: BugCase) -> float:
        return float(((c.p - c.t) ** 2).sum())

    def backward(self, c: BugCase) -> Gradients:
        return {"p": c.g * c.share * 2 * (c.p - c.t)}


@add
class CrossEntropy(Loss):
    """−Σ t log p + (1 − t) log(1 − p): dp = (p − t) / (p (1 − p)) · share."""

    name = "bce"
    inputs = ("p", "t")
    blocks = ("p",)

    def total(self, c: BugCase) -> float:
        with np.errstate(invalid="ignore", divide="ignore"):
            return float(-(c.t * np.log(c.p) + (1 - c.t) * np.log(1 - c.p)).sum())

    def backward(self, c: BugCase) -> Gradients:
        return {"p": c.g * c.share * (c.p - c.t) / (c.p * (1 - c.p))}


@add
class CrossEntropyOnLogits(Loss):
    """Binary cross-entropy of p = σ(z): dz = (σ(z) − t) · share."""

    name = "bce-on-logits"
    inputs = ("z", "t")
    blocks = ("z",)

    def total(self, c: BugCase) -> float:
        return float((np.maximum(c.z, 0) - c.z * c.t + np.log1p(np.exp(-np.abs(c.z)))).sum())

    def backward(self, c: BugCase) -> Gradients:
        return {"z": c.g * c.share * (sigmoid(c.z) - c.t)}


@bug("mse", "p", "dp = (p − t)/n", "The derivative of a square brings its exponent down.", number=21)
def no_two(c: BugCase) -> Any:
    return c.g * c.share * (c.p - c.t)


@bug("mse", "p", "dp = 2(t − p)/n", "If the prediction is too high, raising it must raise the loss.", number=22)
def sign(c: BugCase) -> Any:
    return c.g * c.share * 2 * (c.t - c.p)


@bug("mse", "p", "dp = 2(p − t)", "A mean forward is a division backward.", number=23)
def no_average(c: BugCase) -> Any:
    return c.g * 2 * (c.p - c.t)


@bug("mse", "p", "dp = 2(p − t)/N", "Divide by as many numbers as the mean was taken over.", number=24)
def batch_only(c: BugCase) -> Any:
    return c.g * 2 * (c.p - c.t) / len(c)


@bug("mse", "p", "dp = sign(p − t)/n", "The gradient of a squared error grows with the error.", number=25, name="MAE")
def MAE(c: BugCase) -> Any:
    return c.g * c.share * np.sign(c.p - c.t)


@bug("bce", "p", "dp = (p − t)/n", "This is the gradient by the logits, where the sigmoid's slope cancels.", number=26)
def fused_on_p(c: BugCase) -> Any:
    return c.g * c.share * (c.p - c.t)


@bug(
    "bce-on-logits",
    "z",
    "dz = (p − t)p(1 − p)/n",
    "The logarithm's derivative already cancels the sigmoid's.",
    number=27,
    name="extra-σ′",
)
def extra_slope(c: BugCase) -> Any:
    p = sigmoid(c.z)
    return c.g * c.share * (p - c.t) * p * (1 - p)


@bug("bce", "p", "dp = −t/p/n", "Where the target is 0 the loss has a slope too.", number=28)
def positive_only(c: BugCase) -> Any:
    return -c.g * c.share * c.t / c.p


@bug("bce", "p", "dp = (−t/p − (1 − t)/(1 − p))/n", "1 − p falls where p rises.", number=29)
def both_minus(c: BugCase) -> Any:
    return c.g * c.share * (-c.t / c.p - (1 - c.t) / (1 - c.p))


@bug("bce-on-logits", "z", "dz = (z − t)/n", "Compare the target with a probability.", number=30)
def no_sigmoid(c: BugCase) -> Any:
    return c.g * c.share * (c.z - c.t)
