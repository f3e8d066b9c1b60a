"""Noise: y and ``keep`` = ∂y/∂x, from random numbers ``drawn`` before; arrays have the same shape."""

import numpy as np

from npae.kernels.reference.array import Array


def gaussian_noise(x: Array, drawn: Array, level: float, low: float, high: float, y: Array, keep: Array) -> None:
    """y = x + level · drawn, clipped to [low, high]; keep = 0 where it was clipped, else 1."""
    unclipped = x + level * drawn
    np.clip(unclipped, low, high, out=y)
    keep[...] = unclipped == y


def masking_noise(x: Array, drawn: Array, level: float, scale: float, y: Array, keep: Array) -> None:
    """y = keep · x; keep = 0 where drawn < level, else scale."""
    keep[...] = np.where(drawn < level, 0, scale)
    np.multiply(x, keep, out=y)


def salt_and_pepper_noise(x: Array, drawn: Array, level: float, y: Array, keep: Array) -> None:
    """y = 1 where drawn < level / 2, else 0 where drawn < level, else x; keep = 1 where y = x by the last rule."""
    keep[...] = drawn >= level
    y[...] = x * keep + (drawn < level / 2)


def multiply(a: Array, b: Array, c: Array) -> None:
    """c = a · b, element by element."""
    np.multiply(a, b, out=c)
