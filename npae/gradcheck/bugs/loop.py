"""Wrong gradients of a loop over the samples that ends too early, for layers whose other mistakes lie elsewhere."""

from typing import Any

import numpy as np

from npae.gradcheck.bugs.registry import BugCase, bug


@bug("dense", "W", "dW = x[0] ⊗ g[0]", "Every sample adds to dW: the loop must reach the last one.", number=190)
def return_in_loop(c: BugCase) -> Any:
    return np.outer(c.x[0], c.g[0])


@bug(
    "dense",
    "b",
    "db = g[0]",
    "Every sample adds to db: the loop must reach the last one.",
    number=191,
    name="return-in-loop-db",
)
def first_bias(c: BugCase) -> Any:
    return c.g[0]
