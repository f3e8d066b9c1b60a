"""Wrong gradients of the cross-entropy −Σ t log p for classes, of logits z with p = softmax(z) or of p itself.

The targets t are whole numbers, one label for each sample, or probabilities in p's shape (one-hot). The output is one
number with the weight ``c.share`` for each sample, such as 1/N, or one loss for each sample.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from npae.gradcheck.bugs.layouts import TRANSPOSED, Layout
from npae.gradcheck.bugs.registry import BugCase, Gradients, Kind, add, bug
from npae.gradcheck.bugs.softmax import softmax
from npae.utils.types import Array


def targets(c: BugCase, like: Array) -> Array:
    """t in the shape (N, C) of ``like``: labels become rows with one 1."""
    t = np.asarray(c.t)
    if t.shape == like.shape:
        return t
    if t.dtype.kind not in "iu" or t.size != len(like):
        raise ValueError("targets are labels, or have the shape of the predictions")
    found: Array = np.eye(like.shape[1])[t.reshape(-1)]
    return found


def weight(c: BugCase) -> Any:
    """The upstream gradient times the weight of each sample: a number, or a column."""
    return c.share * (np.reshape(c.g, (-1, 1)) if c.each else float(np.reshape(c.g, ())))


class ClassEntropy(Kind):
    """L = share · Σₙ lₙ, or every lₙ: lₙ = −Σ t log p."""

    # Classes in columns, or samples in columns.
    layouts = (Layout(), Layout({"z": TRANSPOSED, "p": TRANSPOSED, "t": TRANSPOSED}))

    def draw(self, rng: np.random.Generator, **special: bool) -> dict[str, Any]:
        z = rng.standard_normal((5, 4))
        first = z if self.inputs[0] == "z" else softmax(z)
        return {self.inputs[0]: first, "t": np.eye(4)[[2, 0, 2, 1, 0]], "share": 1 / 5, "each": False}

    def losses(self, c: BugCase) -> Array:
        """The loss of each sample."""
        raise NotImplementedError

    def forward(self, c: BugCase) -> Any:
        return self.losses(c) if c.each else c.share * float(self.losses(c).sum())

    def options(self, arrays: Mapping[str, Array], outputs: list[Array]) -> Iterator[dict[str, Any]]:
        first, (y, *_) = arrays[self.inputs[0]], outputs
        if first.ndim != 2:
            return
        if y.shape == first.shape[:1]:
            yield {"share": 1.0, "each": True}
        if y.size == 1:
            total = float(self.losses(BugCase(**arrays)).sum())
            share = float(y.reshape(())) / total
            # Any output is a multiple of the sum, so only the usual averages are accepted.
            if any(np.isclose(share, 1 / n) for n in (1, len(first), first.size, first.shape[1])):
                yield {"share": share, "each": False}


@add
class SoftmaxCrossEntropy(ClassEntropy):
    """The cross-entropy of softmax(z): dz = (p − t) · share."""

    name = "softmax-cross-entropy"
    inputs = ("z", "t")
    blocks = ("z",)

    def losses(self, c: BugCase) -> Array:
        top = c.z - c.z.max(axis=1, keepdims=True)
        t = targets(c, c.z)
        found: Array = (t * (np.log(np.exp(top).sum(axis=1, keepdims=True)) - top)).sum(axis=1)
        return found

    def backward(self, c: BugCase) -> Gradients:
        t = targets(c, c.z)
        return {"z": weight(c) * (softmax(c.z) * t.sum(axis=1, keepdims=True) - t)}


@add
class ProbabilityCrossEntropy(ClassEntropy):
    """The cross-entropy of probabilities: dp = −t/p · share."""

    name = "cross-entropy"
    inputs = ("p", "t")
    blocks = ("p",)

    def losses(self, c: BugCase) -> Array:
        t = targets(c, c.p)
        with np.errstate(invalid="ignore", divide="ignore"):
            found: Array = -(t * np.log(np.where(t == 0, 1.0, c.p))).sum(axis=1)
        return found

    def backward(self, c: BugCase) -> Gradients:
        return {"p": -weight(c) * targets(c, c.p) / c.p}


def difference(c: BugCase) -> Array:
    """p − t."""
    found: Array = softmax(c.z) - targets(c, c.z)
    return found


SOFT, PLAIN = "softmax-cross-entropy", "cross-entropy"


@bug(SOFT, "z", "dz = (p − t)/n/N", "The loss is averaged once, so its gradient is divided once.", number=102)
def divided_twice(c: BugCase) -> Any:
    return weight(c) * difference(c) / len(c)


@bug(SOFT, "z", "dz = p − t", "A mean forward is a division backward.", number=103)
def no_average(c: BugCase) -> Any:
    return weight(c) / c.share * difference(c)


@bug(
    SOFT,
    "z",
    "dz = (p − t)/(N·C)",
    "Divide by as many numbers as the mean was taken over: here one for each sample.",
    number=104,
)
def over_all_elements(c: BugCase) -> Any:
    return weight(c) / c.share * difference(c) / c.z.size


@bug(SOFT, "z", "dz = (p − t)/C", "The first axis of an array is not always that of the samples.", number=105)
def over_classes(c: BugCase) -> Any:
    return weight(c) / c.share * difference(c) / c.z.shape[1]


@bug(SOFT, "z", "dz = (t − p)/n", "If a wrong class gets a larger z, the loss must rise.", number=106, name="sign")
def wrong_sign(c: BugCase) -> Any:
    return -weight(c) * difference(c)


@bug(SOFT, "z", "dz = p/n", "The loss depends on the target, so its gradient does too.", number=107)
def no_target(c: BugCase) -> Any:
    return weight(c) * softmax(c.z)


@bug(
    SOFT,
    "z",
    "dz = −t/p/n",
    "This is the gradient by the probabilities; the logits are one step before them.",
    number=108,
)
def by_probabilities(c: BugCase) -> Any:
    return -weight(c) * targets(c, c.z) / softmax(c.z)


@bug(
    SOFT,
    "z",
    "dz = (p − t)p(1 − p)/n",
    "The logarithm's derivative already cancels the softmax's.",
    number=109,
)
def extra_slope(c: BugCase) -> Any:
    p = softmax(c.z)
    return weight(c) * difference(c) * p * (1 - p)


@bug(SOFT, "z", "dz = (z − t)/n", "Compare the target with a probability.", number=110)
def no_softmax(c: BugCase) -> Any:
    return weight(c) * (c.z - targets(c, c.z))


@bug(
    SOFT,
    "z",
    "dz = t(p − t)/n",
    "The other classes are in the denominator, so their z have a gradient too.",
    number=111,
)
def label_only(c: BugCase) -> Any:
    return weight(c) * targets(c, c.z) * difference(c)


@bug(
    SOFT,
    "z",
    "p[:, labels] −= 1",
    "Each sample has a label of its own: both indices are needed.",
    number=112,
)
def every_row(c: BugCase) -> Any:
    labelled = targets(c, c.z).any(axis=0)
    return weight(c) * (softmax(c.z) - labelled)


@bug(PLAIN, "p", "dp = (p − t)/n", "This is the gradient by the logits, with the softmax's included.", number=113)
def fused_on_p(c: BugCase) -> Any:
    return weight(c) * (c.p - targets(c, c.p))


@bug(PLAIN, "p", "dp = t/p/n", "The loss is minus a logarithm.", number=114, name="sign")
def no_minus(c: BugCase) -> Any:
    return weight(c) * targets(c, c.p) / c.p


@bug(PLAIN, "p", "dp = −t/p", "A mean forward is a division backward.", number=115, name="no-average")
def unaveraged(c: BugCase) -> Any:
    return -weight(c) / c.share * targets(c, c.p) / c.p


@bug(PLAIN, "p", "dp = −1/p/n", "Only the target's probability is in the loss.", number=116, name="no-target")
def all_classes(c: BugCase) -> Any:
    return -weight(c) / c.p


@bug(
    PLAIN,
    "p",
    "dp = p − t",
    "This is the gradient by the logits; and a mean forward is a division backward.",
    number=194,
    name="fused-unaveraged",
)
def fused_unaveraged(c: BugCase) -> Any:
    if np.isclose(c.share, 1):
        raise ValueError("nothing is averaged")
    return (c.p - targets(c, c.p)) * weight(c) / c.share
