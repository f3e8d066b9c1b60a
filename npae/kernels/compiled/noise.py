"""Noise: y and ``keep`` = ∂y/∂x, from random numbers ``drawn`` before; arrays have the same shape."""

from npae.kernels.jit import jit
from npae.kernels.reference.array import Array


@jit
def gaussian_noise(x: Array, drawn: Array, level: float, low: float, high: float, y: Array, keep: Array) -> None:
    """As reference.gaussian_noise; NaN is preserved."""
    x_flat, drawn_flat, y_flat, keep_flat = x.reshape(-1), drawn.reshape(-1), y.reshape(-1), keep.reshape(-1)
    number = y.dtype.type
    strength, least, most = number(level), number(low), number(high)
    for i in range(y_flat.size):
        value = x_flat[i] + strength * drawn_flat[i]
        clipped = least if value < least else value
        clipped = most if clipped > most else clipped
        y_flat[i] = clipped
        keep_flat[i] = number(1) if clipped == value else number(0)


@jit
def masking_noise(x: Array, drawn: Array, level: float, scale: float, y: Array, keep: Array) -> None:
    """As reference.masking_noise."""
    x_flat, drawn_flat, y_flat, keep_flat = x.reshape(-1), drawn.reshape(-1), y.reshape(-1), keep.reshape(-1)
    number = y.dtype.type
    least, factor = number(level), number(scale)
    for i in range(y_flat.size):
        kept = number(0) if drawn_flat[i] < least else factor
        keep_flat[i] = kept
        y_flat[i] = x_flat[i] * kept


@jit
def salt_and_pepper_noise(x: Array, drawn: Array, level: float, y: Array, keep: Array) -> None:
    """As reference.salt_and_pepper_noise."""
    x_flat, drawn_flat, y_flat, keep_flat = x.reshape(-1), drawn.reshape(-1), y.reshape(-1), keep.reshape(-1)
    number = y.dtype.type
    least, salt = number(level), number(level / 2)
    for i in range(y_flat.size):
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
