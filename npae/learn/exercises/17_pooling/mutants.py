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


@mutant("max_backward", "one winner for all channels", "Each channel is pooled for itself.")
def one_winner(right, g, x, size, stride):
    dx = np.zeros(x.shape)
    for n, i, j in np.ndindex(g.shape[:3]):
        top, left = i * stride[0], j * stride[1]
        cells = x[n, top : top + size[0], left : left + size[1]]
        row, column, _ = np.unravel_index(cells.argmax(), cells.shape)
        dx[n, top + row, left + column] += g[n, i, j]
    return dx
