"""Known mistakes of pooling beside those of the library."""

import numpy as np

from npae.learn.mutant import mutant


@mutant("max_backward", "g := 1", "Multiply by the gradient from above.", name="drops-upstream")
def max_drops_upstream(right, g, x, size, stride):
    return right(np.ones_like(g), x, size, stride)


@mutant("average_backward", "g := 1", "Multiply by the gradient from above.", name="drops-upstream")
def average_drops_upstream(right, g, x, size, stride):
    return right(np.ones_like(g), x, size, stride)


@mutant(
    "max_backward",
    "the winner's place read by columns",
    "A place in a row of cells is a row and a column, in this order.",
)
def order_F(right, g, x, size, stride):
    dx = np.zeros(x.shape)
    images, channels = np.ogrid[: x.shape[0], : x.shape[3]]
    for i, j in np.ndindex(g.shape[1:3]):
        top, left = i * stride[0], j * stride[1]
        cells = x[:, top : top + size[0], left : left + size[1]].reshape(len(x), -1, x.shape[3])
        row, column = np.unravel_index(cells.argmax(axis=1), size, order="F")
        dx[images, top + row, left + column, channels] += g[:, i, j]
    return dx


def scattered(g, x, size, stride, share):
    """dx, to which every window (N, kh, kw, C) adds what ``share`` makes of it and of its g (N, 1, 1, C)."""
    dx = np.zeros(x.shape)
    for i, j in np.ndindex(g.shape[1:3]):
        top, left = i * stride[0], j * stride[1]
        cells = np.s_[:, top : top + size[0], left : left + size[1]]
        dx[cells] += share(x[cells], g[:, i, j][:, None, None])
    return dx


@mutant("max_backward", "g to the last winner", "Of equal cells the first in reading order wins.", needs="ties")
def last_winner(right, g, x, size, stride):
    def share(cells, g):
        flat = cells.reshape(len(cells), -1, cells.shape[3])[:, ::-1]
        last = np.arange(flat.shape[1])[None, ::-1, None] == flat.argmax(axis=1)[:, None]
        return g * last.reshape(cells.shape)

    return scattered(g, x, size, stride, share)


@mutant("max_backward", "g split evenly", "Of equal cells the first in reading order wins alone.", needs="ties")
def even_split(right, g, x, size, stride):
    def share(cells, g):
        won = cells == cells.max(axis=(1, 2), keepdims=True)
        return g * won / won.sum(axis=(1, 2), keepdims=True)

    return scattered(g, x, size, stride, share)


@mutant("max_backward", "dx[window] = g to the winner, 0 to the others", "What arrives from several windows adds up.")
def window_assign(right, g, x, size, stride):
    dx = np.zeros(x.shape)
    for i, j in np.ndindex(g.shape[1:3]):
        top, left = i * stride[0], j * stride[1]
        window = np.s_[:, top : top + size[0], left : left + size[1]]
        cells = x[window].reshape(len(x), -1, x.shape[3])
        won = np.arange(cells.shape[1])[None, :, None] == cells.argmax(axis=1)[:, None]
        dx[window] = (g[:, i, j][:, None] * won).reshape(x[window].shape)
    return dx


@mutant("max_backward", "one winner for all channels", "Each channel is pooled for itself.")
def one_winner(right, g, x, size, stride):
    dx = np.zeros(x.shape)
    for n, i, j in np.ndindex(g.shape[:3]):
        top, left = i * stride[0], j * stride[1]
        cells = x[n, top : top + size[0], left : left + size[1]]
        row, column, _ = np.unravel_index(cells.argmax(), cells.shape)
        dx[n, top + row, left + column] += g[n, i, j]
    return dx
