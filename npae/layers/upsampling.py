"""Upsampling: make an image larger, the way back from pooling."""

from math import ceil

import numpy as np

from npae.layers.arena import Arena
from npae.layers.base import Layer
from npae.layers.window import image_shape, pair
from npae.utils.types import Array, Shape


class UpSample2D(Layer):
    """Enlarge an image by a whole factor.

    *nearest* repeats every value: y[i, j] = x[⌊i / f⌋, ⌊j / f⌋], so dx is the sum of dy over each block.
    *bilinear* weights the two nearest values along each axis, with pixel centres at half-integers: output i lies at
    (i + ½) / f − ½ in the input. It is linear, y = R x Cᵀ, so dx = Rᵀ dy C.

    The size that a pooling layer earlier in the network reduced is restored exactly, odd ones included: pooling 25×25
    gives 13×13, and this layer gives 25×25 again, not 26×26.

    Parameters
    ----------
    factor : int or pair of int, default 2
    mode : {"nearest", "bilinear"}, default "nearest"
    output_size : pair of int, optional
        Height and width of the output; up to ``factor − 1`` rows and columns fewer than the full enlargement. Where it
        is not given, the size from before the matching pooling layer, or the full enlargement.
    """

    y: Array  # (N, OH, OW, C)
    dx: Array  # (N, H, W, C)
    row_weights: Array  # (OH, H), R: of every input row in each output row
    column_weights: Array  # (OW, W), C

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
        """The given size; or that before the latest pooling which this layer can undo; or the full enlargement."""
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
    """The matrix (n_out, n_in) of linear interpolation; beyond the outermost centres the edge value is repeated."""
    position = np.clip((np.arange(n_out) + 0.5) / factor - 0.5, 0, n_in - 1)
    low = np.floor(position).astype(int)
    high = np.minimum(low + 1, n_in - 1)
    weights = np.zeros((n_out, n_in))
    np.add.at(weights, (np.arange(n_out), low), 1 - (position - low))
    np.add.at(weights, (np.arange(n_out), high), position - low)
    return weights
