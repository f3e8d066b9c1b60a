"""Wrong gradients of activations, y = f(x) for each element."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from npae.gradcheck.bugs.registry import BugCase, Gradients, Kind, add, bug
from npae.utils.types import Array


class Activation(Kind):
    """dx = f′(x) · g."""

    inputs = blocks = ("x",)

    def draw(self, rng: np.random.Generator, **special: bool) -> dict[str, Any]:
        return {"x": rng.uniform(0.2, 2.0, (3, 5)) * rng.choice([-1.0, 1.0], (3, 5))}


def sigmoid(x: Array) -> Array:
    """1 / (1 + e⁻ˣ), without overflow."""
    y: Array = 0.5 * (1 + np.tanh(0.5 * x))
    return y


@add
class ReLU(Activation):
    """y = max(x, 0): dx = g where x > 0."""

    name = "relu"

    def forward(self, c: BugCase) -> Array:
        y: Array = np.maximum(c.x, 0)
        return y

    def backward(self, c: BugCase) -> Gradients:
        return {"x": c.g * (c.x > 0)}


@add
class Sigmoid(Activation):
    """y = σ(x): dx = g y (1 − y); also σ(−x) = 1 / (1 + eˣ), whose slope is negative (``turn`` is −1)."""

    name = "sigmoid"

    def draw(self, rng: np.random.Generator, **special: bool) -> dict[str, Any]:
        return {**super().draw(rng), "turn": 1.0}

    def forward(self, c: BugCase) -> Array:
        return sigmoid(c.turn * c.x)

    def backward(self, c: BugCase) -> Gradients:
        return {"x": c.turn * c.g * c.y * (1 - c.y)}

    def options(self, arrays: Mapping[str, Array], outputs: list[Array]) -> Iterator[dict[str, Any]]:
        yield from ({"turn": turn} for turn in (1.0, -1.0))


@add
class Tanh(Activation):
    """y = tanh x: dx = g (1 − y²)."""

    name = "tanh"

    def forward(self, c: BugCase) -> Array:
        y: Array = np.tanh(c.x)
        return y

    def backward(self, c: BugCase) -> Gradients:
        return {"x": c.g * (1 - c.y**2)}


@bug("relu", "x", "dx = g", "Where the output is constant, its derivative is 0.", number=11)
def no_mask(c: BugCase) -> Any:
    return c.g


@bug("relu", "x", "dx = g·[g > 0]", "The sign of the forward input decides, not that of the gradient.", number=12)
def mask_on_g(c: BugCase) -> Any:
    return c.g * (c.g > 0)


@bug(
    "relu",
    "x",
    "dx = g·[g > 0]·[x > 0]",
    "Negative gradients flow back too; only the sign of x decides (this is guided backpropagation).",
    number=13,
)
def guided(c: BugCase) -> Any:
    return c.g * (c.g > 0) * (c.x > 0)


@bug("relu", "x", "dx = g·relu(x)", "The slope of a linear function does not depend on x.", number=14)
def times_output(c: BugCase) -> Any:
    return c.g * c.y


@bug("relu", "x", "dx = [x > 0]", "The local derivative is one factor of the chain rule; g is the other.", number=15)
def no_upstream(c: BugCase) -> Any:
    return np.where(c.x > 0, 1.0, 0.0)


@bug("sigmoid", "x", "dx = g·x(1 − x)", "y(1 − y) is written in terms of the output.", number=16)
def at_x(c: BugCase) -> Any:
    return c.g * c.x * (1 - c.x)


@bug("sigmoid", "x", "dx = g·σ(y)(1 − σ(y))", "The stored y is already the sigmoid's value.", number=17)
def double_sigmoid(c: BugCase) -> Any:
    return c.g * sigmoid(c.y) * (1 - sigmoid(c.y))


@bug(
    "sigmoid",
    "x",
    "dx = y(1 − y)",
    "The chain rule multiplies by the gradient from above.",
    number=18,
    name="no-upstream",
)
def sigmoid_no_upstream(c: BugCase) -> Any:
    return c.y * (1 - c.y)


@bug("sigmoid", "x", "dx with the other sign", "1/(1 + e⁻ˣ) rises with x; 1/(1 + eˣ) falls.", number=192, name="sign")
def sigmoid_sign(c: BugCase) -> Any:
    return -c.turn * c.g * c.y * (1 - c.y)


@bug("tanh", "x", "dx = g(1 − y)", "tanh² + sech² = 1: look at the powers.", number=19)
def tanh_unsquared(c: BugCase) -> Any:
    return c.g * (1 - c.y)


@bug("tanh", "x", "dx = g·y(1 − y)", "That is the sigmoid's derivative; tanh has another.", number=20)
def tanh_as_sigmoid(c: BugCase) -> Any:
    return c.g * c.y * (1 - c.y)
