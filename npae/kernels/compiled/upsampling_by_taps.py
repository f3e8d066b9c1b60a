"""Nearest-neighbour upsampling by 2 and 3×3 convolution to few channels, such as the last layer of a grey image.

Few output channels fill no vector. But after upsampling a pixel has 4×4 different weights for each of them, its *taps*
(``npae.layers.fused``), and 16 numbers fill one. So one product computes what each pixel adds to the outputs around it,
and these parts are added up::

    P = x W′ (pixels, 4·4·out)        y[2i + u − 1, 2j + v − 1] += P[i, j, u, v]
"""

from typing import Any

import numpy as np

from npae.kernels.jit import jit, shared_jit
from npae.kernels.reference.array import Array
from npae.kernels.simd.copy import copy
from npae.kernels.simd.llvm import LINE
from npae.kernels.simd.panel import DEPTH, HEAD, NO, ONE, YES, ZERO, copy_rows, multiply, new_panel

FOUR: Any = np.intp(4)


@jit
def upsample_convolution_by_taps(x: Array, W: Array, b: Array, U: Array, P: Array, y: Array) -> None:
    """As reference.upsample_convolution_by_taps."""
    n, rows, columns, n_in = x.shape
    n_out = y.shape[3]
    lanes, taps = LINE // y.itemsize, 16 * n_out
    size, line, y_line = (HEAD + n_in) * lanes, (columns + 2) * taps, 2 * columns * n_out
    x_flat, y_flat = x.reshape(-1), y.reshape(-1)
    _set_panels(W, size, NO, U)
    for image in range(n):
        for i in range(rows):
            at = (image * rows + i) * columns * n_in
            for j in range(taps // lanes):
                place = (i + 1) * line + taps + j * lanes
                multiply(columns, ONE, n_in, x_flat, at, n_in, ZERO, ONE, U[j * size :], P, place, taps, lanes, YES)
        for i in range(2 * rows):
            near, far = (i // 2 + 1) * line, (i // 2 + 2 * (i % 2)) * line  # rows of P that add to this row of y
            near_tap, far_tap = (1 + i % 2) * 4 * n_out, (3 - 3 * (i % 2)) * 4 * n_out
            above, below = P[near + near_tap :], P[far + far_tap :]
            target = y_flat[(image * 2 * rows + i) * y_line :][:y_line]
            for c in range(n_out):
                for j in range(columns):
                    p = j * taps + c
                    even = (
                        above[p + taps + n_out] + above[p + 3 * n_out] + below[p + taps + n_out] + below[p + 3 * n_out]
                    )
                    odd = (
                        above[p + taps + 2 * n_out]
                        + above[p + 2 * taps]
                        + below[p + taps + 2 * n_out]
                        + below[p + 2 * taps]
                    )
                    target[2 * j * n_out + c] = b[c] + even
                    target[(2 * j + 1) * n_out + c] = b[c] + odd


@jit
def upsample_convolution_by_taps_gradient(
    x: Array, dy: Array, W: Array, U: Array, dy_image: Array, dW_taps: Array, dW: Array, dx: Array
) -> None:
    """As reference.upsample_convolution_by_taps_gradient: those of a convolution of dy with stride 2."""
    n, rows, columns, n_in = x.shape
    n_out = dy.shape[3]
    lanes, taps = LINE // x.itemsize, 16 * n_out
    size, length, line = (HEAD + taps) * lanes, 2 * columns * n_out, (2 * columns + 2) * n_out
    x_flat, dy_flat, dx_flat = x.reshape(-1), dy.reshape(-1), dx.reshape(-1)
    panel, band = new_panel(x), max(1, DEPTH // columns)
    _set_panels(W, size, YES, U)
    dW_taps[:] = 0
    for image in range(n):
        for i in range(2 * rows):
            copy(dy_flat, (image * 2 * rows + i) * length, dy_image, (i + 1) * line + n_out, length)
        for j in range(0, n_in, lanes):
            width = min(lanes, n_in - j)
            for i in range(0, rows, band):
                height = min(band, rows - i)
                at = (image * rows + i) * columns * n_in + j
                copy_rows(x_flat, at, n_in, height * columns, width, panel, ZERO)
                for u in range(4):
                    place, to = (2 * i + u) * line, u * 4 * n_out * n_in + j
                    multiply(
                        4 * n_out,
                        height,
                        columns,
                        dy_image,
                        place,
                        ONE,
                        2 * line,
                        2 * n_out,
                        panel,
                        dW_taps,
                        to,
                        n_in,
                        width,
                        NO,
                    )
            for i in range(rows):
                at = (image * rows + i) * columns * n_in + j
                weights = U[j // lanes * size :]
                multiply(
                    columns,
                    FOUR,
                    4 * n_out,
                    dy_image,
                    2 * i * line,
                    2 * n_out,
                    line,
                    ONE,
                    weights,
                    dx_flat,
                    at,
                    n_in,
                    width,
                    YES,
                )
    _unfold(dW_taps, dW)


@shared_jit
def _set_panels(W: Array, size: int, is_gradient: int, U: Array) -> None:
    """Panels of W′: its rows are input channels and its columns taps, or the other way around for the gradient."""
    n_in, n_out = W.shape[2:]
    lanes, W_flat = LINE // W.itemsize, W.reshape(-1)
    U[:] = 0
    for place in range(W.size):
        i, c = place // n_out % n_in, place % n_out
        for phase in range(4):
            tap = _tap(place // (n_in * n_out), phase) * n_out + c
            column, row = (i, tap) if is_gradient else (tap, i)
            U[column // lanes * size + (HEAD + row) * lanes + column % lanes] += W_flat[place]


@shared_jit
def _unfold(dW_taps: Array, dW: Array) -> None:
    """dW from the gradient by the taps, (4, 4, out, in)."""
    n_in, n_out = dW.shape[2:]
    dW_flat = dW.reshape(-1)
    for place in range(dW.size):
        i, c = place // n_out % n_in, place % n_out
        total = dW.dtype.type(0)
        for phase in range(4):
            total += dW_taps[(_tap(place // (n_in * n_out), phase) * n_out + c) * n_in + i]
        dW_flat[place] = total


@jit
def _tap(weight: int, phase: int) -> int:
    """The tap, 0 to 15, to which a weight of 3×3 adds for the outputs of a phase of 2×2."""
    return (2 - weight // 3 + phase // 2) * 4 + 2 - weight % 3 + phase % 2
