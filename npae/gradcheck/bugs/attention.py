"""Wrong gradients of attention, y = a v with a = softmax(s), s = scale · q kᵀ; leading axes are batches and heads::

da = g vᵀ    ds = a (da − Σ da a)    dq = scale · ds k    dk = scale · dsᵀ q    dv = aᵀ g
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from npae.gradcheck.bugs.registry import BugCase, Gradients, Kind, add, bug
from npae.gradcheck.bugs.softmax import softmax, through_softmax
from npae.utils.types import Array


def turned(a: Array) -> Array:
    """The transposes of the matrices in the last two axes."""
    t: Array = np.swapaxes(a, -1, -2)
    return t


def weights(c: BugCase) -> Array:
    """a."""
    return softmax(c.scale * c.q @ turned(c.k))


def by_weights(c: BugCase) -> Array:
    """da."""
    da: Array = c.g @ turned(c.v)
    return da


def by_scores(c: BugCase, ds: Array, scale: float | None = None) -> tuple[Array, Array]:
    """(dq, dk) for a gradient by the scores."""
    ds = ds * (c.scale if scale is None else scale)
    return ds @ c.k, turned(ds) @ c.q


@add
class Attention(Kind):
    """y = softmax(scale · q kᵀ) v, for q (…, n, d), k (…, m, d), v (…, m, e)."""

    name = "attention"
    inputs = ("q", "k", "v")
    blocks = ("q", "k", "v")

    def draw(self, rng: np.random.Generator, **special: bool) -> dict[str, Any]:
        n, m, d, e = 4 if special.get("square") else 3, 4, 5, 6
        q, k, v = (rng.standard_normal(shape) for shape in ((n, d), (m, d), (m, e)))
        return {"q": q, "k": k, "v": v, "scale": 1 / np.sqrt(d)}

    def forward(self, c: BugCase) -> Array:
        if not np.ndim(c.q) == np.ndim(c.k) == np.ndim(c.v) >= 2:
            raise ValueError("q, k and v are matrices")
        y: Array = weights(c) @ c.v
        return y

    def backward(self, c: BugCase) -> Gradients:
        a = weights(c)
        dq, dk = by_scores(c, through_softmax(a, by_weights(c)))
        return {"q": dq, "k": dk, "v": turned(a) @ c.g}

    def options(self, arrays: Mapping[str, Array], outputs: list[Array]) -> Iterator[dict[str, Any]]:
        yield from ({"scale": scale} for scale in (1 / np.sqrt(arrays["q"].shape[-1]), 1.0))


@bug("attention", "q k", "dq and dk without 1/√d", "What was scaled forward is scaled backward.", number=147)
def no_scale(c: BugCase) -> Any:
    return by_scores(c, through_softmax(weights(c), by_weights(c)), 1.0)


@bug("attention", "q k", "1/√d twice", "The chain rule has one factor for each operation.", number=148)
def scale_twice(c: BugCase) -> Any:
    return by_scores(c, through_softmax(weights(c), by_weights(c)), c.scale**2)


@bug("attention", "q k", "ds = da·a(1 − a)", "Every weight depends on every score of its query.", number=149)
def diagonal_only(c: BugCase) -> Any:
    a = weights(c)
    return by_scores(c, by_weights(c) * a * (1 - a))


@bug("attention", "q k", "ds = da", "Between weights and scores lies a softmax.", number=150)
def no_softmax(c: BugCase) -> Any:
    return by_scores(c, by_weights(c))


@bug("attention", "q k", "ds = a·da", "A query's weights add up to 1, so their changes add up to 0.", number=151)
def no_sum(c: BugCase) -> Any:
    return by_scores(c, weights(c) * by_weights(c))


@bug("attention", "q k", "Σ da a over the queries", "The softmax is over the keys of one query.", number=152)
def sum_over_queries(c: BugCase) -> Any:
    return by_scores(c, through_softmax(weights(c), by_weights(c), -2))


@bug(
    "attention",
    "v",
    "dv = a g",
    "v's gradient comes from every query that looked at it: transpose a.",
    number=153,
    name="a-untransposed",
    needs="square",
)
def a_untransposed(c: BugCase) -> Any:
    return weights(c) @ c.g


@bug(
    "attention",
    "k",
    "dk = ds q",
    "dk has a row for each key, and ds a column.",
    number=154,
    name="ds-untransposed",
    needs="square",
)
def ds_untransposed(c: BugCase) -> Any:
    return c.scale * through_softmax(weights(c), by_weights(c)) @ c.q


@bug("attention", "k", "dk = qᵀ ds", "dk has k's shape.", number=155, name="dk-transposed")
def dk_transposed(c: BugCase) -> Any:
    return turned(by_scores(c, through_softmax(weights(c), by_weights(c)))[1])


@bug("attention", "v", "dv = sᵀ g", "v was weighted by the softmax of the scores.", number=156, name="dv-from-scores")
def dv_from_scores(c: BugCase) -> Any:
    return c.scale * c.k @ turned(c.q) @ c.g
