"""Wrong gradients of an embedding, y = table[index]."""

from typing import Any

import numpy as np

from npae.gradcheck.bugs.registry import BugCase, Gradients, Kind, add, bug
from npae.utils.types import Array


@add
class Embedding(Kind):
    """Rows of a table: dtable[i] is the sum of g over all places where i was looked up."""

    name = "embedding"
    inputs = ("table", "index")
    blocks = ("table",)

    def draw(self, rng: np.random.Generator, **special: bool) -> dict[str, Any]:
        return {"table": rng.standard_normal((6, 4)), "index": np.array([3, 0, 3, 5, 3])}

    def forward(self, c: BugCase) -> Array:
        y: Array = c.table[c.index]  # raises unless the indices are whole numbers
        if c.index.dtype.kind not in "iu":
            raise ValueError("indices are whole numbers")
        return y

    def backward(self, c: BugCase) -> Gradients:
        return {"table": summed(c)}


def summed(c: BugCase) -> Array:
    """g summed by index."""
    d = np.zeros(c.table.shape)
    np.add.at(d, c.index, c.g)
    return d


@bug(
    "embedding",
    "table",
    "dtable[index] = g, or += without np.add.at",
    "A row that is looked up several times receives all gradients; indexed += adds once.",
    number=143,
)
def assign(c: BugCase) -> Any:
    d = np.zeros(c.table.shape)
    d[c.index] = c.g
    return d


@bug("embedding", "table", "the mean of g by index", "The gradients of all uses are added, not averaged.", number=144)
def averaged(c: BugCase) -> Any:
    times = np.bincount(c.index.reshape(-1), minlength=len(c.table)).reshape(-1, *[1] * (c.table.ndim - 1))
    return summed(c) / np.maximum(times, 1)


@bug("embedding", "table", "dtable[:len(index)] = g", "g belongs to the rows that were looked up.", number=145)
def by_place(c: BugCase) -> Any:
    d = np.zeros(c.table.shape)
    rows = c.g.reshape(-1, *c.table.shape[1:])[: len(d)]
    d[: len(rows)] = rows
    return d


@bug("embedding", "table", "the first place of each index only", "Every place adds to its row.", number=146)
def first_place(c: BugCase) -> Any:
    d = np.zeros(c.table.shape)
    d[c.index.reshape(-1)[::-1]] = c.g.reshape(-1, *c.table.shape[1:])[::-1]
    return d
