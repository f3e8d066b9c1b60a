"""2D pooling; the first window starts ``top`` rows above and ``left`` columns to the left of the image."""

import numpy as np

from npae.kernels.reference.array import Array


def _spans(n_in: int, n_out: int, window: int, stride: int, before: int) -> list[slice]:
    """For each window along one axis, the range of cells of the image that it covers."""
    starts = [i * stride - before for i in range(n_out)]
    return [slice(max(start, 0), min(start + window, n_in)) for start in starts]


def max_pool(
    x: Array, window_h: int, window_w: int, stride_h: int, stride_w: int, top: int, left: int, y: Array, winner: Array
) -> None:
    """y = the maximum of each window of x (N, H, W, C); winner = row · W + column of the first cell that has it."""
    n, height, width, channels = x.shape
    for i, rows in enumerate(_spans(height, y.shape[1], window_h, stride_h, top)):
        for j, columns in enumerate(_spans(width, y.shape[2], window_w, stride_w, left)):
            cells = x[:, rows, columns].reshape(n, -1, channels)  # (N, cells, C)
            best = cells.argmax(axis=1)  # (N, C)
            span = columns.stop - columns.start
            y[:, i, j] = np.take_along_axis(cells, best[:, None], axis=1)[:, 0]
            winner[:, i, j] = (rows.start + best // span) * width + columns.start + best % span


def max_pool_gradient(dy: Array, winner: Array, dx: Array) -> None:
    """dx = 0, then dx[winner[i, j]] += dy[i, j]."""
    n, _, _, channels = dy.shape
    dx[...] = 0
    flat = dx.reshape(n, -1, channels)
    sample, channel = np.arange(n)[:, None, None, None], np.arange(channels)
    np.add.at(flat, (sample, winner, channel), dy)


def average_pool(
    x: Array, window_h: int, window_w: int, stride_h: int, stride_w: int, top: int, left: int, y: Array
) -> None:
    """y = the mean over the cells of x (N, H, W, C) that each window covers."""
    for i, rows in enumerate(_spans(x.shape[1], y.shape[1], window_h, stride_h, top)):
        for j, columns in enumerate(_spans(x.shape[2], y.shape[2], window_w, stride_w, left)):
            y[:, i, j] = x[:, rows, columns].mean(axis=(1, 2))


def average_pool_gradient(
    dy: Array, window_h: int, window_w: int, stride_h: int, stride_w: int, top: int, left: int, dx: Array
) -> None:
    """dx = 0, then dx += dy[i, j] / (number of cells) in each cell that window (i, j) covers."""
    dx[...] = 0
    for i, rows in enumerate(_spans(dx.shape[1], dy.shape[1], window_h, stride_h, top)):
        for j, columns in enumerate(_spans(dx.shape[2], dy.shape[2], window_w, stride_w, left)):
            cells = (rows.stop - rows.start) * (columns.stop - columns.start)
            dx[:, rows, columns] += dy[:, i, j][:, None, None] / cells
