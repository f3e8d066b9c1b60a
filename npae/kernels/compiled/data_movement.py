"""Copying and counting of array elements: rows of a batch, padding of images, channels of weights."""

from typing import Any

import numpy as np

from npae.kernels.jit import jit, shared_jit
from npae.kernels.reference.array import Array
from npae.kernels.simd.copy import copy, fetch
from npae.kernels.simd.llvm import LINE

AHEAD = 4  # rows between the one that is copied and the one that is prefetched


@jit
def take_rows(x: Array, chosen: Array, y: Array) -> None:
    """As reference.take_rows. The rows are not contiguous, so a later one is prefetched while one is copied."""
    x_flat, y_flat = x.reshape(-1), y.reshape(-1)
    size, lanes = x.shape[1], LINE // x.itemsize
    for n in range(chosen.size):
        following = chosen[min(n + AHEAD, chosen.size - 1)] * size
        for i in range(0, size, lanes):
            fetch(x_flat, following + i)
        copy(x_flat, chosen[n] * size, y_flat, n * size, size)


@shared_jit
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


@jit
def take_next(x: Array, place: Array, y: Array) -> None:
    """As reference.take_next."""
    first = place[0]
    for n in range(y.size):
        y[n] = x[first + n]
    place[0] = first + y.size


@jit
def take_block(x: Array, place: Array, y: Array) -> None:
    """As reference.take_block."""
    copy(x.reshape(-1), place[0] * x.shape[1], y.reshape(-1), 0, y.size)


@jit
def put_block(y: Array, place: Array, x: Array) -> None:
    """As reference.put_block."""
    copy(y.reshape(-1), 0, x.reshape(-1), place[0] * x.shape[1], y.size)
    place[0] = min(place[0] + len(y), place[1])


@jit
def count_outside(x: Array, limit: float, count: Array) -> None:
    """As reference.count_outside."""
    count[0] += x.size - _within(x.reshape(-1), x.dtype.type(-limit), x.dtype.type(limit))


@jit
def count_within(x: Array, low: float, high: float, count: Array) -> None:
    """As reference.count_within."""
    count[0] = _within(x.reshape(-1), x.dtype.type(low), x.dtype.type(high))


@shared_jit
def _within(x: Array, low: float, high: float) -> int:
    total = 0
    for first in range(0, x.size, 4096):  # counted in 32 bits, a part at a time, so that the loop is vectorized
        part = x[first : first + 4096]
        within: Any = np.int32(0)
        for i in range(part.size):
            within += np.int32((part[i] >= low) & (part[i] <= high))
        total += within
    return total
