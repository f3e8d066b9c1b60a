"""Max-pooling and average-pooling, as loops over the windows."""

import numpy as np


def windows(x, size, stride):
    """(i, j, rows, columns) of every window; y[:, i, j] is made of x[:, rows, columns]."""
    for i in range((x.shape[1] - size[0]) // stride[0] + 1):
        for j in range((x.shape[2] - size[1]) // stride[1] + 1):
            top, left = i * stride[0], j * stride[1]
            yield i, j, slice(top, top + size[0]), slice(left, left + size[1])


def pooled(x, size, stride, of_window):
    """y, with of_window making (N, C) of a window (N, kh, kw, C)."""
    n_rows, n_columns = ((n - k) // s + 1 for n, k, s in zip(x.shape[1:3], size, stride, strict=True))
    y = np.zeros((len(x), n_rows, n_columns, x.shape[3]))
    for i, j, rows, columns in windows(x, size, stride):
        y[:, i, j] = of_window(x[:, rows, columns])
    return y


def max_pool(x, size, stride):
    """The largest value of each window."""
    return pooled(x, size, stride, lambda cells: cells.max(axis=(1, 2)))


def average_pool(x, size, stride):
    """The mean of each window."""
    return pooled(x, size, stride, lambda cells: cells.mean(axis=(1, 2)))


def max_backward(g, x, size, stride):
    """dx: g to the first winner of each window."""
    dx = np.zeros(x.shape)
    images, channels = np.ogrid[: x.shape[0], : x.shape[3]]  # (N, 1), (1, C)
    for i, j, rows, columns in windows(x, size, stride):
        cells = x[:, rows, columns].reshape(len(x), -1, x.shape[3])  # (N, kh·kw, C)
        row, column = np.divmod(cells.argmax(axis=1), size[1])  # (N, C)
        dx[images, rows.start + row, columns.start + column, channels] += g[:, i, j]
    return dx


def average_backward(g, x, size, stride):
    """dx: an equal share of g to every cell of each window."""
    dx = np.zeros(x.shape)
    for i, j, rows, columns in windows(x, size, stride):
        dx[:, rows, columns] += g[:, i, j][:, None, None] / (size[0] * size[1])
    return dx


def draw(rng, ties=False, turn=0):
    """Windows that overlap and leave a remainder, values that all differ; with ``ties`` many that are equal."""
    n, n_channels = (3, 2) if turn == 2 else (2, 3)
    sides = {"size": (3, 2), "stride": (2, 1), "shape": (int(rng.choice([6, 8])), int(rng.choice([5, 7])))}
    turned = slice(None, None, -1 if turn % 2 else 1)
    height, width = sides["shape"][turned]
    shape = (n, height, width, n_channels)
    x = rng.permutation(np.prod(shape)).reshape(shape) / 60 - 2.5
    return {
        "x": np.round(x) if ties else x,
        "size": sides["size"][turned],
        "stride": sides["stride"][turned],
        "padding": ((0, 0), (0, 0)),
        "counts_border": False,
    }
