"""Conversion of stored numbers, such as bytes, to those of a network."""

from npae.kernels.jit import jit
from npae.kernels.reference.array import Array
from npae.kernels.simd.copy import fetch
from npae.kernels.simd.llvm import LINE

AHEAD = 4  # rows between the one that is converted and the one that is prefetched


@jit
def take_converted(x: Array, chosen: Array, divisor: Array, y: Array) -> None:
    """As reference.take_converted, to the bit. A later row is prefetched while one is converted."""
    flat, size, lanes = x.reshape(-1), x.shape[1], LINE // x.itemsize
    for n in range(chosen.size):
        following = chosen[min(n + AHEAD, chosen.size - 1)] * size
        for i in range(0, size, lanes):
            fetch(flat, following + i)
        if divisor.size:
            _divide(x[chosen[n]], divisor[0], y[n])
        else:
            _round(x[chosen[n]], y[n])


@jit
def _divide(row: Array, divisor: float, y: Array) -> None:
    for i in range(row.size):
        y[i] = type(divisor)(row[i]) / divisor


@jit
def _round(row: Array, y: Array) -> None:
    for i in range(row.size):
        y[i] = row[i]
