"""Wrong gradients of activations, y = f(x) element by element."""

from typing import Any

import numpy as np

from npae.gradcheck.bugs.registry import Case, Gradients, Kind, add, bug
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

    def forward(self, c: Case) -> Array:
        y: Array = np.maximum(c.x, 0)
        return y

    def backward(self, c: Case) -> Gradients:
        return {"x": c.g * (c.x > 0)}


@add
class Sigmoid(Activation):
    """y = σ(x): dx = g y (1 − y)."""

    name = "sigmoid"

    def forward(self, c: Case) -> Array:
        return sigmoid(c.x)

    def backward(self, c: Case) -> Gradients:
        return {"x": c.g * c.y * (1 - c.y)}


@add
class Tanh(Activation):
    """y = tanh x: dx = g (1 − y²)."""

    name = "tanh"

    def forward(self, c: Case) -> Array:
        y: Array = np.tanh(c.x)
        return y

    def backward(self, c: Case) -> Gradients:
        return {"x": c.g * (1 - c.y**2)}


@bug("relu", "x", "dx = g", "Where the output does not move, nothing flows back.", number=11)
def no_mask(c: Case) -> Any:
    return c.g


@bug("relu", "x", "dx = g·[g > 0]", "The forward input opens the gate, not the gradient that arrives.", number=12)
def mask_on_g(c: Case) -> Any:
    return c.g * (c.g > 0)


@bug(
    "relu",
    "x",
    "dx = g·[g > 0]·[x > 0]",
    "Negative gradients flow back too; only the input decides (guided backpropagation draws pictures).",
    number=13,
)
def guided(c: Case) -> Any:
    return c.g * (c.g > 0) * (c.x > 0)


@bug(
    "relu", "x", "dx = g·relu(x)", "The slope of a line through the origin does not depend on where you are.", number=14
)
def times_output(c: Case) -> Any:
    return c.g * c.y


@bug(
    "relu", "x", "dx = [x > 0]", "A local slope is one factor of the chain rule; the other comes from above.", number=15
)
def no_upstream(c: Case) -> Any:
    return np.where(c.x > 0, 1.0, 0.0)


@bug("sigmoid", "x", "dx = g·x(1 − x)", "y(1 − y) is written in terms of the output.", number=16)
def at_x(c: Case) -> Any:
    return c.g * c.x * (1 - c.x)


@bug("sigmoid", "x", "dx = g·σ(y)(1 − σ(y))", "What was stored is already the sigmoid's value.", number=17)
def double_sigmoid(c: Case) -> Any:
    return c.g * sigmoid(c.y) * (1 - sigmoid(c.y))


@bug(
    "sigmoid",
    "x",
    "dx = y(1 − y)",
    "The chain rule multiplies by the gradient from above.",
    number=18,
    name="no-upstream",
)
def sigmoid_no_upstream(c: Case) -> Any:
    return c.y * (1 - c.y)


@bug("tanh", "x", "dx = g(1 − y)", "tanh² + sech² = 1: look at the powers.", number=19)
def tanh_unsquared(c: Case) -> Any:
    return c.g * (1 - c.y)


@bug("tanh", "x", "dx = g·y(1 − y)", "tanh runs from −1 to 1, and so it has a slope of its own.", number=20)
def tanh_as_sigmoid(c: Case) -> Any:
    return c.g * c.y * (1 - c.y)
