"""Wrong gradients of a dense layer, y = x W + b."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from npae.gradcheck.bugs.layouts import affine
from npae.gradcheck.bugs.registry import BugCase, Gradients, Kind, add, bug
from npae.utils.types import Array


@add
class Dense(Kind):
    """y = x W + b: dx = g Wᵀ, dW = xᵀ g, db = Σₙ g[n]."""

    name = "dense"
    inputs = ("x", "W", "b")
    optional = ("b",)
    blocks = ("x", "W", "b")
    layouts = affine("x", ["W"], ["b"])

    def plausible(self, names: Mapping[str, str]) -> bool:
        # A B is x W with samples in the rows of A, and W x with samples in the columns of B.
        x, W = (names[n].rpartition(".")[2].lower() for n in ("x", "W"))
        return not x.startswith(("w", "kernel", "theta")) and (x.startswith("x") or not W.startswith("x"))

    def draw(self, rng: np.random.Generator, **special: bool) -> dict[str, Any]:
        n_in, n_out = (4, 4) if special.get("square") else (4, 5)
        return {
            "x": rng.standard_normal((3, n_in)),
            "W": rng.standard_normal((n_in, n_out)),
            "b": rng.standard_normal(n_out),
        }

    def forward(self, c: BugCase) -> Array:
        if np.ndim(c.x) != 2 or np.ndim(c.W) != 2:
            raise ValueError("a dense layer has a batch in rows and a matrix")
        y: Array = c.x @ c.W
        return y if c.b is None else y + c.b

    def backward(self, c: BugCase) -> Gradients:
        return {"x": c.g @ c.W.T, "W": c.x.T @ c.g, "b": c.g.sum(axis=0)}


@bug(
    "dense",
    "x",
    "dX = g W",
    "Each input feels every output: along which axis of W must the sum run?",
    number=1,
    needs="square",
)
def no_transpose(c: BugCase) -> Any:
    return c.g @ c.W


@bug(
    "dense",
    "W",
    "dW = gᵀ x",
    "dW has W's shape; which of the two factors must be transposed for that?",
    number=2,
    name="dW-transposed",
)
def dW_transposed(c: BugCase) -> Any:
    return c.g.T @ c.x


@bug("dense", "W", "dW = xᵀ g / N", "The loss already divided by N.", number=3)
def double_average(c: BugCase) -> Any:
    return c.x.T @ c.g / len(c)


@bug("dense", "b", "db = mean(g, 0)", "Broadcast forward means sum backward.", number=4)
def db_mean(c: BugCase) -> Any:
    return c.g.mean(axis=0)


@bug("dense", "b", "db = Σ g over everything", "Sum over the batch only.", number=5)
def db_scalar(c: BugCase) -> Any:
    return c.g.sum()


@bug("dense", "b", "db = Σ g over the features", "Sum the batch axis, not the features.", number=6)
def db_axis(c: BugCase) -> Any:
    return c.g.sum(axis=1)


@bug("dense", "W", "dW = x[-1] ⊗ g[-1]", "`=` in the loop where `+=` is needed.", number=7)
def last_sample(c: BugCase) -> Any:
    return np.outer(c.x[-1], c.g[-1])


@bug(
    "dense",
    "x",
    "dX = g (W − η dW)ᵀ",
    "Backpropagate through the W used forward.",
    number=8,
    name="updated-W",
    free=0.1,
)
def updated_W(c: BugCase, rate: float) -> Any:
    return c.g @ (c.W - rate * c.x.T @ c.g).T


@bug(
    "dense",
    "W",
    "dW = xᵀ g + the dW before",
    "Clear gradients before each backward.",
    number=9,
    how="accumulates",
)
def stale_accumulate(c: BugCase) -> Any:
    return c.x.T @ c.g + c.before.get("W", 0.0)


@bug("dense", "x W b", "g := 1", "Multiply by the gradient from above.", number=10)
def drops_upstream(c: BugCase) -> Any:
    ones = np.ones_like(c.g)
    return ones @ c.W.T, c.x.T @ ones, ones.sum(axis=0)
