"""Wrong gradients of normalisation, y = γ h + β with h = (x − mean) / s and s = √(variance + ε).

Mean and variance are taken along one axis of x (M, D): over the samples in batch normalisation, over the features in
layer normalisation. Images and sequences are seen as such a table. With means along that axis and dh = γ g::

    dx = (dh − mean(dh) − h mean(dh h)) / s        dγ = Σ g h        dβ = Σ g
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from npae.gradcheck.bugs.layouts import (
    CHANNELS_AS_COLUMNS,
    FLAT,
    RAVELLED,
    ROWS,
    SAMPLE_AS_ROW,
    TRANSPOSED,
    Layout,
    View,
)
from npae.gradcheck.bugs.registry import BugCase, Gradients, Kind, add, bug
from npae.utils.types import Array

BATCH, LAYER = "batch-normalization", "layer-normalization"


def seen_as(table: View | None, parameters: View = FLAT) -> Layout:
    """The layout in which x and y are seen as a table by one view, or are one, γ and β as vectors by another."""
    tables = {} if table is None else {"x": table, "y": table}
    return Layout({**tables, "gamma": parameters, "beta": parameters})


class Normalization(Kind):
    """y = γ h + β; γ and β may be missing."""

    inputs = ("x", "gamma", "beta")
    optional = ("gamma", "beta")
    blocks = ("x", "gamma", "beta")
    axis: int

    def draw(self, rng: np.random.Generator, **special: bool) -> dict[str, Any]:
        return {
            "x": rng.standard_normal((5, 4)) * 2 + 1,
            "gamma": rng.uniform(0.5, 2, 4),
            "beta": rng.standard_normal(4),
            "epsilon": 1e-5,
            "axis": self.axis,
        }

    def forward(self, c: BugCase) -> Array:
        h: Array = normalized(c)[0]
        if h.ndim != 2:
            raise ValueError("x is no table")
        h = h if c.gamma is None else h * c.gamma
        return h if c.beta is None else h + c.beta

    def backward(self, c: BugCase) -> Gradients:
        return {"x": dx_of(c), "gamma": (c.g * normalized(c)[0]).sum(axis=0), "beta": c.g.sum(axis=0)}

    def options(self, arrays: Mapping[str, Array], outputs: list[Array]) -> Iterator[dict[str, Any]]:
        x, (y, *_) = arrays["x"], outputs
        if x.shape != y.shape or x.ndim != 2:
            return
        gamma, beta = (v if v is not None else n for v, n in ((arrays["gamma"], 1.0), (arrays["beta"], 0.0)))
        h, centred = (y - beta) / gamma, x - x.mean(axis=self.axis, keepdims=True)
        # s² = Σ (x − mean)² / Σ h², and ε is what it has more than the variance.
        s2 = (centred**2).sum(axis=self.axis) / (h**2).sum(axis=self.axis)
        epsilon = float(np.median(s2 - x.var(axis=self.axis)))
        if -1e-9 < epsilon < 0.1:
            yield {"epsilon": max(epsilon, 0.0), "axis": self.axis}


@add
class BatchNormalization(Normalization):
    """Mean and variance of each feature over the samples, or of each channel over samples and places."""

    name = BATCH
    axis = 0
    layouts = (seen_as(None), seen_as(TRANSPOSED), seen_as(ROWS), seen_as(CHANNELS_AS_COLUMNS))


@add
class LayerNormalization(Normalization):
    """Mean and variance of each sample over its features."""

    name = LAYER
    axis = 1
    layouts = (seen_as(None), seen_as(TRANSPOSED), seen_as(ROWS), seen_as(SAMPLE_AS_ROW, RAVELLED))


def normalized(c: BugCase) -> tuple[Array, Array]:
    """h and s."""
    s: Array = np.sqrt(c.x.var(axis=c.axis, keepdims=True) + c.epsilon)
    return (c.x - c.x.mean(axis=c.axis, keepdims=True)) / s, s


def by_h(c: BugCase) -> Array:
    """dh = γ g."""
    dh: Array = c.g if c.gamma is None else c.g * c.gamma
    return dh


def mean(c: BugCase, a: Array) -> Array:
    """The mean along the axis of the statistics."""
    m: Array = a.mean(axis=c.axis, keepdims=True)
    return m


def dx_of(c: BugCase, mean_part: float = 1.0, variance_part: float = 1.0) -> Array:
    """dx, with the parts that come through mean and variance multiplied by factors."""
    (h, s), dh = normalized(c), by_h(c)
    dx: Array = (dh - mean_part * mean(c, dh) - variance_part * h * mean(c, dh * h)) / s
    return dx


@bug(BATCH, "x", "dx = γg/s", "Mean and variance depend on x too, and send gradients back.", number=117)
@bug(LAYER, "x", "dx = γg/s", "Mean and variance depend on x too, and send gradients back.", number=130)
def constant_statistics(c: BugCase) -> Any:
    return dx_of(c, 0.0, 0.0)


@bug(BATCH, "x", "dx = (dh − h mean(dh h))/s", "Shifting all x along the axis changes nothing.", number=118)
@bug(LAYER, "x", "dx = (dh − h mean(dh h))/s", "Shifting all x along the axis changes nothing.", number=131)
def no_mean_part(c: BugCase) -> Any:
    return dx_of(c, 0.0, 1.0)


@bug(BATCH, "x", "dx = (dh − mean(dh))/s", "Scaling all x along the axis changes nothing.", number=119)
@bug(LAYER, "x", "dx = (dh − mean(dh))/s", "Scaling all x along the axis changes nothing.", number=132)
def no_variance_part(c: BugCase) -> Any:
    return dx_of(c, 1.0, 0.0)


@bug(BATCH, "x", "half of the variance's part", "The derivative of a square brings its exponent down.", number=120)
@bug(LAYER, "x", "half of the variance's part", "The derivative of a square brings its exponent down.", number=133)
def no_two(c: BugCase) -> Any:
    return dx_of(c, 1.0, 0.5)


@bug(BATCH, "x", "dh = g", "What was scaled by γ forward is scaled by γ backward.", number=121)
@bug(LAYER, "x", "dh = g", "What was scaled by γ forward is scaled by γ backward.", number=134)
def no_gamma(c: BugCase) -> Any:
    return dx_of(BugCase(**{**vars(c), "gamma": None}))


@bug(BATCH, "x", "dx = dh − mean(dh) − h mean(dh h)", "A division forward is a division backward.", number=122)
@bug(LAYER, "x", "dx = dh − mean(dh) − h mean(dh h)", "A division forward is a division backward.", number=135)
def undivided(c: BugCase) -> Any:
    return dx_of(c) * normalized(c)[1]


@bug(BATCH, "x", "divided by the variance", "x was divided by a standard deviation.", number=123)
@bug(LAYER, "x", "divided by the variance", "x was divided by a standard deviation.", number=136)
def by_variance(c: BugCase) -> Any:
    return dx_of(c) / normalized(c)[1]


@bug(BATCH, "x", "dx = (dh − Σ dh − h Σ dh h)/s", "The statistics are means.", number=124)
@bug(LAYER, "x", "dx = (dh − Σ dh − h Σ dh h)/s", "The statistics are means.", number=137)
def sums_for_means(c: BugCase) -> Any:
    n = c.x.shape[c.axis]
    return dx_of(c, n, n)


@bug(BATCH, "x", "means of dh along the other axis", "Backward averages along the axis of forward.", number=125)
@bug(LAYER, "x", "means of dh along the other axis", "Backward averages along the axis of forward.", number=138)
def other_axis(c: BugCase) -> Any:
    (h, s), dh = normalized(c), by_h(c)
    across = 1 - c.axis
    return (dh - dh.mean(axis=across, keepdims=True) - h * (dh * h).mean(axis=across, keepdims=True)) / s


@bug(BATCH, "gamma", "dγ = Σ g x", "γ multiplies the normalised x.", number=126)
@bug(LAYER, "gamma", "dγ = Σ g x", "γ multiplies the normalised x.", number=139)
def gamma_times_x(c: BugCase) -> Any:
    return (c.g * c.x).sum(axis=0)


@bug(BATCH, "gamma beta", "sums over everything", "Each feature has a γ and a β of its own.", number=127)
@bug(LAYER, "gamma beta", "sums over everything", "Each feature has a γ and a β of its own.", number=140)
def sum_without_axis(c: BugCase) -> Any:
    return (c.g * normalized(c)[0]).sum(), c.g.sum()


@bug(BATCH, "gamma beta", "means for sums", "Broadcast forward means sum backward.", number=128)
@bug(LAYER, "gamma beta", "means for sums", "Broadcast forward means sum backward.", number=141)
def means_for_sums(c: BugCase) -> Any:
    return (c.g * normalized(c)[0]).mean(axis=0), c.g.mean(axis=0)


@bug(BATCH, "gamma beta", "dγ and dβ exchanged", "γ multiplies h, and β is added.", number=129)
@bug(LAYER, "gamma beta", "dγ and dβ exchanged", "γ multiplies h, and β is added.", number=142)
def swapped(c: BugCase) -> Any:
    return c.g.sum(axis=0), (c.g * normalized(c)[0]).sum(axis=0)
