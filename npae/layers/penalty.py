"""A price on the code's activity, so that only a few of its values are used for any one sample."""

import numpy as np

from npae.arena import Arena
from npae.layers.base import Layer
from npae.types import Array, Shape
from npae.validation import check_number


class ActivityL1(Layer):
    """z = x, at a price of λ Σ|x| for each sample: a sparse code (Ng, Sparse autoencoder, 2011; Goodfellow §14.2.1).

    dx = dz + λ sign(x) / N; at 0, sign is 0.

    Parameters
    ----------
    strength : float
        λ, at least 0.
    """

    penalty_name = "activity"

    x: Array  # (N, ...)
    dx: Array  # (N, ...)

    def __init__(self, strength: float) -> None:
        check_number(strength, "the strength of ActivityL1", least=0)
        self.strength = strength

    def plan(self, input_shape: Shape, arena: Arena) -> Shape:
        arena.buffer(self, "dx", input_shape)
        arena.buffer(self, "penalty")
        arena.penalty(self)
        return input_shape

    def forward(self, x: Array) -> Array:
        self.x = x
        np.abs(x, out=self.dx)  # a buffer that is free until backward
        np.sum(self.dx.reshape(len(x), -1), axis=1, out=self.penalty)
        self.penalty *= self.strength
        return x

    def backward(self, dy: Array) -> Array:
        np.sign(self.x, out=self.dx)
        self.dx *= self.strength * self.run.sample_weight
        self.dx += dy
        return self.dx
