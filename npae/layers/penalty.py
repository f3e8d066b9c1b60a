"""L1 penalty on a layer's activity, which makes codes sparse: few values differ from zero for each sample."""

from npae.layers.arena import Arena
from npae.layers.base import Layer
from npae.utils.scalars import real_number
from npae.utils.types import Array, Shape


class ActivityL1(Layer):
    r"""y = x, with λ ‖x‖₁ added to each sample's loss: a sparse autoencoder (Goodfellow et al. 2016, §14.2.1).

    .. math::

       \frac{\partial L}{\partial x} = \frac{\partial L}{\partial y} + \frac{\lambda}{N} \mathrm{sign}(x), \quad
       \mathrm{sign}(0) = 0

    Shapes: x and y (N, ...).

    Parameters
    ----------
    strength : float
        λ, at least 0.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.layers import ActivityL1
    >>> layer = ActivityL1(0.5).build((2,))
    >>> layer(np.array([[3, -1]], dtype="float32")).tolist(), layer.penalty.tolist()
    ([[3.0, -1.0]], [2.0])
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
