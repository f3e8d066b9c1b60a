"""Pooling: keep one number of each window, so that the image becomes smaller."""

from typing import Any

from npae.layers.arena import Arena
from npae.layers.base import Layer
from npae.layers.window import Axis, axes, checked_padding, image_shape, pair
from npae.utils.types import Array, Shape


class Pooling2D(Layer):
    """What both kinds of pooling share: a window, a stride, a border.

    Parameters
    ----------
    size : int or pair of int, default 2
        Height and width of the window.
    stride : int or pair of int, optional
        Distance of two windows; the window's size where it is not given.
    padding : "same", "valid", int, pair, or ((top, bottom), (left, right)), default "same"
        With "same" an odd image keeps its last row and column: 25×25 becomes 13×13. The border takes no part: it is
        neither a maximum nor counted in a mean.
    """

    y: Array  # (N, OH, OW, C)
    dx: Array  # (N, H, W, C)
    rows: Axis
    columns: Axis

    def __init__(
        self,
        size: int | tuple[int, int] = 2,
        *,
        stride: int | tuple[int, int] | None = None,
        padding: Any = "same",
    ) -> None:
        self.size = pair(size, "size")
        self.stride = self.size if stride is None else pair(stride, "stride")
        self.padding = checked_padding(padding)

    def plan(self, input_shape: Shape, arena: Arena) -> Shape:
        height, width, channels = image_shape(self, input_shape)
        self.rows, self.columns = axes(self, (height, width), self.size, self.stride, self.padding)
        for axis in (self.rows, self.columns):
            if max(axis.before, axis.after) >= axis.window:
                raise ValueError(
                    f"{type(self).__name__} has padding {self.padding!r} with a window of {self.size}: "
                    f"a window would see nothing but border; choose a padding smaller than the window"
                )
        output_shape = (self.rows.n_out, self.columns.n_out, channels)
        if self.stride != (1, 1):
            arena.pooled_sizes.append((height, width))  # a later UpSample2D restores it
        arena.buffer(self, "y", output_shape)
        arena.buffer(self, "dx", input_shape)
        return output_shape

    @property
    def origin(self) -> tuple[int, int]:
        """How far the first window reaches over the image's top and left edge."""
        return self.rows.before, self.columns.before


class MaxPool2D(Pooling2D):
    """The largest value of each window; size, stride and padding as for Pooling2D.

    The gradient goes to the winner of each window, and only there; where windows overlap, a cell that wins twice
    receives both (Goodfellow et al. 2016, §9.3)::

        dx[winner[i, j]] += dy[i, j]

    Of equal values the first in reading order wins: one of the subgradients.
    """

    winner: Array  # (N, OH, OW, C), row · W + column of the maximum

    def plan(self, input_shape: Shape, arena: Arena) -> Shape:
        output_shape = super().plan(input_shape, arena)
        arena.buffer(self, "winner", output_shape, dtype="int32")
        return output_shape

    def forward(self, x: Array) -> Array:
        self.kernels.max_pool(x, *self.size, *self.stride, *self.origin, self.y, self.winner)
        return self.y

    def backward(self, dy: Array) -> Array:
        self.kernels.max_pool_gradient(dy, self.winner, self.dx)
        return self.dx


class AveragePool2D(Pooling2D):
    """The mean of each window over the cells that lie in the image; parameters as for Pooling2D.

    Each of these cells receives an equal share; where windows overlap, the shares add::

        dx[i·s + k, j·s + l] += dy[i, j] / cells[i, j]
    """

    def forward(self, x: Array) -> Array:
        self.kernels.average_pool(x, *self.size, *self.stride, *self.origin, self.y)
        return self.y

    def backward(self, dy: Array) -> Array:
        self.kernels.average_pool_gradient(dy, *self.size, *self.stride, *self.origin, self.dx)
        return self.dx
