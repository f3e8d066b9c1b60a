"""3×3 convolutions of stride 1 by Winograd's algorithm, for numbers of channels that fill whole lines.

The image is divided into tiles of 2×2 outputs. The transforms of ``npae.kernels.simd.winograd`` turn the 4×4 numbers
that a tile sees into 16 points; at each point the products of some rows of tiles, as many as fit V, are one matrix
product::

    M[p] = V[p]·U[p]        V[p] (tiles, in), U[p] (in, out), M[p] (tiles, out)

U is kept as panels, so that ``multiply`` reads it without a copy. The bias is the initial value of the sums at the
point of which each output is a sum with factor 1.
"""

from typing import Any

import numpy as np

from npae.kernels.jit import jit, shared_jit
from npae.kernels.reference.array import Array
from npae.kernels.simd.copy import copy
from npae.kernels.simd.llvm import LINE
from npae.kernels.simd.panel import HEAD, NO, ONE, YES, ZERO, multiply
from npae.kernels.simd.winograd import (
    numbers_to_points,
    outputs_gradient_to_points,
    points_to_outputs,
    points_to_pooled,
    points_to_weights_gradient,
    weights_to_points,
)

POINTS: Any = np.intp(16)
BIASED: Any = np.intp(5)  # the point of which every output is a sum with factor 1


@jit
def winograd_convolution(
    x: Array, W: Array, b: Array, is_reversed: int, U: Array, V: Array, M: Array, y: Array
) -> None:
    """As reference.winograd_convolution."""
    n, rows, columns, channels = y.shape
    lanes, point = LINE // y.itemsize, M.shape[1]
    tile_rows, tile_columns, line = (rows + 1) // 2, (columns + 1) // 2, columns * channels
    whole = columns // 2
    group = fitting(V, M, x.shape[3], channels, tile_columns)
    M_flat, y_flat = M.reshape(-1), y.reshape(-1)
    _set_panels(W, b, is_reversed, U)
    for first in range(0, n * tile_rows, group):
        stop = min(first + group, n * tile_rows)
        _to_points(x, first, stop, V)
        _multiply_points((stop - first) * tile_columns, U, V, M, x.shape[3], channels)
        for r in range(first, stop):
            image, i = r // tile_rows, r % tile_rows
            below = line if 2 * i + 1 < rows else 0 * line
            for c in range(0, channels, lanes):
                for part in range(2):  # tiles of two columns, and the last one if it has one
                    points_to_outputs(
                        whole if part == 0 else columns % 2,
                        M_flat,
                        ((r - first) * tile_columns + part * whole) * channels + c,
                        (4 * point, 12 * point, point, 3 * point, channels),
                        y_flat,
                        (image * rows + 2 * i) * line + part * whole * 2 * channels + c,
                        (line, below, channels, (1 - part) * channels, 2 * channels),
                    )


@jit
def winograd_convolution_relu_max_pool(
    x: Array, W: Array, b: Array, U: Array, V: Array, M: Array, y: Array, winner: Array
) -> None:
    """As reference.winograd_convolution_relu_max_pool. Each tile is a window of the pooling."""
    n, rows, columns, channels = y.shape
    lanes, point = LINE // y.itemsize, M.shape[1]
    group = fitting(V, M, x.shape[3], channels, columns)
    M_flat, y_flat, winner_flat = M.reshape(-1), y.reshape(-1), winner.reshape(-1)
    _set_panels(W, b, ZERO, U)
    for first in range(0, n * rows, group):
        stop = min(first + group, n * rows)
        tiles = (stop - first) * columns
        _to_points(x, first, stop, V)
        _multiply_points(tiles, U, V, M, x.shape[3], channels)
        for c in range(0, channels, lanes):
            points_to_pooled(
                tiles,
                M_flat,
                c,
                (4 * point, 12 * point, point, 3 * point, channels),
                y_flat,
                winner_flat,
                first * columns * channels + c,
                channels,
            )


@jit
def winograd_weight_gradient(
    x: Array, dy_padded: Array, top: int, left: int, U: Array, V: Array, M: Array, dW: Array
) -> None:
    """As reference.winograd_weight_gradient: U[p] += V[p]ᵀ·M[p], where M has the panels of the points of dy."""
    n_in, n_out = dW.shape[2:]
    rows, columns = x.shape[1] - 2, x.shape[2] - 2
    lanes, height, width = LINE // dW.itemsize, dy_padded.shape[1], dy_padded.shape[2]
    tile_rows, tile_columns = (rows + 1) // 2, (columns + 1) // 2
    group = fitting(V, M, n_in, n_out, tile_columns)
    size = (HEAD + group * tile_columns) * lanes  # of a panel
    point = n_out // lanes * size
    U_flat, M_flat = U.reshape(-1), M.reshape(-1)
    dy_flat, dW_flat = dy_padded.reshape(-1), dW.reshape(-1)
    U_flat[: POINTS * n_in * n_out] = 0
    for first in range(0, len(x) * tile_rows, group):
        stop = min(first + group, len(x) * tile_rows)
        tiles = (stop - first) * tile_columns
        _to_points(x, first, stop, V)
        for r in range(first, stop):
            image, i = r // tile_rows, r % tile_rows
            for c in range(0, n_out, lanes):
                outputs_gradient_to_points(
                    tile_columns,
                    dy_flat,
                    ((image * height + top + 2 * i) * width + left) * n_out + c,
                    (width * n_out, width * n_out, n_out, n_out, 2 * n_out),
                    M_flat,
                    c // lanes * size + (HEAD + (r - first) * tile_columns) * lanes,
                    (4 * point, 12 * point, point, 3 * point, lanes),
                )
        add_weight_points(POINTS, tiles, V, n_in, M_flat, point, size, U_flat, n_out)
    place = n_in * n_out
    for c in range(0, n_out, lanes):
        points_to_weights_gradient(
            n_in,
            U_flat,
            c,
            (4 * place, 12 * place, place, 3 * place, n_out),
            dW_flat,
            c,
            (3 * place, 6 * place, place, 2 * place, n_out),
        )


@jit
def fitting(V: Array, M: Array, n_in: int, n_out: int, tile_columns: int) -> int:
    """How many rows of tiles fit V and M, each of which has one more line."""
    lanes = LINE // V.itemsize
    tiles: int = min((V.shape[1] - lanes) // n_in, (M.shape[1] - lanes) // n_out - HEAD)
    return tiles // tile_columns


@shared_jit
def _set_panels(W: Array, b: Array, is_reversed: int, U: Array) -> None:
    """Write the panels of all points, each with its initial values and n_in lines."""
    n_in, n_out = W.shape[2:]
    lanes, tap = LINE // W.itemsize, n_in * n_out
    n_lines, size = n_out // lanes, (HEAD + n_in) * lanes
    point = n_lines * size
    U_flat, W_flat = U.reshape(-1), W.reshape(-1)
    first, step = (8 * tap, -tap) if is_reversed else (0 * tap, tap)
    start_panels(b, POINTS, BIASED, size, U_flat)
    for j in range(n_lines):
        weights_to_points(
            n_in,
            W_flat,
            first + j * lanes,
            (3 * step, 6 * step, step, 2 * step, n_out),
            U_flat,
            j * size + HEAD * lanes,
            (4 * point, 12 * point, point, 3 * point, lanes),
        )


@shared_jit
def _to_points(x: Array, first: int, stop: int, V: Array) -> None:
    """The points of the rows of tiles from ``first`` to ``stop``, counted over all images."""
    height, width, n_in = x.shape[1:]
    rows, columns = height - 2, width - 2
    lanes, point, line = LINE // x.itemsize, V.shape[1], width * n_in
    tile_rows, tile_columns, whole = (rows + 1) // 2, (columns + 1) // 2, columns // 2
    x_flat, V_flat = x.reshape(-1), V.reshape(-1)
    for r in range(first, stop):
        image, i = r // tile_rows, r % tile_rows
        last = (3 if 2 * i + 1 < rows else 2) * line
        for c in range(0, n_in, lanes):
            for part in range(2):  # tiles of two columns, and the last one if it has one
                numbers_to_points(
                    whole if part == 0 else columns % 2,
                    x_flat,
                    (image * height + 2 * i) * line + part * whole * 2 * n_in + c,
                    (line, last, n_in, (3 - part) * n_in, 2 * n_in),
                    V_flat,
                    ((r - first) * tile_columns + part * whole) * n_in + c,
                    (4 * point, 12 * point, point, 3 * point, n_in),
                )


@jit
def _multiply_points(tiles: int, U: Array, V: Array, M: Array, n_in: int, n_out: int) -> None:
    V_flat = V.reshape(-1)
    multiply_points(POINTS, tiles, ONE, n_in, V_flat, ZERO, V.shape[1], n_in, ZERO, U.reshape(-1), M, n_out)


@shared_jit
def multiply_points(
    points: int,
    tiles: int,
    segments: int,
    steps: int,
    A: Array,
    a_at: int,
    a_point: int,
    a_row: int,
    a_segment: int,
    U: Array,
    C: Array,
    n: int,
) -> None:
    """C[p] (tiles, n) = A[p]·U[p] at every point; C is (points, …), and U has panels of segments · steps lines."""
    lanes = LINE // C.itemsize
    size = (HEAD + segments * steps) * lanes
    C_flat = C.reshape(-1)
    for p in range(points):
        for j in range(n // lanes):
            panel = U[(p * (n // lanes) + j) * size :]
            c_at = p * C.shape[1] + j * lanes
            at = a_at + p * a_point
            multiply(tiles, segments, steps, A, at, a_row, a_segment, ONE, panel, C_flat, c_at, n, lanes, YES)


@shared_jit
def add_weight_points(
    points: int, tiles: int, V: Array, n_in: int, M: Array, m_point: int, m_panel: int, dU: Array, n_out: int
) -> None:
    """dU[p] (n_in, n_out) += V[p]ᵀ·M[p] at every point, where M has panels of ``tiles`` lines."""
    lanes = LINE // dU.itemsize
    V_flat = V.reshape(-1)
    for p in range(points):
        for j in range(n_out // lanes):
            panel = M[p * m_point + j * m_panel :]
            at, c_at = p * V.shape[1], p * n_in * n_out + j * lanes
            multiply(n_in, ONE, tiles, V_flat, at, ONE, ZERO, n_in, panel, dU, c_at, n_out, lanes, NO)


@jit
def start_panels(b: Array, points: int, biased: int, size: int, U: Array) -> None:
    """Set the initial values of all panels: b at the point ``biased``, zeros at the others."""
    lanes = LINE // b.itemsize
    n_lines = b.size // lanes
    for panel in range(points * n_lines):
        for c in range(lanes):
            U[panel * size + c] = 0
    for j in range(n_lines):
        copy(b, j * lanes, U, (biased * n_lines + j) * size, lanes)
