"""Moving numbers: rows of a batch, an image into its border, the channels of weights."""

from npae.kernels.copy import copy
from npae.kernels.jit import jit
from npae.kernels.reference import Array


@jit
def take_rows(x: Array, chosen: Array, y: Array) -> None:
    """As reference.take_rows."""
    x_flat, y_flat = x.reshape(-1), y.reshape(-1)
    size = x.shape[1]
    for n in range(chosen.size):
        copy(x_flat, chosen[n] * size, y_flat, n * size, size)


@jit
def pad(x: Array, top: int, left: int, y: Array) -> None:
    """As reference.pad."""
    n, height, width, channels = x.shape
    padded_height, padded_width = y.shape[1:3]
    x_flat, y_flat = x.reshape(-1), y.reshape(-1)
    line = width * channels
    for image in range(n):
        for i in range(height):
            place = ((image * padded_height + top + i) * padded_width + left) * channels
            copy(x_flat, (image * height + i) * line, y_flat, place, line)


@jit
def swap_channels(W: Array, W_transposed: Array) -> None:
    """As reference.swap_channels."""
    kh, kw, n_in, n_out = W.shape
    for k in range(kh):
        for m in range(kw):
            for i in range(n_in):
                for j in range(n_out):
                    W_transposed[k, m, j, i] = W[k, m, i, j]
