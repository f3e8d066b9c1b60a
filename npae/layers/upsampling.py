"""2D upsampling: enlarge an image by a whole factor, as the decoder's counterpart of pooling."""

from math import ceil

import numpy as np

from npae.layers.arena import Arena
from npae.layers.base import Layer
from npae.layers.window import image_shape, pair
from npae.utils.types import Array, Shape


class UpSample2D(Layer):
    r"""Enlarge an image by a whole factor f along each axis.

    *nearest* repeats every value f·f times, so that dx is the sum of dy over each f×f block; *bilinear* interpolates
    between the two nearest values along each axis, with pixel centres at half-integers: output i lies at (i + ½) / f −
    ½ in the input. It is linear in x, with the weights R of rows and C of columns:

    .. math::

       y_{ij} = x_{\lfloor i/f \rfloor, \lfloor j/f \rfloor} \;\; \mathrm{(nearest)}, \qquad
       y = R x C^\top, \quad \frac{\partial L}{\partial x} = R^\top \frac{\partial L}{\partial y} C
       \;\; \mathrm{(bilinear)}

    The size before an earlier pooling layer is restored exactly, also an odd one: pooling 25×25 gives 13×13, and this
    layer gives 25×25 again, not 26×26. Shapes: x (N, H, W, C), y (N, f H, f W, C).

    Parameters
    ----------
    factor : int or pair of int, default 2
    mode : {"nearest", "bilinear"}, default "nearest"
    output_size : pair of int, optional
        Height and width of the output: f times the input, or up to f − 1 rows and columns fewer; ValueError otherwise.
        By default the size before the matching pooling layer, or f times the input where there is none.

    Raises
    ------
    ValueError
        If ``mode`` or a size is not valid, or, when the layer is built, cannot be reached with the factor.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.layers import UpSample2D
    >>> UpSample2D(2).build((1, 2, 1))(np.array([[[[1], [2]]]], dtype="float32"))[0, :, :, 0].tolist()
    [[1.0, 1.0, 2.0, 2.0], [1.0, 1.0, 2.0, 2.0]]
    """

    y: Array  # (N, OH, OW, C)
    dx: Array  # (N, H, W, C)
    row_weights: Array  # (OH, H), R: the weight of each input row in each output row
    column_weights: Array  # (OW, W), C: the same for columns

    def __init__(
        self,
        factor: int | tuple[int, int] = 2,
        *,
        mode: str = "nearest",
        output_size: tuple[int, int] | None = None,
    ) -> None:
        if mode not in ("nearest", "bilinear"):
            raise ValueError(f'mode is {mode!r}; expected "nearest" or "bilinear"')
        self.factor = pair(factor, "factor")
        self.mode = mode
        self.output_size = None if output_size is None else pair(output_size, "output_size")

    def plan(self, input_shape: Shape, arena: Arena) -> Shape:
        height, width, channels = image_shape(self, input_shape)
        out_height, out_width = self._target_size((height, width), arena)
        if not self._reaches((height, width), (out_height, out_width)):
            raise ValueError(
                f"UpSample2D cannot turn {height}×{width} into {out_height}×{out_width} with factor {self.factor}; "
                f"leave output_size out or choose the factor that fits"
            )
        if self.mode == "bilinear":
            factor_h, factor_w = self.factor
            rows, columns = (out_height, height), (out_width, width)
            arena.workspace(self, "row_weights", rows, lambda: bilinear_weights(*rows, factor_h))
            arena.workspace(self, "column_weights", columns, lambda: bilinear_weights(*columns, factor_w))
        arena.buffer(self, "y", (out_height, out_width, channels))
        arena.buffer(self, "dx", input_shape)
        return (out_height, out_width, channels)

    def _reaches(self, size: tuple[int, int], target: tuple[int, int]) -> bool:
        return all(ceil(t / f) == n for n, t, f in zip(size, target, self.factor, strict=True))

    def _target_size(self, size: tuple[int, int], arena: Arena) -> tuple[int, int]:
        """The size before the latest pooling that this layer can undo, or output_size, or factor times the input."""
        for i in reversed(range(len(arena.pooled_sizes))):
            before = arena.pooled_sizes[i]
            if self.factor != (1, 1) and self._reaches(size, before) and self.output_size in (None, before):
                del arena.pooled_sizes[i:]
                return before
        return self.output_size or (size[0] * self.factor[0], size[1] * self.factor[1])

    def forward(self, x: Array) -> Array:
        if self.mode == "nearest":
            self.kernels.upsample_nearest(x, *self.factor, self.y)
        else:
            self.kernels.resample(x, self.row_weights, self.column_weights, self.y)
        return self.y

    def backward(self, dy: Array) -> Array:
        if self.mode == "nearest":
            self.kernels.upsample_nearest_gradient(dy, *self.factor, self.dx)
        else:
            self.kernels.resample_gradient(dy, self.row_weights, self.column_weights, self.dx)
        return self.dx


def bilinear_weights(n_out: int, n_in: int, factor: int) -> Array:
    """Matrix (n_out, n_in) of linear interpolation; beyond the outermost pixel centres the edge value is repeated."""
    position = np.clip((np.arange(n_out) + 0.5) / factor - 0.5, 0, n_in - 1)
    low = np.floor(position).astype(int)
    high = np.minimum(low + 1, n_in - 1)
    weights = np.zeros((n_out, n_in))
    np.add.at(weights, (np.arange(n_out), low), 1 - (position - low))
    np.add.at(weights, (np.arange(n_out), high), position - low)
    return weights
