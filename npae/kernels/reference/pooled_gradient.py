"""The gradient of convolution, ReLU and 2×2 max pooling."""

import numpy as np

from npae.kernels.reference.array import Array
from npae.kernels.reference.convolution import convolution_weight_gradient, transposed_convolution


def convolution_relu_max_pool_gradient(
    x: Array,
    dy: Array,
    winner: Array,
    W: Array,
    stride_h: int,
    stride_w: int,
    top: int,
    left: int,
    needs_dx: int,
    W_lines: Array,
    dW_lines: Array,
    dx_padded: Array,
    dW: Array,
    db: Array,
    dx: Array,
) -> None:
    """Gradients of ``convolution_relu_max_pool``: dW (kh, kw, in, out), db (out,) and, if ``needs_dx``, dx.

    x (N, H, W, in) is padded by ``top`` rows and ``left`` columns, which dx lacks. W_lines and dW_lines (out, kh, at
    least kw·in, whole lines of 64 bytes) and dx_padded (at least H·W·in + one line,) are memory for the compiled twin.
    """
    n, rows, columns, n_out = dy.shape
    slope = np.empty((n, 2 * rows, 2 * columns, n_out), dy.dtype)
    for cell in range(4):
        slope[:, cell // 2 :: 2, cell % 2 :: 2] = np.where(winner == cell, dy, 0)
    convolution_weight_gradient(x, slope, stride_h, stride_w, dW)
    db[...] = slope.sum(axis=(0, 1, 2))
    if needs_dx:
        W_transposed, zero = np.ascontiguousarray(W.swapaxes(2, 3)), np.zeros(W.shape[2], W.dtype)
        transposed_convolution(slope, W_transposed, zero, stride_h, stride_w, top, left, dx)
