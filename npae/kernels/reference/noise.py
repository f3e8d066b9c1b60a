"""Noise: y and ``keep`` = ∂y/∂x, from random numbers ``drawn`` before; arrays have the same shape, (N, ...).

``level`` (N,) holds the amount of noise of each sample.
"""

import numpy as np

from npae.kernels.reference.array import Array


def noise_level(drawn: Array, low: float, high: float, level: Array) -> None:
    """level (N,) = low + (high − low) · drawn."""
    number = level.dtype.type
    level[...] = number(low) + (number(high) - number(low)) * drawn


def gaussian_noise(x: Array, drawn: Array, level: Array, low: float, high: float, y: Array, keep: Array) -> None:
    """y = x + level · drawn, clipped to [low, high]; keep = 0 where it was clipped, else 1."""
    unclipped = x + _of_samples(level, x) * drawn
    np.clip(unclipped, low, high, out=y)
    keep[...] = unclipped == y


def masking_noise(x: Array, drawn: Array, level: Array, scale: float, y: Array, keep: Array) -> None:
    """y = keep · x; keep = 0 where drawn < level, else scale."""
    keep[...] = np.where(drawn < _of_samples(level, x), 0, scale)
    np.multiply(x, keep, out=y)


def salt_and_pepper_noise(x: Array, drawn: Array, level: Array, y: Array, keep: Array) -> None:
    """y = 1 where drawn < level / 2, else 0 where drawn < level, else x; keep = 1 where y = x by the last rule."""
    level = _of_samples(level, x)
    keep[...] = drawn >= level
    y[...] = x * keep + (drawn < level / 2)


def _of_samples(level: Array, x: Array) -> Array:
    """(N,) -> (N, 1, ...), with as many axes as x."""
    return level.reshape(-1, *(1,) * (x.ndim - 1))


def multiply(a: Array, b: Array, c: Array) -> None:
    """c = a · b, element by element."""
    np.multiply(a, b, out=c)
