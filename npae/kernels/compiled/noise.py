"""Noise: y and ``keep`` = ∂y/∂x, from random numbers ``drawn`` before; arrays have the same shape, (N, ...).

``level`` (N,) holds the amount of noise of each sample.
"""

from npae.kernels.jit import jit
from npae.kernels.reference.array import Array


@jit
def noise_level(drawn: Array, low: float, high: float, level: Array) -> None:
    """As reference.noise_level."""
    number = level.dtype.type
    least, width = number(low), number(high) - number(low)
    for i in range(level.size):
        level[i] = least + width * drawn[i]


@jit
def gaussian_noise(x: Array, drawn: Array, level: Array, low: float, high: float, y: Array, keep: Array) -> None:
    """As reference.gaussian_noise; NaN is preserved."""
    x_flat, drawn_flat, y_flat, keep_flat = x.reshape(-1), drawn.reshape(-1), y.reshape(-1), keep.reshape(-1)
    number = y.dtype.type
    least, most = number(low), number(high)
    size = y_flat.size // max(level.size, 1)
    for n in range(level.size):
        strength = level[n]
        for i in range(n * size, (n + 1) * size):
            value = x_flat[i] + strength * drawn_flat[i]
            clipped = least if value < least else value
            clipped = most if clipped > most else clipped
            y_flat[i] = clipped
            keep_flat[i] = number(1) if clipped == value else number(0)


@jit
def masking_noise(x: Array, drawn: Array, level: Array, scale: float, y: Array, keep: Array) -> None:
    """As reference.masking_noise."""
    x_flat, drawn_flat, y_flat, keep_flat = x.reshape(-1), drawn.reshape(-1), y.reshape(-1), keep.reshape(-1)
    number = y.dtype.type
    factor = number(scale)
    size = y_flat.size // max(level.size, 1)
    for n in range(level.size):
        least = level[n]
        for i in range(n * size, (n + 1) * size):
            kept = number(0) if drawn_flat[i] < least else factor
            keep_flat[i] = kept
            y_flat[i] = x_flat[i] * kept


@jit
def salt_and_pepper_noise(x: Array, drawn: Array, level: Array, y: Array, keep: Array) -> None:
    """As reference.salt_and_pepper_noise."""
    x_flat, drawn_flat, y_flat, keep_flat = x.reshape(-1), drawn.reshape(-1), y.reshape(-1), keep.reshape(-1)
    number = y.dtype.type
    size = y_flat.size // max(level.size, 1)
    for n in range(level.size):
        least, salt = level[n], level[n] / number(2)
        for i in range(n * size, (n + 1) * size):
            kept = number(0) if drawn_flat[i] < least else number(1)
            added = number(1) if drawn_flat[i] < salt else number(0)
            keep_flat[i] = kept
            y_flat[i] = x_flat[i] * kept + added


@jit
def multiply(a: Array, b: Array, c: Array) -> None:
    """As reference.multiply."""
    a_flat, b_flat, c_flat = a.reshape(-1), b.reshape(-1), c.reshape(-1)
    for i in range(c_flat.size):
        c_flat[i] = a_flat[i] * b_flat[i]
