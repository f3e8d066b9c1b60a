"""Wrong gradients of flattening, (N, H, W, C) -> (N, H·W·C)."""

from typing import Any

import numpy as np

from npae.gradcheck.bugs.registry import BugCase, Gradients, Kind, add, bug
from npae.utils.types import Array


@add
class Flatten(Kind):
    """y has the elements of x in one row for each sample: dx = g in x's shape."""

    name = "flatten"
    inputs = blocks = ("x",)

    def draw(self, rng: np.random.Generator, **special: bool) -> dict[str, Any]:
        return {"x": rng.standard_normal((2, 4, 5, 3))}

    def forward(self, c: BugCase) -> Array:
        y: Array = c.x.reshape(len(c), -1)
        return y

    def backward(self, c: BugCase) -> Gradients:
        return {"x": c.g.reshape(c.x.shape)}


@bug(
    "flatten",
    "x",
    'g.reshape(…, order="F")',
    "Backward must use the same order of elements as forward.",
    number=76,
    name="order-F",
)
def order_F(c: BugCase) -> Any:
    return c.g.reshape(c.x.shape, order="F")


@bug("flatten", "x", "g as (N, W, H, C), transposed", "The axes have an order too: height before width.", number=77)
def axes_swapped(c: BugCase) -> Any:
    n, height, width, *rest = c.x.shape
    return c.g.reshape(n, width, height, *rest).swapaxes(1, 2)
