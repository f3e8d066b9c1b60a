"""Wrong gradients of softmax, p = e^z / Σ e^z along one axis: dz = p (g − Σ g p)."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from npae.gradcheck.bugs.registry import BugCase, Gradients, Kind, add, bug
from npae.utils.types import Array


def softmax(z: Array, axis: int = -1) -> Array:
    """e^z / Σ e^z, without overflow."""
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    p: Array = e / e.sum(axis=axis, keepdims=True)
    return p


def through_softmax(p: Array, g: Array, axis: int = -1) -> Array:
    """p (g − Σ g p): the gradient by z, from that by p."""
    dz: Array = p * (g - (g * p).sum(axis=axis, keepdims=True))
    return dz


@add
class Softmax(Kind):
    """p = e^z / Σ e^z: dz = p (g − Σ g p)."""

    name = "softmax"
    inputs = blocks = ("z",)

    def draw(self, rng: np.random.Generator, **special: bool) -> dict[str, Any]:
        return {"z": rng.standard_normal((3, 4)), "axis": 1}

    def forward(self, c: BugCase) -> Array:
        return softmax(c.z, c.axis)

    def backward(self, c: BugCase) -> Gradients:
        return {"z": through_softmax(c.y, c.g, c.axis)}

    def options(self, arrays: Mapping[str, Array], outputs: list[Array]) -> Iterator[dict[str, Any]]:
        if outputs[0].shape == arrays["z"].shape:
            yield from ({"axis": axis} for axis in reversed(range(arrays["z"].ndim)))


@bug(
    "softmax",
    "z",
    "dz = g·p(1 − p)",
    "Every probability depends on every z, through the sum in the denominator.",
    number=94,
)
def diagonal_only(c: BugCase) -> Any:
    return c.g * c.y * (1 - c.y)


@bug(
    "softmax",
    "z",
    "dz = g",
    "Softmax has a Jacobian of its own, unless the gradient from above already includes it.",
    number=95,
)
def passed_on(c: BugCase) -> Any:
    return c.g


@bug("softmax", "z", "dz = p·g", "Probabilities add up to 1, so their changes add up to 0.", number=96)
def no_sum(c: BugCase) -> Any:
    return c.y * c.g


@bug(
    "softmax",
    "z",
    "dz = p(g − Σ g)",
    "What is subtracted is the mean of g under the probabilities.",
    number=97,
    name="sum-unweighted",
)
def sum_unweighted(c: BugCase) -> Any:
    return c.y * (c.g - c.g.sum(axis=c.axis, keepdims=True))


@bug("softmax", "z", "dz = p(g − Σ g p over everything)", "Each sample has a denominator of its own.", number=98)
def sum_over_all(c: BugCase) -> Any:
    return c.y * (c.g - (c.g * c.y).sum())


@bug("softmax", "z", "dz = p(g − mean(g p))", "The probabilities are the weights of the mean already.", number=99)
def mean_for_sum(c: BugCase) -> Any:
    return c.y * (c.g - (c.g * c.y).mean(axis=c.axis, keepdims=True))


@bug("softmax", "z", "dz = p(Σ g p − g)", "If one z rises, its own probability rises and the others fall.", number=100)
def sign(c: BugCase) -> Any:
    return -through_softmax(c.y, c.g, c.axis)


@bug(
    "softmax",
    "z",
    "dz = p(1 − p)",
    "The chain rule multiplies by the gradient from above.",
    number=101,
    name="no-upstream",
)
def without_upstream(c: BugCase) -> Any:
    return c.y * (1 - c.y)


@bug(
    "softmax",
    "z",
    "dz = z(g − Σ g z)",
    "p(g − Σ g p) is written in terms of the output.",
    number=193,
    name="at-z",
)
def at_z(c: BugCase) -> Any:
    return through_softmax(c.z, c.g, c.axis)
