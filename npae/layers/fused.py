"""Fused layers: one faster layer that computes what several plain layers compute; parameters stay in the plain ones.

``Network.build`` replaces layers by fused ones unless it is called with ``fuse=False``. Forward and backward of a fused
layer give what the plain layers give, up to rounding.
"""

from collections.abc import Sequence
from math import prod
from typing import Any

from npae.layers.activation import ReLU
from npae.layers.arena import Arena
from npae.layers.base import Layer
from npae.layers.convolution import Conv2D
from npae.layers.pooling import MaxPool2D
from npae.layers.upsampling import UpSample2D
from npae.layers.winograd import (
    CACHED,
    LINE,
    fits_winograd,
    fits_winograd_one_channel,
    fits_winograd_upsampling,
    is_usual_upsampling,
    plan_taps,
    plan_winograd,
    plan_winograd_one_channel,
    plan_winograd_upsampling,
)
from npae.utils.types import Array, Shape

#: Columns of an image that the kernels for few channels can compute, which multiply a row of it at once.
MOST_COLUMNS = 512


class FusedLayer(Layer):
    """Base class of fused layers: replaces the consecutive layers ``plain``, whose own memory is not allocated."""

    convolution: Conv2D  # the one among the plain layers

    def __init__(self, plain: Sequence[Layer]) -> None:
        self.plain: list[Any] = list(plain)

    def plan(self, input_shape: Shape, arena: Arena) -> Shape:
        for layer in self.plain:
            arena.drop_memory(layer)
        self.plan_buffers(arena)
        output_shape: Shape = self.plain[-1].output_shape
        return output_shape

    def plan_buffers(self, arena: Arena) -> None:
        """Declare the buffers of the fused layer."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.plain})"


class ConvolutionReLUMaxPool(FusedLayer):
    """Conv2D, ReLU and MaxPool2D over 2×2 cells: y = max(0, maxₖₗ c[2i + k, 2j + l]), with c the convolution of x.

    The convolved values of a few images stay in the cache until they are pooled. The maximum of ReLUs is the ReLU of
    the maximum, so each window needs one comparison with zero, and the gradient needs only the winner of each window::

        dc[winner[i, j]] = dy[i, j]     and 0 elsewhere, also where the maximum is not above zero
    """

    x_padded: Array  # (N, H + top + bottom, W + left + right, in)
    between: Array  # (few, 2 OH, 2 OW, out), c of a few images; with Winograd's algorithm there are instead
    U: Array  # memory of its kernels, as are
    V: Array
    M: Array  # not of images of one channel
    W_lines: Array  # (out, kh, ⌈kw·in⌉), W by output channel, its rows padded with zeros to whole lines
    dW_lines: Array  # (out, kh, ⌈kw·in⌉)
    dx_padded: Array  # (padded H·W·in + one line,), dx of one image
    y: Array  # (N, OH, OW, out)
    winner: Array  # (N, OH, OW, out), 0 to 3, or 4 where the maximum is not above zero
    dx: Array  # (N, H, W, in)

    @staticmethod
    def fits(layers: Sequence[Any]) -> int:
        """Number of leading ``layers`` that this fused layer can replace; 0 if none."""
        if [type(layer) for layer in layers[:3]] != [Conv2D, ReLU, MaxPool2D]:
            return 0
        convolution, _, pooling = layers[:3]
        height, width, channels = convolution.output_shape
        halved = height % 2 == width % 2 == 0 and pooling.output_shape == (height // 2, width // 2, channels)
        return 3 if halved and pooling.size == pooling.stride == (2, 2) and pooling.origin == (0, 0) else 0

    def plan_buffers(self, arena: Arena) -> None:
        convolution = self.convolution = self.plain[0]
        output_shape = self.plain[-1].output_shape
        arena.buffer(self, "x_padded", convolution.padded_shape, zeroed=True)
        self.winograd = fits_winograd(convolution, arena)
        self.winograd_one_channel = fits_winograd_one_channel(convolution, arena)
        if self.winograd:
            plan_winograd(self, convolution, arena)
        elif self.winograd_one_channel:
            plan_winograd_one_channel(self, convolution, arena)
        else:
            arena.workspace(self, "between", few(convolution.output_shape, arena))
        (kh, kw), n_in, n_out = convolution.kernel_size, convolution.input_shape[2], convolution.filters
        lanes = LINE // arena.dtype.itemsize
        for attribute in ("W_lines", "dW_lines"):
            arena.workspace(self, attribute, (n_out, kh, -(-kw * n_in // lanes) * lanes))
        arena.workspace(self, "dx_padded", (prod(convolution.padded_shape) + lanes,))
        arena.buffer(self, "y", output_shape)
        arena.buffer(self, "winner", output_shape, dtype="uint8")
        arena.buffer(self, "dx", convolution.input_shape)

    def forward(self, x: Array) -> Array:
        c = self.convolution
        self.kernels.pad(x, *c.origin, self.x_padded)
        if self.winograd:
            memory = self.U, self.V, self.M
            self.kernels.winograd_convolution_relu_max_pool(self.x_padded, c.W, c.b, *memory, self.y, self.winner)
        elif self.winograd_one_channel:
            self.kernels.winograd_one_channel_relu_max_pool(
                self.x_padded, c.W, c.b, self.U, self.V, self.y, self.winner
            )
        else:
            self.kernels.convolution_relu_max_pool(
                self.x_padded, c.W, c.b, *c.stride, self.between, self.y, self.winner
            )
        return self.y

    def backward(self, dy: Array) -> Array:
        c = self.convolution
        self.kernels.convolution_relu_max_pool_gradient(
            self.x_padded,
            dy,
            self.winner,
            c.W,
            *c.stride,
            *c.origin,
            int(c.needs_dx),
            self.W_lines,
            self.dW_lines,
            self.dx_padded,
            c.dW,
            c.db,
            self.dx,
        )
        return self.dx


class UpSampleConvolution(FusedLayer):
    """Nearest-neighbour UpSample2D and Conv2D of stride 1, with or without ReLU after them.

    In a window on an enlarged image several cells hold the same value. Summing their weights in advance leaves, for a
    factor of 2 and 3×3 weights, 4 products instead of 9, and the enlarged image is never written. The result is a
    transposed convolution of the small image whose stride is the factor f::

        y[f·i + u − top] += x[i] W′[u],   W′[u] = Σ W[k] over all t < f and k with  K − 1 − k + t = u

    along each axis, with K the kernel size. Its gradients are those of a convolution with stride f (Dumoulin & Visin
    2016, §4).
    """

    W_folded: Array  # (kh + f − 1, kw + f − 1, in, out)
    W_transposed: Array  # (kh + f − 1, kw + f − 1, out, in)
    dW_folded: Array  # (kh + f − 1, kw + f − 1, in, out)
    dW_transposed: Array  # (kh + f − 1, kw + f − 1, out, in)
    between: Array  # (few, f·H + kh − 1, f·W + kw − 1, out), zero-padded dy of a few images
    U: Array  # memory of the kernels with Winograd's algorithm, as are
    V: Array
    M: Array
    image: Array
    dx_image: Array
    slopes: Array
    dU: Array
    P: Array  # memory of the kernels for few channels, as are U and
    dy_image: Array
    dW_taps: Array
    zero: Array  # (in,), zeros: the kernel that computes dx requires a bias
    x: Array  # (N, H, W, in)
    y: Array  # (N, OH, OW, out)
    dx: Array  # (N, H, W, in)

    @staticmethod
    def fits(layers: Sequence[Any]) -> int:
        """Number of leading ``layers`` that this fused layer can replace; 0 if none."""
        kinds = [type(layer) for layer in layers[:3]]
        if kinds[:2] != [UpSample2D, Conv2D]:
            return 0
        upsampling, convolution = layers[:2]
        (height, width, _), (fh, fw) = upsampling.input_shape, upsampling.factor
        whole = upsampling.output_shape[:2] == (fh * height, fw * width)  # no row or column is cut off
        # every window contains some of the image, so that dy fits into ``between``
        narrow = all(max(axis.before, axis.after) < axis.window for axis in (convolution.rows, convolution.columns))
        if upsampling.mode != "nearest" or convolution.stride != (1, 1) or not (whole and narrow):
            return 0
        return 3 if kinds[2:] == [ReLU] else 2

    def plan_buffers(self, arena: Arena) -> None:
        upsampling, convolution = self.plain[:2]
        self.convolution, self.factor = convolution, upsampling.factor
        height, width, n_in = upsampling.input_shape
        (kh, kw), n_out, (fh, fw) = convolution.kernel_size, convolution.filters, self.factor
        self.origin = (kh - 1 - convolution.origin[0], kw - 1 - convolution.origin[1])
        arena.workspace(self, "zero", (n_in,))
        arena.buffer(self, "y", convolution.output_shape)
        arena.buffer(self, "dx", upsampling.input_shape)
        self.winograd = fits_winograd_upsampling(convolution, self.factor, arena)
        if self.winograd:
            arena.workspace(self, "W_transposed", (kh, kw, n_out, n_in))
            plan_winograd_upsampling(self, convolution, arena)
            return
        few_channels = n_out < LINE // arena.dtype.itemsize and not self.with_relu and width <= MOST_COLUMNS
        self.by_taps = few_channels and is_usual_upsampling(convolution, self.factor)
        if self.by_taps:
            plan_taps(self, convolution, arena)
            return
        for attribute in ("W_folded", "dW_folded"):
            arena.workspace(self, attribute, (kh + fh - 1, kw + fw - 1, n_in, n_out))
        for attribute in ("W_transposed", "dW_transposed"):
            arena.workspace(self, attribute, (kh + fh - 1, kw + fw - 1, n_out, n_in))
        padded_shape = (fh * height + kh - 1, fw * width + kw - 1, n_out)
        arena.workspace(self, "between", few(padded_shape, arena))

    @property
    def with_relu(self) -> int:
        """1 if the fused layers end with a ReLU, else 0."""
        return len(self.plain) - 2

    def forward(self, x: Array) -> Array:
        self.x = x
        c = self.convolution
        if self.winograd:
            memory = self.U, self.V, self.M, self.image
            self.kernels.winograd_upsample_convolution(x, c.W, c.b, self.with_relu, *memory, self.y)
            return self.y
        if self.by_taps:
            self.kernels.upsample_convolution_by_taps(x, c.W, c.b, self.U, self.P, self.y)
            return self.y
        self.kernels.fold_upsampling(c.W, *self.factor, self.W_folded)
        self.kernels.upsample_convolution(
            x, self.W_folded, c.b, *self.factor, *self.origin, self.with_relu, len(self.between), self.y
        )
        return self.y

    def backward(self, dy: Array) -> Array:
        c = self.convolution
        if self.winograd:
            return self._winograd_backward(dy)
        if self.by_taps:
            self.kernels.column_sum(dy.reshape(-1, c.filters), c.db)
            self.kernels.upsample_convolution_by_taps_gradient(
                self.x, dy, c.W, self.U, self.dy_image, self.dW_taps, c.dW, self.dx
            )
            return self.dx
        self.kernels.swap_channels(self.W_folded, self.W_transposed)
        self.kernels.upsample_convolution_gradient(
            self.x,
            self.y,
            dy,
            self.W_transposed,
            self.zero,
            *self.factor,
            *self.origin,
            self.with_relu,
            self.between,
            self.dW_transposed,
            c.db,
            self.dx,
        )
        self.kernels.swap_channels(self.dW_transposed, self.dW_folded)
        self.kernels.unfold_upsampling(self.dW_folded, *self.factor, c.dW)
        return self.dx

    def _winograd_backward(self, dy: Array) -> Array:
        c = self.convolution
        self.kernels.swap_channels(c.W, self.W_transposed)
        self.kernels.winograd_upsample_convolution_gradient(
            self.x,
            self.y,
            dy,
            self.W_transposed,
            self.zero,
            self.with_relu,
            self.U,
            self.V,
            self.M,
            self.image,
            self.dx_image,
            self.slopes,
            self.dU,
            c.dW,
            c.db,
            self.dx,
        )
        return self.dx


FUSED: tuple[type[ConvolutionReLUMaxPool] | type[UpSampleConvolution], ...] = (
    ConvolutionReLUMaxPool,
    UpSampleConvolution,
)


def few(shape: Shape, arena: Arena) -> Shape:
    """(n, *shape), with n the number of images of this shape that fit in CACHED bytes, at least 1."""
    return max(1, CACHED // (prod(shape) * arena.dtype.itemsize)), *shape


def fused(layers: Sequence[Layer], arena: Arena, name: str) -> list[Layer]:
    """The planned layers of a chain, in which a fused layer replaces every sequence that one of FUSED fits."""
    steps: list[Layer] = []
    i = 0
    while i < len(layers):
        step, n = layers[i], 1
        for kind in FUSED:
            if fitting := kind.fits(layers[i:]):
                step, n = kind(layers[i : i + fitting]), fitting
                arena.add(step, layers[i].input_shape, f"{name}.{i}-{i + n - 1}")
        steps.append(step)
        i += n
    return steps
