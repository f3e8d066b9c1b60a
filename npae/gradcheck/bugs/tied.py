"""Wrong gradients of tied weights, h = x W + b and y = h Wᵀ + c: one W for encoder and decoder."""

from typing import Any

import numpy as np

from npae.gradcheck.bugs.registry import BugCase, Gradients, Kind, add, bug
from npae.utils.types import Array


def code(c: BugCase) -> Array:
    """The code h = x W + b."""
    h: Array = c.x @ c.W
    return h if c.b is None else h + c.b


def encoder_share(c: BugCase) -> Array:
    """xᵀ (g W): the gradient of W from the encoder."""
    share: Array = c.x.T @ (c.g @ c.W)
    return share


def decoder_share(c: BugCase) -> Array:
    """gᵀ h: the gradient of W from the decoder."""
    share: Array = c.g.T @ code(c)
    return share


@add
class Tied(Kind):
    """dW = xᵀ (g W) + gᵀ h: the sum over encoder and decoder."""

    name = "tied"
    inputs = ("x", "W", "b", "c")
    optional = ("b", "c")
    blocks = ("x", "W", "b", "c")

    def draw(self, rng: np.random.Generator, **special: bool) -> dict[str, Any]:
        n_in, n_code = (4, 4) if special.get("square") else (5, 4)
        return {
            "x": rng.standard_normal((3, n_in)),
            "W": rng.standard_normal((n_in, n_code)),
            "b": rng.standard_normal(n_code),
            "c": rng.standard_normal(n_in),
        }

    def forward(self, c: BugCase) -> Array:
        y: Array = code(c) @ c.W.T
        return y if c.c is None else y + c.c

    def backward(self, c: BugCase) -> Gradients:
        dh = c.g @ c.W
        return {
            "x": dh @ c.W.T,
            "W": encoder_share(c) + decoder_share(c),
            "b": dh.sum(axis=0),
            "c": c.g.sum(axis=0),
        }


@bug("tied", "W", "dW = xᵀ(gW)", "The decoder uses W too; the gradients of both uses are added.", number=82)
def encoder_only(c: BugCase) -> Any:
    return encoder_share(c)


@bug("tied", "W", "dW = gᵀ h", "The encoder uses W too; the gradients of both uses are added.", number=83)
def decoder_only(c: BugCase) -> Any:
    return decoder_share(c)


@bug(
    "tied",
    "W",
    "dW = xᵀ(gW) + hᵀ g",
    "The decoder uses Wᵀ; transpose its share to get W's shape.",
    number=84,
    needs="square",
)
def untransposed(c: BugCase) -> Any:
    return encoder_share(c) + code(c).T @ c.g


@bug("tied", "W", "dW = half of the sum", "The gradients of two uses are added, not averaged.", number=85)
def averaged(c: BugCase) -> Any:
    return (encoder_share(c) + decoder_share(c)) / 2
