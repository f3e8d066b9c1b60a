"""Pooling. The first window starts ``top`` rows above and ``left`` columns before the image."""

import numpy as np

from npae.kernels.reference.array import Array


def _spans(n_in: int, n_out: int, window: int, stride: int, before: int) -> list[slice]:
    """For each window along one axis, the cells of the image it covers."""
    starts = [i * stride - before for i in range(n_out)]
    return [slice(max(start, 0), min(start + window, n_in)) for start in starts]


def max_pool(
    x: Array, window_h: int, window_w: int, stride_h: int, stride_w: int, top: int, left: int, y: Array, winner: Array
) -> None:
    """y = the first maximum of each window of x (N, H, W, C); winner = its place, row · W + column."""
    n, height, width, channels = x.shape
    for i, rows in enumerate(_spans(height, y.shape[1], window_h, stride_h, top)):
        for j, columns in enumerate(_spans(width, y.shape[2], window_w, stride_w, left)):
            cells = x[:, rows, columns].reshape(n, -1, channels)  # (N, cells, C)
            best = cells.argmax(axis=1)  # (N, C)
            span = columns.stop - columns.start
            y[:, i, j] = np.take_along_axis(cells, best[:, None], axis=1)[:, 0]
            winner[:, i, j] = (rows.start + best // span) * width + columns.start + best % span


def max_pool_gradient(dy: Array, winner: Array, dx: Array) -> None:
    """dx[winner[i, j]] += dy[i, j], from zero."""
    n, _, _, channels = dy.shape
    dx[...] = 0
    flat = dx.reshape(n, -1, channels)
    sample, channel = np.arange(n)[:, None, None, None], np.arange(channels)
    np.add.at(flat, (sample, winner, channel), dy)


def average_pool(
    x: Array, window_h: int, window_w: int, stride_h: int, stride_w: int, top: int, left: int, y: Array
) -> None:
    """y = the mean of the cells of x (N, H, W, C) that each window covers."""
    for i, rows in enumerate(_spans(x.shape[1], y.shape[1], window_h, stride_h, top)):
        for j, columns in enumerate(_spans(x.shape[2], y.shape[2], window_w, stride_w, left)):
            y[:, i, j] = x[:, rows, columns].mean(axis=(1, 2))


def average_pool_gradient(
    dy: Array, window_h: int, window_w: int, stride_h: int, stride_w: int, top: int, left: int, dx: Array
) -> None:
    """Each cell of a window receives dy / cells, from zero."""
    dx[...] = 0
    for i, rows in enumerate(_spans(dx.shape[1], dy.shape[1], window_h, stride_h, top)):
        for j, columns in enumerate(_spans(dx.shape[2], dy.shape[2], window_w, stride_w, left)):
            cells = (rows.stop - rows.start) * (columns.stop - columns.start)
            dx[:, rows, columns] += dy[:, i, j][:, None, None] / cells
