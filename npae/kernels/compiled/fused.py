"""Kernels that compute several layers, for a few images at a time, so that intermediate values stay in the cache.

``between`` is the buffer of these intermediate values.
"""

import numpy as np

from npae.kernels.compiled.activation import relu
from npae.kernels.compiled.convolution import (
    add_weight_gradient,
    convolution,
    convolution_by_lines,
    transposed_convolution,
)
from npae.kernels.compiled.data_movement import pad
from npae.kernels.compiled.matmul import column_sum
from npae.kernels.jit import jit, shared_jit
from npae.kernels.reference.array import Array
from npae.kernels.simd.copy import copy
from npae.kernels.simd.llvm import LINE
from npae.kernels.simd.panel import NO, ONE, YES, ZERO
from npae.kernels.simd.pool import pool_windows


@shared_jit
def relu_max_pool(x: Array, y: Array, winner: Array) -> None:
    """As reference.relu_max_pool; NaN is preserved.

    A line that is longer than the rest of a window's channels reaches into the next window. So the last lines are
    computed first, from left to right: what they write there is overwritten by the right values.
    """
    n, rows, columns, channels = y.shape
    lanes, line = LINE // y.itemsize, x.shape[2] * channels
    x_flat, y_flat, winner_flat = x.reshape(-1), y.reshape(-1), winner.reshape(-1)
    best = 4 * lanes  # place of the result, after the lines of four cells
    window, which = np.zeros(5 * lanes, y.dtype), np.zeros(5 * lanes, np.uint8)
    for i in range(n * rows):
        for c in range((channels - 1) // lanes * lanes, -1, -lanes):
            x_at, y_at = 2 * i * line + c, i * columns * channels + c
            inside = max(0, min(columns, (y_flat.size - lanes - y_at) // channels + 1))  # lines that end in the array
            pool_windows(inside, channels, x_flat, x_at, line, y_flat, winner_flat, y_at)
            rest = min(lanes, channels - c)
            for j in range(inside, columns):
                for k in range(4):
                    copy(x_flat, x_at + (2 * j + k % 2) * channels + k // 2 * line, window, k * lanes, rest)
                pool_windows(ONE, lanes, window, ZERO, 2 * lanes, window, which, best)
                copy(window, best, y_flat, y_at + j * channels, rest)
                copy(which, best, winner_flat, y_at + j * channels, rest)


@jit
def convolution_relu_max_pool(
    x: Array, W: Array, b: Array, stride_h: int, stride_w: int, between: Array, y: Array, winner: Array
) -> None:
    """As reference.convolution_relu_max_pool."""
    for i in range(0, len(x), len(between)):
        stop = min(i + len(between), len(x))
        convolution_by_lines(x[i:stop], W, b, stride_h, stride_w, between[: stop - i])
        relu_max_pool(between[: stop - i], y[i:stop], winner[i:stop])


@jit
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
    """As reference.upsample_convolution."""
    for i in range(0, len(x), group):
        stop = min(i + group, len(x))
        transposed_convolution(x[i:stop], W, b, factor_h, factor_w, top, left, y[i:stop])
        if with_relu:
            relu(y[i:stop], y[i:stop])


@jit
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
    """As reference.upsample_convolution_gradient."""
    dW_transposed[...] = 0
    db[...] = 0
    for i in range(0, len(x), len(between)):
        stop = min(i + len(between), len(x))
        padded = between[: stop - i]
        pad(dy[i:stop], top, left, padded)
        if with_relu:
            _mask_inside(y[i:stop], top, left, padded)
        _add_columns(padded, db)
        add_weight_gradient(padded, x[i:stop], factor_h, factor_w, dW_transposed)
        convolution(padded, W_transposed, zero, factor_h, factor_w, dx[i:stop])


@shared_jit
def _mask_inside(y: Array, top: int, left: int, padded: Array) -> None:
    """Set the inside of ``padded`` to zero where y is not above zero."""
    n, height, width, channels = y.shape
    padded_height, padded_width = padded.shape[1:3]
    y_flat, padded_flat = y.reshape(-1), padded.reshape(-1)
    zero, length = padded.dtype.type(0), width * channels
    for image in range(n):
        for i in range(height):
            line = y_flat[(image * height + i) * length :][:length]
            target = padded_flat[((image * padded_height + top + i) * padded_width + left) * channels :][:length]
            for j in range(length):
                target[j] = target[j] if line[j] > zero else zero


@shared_jit
def _add_columns(a: Array, s: Array) -> None:
    """s (channels,) += the sum of a (..., channels) over all positions."""
    part = np.empty_like(s)
    column_sum(a.reshape(-1, s.size), part)
    for c in range(s.size):
        s[c] += part[c]


@jit
def fold_upsampling(W: Array, factor_h: int, factor_w: int, W_folded: Array) -> None:
    """As reference.fold_upsampling."""
    W_folded[...] = 0
    _add_folded(W.reshape(-1), W.shape, factor_h, factor_w, W_folded.reshape(-1), YES)


@jit
def unfold_upsampling(dW_folded: Array, factor_h: int, factor_w: int, dW: Array) -> None:
    """As reference.unfold_upsampling."""
    dW[...] = 0
    _add_folded(dW.reshape(-1), dW.shape, factor_h, factor_w, dW_folded.reshape(-1), NO)


@shared_jit
def _add_folded(
    W: Array, shape: tuple[int, int, int, int], factor_h: int, factor_w: int, W_folded: Array, is_forward: bool
) -> None:
    """W_folded += W if ``is_forward``, else W += W_folded, at corresponding places; both are flat."""
    kh, kw, n_in, n_out = shape
    size = n_in * n_out
    for k in range(kh):
        for m in range(kw):
            plain = W[(k * kw + m) * size :][:size]
            for t in range(factor_h):
                for u in range(factor_w):
                    place = (kh - 1 - k + t) * (kw + factor_w - 1) + kw - 1 - m + u
                    folded = W_folded[place * size :][:size]
                    for i in range(size):
                        if is_forward:
                            folded[i] += plain[i]
                        else:
                            plain[i] += folded[i]
