"""Wrong gradients of a dense layer with its activation, y = φ(u) with u = x W + b, in one function."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from npae.gradcheck.bugs.layouts import affine
from npae.gradcheck.bugs.network import ACTIVATIONS
from npae.gradcheck.bugs.registry import BugCase, Gradients, Kind, add, bug
from npae.gradcheck.bugs.softmax import softmax, through_softmax
from npae.utils.types import Array

UNIT, SOFT = "activated-dense", "softmax-dense"
ALL = "x W b"


@add
class ActivatedDense(Kind):
    """du = g φ′, then as a dense layer; φ acts on each element."""

    name = UNIT
    inputs = ("x", "W", "b")
    optional = ("b",)
    blocks = ("x", "W", "b")
    layouts = affine("x", ["W"], ["b"])

    def draw(self, rng: np.random.Generator, **special: bool) -> dict[str, Any]:
        shapes = {"x": (3, 4), "W": (4, 5), "b": (5,)}
        return {**{name: rng.standard_normal(shape) for name, shape in shapes.items()}, "activation": "sigmoid"}

    def forward(self, c: BugCase) -> Array:
        return activated(c)

    def backward(self, c: BugCase) -> Gradients:
        return below(c, by_u(c))

    def options(self, arrays: Mapping[str, Array], outputs: list[Array]) -> Iterator[dict[str, Any]]:
        x, W, b = (arrays[name] for name in self.inputs)
        if x.ndim == W.ndim == 2 and x.shape[1] == len(W) and (b is None or b.shape == W.shape[1:]):
            yield from ({"activation": name} for name in self.activations)

    activations: tuple[str, ...] = tuple(ACTIVATIONS)


@add
class SoftmaxDense(ActivatedDense):
    """The same with softmax, for which du = p (g − Σ g p)."""

    name = SOFT
    activations = ("softmax",)

    def draw(self, rng: np.random.Generator, **special: bool) -> dict[str, Any]:
        return {**super().draw(rng), "activation": "softmax"}


def before(c: BugCase) -> Array:
    """u."""
    u: Array = c.x @ c.W if c.b is None else c.x @ c.W + c.b
    return u


def activated(c: BugCase) -> Array:
    """φ(u)."""
    y: Array = softmax(before(c)) if c.activation == "softmax" else ACTIVATIONS[c.activation][0](before(c))
    return y


def by_u(c: BugCase) -> Array:
    """du."""
    y = activated(c)
    du: Array = through_softmax(y, c.g) if c.activation == "softmax" else c.g * ACTIVATIONS[c.activation][1](y)
    return du


def below(c: BugCase, du: Array) -> Gradients:
    """The gradients of the dense layer, from that by u."""
    return {"x": du @ c.W.T, "W": c.x.T @ du, "b": du.sum(axis=0)}


@bug(SOFT, ALL, "du = g", "Softmax has a Jacobian of its own.", number=212, name="passed-on")
@bug(UNIT, ALL, "du = g", "The activation's slope is a factor.", number=205)
def no_slope(c: BugCase) -> Any:
    return tuple(below(c, c.g).values())


@bug(UNIT, ALL, "φ′ as if y were the input of φ", "The stored y is already the activation's value.", number=206)
def slope_of_value(c: BugCase) -> Any:
    if c.activation == "relu":  # there it is no mistake
        raise ValueError("the slope of relu is the same at y")
    f, of_value = ACTIVATIONS[c.activation]
    return tuple(below(c, c.g * of_value(f(activated(c)))).values())


@bug(SOFT, ALL, "du = g y(1 − y)", "Every probability depends on every u.", number=207)
def diagonal_only(c: BugCase) -> Any:
    y = activated(c)
    return tuple(below(c, c.g * y * (1 - y)).values())


@bug(
    SOFT,
    ALL,
    "the gradient by the first class only",
    "Every class adds to the gradient: the loop must reach the last one.",
    number=208,
)
def return_in_loop(c: BugCase) -> Any:
    first = np.zeros_like(c.g)
    first[:, 0] = c.g[:, 0]
    return tuple(below(c, through_softmax(activated(c), first)).values())


@bug(SOFT, "W", "dW = xᵀ du / N", "The loss already divided by N.", number=213)
@bug(UNIT, "W", "dW = xᵀ du / N", "The loss already divided by N.", number=209)
def double_average(c: BugCase) -> Any:
    return c.x.T @ by_u(c) / len(c)


@bug(SOFT, "b", "db = mean(du, 0)", "Broadcast forward means sum backward.", number=214)
@bug(UNIT, "b", "db = mean(du, 0)", "Broadcast forward means sum backward.", number=210)
def db_mean(c: BugCase) -> Any:
    return by_u(c).mean(axis=0)


@bug(UNIT, "b", "db = Σ du over everything", "Sum over the batch only.", number=211)
def db_scalar(c: BugCase) -> Any:
    return by_u(c).sum()
