"""Nearest-neighbour upsampling by 2 and 3×3 convolution by Winograd's algorithm; see ``winograd``.

Each pixel of the small image is the middle of one tile of 2×2 outputs. Of the 16 points of a tile 9 are left, because
neighbouring numbers of the enlarged image are equal and their difference is zero::

    y₂ᵢ = (xᵢ₋₁ − xᵢ) w₀ + xᵢ (w₀ + w₁ + w₂)        y₂ᵢ₊₁ = xᵢ (w₀ + w₁ + w₂) + (xᵢ₊₁ − xᵢ) w₂

along each axis. Images are copied into a border of zeros, one after the other.
"""

from typing import Any

import numpy as np

from npae.kernels.compiled.activation import relu
from npae.kernels.compiled.matmul import column_sum
from npae.kernels.compiled.winograd import add_weight_points, fitting, multiply_points, start_panels
from npae.kernels.jit import jit, shared_jit
from npae.kernels.reference.array import Array
from npae.kernels.simd.copy import copy
from npae.kernels.simd.llvm import LINE
from npae.kernels.simd.panel import HEAD, ONE, ZERO
from npae.kernels.simd.winograd import (
    add_points_to_numbers_gradient,
    points_to_upsampled_outputs,
    points_to_upsampled_weights_gradient,
    upsampled_numbers_to_points,
    upsampled_outputs_gradient_to_points,
    upsampled_weights_to_points,
)

POINTS: Any = np.intp(9)
BIASED: Any = np.intp(4)  # the point of which every output is a sum with factor 1


@jit
def winograd_upsample_convolution(
    x: Array, W: Array, b: Array, with_relu: int, U: Array, V: Array, M: Array, image: Array, y: Array
) -> None:
    """As reference.winograd_upsample_convolution."""
    n, rows, columns, n_in = x.shape
    n_out = y.shape[3]
    lanes, point, line = LINE // y.itemsize, M.shape[1], 2 * columns * n_out
    group = fitting(V, M, n_in, n_out, columns)
    M_flat, y_flat = M.reshape(-1), y.reshape(-1)
    _set_panels(W, b, U)
    for first in range(0, n * rows, group):
        stop = min(first + group, n * rows)
        tiles = (stop - first) * columns
        _to_points(x, first, stop, image, V)
        multiply_points(POINTS, tiles, ONE, n_in, V.reshape(-1), ZERO, V.shape[1], n_in, ZERO, U.reshape(-1), M, n_out)
        for r in range(first, stop):
            for c in range(0, n_out, lanes):
                points_to_upsampled_outputs(
                    columns,
                    M_flat,
                    (r - first) * columns * n_out + c,
                    (3 * point, 6 * point, point, 2 * point, n_out),
                    y_flat,
                    2 * r * line + c,
                    (line, line, n_out, n_out, 2 * n_out),
                )
        if with_relu:
            part = y_flat[2 * first * line : 2 * stop * line]
            relu(part, part)


@jit
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
    """As reference.winograd_upsample_convolution_gradient: dU[p] += V[p]ᵀ·M[p], then V[p] = M[p]·U[p]ᵀ."""
    n, rows, columns, n_in = x.shape
    n_out = y.shape[3]
    lanes = LINE // y.itemsize
    group = fitting(V, M, n_in, n_out, columns)
    size = (HEAD + group * columns) * lanes  # of a panel of M
    point = n_out // lanes * size
    M_flat, dW_flat = M.reshape(-1), dW.reshape(-1)
    _set_panels(W_transposed, zero, U)
    dU[:] = 0
    db[:] = 0
    for first in range(0, n * rows, group):
        stop = min(first + group, n * rows)
        tiles = (stop - first) * columns
        _to_points(x, first, stop, image, V)
        _slopes_to_points(y, dy, first, stop, with_relu, slopes, size, M_flat)
        _add_slopes(M_flat, BIASED * point + HEAD * lanes, size, tiles, db)
        add_weight_points(POINTS, tiles, V, n_in, M_flat, point, size, dU, n_out)
        multiply_points(
            POINTS, tiles, n_out // lanes, lanes, M_flat, HEAD * lanes, point, lanes, size, U.reshape(-1), V, n_in
        )
        _from_points(V, first, stop, dx_image, dx)
    place = n_in * n_out
    for c in range(0, n_out, lanes):
        points_to_upsampled_weights_gradient(
            n_in,
            dU,
            c,
            (3 * place, 6 * place, place, 2 * place, n_out),
            dW_flat,
            c,
            (3 * place, 6 * place, place, 2 * place, n_out),
        )


@shared_jit
def _set_panels(W: Array, b: Array, U: Array) -> None:
    """Write the panels of all points, each with its initial values and a line for each input channel of W."""
    n_in, n_out = W.shape[2:]
    lanes, tap = LINE // W.itemsize, n_in * n_out
    size = (HEAD + n_in) * lanes
    point = n_out // lanes * size
    U_flat, W_flat = U.reshape(-1), W.reshape(-1)
    start_panels(b, POINTS, BIASED, size, U_flat)
    for j in range(n_out // lanes):
        upsampled_weights_to_points(
            n_in,
            W_flat,
            j * lanes,
            (3 * tap, 6 * tap, tap, 2 * tap, n_out),
            U_flat,
            j * size + HEAD * lanes,
            (3 * point, 6 * point, point, 2 * point, lanes),
        )


@shared_jit
def _to_points(x: Array, first: int, stop: int, image: Array, V: Array) -> None:
    """The points of the rows of pixels from ``first`` to ``stop``, counted over all images."""
    rows, columns, n_in = x.shape[1:]
    lanes, point, length, line = LINE // x.itemsize, V.shape[1], columns * n_in, (columns + 2) * n_in
    x_flat, V_flat = x.reshape(-1), V.reshape(-1)
    for r in range(first, stop):
        i = r % rows
        if i == 0:
            for k in range(rows):
                copy(x_flat, (r + k) * length, image, (k + 1) * line + n_in, length)
        for c in range(0, n_in, lanes):
            upsampled_numbers_to_points(
                columns,
                image,
                i * line + c,
                (line, 2 * line, n_in, 2 * n_in, n_in),
                V_flat,
                (r - first) * length + c,
                (3 * point, 6 * point, point, 2 * point, n_in),
            )


@shared_jit
def _slopes_to_points(
    y: Array, dy: Array, first: int, stop: int, with_relu: int, slopes: Array, size: int, M: Array
) -> None:
    """The points of dy, or of dy where y is above zero, as panels of ``size`` numbers."""
    columns, n_out = y.shape[2:]
    lanes, line = LINE // y.itemsize, columns * n_out
    point = n_out // lanes * size
    y_flat, dy_flat, zero = y.reshape(-1), dy.reshape(-1), y.dtype.type(0)
    for r in range(first, stop):
        above, slope = y_flat[2 * r * line :][: 2 * line], dy_flat[2 * r * line :][: 2 * line]
        for i in range(2 * line):
            slopes[i] = slope[i] if (above[i] > zero) | (with_relu == 0) else zero
        for c in range(0, n_out, lanes):
            upsampled_outputs_gradient_to_points(
                columns // 2,
                slopes,
                c,
                (line, line, n_out, n_out, 2 * n_out),
                M,
                c // lanes * size + (HEAD + (r - first) * (columns // 2)) * lanes,
                (3 * point, 6 * point, point, 2 * point, lanes),
            )


@shared_jit
def _add_slopes(M: Array, at: int, size: int, tiles: int, db: Array) -> None:
    """db += the sums of the lines of the panels from ``at`` on, which hold the sum of each tile of dy."""
    lanes = LINE // db.itemsize
    part = np.empty(lanes, db.dtype)
    for j in range(db.size // lanes):
        column_sum(M[at + j * size :][: tiles * lanes].reshape(tiles, lanes), part)
        for c in range(lanes):
            db[j * lanes + c] += part[c]


@shared_jit
def _from_points(V: Array, first: int, stop: int, image: Array, dx: Array) -> None:
    """dx of the rows of pixels from ``first`` to ``stop``; a row is complete once the one below it was added."""
    rows, columns, n_in = dx.shape[1:]
    lanes, point, length, line = LINE // dx.itemsize, V.shape[1], columns * n_in, (columns + 2) * n_in
    V_flat, dx_flat = V.reshape(-1), dx.reshape(-1)
    for r in range(first, stop):
        i = r % rows
        if i == 0:
            image[:] = 0
        for c in range(0, n_in, lanes):
            add_points_to_numbers_gradient(
                columns,
                V_flat,
                (r - first) * length + c,
                (3 * point, 6 * point, point, 2 * point, n_in),
                image,
                i * line + c,
                (line, 2 * line, n_in, 2 * n_in, n_in),
            )
        if i == rows - 1:
            for k in range(rows):
                copy(image, (k + 1) * line + n_in, dx_flat, (r - i + k) * length, length)
