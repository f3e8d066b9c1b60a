"""Wrong gradients of weight decay: the outputs are y = x W and the penalty ½ λ ‖W‖²."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from npae.gradcheck.bugs.registry import BugCase, Gradients, Kind, add, bug
from npae.utils.types import Array


def data_part(c: BugCase) -> Array:
    """xᵀ g, the gradient of the first output."""
    dW: Array = c.x.T @ c.g[0]
    return dW


def price_part(c: BugCase) -> Array:
    """λ W, the gradient of the penalty, times its upstream gradient."""
    dW: Array = c.g[1] * c.strength * c.W
    return dW


@add
class Decay(Kind):
    """(x W, ½ λ ‖W‖²): dW = xᵀ g + λ W."""

    name = "weight-decay"
    inputs = ("x", "W")
    blocks = ("x", "W")

    def draw(self, rng: np.random.Generator, **special: bool) -> dict[str, Any]:
        return {"x": rng.standard_normal((3, 4)), "W": rng.standard_normal((4, 5)), "strength": 0.7}

    def forward(self, c: BugCase) -> tuple[Array, float]:
        return c.x @ c.W, 0.5 * c.strength * float((c.W**2).sum())

    def backward(self, c: BugCase) -> Gradients:
        return {"x": c.g[0] @ c.W.T, "W": data_part(c) + price_part(c)}

    def options(self, arrays: Mapping[str, Array], outputs: list[Array]) -> Iterator[dict[str, Any]]:
        if len(outputs) == 2 and outputs[1].size == 1:
            yield {"strength": 2 * float(outputs[1].reshape(())) / float((arrays["W"] ** 2).sum())}


@bug("weight-decay", "W", "dW = xᵀ g + 2λW", "The ½ is there to cancel the 2.", number=86)
def doubled(c: BugCase) -> Any:
    return data_part(c) + 2 * price_part(c)


@bug(
    "weight-decay",
    "W",
    "dW = xᵀ g + λW/N",
    "The penalty is not a mean over the batch: it counts once.",
    number=87,
    name="over-N",
)
def over_N(c: BugCase) -> Any:
    return data_part(c) + price_part(c) / len(c)


@bug("weight-decay", "W", "dW = λW", "The penalty's gradient is added to that of the data.", number=88)
def overwrites(c: BugCase) -> Any:
    return price_part(c)
