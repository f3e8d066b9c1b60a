"""Wrong gradients of a network of two layers, y = a W2 + b2 with a = φ(x W1 + b1); the output may go through φ too."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from npae.gradcheck.bugs.activation import sigmoid
from npae.gradcheck.bugs.layouts import affine
from npae.gradcheck.bugs.registry import BugCase, Gradients, Kind, add, bug
from npae.utils.types import Array

#: φ and its slope, as a function of φ's value.
ACTIVATIONS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "tanh": (np.tanh, lambda a: 1 - a**2),
    "sigmoid": (sigmoid, lambda a: a * (1 - a)),
    "relu": (lambda u: np.maximum(u, 0), lambda a: (a > 0) * 1.0),
}
ALL = "x W1 b1"


@add
class TwoLayers(Kind):
    """da = g W2ᵀ, du = da φ′; then both layers are as a dense layer."""

    name = "two-layers"
    inputs = ("x", "W1", "b1", "W2", "b2")
    blocks = ("x", "W1", "b1", "W2", "b2")
    layouts = affine("x", ["W1", "W2"], ["b1", "b2"])

    def draw(self, rng: np.random.Generator, **special: bool) -> dict[str, Any]:
        shapes = ((3, 4), (4, 5), (5,), (5, 2), (2,))
        values = {n: rng.standard_normal(shape) for n, shape in zip(self.inputs, shapes, strict=True)}
        return {**values, "activation": "tanh", "outer": False}

    def forward(self, c: BugCase) -> Array:
        y: Array = hidden(c) @ c.W2 + c.b2
        return ACTIVATIONS[c.activation][0](y) if c.outer else y

    def backward(self, c: BugCase) -> Gradients:
        return {**below(c, by_hidden(c)), "W2": hidden(c).T @ upper(c), "b2": upper(c).sum(axis=0)}

    def options(self, arrays: Mapping[str, Array], outputs: list[Array]) -> Iterator[dict[str, Any]]:
        x, W1, b1, W2, b2 = (arrays[name] for name in self.inputs)
        if x.ndim == W1.ndim == W2.ndim == 2 and W1.shape[1:] == b1.shape and W2.shape == (b1.size, b2.size):
            yield from ({"activation": name, "outer": outer} for outer in (False, True) for name in ACTIVATIONS)


def hidden(c: BugCase) -> Array:
    """a."""
    a: Array = ACTIVATIONS[c.activation][0](c.x @ c.W1 + c.b1)
    return a


def slope(c: BugCase) -> Array:
    """φ′."""
    found: Array = ACTIVATIONS[c.activation][1](hidden(c))
    return found


def upper(c: BugCase) -> Array:
    """The gradient by a W2 + b2: g, or g φ′ where the output went through φ."""
    dv: Array = c.g * ACTIVATIONS[c.activation][1](c.y) if c.outer else c.g
    return dv


def by_hidden(c: BugCase) -> Array:
    """du = g W2ᵀ φ′."""
    du: Array = upper(c) @ c.W2.T * slope(c)
    return du


def below(c: BugCase, du: Array) -> Gradients:
    """The gradients of the first layer, from that by u."""
    return {"x": du @ c.W1.T, "W1": c.x.T @ du, "b1": du.sum(axis=0)}


@bug("two-layers", ALL, "da = g dW2ᵀ", "The gradient flows back through the weights, not through theirs.", number=174)
def gradient_for_weights(c: BugCase) -> Any:
    return tuple(below(c, upper(c) @ (hidden(c).T @ upper(c)).T * slope(c)).values())


@bug("two-layers", ALL, "du = g W2ᵀ", "Between the layers lies an activation, whose slope is a factor.", number=175)
def no_slope(c: BugCase) -> Any:
    return tuple(below(c, upper(c) @ c.W2.T).values())


@bug(
    "two-layers",
    ALL,
    "φ′ as if a were the input of φ",
    "The stored a is already the activation's value.",
    number=176,
)
def slope_of_value(c: BugCase) -> Any:
    f, of_value = ACTIVATIONS[c.activation]
    return tuple(below(c, upper(c) @ c.W2.T * of_value(f(hidden(c)))).values())


@bug("two-layers", "W1 W2", "dW1/N and dW2/N", "The loss already divided by N.", number=177)
def double_average(c: BugCase) -> Any:
    return c.x.T @ by_hidden(c) / len(c), hidden(c).T @ upper(c) / len(c)


@bug("two-layers", "b1 b2", "sums over everything", "Sum over the batch only.", number=178)
def sum_without_axis(c: BugCase) -> Any:
    return by_hidden(c).sum(), upper(c).sum()


@bug("two-layers", "b1 b2", "means over the batch", "Broadcast forward means sum backward.", number=179)
def means_for_sums(c: BugCase) -> Any:
    return by_hidden(c).mean(axis=0), upper(c).mean(axis=0)


@bug("two-layers", "W2", "dW2 = uᵀ g", "W2 was multiplied by what came out of the activation.", number=180)
def before_activation(c: BugCase) -> Any:
    return (c.x @ c.W1 + c.b1).T @ upper(c)
