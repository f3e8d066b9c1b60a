"""Interface to the code under test: arrays to change, an output, and the gradients that it returns.

Functions, layers and networks are each wrapped in a subject, and the engine uses only this interface. The output y is
one vector. A gradient check needs one number, so y is weighted by an upstream gradient u: F = Σ u·y, whose gradient is
what ``backward(u)`` returns. u is random, because a constant u hides errors: a max-pool that passes every gradient to
the wrong cell has the right sum.
"""

from collections.abc import Mapping

import numpy as np

from npae.gradcheck.engine.numeric import EPS
from npae.layers.arena import Arena
from npae.utils.types import Array


class Subject:
    """Base class of the code under test.

    Attributes
    ----------
    blocks : dict of str to ndarray
        The arrays that have a gradient, by name ("x", "W"); contiguous float64, changed in place.
    eps : float
        Machine epsilon of the arithmetic that ``output`` is computed in.
    affine : bool
        Whether ``gradients(0)`` may differ from 0, because of a penalty that does not depend on u.
    has_upstream : bool
        Whether u can be chosen; for a network's loss it is fixed.
    known : dict of str to float
        Numbers that may appear as a wrong factor: the batch size, β.
    """

    blocks: dict[str, Array]
    eps: float = EPS
    affine: bool = False
    has_upstream: bool = True
    known: Mapping[str, float] = {}

    def output(self) -> Array:
        """y (size,) at the current values of the blocks: a float64 copy."""
        raise NotImplementedError

    def upstream(self, generator: np.random.Generator) -> Array:
        """A random u (size,)."""
        raise NotImplementedError

    def gradients(self, u: Array) -> dict[str, Array]:
        """The gradients ∂(Σ u·y)/∂block that the code under test returns, for every block: copies.

        u is not changed: where the code under test writes into it, ``overwritten`` says so.
        """
        raise NotImplementedError

    def overwritten(self) -> list[str]:
        """Names of the inputs that a pass has written into, including inputs that are no blocks."""
        return []


class NoGradientError(ValueError):
    """backward returned no usable gradient; the message is shown in the report."""


class Weighted:
    """F = Σ u·y, evaluated as the difference from its value at construction.

    Outputs are subtracted before they are summed, so that a large F loses no digits.
    """

    def __init__(self, subject: Subject, u: Array) -> None:
        self.subject, self.u = subject, u
        self.y = subject.output()
        self.noise = subject.eps * float(np.abs(u) @ np.abs(self.y))

    def rise(self) -> float:
        """F at the current values minus F at construction."""
        return float(self.u @ (self.subject.output() - self.y))

    def rises(self) -> Array:
        """The same difference for each weighted output u·y, of shape (size,)."""
        rises: Array = self.u * (self.subject.output() - self.y)
        return rises


def copy_parameters(source: Arena, target: Arena) -> None:
    """Copy the parameters of one arena into another with the same layers; their dtypes may differ."""
    for (_, theirs, _), (_, ours, _) in zip(source.parameters(), target.parameters(), strict=True):
        ours[...] = theirs
