"""Upsampling by 2 and 3×3 convolution: what the compiled kernels compute by Winograd's algorithm, step by step.

U, V, M, ``image``, ``dx_image``, ``slopes`` and dU are memory of the compiled kernels.
"""

import numpy as np

from npae.kernels.reference.activation import relu
from npae.kernels.reference.array import Array
from npae.kernels.reference.convolution import convolution, convolution_weight_gradient, transposed_convolution
from npae.kernels.reference.upsampling import upsample_nearest, upsample_nearest_gradient


def _enlarged(x: Array) -> Array:
    """x (N, H, W, C) enlarged by 2, in a border of one zero: (N, 2H + 2, 2W + 2, C)."""
    n, rows, columns, channels = x.shape
    enlarged = np.zeros((n, 2 * rows, 2 * columns, channels), x.dtype)
    upsample_nearest(x, 2, 2, enlarged)
    return np.pad(enlarged, ((0, 0), (1, 1), (1, 1), (0, 0)))


def winograd_upsample_convolution(
    x: Array, W: Array, b: Array, with_relu: int, U: Array, V: Array, M: Array, image: Array, y: Array
) -> None:
    """Nearest-neighbour upsampling by 2, convolution as large as its input and, if ``with_relu``, ReLU."""
    convolution(_enlarged(x), W, b, 1, 1, y)
    if with_relu:
        relu(y, y)


def winograd_upsample_convolution_gradient(
    x: Array,
    y: Array,
    dy: Array,
    W_transposed: Array,
    zero: Array,
    with_relu: int,
    U: Array,
    V: Array,
    M: Array,
    image: Array,
    dx_image: Array,
    slopes: Array,
    dU: Array,
    dW: Array,
    db: Array,
    dx: Array,
) -> None:
    """Gradients of ``winograd_upsample_convolution``."""
    slope = dy * (y > 0) if with_relu else dy
    db[...] = slope.sum(axis=(0, 1, 2))
    convolution_weight_gradient(_enlarged(x), slope, 1, 1, dW)
    d_enlarged = np.empty((*y.shape[:3], x.shape[3]), x.dtype)
    transposed_convolution(slope, W_transposed, zero, 1, 1, 1, 1, d_enlarged)
    upsample_nearest_gradient(d_enlarged, 2, 2, dx)
