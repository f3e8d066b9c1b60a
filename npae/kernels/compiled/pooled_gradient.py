"""The gradient of convolution, ReLU and 2×2 max pooling, computed from the winner of each window; see ``winners``.

Patches are divided into parts that fit the registers. Columns that fill lines are added up a line at a time, for one
output channel after the other; the rest of each row, which is all of it in images of one channel, a number at a time
with lines of output channels.
"""

import numpy as np

from npae.kernels.jit import jit, shared_jit
from npae.kernels.reference.array import Array
from npae.kernels.simd.copy import copy
from npae.kernels.simd.llvm import LINE
from npae.kernels.simd.winners import (
    CHANNELS,
    NONE,
    PARTS,
    PATCH_COLUMNS,
    PATCH_ROWS,
    Steps,
    add_numbers,
    add_patches,
    add_weights,
)

WINDOWS = 512  # of a row that are added at once, so that 32 KiB are enough for their copies


@jit
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
    """As reference.convolution_relu_max_pool_gradient."""
    line = x.shape[2] * x.shape[3]
    steps = (2 * stride_h * line, 2 * stride_w * x.shape[3], stride_h * line, stride_w * x.shape[3], line)
    _add_slopes(dy, winner, db)
    _gradient_by_lines(x, dy, winner, steps, dW_lines, dW)
    _gradient_by_numbers(x, dy, winner, steps, dW)
    if needs_dx:
        _input_gradient(dy, winner, W, steps, top, left, W_lines, dx_padded, x.shape, dx)


@jit
def _add_slopes(dy: Array, winner: Array, db: Array) -> None:
    """db = the sum of dy over the windows that have a winner; as in column_sum, several windows at once."""
    channels, zero = db.size, db.dtype.type(0)
    together = max(1, 64 // channels)
    dy_flat, winner_flat = dy.reshape(-1), winner.reshape(-1)
    partial = db if together == 1 else np.empty(together * channels, db.dtype)
    partial[:] = 0
    for first in range(0, dy_flat.size, partial.size):
        slopes, cells = dy_flat[first : first + partial.size], winner_flat[first : first + partial.size]
        for j in range(slopes.size):
            partial[j] += zero if cells[j] == NONE else slopes[j]
    for c in range(channels):
        db[c] = partial[c]
        for i in range(1, together):
            db[c] += partial[i * channels + c]


@jit
def _rows_at_once(left: int, n_columns: int) -> int:
    """How many rows of a patch of so many columns are computed at once where ``left`` rows are left."""
    return PATCH_ROWS if left >= PATCH_ROWS else left if n_columns == 1 else 1


@jit
def _part(n_rows: int, left: int) -> int:
    """The largest part of a patch, its number in ``PARTS``, of so many rows where ``left`` columns are left."""
    part, n_columns = 0, 0
    for i in range(len(PARTS)):
        if PARTS[i][0] == n_rows and n_columns < PARTS[i][1] <= left:
            part, n_columns = i + 1, PARTS[i][1]
    return part


@shared_jit
def _gradient_by_lines(x: Array, dy: Array, winner: Array, steps: Steps, dW_lines: Array, dW: Array) -> None:
    """dW at the columns of patches that fill whole lines."""
    kh, kw, n_in, n_out = dW.shape
    lanes = LINE // x.itemsize
    n_lines = kw * n_in // lanes
    size, row = x.shape[1] * steps[4], dW_lines.shape[2]
    x_flat, dy_flat, winner_flat, lines = x.reshape(-1), dy.reshape(-1), winner.reshape(-1), dW_lines.reshape(-1)
    dW_lines[...] = 0
    for image in range(len(x)):
        k = 0
        while k < kh:
            n_rows = _rows_at_once(kh - k, n_lines)
            m = 0
            while m < n_lines:
                part = _part(n_rows, n_lines - m)
                for c in range(n_out):
                    add_patches(
                        part,
                        dy.shape[1],
                        dy.shape[2],
                        x_flat,
                        image * size + k * steps[4] + m * lanes,
                        steps,
                        dy_flat,
                        image * dy.shape[1] * dy.shape[2] * n_out + c,
                        winner_flat,
                        n_out,
                        lines,
                        (c * kh + k) * row + m * lanes,
                        row,
                    )
                m += PARTS[part - 1][1]
            k += n_rows
    dW_rows = dW.reshape(kh, kw * n_in, n_out)
    for k in range(kh):
        for i in range(n_lines * lanes):
            for c in range(n_out):
                dW_rows[k, i, c] = dW_lines[c, k, i]


@shared_jit
def _gradient_by_numbers(x: Array, dy: Array, winner: Array, steps: Steps, dW: Array) -> None:
    """dW at the columns of patches after the last whole line."""
    kh, kw, n_in, n_out = dW.shape
    lanes = LINE // x.itemsize
    window, rows, columns = kw * n_in, dy.shape[1], dy.shape[2]
    size = x.shape[1] * steps[4]
    x_flat, dy_flat, winner_flat, dW_flat = x.reshape(-1), dy.reshape(-1), winner.reshape(-1), dW.reshape(-1)
    total = np.zeros(PATCH_ROWS * PATCH_COLUMNS * lanes, x.dtype)
    # channels that do not fill a line are copied to these, in which the rest of a line stays zero
    most = min(columns, WINDOWS)
    slopes, cells = np.zeros(most * lanes, x.dtype), np.zeros(most * lanes, np.uint8)
    for j in range(0, n_out, lanes):
        n_channels = min(lanes, n_out - j)
        k = 0
        while k < kh:
            n_rows = _rows_at_once(kh - k, window % lanes)
            m = window // lanes * lanes
            while m < window:
                part = _part(n_rows, window - m)
                n_columns = PARTS[part - 1][1]
                total[:] = 0
                for i in range(len(x) * rows):
                    x_at = i // rows * size + i % rows * steps[0] + k * steps[4] + m
                    for first in range(0, columns, most):
                        n_windows = min(most, columns - first)
                        at, channels = (i * columns + first) * n_out + j, n_out
                        if n_channels < lanes:
                            for q in range(n_windows):
                                copy(dy_flat, at + q * n_out, slopes, q * lanes, n_channels)
                                copy(winner_flat, at + q * n_out, cells, q * lanes, n_channels)
                            at, channels = 0, lanes
                        whole = n_channels == lanes
                        source, winners = dy_flat if whole else slopes, winner_flat if whole else cells
                        seen = x_at + first * steps[1]
                        add_numbers(part, n_windows, x_flat, seen, steps, source, at, winners, channels, total)
                for r in range(n_rows):
                    for s in range(n_columns):
                        place = ((k + r) * window + m + s) * n_out + j
                        copy(total, (r * n_columns + s) * lanes, dW_flat, place, n_channels)
                m += n_columns
            k += n_rows


@shared_jit
def _input_gradient(
    dy: Array,
    winner: Array,
    W: Array,
    steps: Steps,
    top: int,
    left: int,
    W_lines: Array,
    dx_padded: Array,
    padded: tuple[int, int, int, int],
    dx: Array,
) -> None:
    """dx, of one padded image after the other; ``padded`` is the shape of them all."""
    kh, kw, n_in, n_out = W.shape
    lanes = LINE // dx.itemsize
    rows, columns, window, line = dy.shape[1], dy.shape[2], kw * n_in, steps[4]
    n_lines, row = -(-window // lanes), W_lines.shape[2]
    dy_flat, winner_flat, W_flat, dx_flat = dy.reshape(-1), winner.reshape(-1), W.reshape(-1), dx.reshape(-1)
    lines = W_lines.reshape(-1)
    lines[:] = 0
    for k in range(kh):
        for i in range(window):
            for c in range(n_out):
                lines[(c * kh + k) * row + i] = W_flat[(k * window + i) * n_out + c]
    cells = np.zeros(CHANNELS, np.uint8)  # the last channels of the last window, which may not fill the array
    for image in range(len(dy)):
        dx_padded[:] = 0
        for j in range(0, n_out, CHANNELS):
            n_channels = min(CHANNELS, n_out - j)
            k = 0
            while k < kh:
                n_rows = _rows_at_once(kh - k, n_lines)
                m = 0
                while m < n_lines:
                    part = _part(n_rows, n_lines - m)
                    for p in range(rows):
                        for q in range(columns):
                            at = ((image * rows + p) * columns + q) * n_out + j
                            near_end = at + CHANNELS > winner_flat.size
                            if near_end:
                                copy(winner_flat, at, cells, 0, n_channels)
                            add_weights(
                                part,
                                n_channels,
                                lines,
                                (j * kh + k) * row + m * lanes,
                                kh * row,
                                row,
                                steps,
                                dy_flat,
                                at,
                                cells if near_end else winner_flat,
                                0 if near_end else at,
                                dx_padded,
                                p * steps[0] + q * steps[1] + k * line + m * lanes,
                            )
                    m += PARTS[part - 1][1]
                k += n_rows
        for i in range(dx.shape[1]):
            place = (image * dx.shape[1] + i) * dx.shape[2] * n_in
            copy(dx_padded, ((top + i) * padded[2] + left) * n_in, dx_flat, place, dx.shape[2] * n_in)
