"""Max-pooling, as a loop over the windows."""

import numpy as np


def forward(x, size, stride):
    """The largest value of each window: (N, H, W, C) -> (N, OH, OW, C)."""
    n_rows, n_columns = ((n - k) // s + 1 for n, k, s in zip(x.shape[1:3], size, stride, strict=True))
    y = np.zeros((len(x), n_rows, n_columns, x.shape[3]))
    for i, j in np.ndindex(n_rows, n_columns):
        top, left = i * stride[0], j * stride[1]
        y[:, i, j] = x[:, top : top + size[0], left : left + size[1]].max(axis=(1, 2))
    return y


def backward(g, x, size, stride):
    """dx: g to the first winner of each window."""
    dx = np.zeros(x.shape)
    images, channels = np.ogrid[: x.shape[0], : x.shape[3]]  # (N, 1), (1, C)
    for i, j in np.ndindex(g.shape[1:3]):
        top, left = i * stride[0], j * stride[1]
        cells = x[:, top : top + size[0], left : left + size[1]].reshape(len(x), -1, x.shape[3])
        row, column = np.divmod(cells.argmax(axis=1), size[1])  # (N, C)
        dx[images, top + row, left + column, channels] += g[:, i, j]
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
