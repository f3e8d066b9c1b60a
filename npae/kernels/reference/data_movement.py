"""Copying and counting of array elements."""

import numpy as np

from npae.kernels.reference.array import Array


def take_rows(x: Array, chosen: Array, y: Array) -> None:
    """y[n] = x[chosen[n]], for x (M, n), chosen (N,) of integers, y (N, n)."""
    np.take(x, chosen, axis=0, out=y, mode="clip")


def take_next(x: Array, place: Array, y: Array) -> None:
    """y = x[place[0] : place[0] + N]; then place[0] += N, for x (M,), place (1,), y (N,)."""
    y[...] = x[place[0] :][: len(y)]
    place[0] += len(y)


def take_block(x: Array, place: Array, y: Array) -> None:
    """y = x[place[0] : place[0] + N], for x (M, n), place (2,), y (N, n)."""
    y[...] = x[place[0] :][: len(y)]


def put_block(y: Array, place: Array, x: Array) -> None:
    """x[place[0] : place[0] + N] = y; then place[0] = min(place[0] + N, place[1]), for x (M, n), y (N, n)."""
    x[place[0] :][: len(y)] = y
    place[0] = min(place[0] + len(y), place[1])


def pad(x: Array, top: int, left: int, y: Array) -> None:
    """y[:, top : top + H, left : left + W] = x, for x (N, H, W, C); the rest of y does not change."""
    height, width = x.shape[1:3]
    y[:, top : top + height, left : left + width] = x


def swap_channels(W: Array, W_transposed: Array) -> None:
    """W_transposed[k, m] = W[k, m]ᵀ, for W (kh, kw, in, out), W_transposed (kh, kw, out, in)."""
    W_transposed[...] = W.transpose(0, 1, 3, 2)


def count_within(x: Array, low: float, high: float, count: Array) -> None:
    """count (1,) = number of values of x in [low, high], without NaN."""
    count[0] = np.count_nonzero((x >= low) & (x <= high))


def count_outside(x: Array, limit: float, count: Array) -> None:
    """count (1,) += number of values of x outside [−limit, limit], including NaN."""
    count[0] += np.count_nonzero(~(np.abs(x) <= limit))
