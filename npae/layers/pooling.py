"""2D pooling: replace each window of an image by its maximum or its mean, which makes the image smaller."""

from typing import Any

from npae.layers.arena import Arena
from npae.layers.base import Layer
from npae.layers.window import Axis, axes, checked_padding, image_shape, pair
from npae.utils.types import Array, Shape


class Pooling2D(Layer):
    """Base class of max pooling and average pooling: window, stride and padding.

    Parameters
    ----------
    size : int or pair of int, default 2
        Height and width of the window.
    stride : int or pair of int, optional
        Distance between neighbouring windows; by default the window's size.
    padding : "same", "valid", int, pair, or ((top, bottom), (left, right)), default "same"
        With "same" an image of odd size keeps its last row and column: 25×25 becomes 13×13. Padding cells are ignored:
        they are never the maximum and are not counted in a mean. Must be smaller than the window.
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
        """(top, left) padding: how far the first window extends beyond the image."""
        return self.rows.before, self.columns.before


class MaxPool2D(Pooling2D):
    r"""y[i, j] = maxₖₗ x[i·s + k, j·s + l], the maximum of each window (Goodfellow et al. 2016, §9.3).

    The gradient goes to the cell of the maximum; a cell that is the maximum of several overlapping windows receives the
    sum:

    .. math::

       y_{ij} = \max_{k,l} x_{is+k,js+l}, \quad
       \frac{\partial L}{\partial x_{pq}} = \sum_{(i,j):\; (p,q) = \mathrm{winner}(i,j)} \frac{\partial L}{\partial
       y_{ij}}

    Of equal values the first in row-major order is the winner: one of the subgradients. Shapes: x (N, H, W, C),
    y (N, H', W', C).

    Parameters
    ----------
    size : int or pair of int, default 2
        Height and width of the window.
    stride : int or pair of int, optional
        Distance between neighbouring windows; by default the window's size.
    padding : "same", "valid", int, pair, or ((top, bottom), (left, right)), default "same"
        As for Pooling2D.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.layers import MaxPool2D
    >>> layer = MaxPool2D(2).build((2, 4, 1))
    >>> layer(np.arange(8, dtype="float32").reshape(1, 2, 4, 1)).ravel().tolist()
    [5.0, 7.0]
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
    r"""y[i, j] = Σₖₗ x[i·s + k, j·s + l] / cells[i, j], the mean of each window over its cells that lie in the image.

    cells[i, j] is their number: k·l, and fewer at the padded border. The gradient is shared equally among them; where
    windows overlap, the shares add (LeCun et al. 1998, §II.B, without its weights):

    .. math::

       \frac{\partial L}{\partial x_{pq}} = \sum_{is+k=p,\; js+l=q}
       \frac{1}{\mathrm{cells}_{ij}} \frac{\partial L}{\partial y_{ij}}

    Shapes: x (N, H, W, C), y (N, H', W', C).

    Parameters
    ----------
    size : int or pair of int, default 2
        Height and width of the window.
    stride : int or pair of int, optional
        Distance between neighbouring windows; by default the window's size.
    padding : "same", "valid", int, pair, or ((top, bottom), (left, right)), default "same"
        As for Pooling2D.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.layers import AveragePool2D
    >>> layer = AveragePool2D(2).build((2, 4, 1))
    >>> layer(np.arange(8, dtype="float32").reshape(1, 2, 4, 1)).ravel().tolist()
    [2.5, 4.5]
    """

    def forward(self, x: Array) -> Array:
        self.kernels.average_pool(x, *self.size, *self.stride, *self.origin, self.y)
        return self.y

    def backward(self, dy: Array) -> Array:
        self.kernels.average_pool_gradient(dy, *self.size, *self.stride, *self.origin, self.dx)
        return self.dx
