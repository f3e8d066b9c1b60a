"""The code under test as the checker sees it: arrays to move, an output, and the gradients it returns.

A plain function, a layer and a whole network all become a subject; everything behind this line knows nothing else.
The output y is one vector. A gradient check needs one number, so y is weighted by an upstream gradient u: F = Σ u·y,
whose gradient is what ``backward(u)`` returns. u is random: a constant one hides errors, since a max-pool that hands
every gradient to the wrong cell has the right sum.
"""

from collections.abc import Mapping

import numpy as np

from npae.gradcheck.engine.numeric import EPS
from npae.layers.arena import Arena
from npae.utils.types import Array


class Subject:
    """Base class.

    Attributes
    ----------
    blocks : dict of str to ndarray
        The arrays by which a gradient is claimed, by name ("x", "W"); contiguous float64, and moved in place.
    eps : float
        Machine epsilon of the arithmetic that ``output`` is computed in.
    affine : bool
        Whether ``gradients(0)`` may differ from 0, because of a penalty that no upstream gradient weights.
    has_upstream : bool
        Whether u can be chosen at all; a network's loss brings its own.
    known : dict of str to float
        Numbers that a wrong factor may come from: the batch size, β.
    """

    blocks: dict[str, Array]
    eps: float = EPS
    affine: bool = False
    has_upstream: bool = True
    known: Mapping[str, float] = {}

    def output(self) -> Array:
        """y (size,) at the present values of the blocks: a float64 copy."""
        raise NotImplementedError

    def upstream(self, generator: np.random.Generator) -> Array:
        """A random u (size,)."""
        raise NotImplementedError

    def gradients(self, u: Array) -> dict[str, Array]:
        """What the code under test says is ∂(Σ u·y)/∂block, for every block: copies."""
        raise NotImplementedError

    def overwritten(self) -> list[str]:
        """The inputs that a pass has written into, as far as the subject saw it: those that are no blocks too."""
        return []


class NoGradientError(ValueError):
    """What backward returned cannot be the gradient; the message, a sentence of the checker's, is the finding."""


class Weighted:
    """F = Σ u·y, as its rise over the value at which it was made.

    Outputs are subtracted before they are summed, so that F's size costs no digits.
    """

    def __init__(self, subject: Subject, u: Array) -> None:
        self.subject, self.u = subject, u
        self.y = subject.output()
        self.noise = subject.eps * float(np.abs(u) @ np.abs(self.y))

    def rise(self) -> float:
        """F(now) − F(then)."""
        return float(self.u @ (self.subject.output() - self.y))

    def rises(self) -> Array:
        """The same for each output by itself."""
        rises: Array = self.u * (self.subject.output() - self.y)
        return rises


def copy_parameters(source: Arena, target: Arena) -> None:
    """Give a network or layer the parameters of another of the same kind, whatever the precision of each."""
    for (_, theirs, _), (_, ours, _) in zip(source.parameters(), target.parameters(), strict=True):
        ours[...] = theirs
