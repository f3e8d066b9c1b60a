"""Wrong gradients of dropout, y = x·m / (1 − p) with a mask m of zeros and ones."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from npae.gradcheck.bugs.registry import BugCase, Gradients, Kind, add, bug
from npae.utils.types import Array


@add
class Dropout(Kind):
    """dx = g·m / (1 − p). Where the mask is not an input, it is read from the output."""

    name = "dropout"
    inputs = ("x", "m")
    optional = ("m",)
    blocks = ("x",)

    def draw(self, rng: np.random.Generator, **special: bool) -> dict[str, Any]:
        return {"x": rng.standard_normal((4, 6)), "m": (rng.random((4, 6)) >= 0.3).astype(float), "level": 0.3}

    def forward(self, c: BugCase) -> Array:
        y: Array = c.x * mask(c) / (1 - c.level)
        return y

    def backward(self, c: BugCase) -> Gradients:
        return {"x": c.g * mask(c) / (1 - c.level)}

    def options(self, arrays: Mapping[str, Array], outputs: list[Array]) -> Iterator[dict[str, Any]]:
        x, given, (y, *_) = arrays["x"], arrays["m"], outputs
        if x.shape != y.shape or not y.any():
            return
        kept = y != 0
        factor = float(np.median(y[kept] / x[kept] / (1.0 if given is None else given[kept])))
        if factor >= 1 and not kept.all():
            yield {"level": 1 - 1 / factor, "drawn": kept.astype(float)}


def mask(c: BugCase) -> Any:
    """The mask m: the input, or that read from the output."""
    return c.drawn if c.m is None else c.m


@bug(
    "dropout",
    "x",
    "the mask drawn anew",
    "Backward must use the mask that forward drew.",
    number=78,
    how="draws",
)
def fresh_mask(c: BugCase) -> Any:
    return c.g * (c.rng.random(c.x.shape) >= c.level) / (1 - c.level)


@bug("dropout", "x", "dx = g·m", "What was scaled forward is scaled backward.", number=79)
def no_scale(c: BugCase) -> Any:
    return c.g * mask(c)


@bug("dropout", "x", "dx = g·m/(1 − p)²", "The chain rule has one factor for each operation.", number=80)
def double_scale(c: BugCase) -> Any:
    return c.g * mask(c) / (1 - c.level) ** 2


@bug("dropout", "x", "dx = g·m/p", "Scale by the fraction that is kept, not by the one that is dropped.", number=81)
def divide_p(c: BugCase) -> Any:
    return c.g * mask(c) / c.level if c.level else c.g


@bug(
    "dropout",
    "x",
    "dx = g − g·m/(1 − p)",
    "What was kept forward has a gradient, what was dropped has none.",
    number=196,
)
def complement(c: BugCase) -> Any:
    return c.g * (1 - mask(c) / (1 - c.level))
