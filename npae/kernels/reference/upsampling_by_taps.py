"""Upsampling by 2 and 3×3 convolution to few channels, step by step.

U, P, ``dy_image`` and ``dW_taps`` are memory of the compiled kernels.
"""

import numpy as np

from npae.kernels.reference.array import Array
from npae.kernels.reference.winograd_upsampling import (
    winograd_upsample_convolution,
    winograd_upsample_convolution_gradient,
)


def upsample_convolution_by_taps(x: Array, W: Array, b: Array, U: Array, P: Array, y: Array) -> None:
    """Nearest-neighbour upsampling by 2 and a convolution as large as its input."""
    winograd_upsample_convolution(x, W, b, 0, U, U, U, U, y)


def upsample_convolution_by_taps_gradient(
    x: Array, dy: Array, W: Array, U: Array, dy_image: Array, dW_taps: Array, dW: Array, dx: Array
) -> None:
    """Gradients of ``upsample_convolution_by_taps`` by W and x."""
    W_transposed, zero, db = W.swapaxes(2, 3), np.zeros(x.shape[3], x.dtype), np.empty(dy.shape[3], dy.dtype)
    winograd_upsample_convolution_gradient(x, dy, dy, W_transposed, zero, 0, U, U, U, U, U, U, U, dW, db, dx)
