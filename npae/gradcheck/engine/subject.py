"""Interface to the code under test: arrays to change, an output, and the gradients that it returns.

Functions, layers and networks are each wrapped in a subject, and the engine uses only this interface. The output y is
one vector. A gradient check needs one number, so y is weighted by an upstream gradient u: F = Σ u·y, whose gradient is
what ``backward(u)`` returns. u is random, because a constant u hides errors: a max-pool that passes every gradient to
the wrong cell has the right sum.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from npae.gradcheck.engine.numeric import EPS, LineFunction
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
        Numbers that may appear as a wrong factor, by name: the length of every axis, β.
    dtype : dtype
        That in which the code under test reads the blocks.
    repeats_to : float
        By how much the results of equal calls may differ, relative to the largest; 0 for bit for bit.
    """

    blocks: dict[str, Array]
    dtype: Any = np.float64
    eps: float = EPS
    affine: bool = False
    has_upstream: bool = True
    known: Mapping[str, float] = {}
    repeats_to: float = 0.0

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
    """backward returned no usable gradient; the message is shown in the report.

    Attributes
    ----------
    block : str or None
        The block whose gradient it is; None if no gradient can be used.
    """

    def __init__(self, message: str, block: str | None = None) -> None:
        super().__init__(message)
        self.block = block


class Weighted:
    """F = Σ u·y, evaluated as the difference from its value at construction.

    Outputs are subtracted before they are summed, so that a large F loses no digits.

    Attributes
    ----------
    error : str
        What the code under test raised at the last values at which it raised; else empty. F is NaN there.
    """

    def __init__(self, subject: Subject, u: Array) -> None:
        self.subject, self.u = subject, u
        self.y = subject.output()
        self.noise = subject.eps * float(np.abs(u) @ np.abs(self.y))
        self.error = ""

    def rise(self) -> float:
        """F at the current values minus F at construction."""
        return float(self.rises().sum())

    def rises(self) -> Array:
        """The same difference for each weighted output u·y, of shape (size,)."""
        try:
            y = self.subject.output()
            if y.shape != self.y.shape:
                raise ValueError(f"{y.size} outputs, where there were {self.y.size}")
        except Exception as error:  # f has no value there, which is a finding about the point, not about the gradient
            self.error = f"{type(error).__name__}: {error}".rstrip(": ")
            return np.full(self.y.shape, np.nan)
        rises: Array = self.u * (y - self.y)
        return rises

    def line(self, values: Array, direction: Array) -> LineFunction:
        """F along a direction from the current values, which are changed in place and restored."""
        return LineFunction(self.rise, values, direction, self.subject.dtype)


def copy_parameters(source: Arena, target: Arena) -> None:
    """Copy the parameters of one arena into another with the same layers; their dtypes may differ."""
    for (_, theirs, _), (_, ours, _) in zip(source.parameters(), target.parameters(), strict=True):
        ours[...] = theirs
