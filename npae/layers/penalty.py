"""An L1 penalty on the code's activity, so that few of its values are used for any one sample."""

from npae.layers.arena import Arena
from npae.layers.base import Layer
from npae.utils.scalars import real_number
from npae.utils.types import Array, Shape


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
        self.strength = real_number(strength, "the strength of ActivityL1", least=0)

    def plan(self, input_shape: Shape, arena: Arena) -> Shape:
        arena.buffer(self, "dx", input_shape)
        arena.buffer(self, "penalty")
        arena.penalty(self)
        return input_shape

    def forward(self, x: Array) -> Array:
        self.x = x
        # (N, ...) -> (N, elements)
        self.kernels.l1_penalty(x.reshape(len(x), -1), self.strength, self.penalty)
        return x

    def backward(self, dy: Array) -> Array:
        self.kernels.l1_gradient(self.x, dy, self.strength * self.run.sample_weight, self.dx)
        return self.dx
