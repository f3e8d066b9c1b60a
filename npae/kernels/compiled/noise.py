"""Noise: y and ``keep`` = ∂y/∂x, from random numbers ``drawn`` before; arrays have the same shape, (N, ...).

``level`` (N,) holds the amount of noise of each sample. Each is a slice, since LLVM makes no vectors of a loop whose
first index is computed: it may be negative, which to Numba counts from the end.
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
        strength, first = level[n], n * size
        clean, noise = x_flat[first:][:size], drawn_flat[first:][:size]
        noisy, kept = y_flat[first:][:size], keep_flat[first:][:size]
        for i in range(size):
            value = clean[i] + strength * noise[i]
            clipped = least if value < least else value
            clipped = most if clipped > most else clipped
            noisy[i] = clipped
            kept[i] = number(1) if clipped == value else number(0)


@jit
def masking_noise(x: Array, drawn: Array, level: Array, scale: float, y: Array, keep: Array) -> None:
    """As reference.masking_noise."""
    x_flat, drawn_flat, y_flat, keep_flat = x.reshape(-1), drawn.reshape(-1), y.reshape(-1), keep.reshape(-1)
    number = y.dtype.type
    factor = number(scale)
    size = y_flat.size // max(level.size, 1)
    for n in range(level.size):
        least, first = level[n], n * size
        clean, chance = x_flat[first:][:size], drawn_flat[first:][:size]
        noisy, kept = y_flat[first:][:size], keep_flat[first:][:size]
        for i in range(size):
            kept[i] = number(0) if chance[i] < least else factor
            noisy[i] = clean[i] * kept[i]


@jit
def salt_and_pepper_noise(x: Array, drawn: Array, level: Array, y: Array, keep: Array) -> None:
    """As reference.salt_and_pepper_noise."""
    x_flat, drawn_flat, y_flat, keep_flat = x.reshape(-1), drawn.reshape(-1), y.reshape(-1), keep.reshape(-1)
    number = y.dtype.type
    size = y_flat.size // max(level.size, 1)
    for n in range(level.size):
        least, salt, first = level[n], level[n] / number(2), n * size
        clean, chance = x_flat[first:][:size], drawn_flat[first:][:size]
        noisy, kept = y_flat[first:][:size], keep_flat[first:][:size]
        for i in range(size):
            added = number(1) if chance[i] < salt else number(0)
            kept[i] = number(0) if chance[i] < least else number(1)
            noisy[i] = clean[i] * kept[i] + added


@jit
def multiply(a: Array, b: Array, c: Array) -> None:
    """As reference.multiply."""
    a_flat, b_flat, c_flat = a.reshape(-1), b.reshape(-1), c.reshape(-1)
    for i in range(c_flat.size):
        c_flat[i] = a_flat[i] * b_flat[i]
