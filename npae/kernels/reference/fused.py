"""Kernels that compute several layers; ``between`` is a buffer for the intermediate values of a few images."""

import numpy as np

from npae.kernels.reference.activation import relu
from npae.kernels.reference.array import Array
from npae.kernels.reference.convolution import convolution, convolution_weight_gradient, transposed_convolution
from npae.kernels.reference.data_movement import pad


def relu_max_pool(x: Array, y: Array, winner: Array) -> None:
    """y = max(0, maximum of each 2×2 window of x), for x (N, 2H, 2W, C), y (N, H, W, C).

    winner = 0 … 3, the first cell of the window that has the maximum, or 4 where y is not above 0.
    """
    n, rows, columns, channels = y.shape
    # (N, 2H, 2W, C) -> (N, H, W, C, 4)
    cells = x.reshape(n, rows, 2, columns, 2, channels).transpose(0, 1, 3, 5, 2, 4).reshape(*y.shape, 4)
    np.maximum(cells.max(axis=-1), 0, out=y)
    winner[...] = np.where(y > 0, cells.argmax(axis=-1), 4)


def convolution_relu_max_pool(
    x: Array, W: Array, b: Array, stride_h: int, stride_w: int, between: Array, y: Array, winner: Array
) -> None:
    """``relu_max_pool`` of ``convolution``, ``len(between)`` images at a time."""
    for i in range(0, len(x), len(between)):
        few = slice(i, min(i + len(between), len(x)))
        convolved = between[: few.stop - i]
        convolution(x[few], W, b, stride_h, stride_w, convolved)
        relu_max_pool(convolved, y[few], winner[few])


def upsample_convolution(
    x: Array,
    W: Array,
    b: Array,
    factor_h: int,
    factor_w: int,
    top: int,
    left: int,
    with_relu: int,
    group: int,
    y: Array,
) -> None:
    """Nearest-neighbour upsampling, convolution and, if ``with_relu``, ReLU, ``group`` images at a time.

    W is the result of ``fold_upsampling``.
    """
    transposed_convolution(x, W, b, factor_h, factor_w, top, left, y)
    if with_relu:
        relu(y, y)


def upsample_convolution_gradient(
    x: Array,
    y: Array,
    dy: Array,
    W_transposed: Array,
    zero: Array,
    factor_h: int,
    factor_w: int,
    top: int,
    left: int,
    with_relu: int,
    between: Array,
    dW_transposed: Array,
    db: Array,
    dx: Array,
) -> None:
    """Gradients of ``upsample_convolution``; ``between`` (few, H, W, out) has zeros outside the part written here."""
    dW_transposed[...], db[...] = 0, 0
    for i in range(0, len(x), len(between)):
        few = slice(i, min(i + len(between), len(x)))
        padded, part = between[: few.stop - i], np.empty_like(dW_transposed)
        slope = dy[few] * (y[few] > 0) if with_relu else dy[few]
        pad(slope, top, left, padded)
        db += slope.sum(axis=(0, 1, 2))
        convolution_weight_gradient(padded, x[few], factor_h, factor_w, part)
        dW_transposed += part
        convolution(padded, W_transposed, zero, factor_h, factor_w, dx[few])


def fold_upsampling(W: Array, factor_h: int, factor_w: int, W_folded: Array) -> None:
    """Weights (kh + fh − 1, kw + fw − 1, in, out) of the transposed convolution of stride (fh, fw) that equals
    upsampling by (fh, fw) and convolution with W: each is the sum of the weights that multiply the same value of x.
    """
    kh, kw = W.shape[:2]
    W_folded[...] = 0
    for k, m, t, u in np.ndindex(kh, kw, factor_h, factor_w):
        W_folded[kh - 1 - k + t, kw - 1 - m + u] += W[k, m]


def unfold_upsampling(dW_folded: Array, factor_h: int, factor_w: int, dW: Array) -> None:
    """The gradient by W, from that by the folded weights: dW[k, m] is the sum of dW_folded over its places."""
    kh, kw = dW.shape[:2]
    dW[...] = 0
    for k, m, t, u in np.ndindex(kh, kw, factor_h, factor_w):
        dW[k, m] += dW_folded[kh - 1 - k + t, kw - 1 - m + u]
