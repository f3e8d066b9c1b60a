"""2D pooling and its gradients. The inner loops run along the channels."""

import numpy as np

from npae.kernels.jit import jit
from npae.kernels.reference.array import Array


@jit
def _beats(cell: float, best: float) -> bool:
    """Whether a later cell replaces the best so far: it is larger, or the first NaN."""
    return (cell > best) | ((cell != cell) & (best == best))


@jit
def max_pool(
    x: Array, window_h: int, window_w: int, stride_h: int, stride_w: int, top: int, left: int, y: Array, winner: Array
) -> None:
    """As reference.max_pool: the first maximum wins, and NaN is larger than everything.

    Whole 2×2 windows, the most common, have code of their own, which compares in registers.
    """
    n, height, width, channels = x.shape
    rows, columns = y.shape[1:3]
    for image in range(n):
        for i in range(rows):
            first_row, last_row = max(i * stride_h - top, 0), min(i * stride_h - top + window_h, height)
            for j in range(columns):
                first, last = max(j * stride_w - left, 0), min(j * stride_w - left + window_w, width)
                best, place = y[image, i, j], winner[image, i, j]
                corner = np.int32(first_row * width + first)
                below = np.int32(corner + width)
                if last_row - first_row == 2 and last - first == 2:
                    a, b = x[image, first_row, first], x[image, first_row, first + 1]
                    d, e = x[image, first_row + 1, first], x[image, first_row + 1, first + 1]
                    for c in range(channels):
                        left_above, right_above, left_below, right_below = a[c], b[c], d[c], e[c]
                        above_is_right, below_is_right = (
                            _beats(right_above, left_above),
                            _beats(right_below, left_below),
                        )
                        upper = right_above if above_is_right else left_above
                        lower = right_below if below_is_right else left_below
                        is_lower = _beats(lower, upper)
                        best[c] = lower if is_lower else upper
                        upper_place, lower_place = corner + np.int32(above_is_right), below + np.int32(below_is_right)
                        place[c] = lower_place if is_lower else upper_place
                    continue
                cell = x[image, first_row, first]
                for c in range(channels):
                    best[c] = cell[c]
                    place[c] = corner
                for k in range(first_row, last_row):
                    for m in range(first, last):
                        cell = x[image, k, m]
                        for c in range(channels):
                            wins = _beats(cell[c], best[c])
                            best[c] = cell[c] if wins else best[c]
                            place[c] = k * width + m if wins else place[c]


@jit
def max_pool_gradient(dy: Array, winner: Array, dx: Array) -> None:
    """As reference.max_pool_gradient."""
    n, rows, columns, channels = dy.shape
    dx[...] = 0
    for image in range(n):
        cells = dx[image].reshape(-1)
        for i in range(rows):
            for j in range(columns):
                for c in range(channels):
                    cells[winner[image, i, j, c] * channels + c] += dy[image, i, j, c]


@jit
def average_pool(
    x: Array, window_h: int, window_w: int, stride_h: int, stride_w: int, top: int, left: int, y: Array
) -> None:
    """As reference.average_pool."""
    n, height, width, channels = x.shape
    rows, columns = y.shape[1:3]
    for image in range(n):
        for i in range(rows):
            first_row, last_row = max(i * stride_h - top, 0), min(i * stride_h - top + window_h, height)
            for j in range(columns):
                first, last = max(j * stride_w - left, 0), min(j * stride_w - left + window_w, width)
                mean = y[image, i, j]
                for c in range(channels):
                    mean[c] = 0
                for k in range(first_row, last_row):
                    for m in range(first, last):
                        cell = x[image, k, m]
                        for c in range(channels):
                            mean[c] += cell[c]
                share = y.dtype.type(1 / ((last_row - first_row) * (last - first)))
                for c in range(channels):
                    mean[c] *= share


@jit
def average_pool_gradient(
    dy: Array, window_h: int, window_w: int, stride_h: int, stride_w: int, top: int, left: int, dx: Array
) -> None:
    """As reference.average_pool_gradient."""
    n, rows, columns, channels = dy.shape
    height, width = dx.shape[1:3]
    dx[...] = 0
    for image in range(n):
        for i in range(rows):
            first_row, last_row = max(i * stride_h - top, 0), min(i * stride_h - top + window_h, height)
            for j in range(columns):
                first, last = max(j * stride_w - left, 0), min(j * stride_w - left + window_w, width)
                share = dx.dtype.type(1 / ((last_row - first_row) * (last - first)))
                slope = dy[image, i, j]
                for k in range(first_row, last_row):
                    for m in range(first, last):
                        cell = dx[image, k, m]
                        for c in range(channels):
                            cell[c] += slope[c] * share
