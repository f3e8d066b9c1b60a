"""Wrong gradients of linear and logistic regression: a loss of u = x w + b and targets t, as one number.

``c.share`` is the weight of one sample's loss, such as 1/N.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from npae.gradcheck.bugs.activation import sigmoid
from npae.gradcheck.bugs.layouts import FLAT, TRANSPOSED, Layout
from npae.gradcheck.bugs.registry import BugCase, Gradients, Kind, add, bug
from npae.utils.types import Array

LINEAR, LOGISTIC = "linear-regression", "logistic-regression"


class Regression(Kind):
    """L = share · Σₙ l(uₙ, tₙ): dw = xᵀ e, db = Σ e, with e the gradient by u."""

    inputs = ("x", "t", "w", "b")
    optional = ("b",)
    blocks = ("w", "b")
    # Samples in rows, or in columns; w and t are vectors, rows or columns.
    layouts = (Layout({"t": FLAT, "w": FLAT, "b": FLAT}), Layout({"x": TRANSPOSED, "t": FLAT, "w": FLAT, "b": FLAT}))

    def draw(self, rng: np.random.Generator, **special: bool) -> dict[str, Any]:
        x, w = rng.standard_normal((5, 4)), rng.standard_normal(4)
        t = np.array([0.0, 1.0, 1.0, 0.0, 1.0]) if self.name == LOGISTIC else rng.standard_normal(5)
        return {"x": x, "t": t, "w": w, "b": rng.standard_normal(1), "share": 1 / 5}

    def loss(self, u: Array, t: Array) -> Array:
        """The loss of each sample."""
        raise NotImplementedError

    def slope(self, u: Array, t: Array) -> Array:
        """Its derivative by u."""
        raise NotImplementedError

    def forward(self, c: BugCase) -> float:
        return float(c.share * self.loss(linear(c), c.t).sum())

    def backward(self, c: BugCase) -> Gradients:
        return by_parameters(c, c.share * self.slope(linear(c), c.t))

    def options(self, arrays: Mapping[str, Array], outputs: list[Array]) -> Iterator[dict[str, Any]]:
        x, t, w, b = (arrays[name] for name in self.inputs)
        if x.ndim != 2 or t.shape != (len(x),) or w.shape != x.shape[1:] or (b is not None and b.size != 1):
            return
        if len(outputs) == 1 and outputs[0].size == 1:
            share = float(outputs[0].reshape(())) / float(self.loss(linear(BugCase(**arrays)), t).sum())
            if any(np.isclose(share, s) for n in (1, len(x)) for s in (1 / n, 0.5 / n)):
                yield {"share": share}


def linear(c: BugCase) -> Array:
    """u (N,)."""
    u: Array = c.x @ c.w
    return u if c.b is None else u + c.b.reshape(())


def by_parameters(c: BugCase, e: Array) -> Gradients:
    """The gradients by w and b, from that by u, times the upstream gradient."""
    g = float(np.reshape(c.g, ()))
    return {"w": g * (c.x.T @ e), "b": np.full((1,) if c.b is None else c.b.shape, g * e.sum())}


@add
class LinearRegression(Regression):
    """l = (u − t)²: e = 2 (u − t) · share."""

    name = LINEAR

    def loss(self, u: Array, t: Array) -> Array:
        found: Array = (u - t) ** 2
        return found

    def slope(self, u: Array, t: Array) -> Array:
        return 2 * (u - t)


@add
class LogisticRegression(Regression):
    """l = −t log σ(u) − (1 − t) log (1 − σ(u)): e = (σ(u) − t) · share."""

    name = LOGISTIC

    def loss(self, u: Array, t: Array) -> Array:
        found: Array = np.logaddexp(0, u) - t * u
        return found

    def slope(self, u: Array, t: Array) -> Array:
        return sigmoid(u) - t


RIGHT: dict[str, Regression] = {LINEAR: LinearRegression(), LOGISTIC: LogisticRegression()}


def scaled(c: BugCase, kind: str, factor: float) -> tuple[Array, Array]:
    """The right gradients by w and b times a factor."""
    d = RIGHT[kind].backward(c)
    return factor * d["w"], factor * d["b"]


def with_slope(c: BugCase, e: Array) -> tuple[Array, Array]:
    """The gradients by w and b for another slope e of the losses."""
    d = by_parameters(c, c.share * e)
    return d["w"], d["b"]


@bug(LINEAR, "w b", "xᵀ(u − t) 2/N²", "The loss is averaged once, so its gradient is divided once.", number=181)
def divided_twice(c: BugCase) -> Any:
    return scaled(c, LINEAR, 1 / len(c))


@bug(LINEAR, "w b", "not divided by N", "A mean forward is a division backward.", number=182)
def no_average(c: BugCase) -> Any:
    return scaled(c, LINEAR, len(c))


@bug(LINEAR, "w b", "half of it", "The derivative of a square brings its exponent down.", number=183)
def no_two(c: BugCase) -> Any:
    return scaled(c, LINEAR, 0.5)


@bug(LINEAR, "w b", "t − u for u − t", "If the prediction is too high, raising it must raise the loss.", number=184)
def sign(c: BugCase) -> Any:
    return scaled(c, LINEAR, -1.0)


@bug(
    LOGISTIC,
    "w b",
    "xᵀ(p − t)/N²",
    "The loss is averaged once, so its gradient is divided once.",
    number=185,
    name="divided-twice",
)
def logistic_divided_twice(c: BugCase) -> Any:
    return scaled(c, LOGISTIC, 1 / len(c))


@bug(LOGISTIC, "w b", "xᵀ(p − t)", "A mean forward is a division backward.", number=186, name="no-average")
def logistic_no_average(c: BugCase) -> Any:
    return scaled(c, LOGISTIC, len(c))


@bug(LOGISTIC, "w b", "t − p for p − t", "If p is too high, raising it must raise the loss.", number=187, name="sign")
def logistic_sign(c: BugCase) -> Any:
    return scaled(c, LOGISTIC, -1.0)


@bug(
    LOGISTIC,
    "w b",
    "xᵀ(p − t)p(1 − p)/N",
    "The logarithm's derivative already cancels the sigmoid's.",
    number=188,
)
def extra_slope(c: BugCase) -> Any:
    p = sigmoid(linear(c))
    return with_slope(c, (p - c.t) * p * (1 - p))


@bug(LOGISTIC, "w b", "xᵀ(u − t)/N", "Compare the target with a probability.", number=189)
def no_sigmoid(c: BugCase) -> Any:
    return with_slope(c, linear(c) - c.t)
