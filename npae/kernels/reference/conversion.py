"""Conversion of stored numbers, such as bytes, to those of a network."""

import numpy as np

from npae.kernels.reference.array import Array


def take_converted(x: Array, chosen: Array, divisor: Array, y: Array) -> None:
    """y[n] = x[chosen[n]] / divisor, for x (M, n) of any type, chosen (N,) of integers, divisor (1,) or (0,), y (N, n).

    The numbers are divided in the divisor's type, then rounded to y's. Without a divisor, (0,), they are rounded only.
    """
    taken = np.take(x, chosen, axis=0, mode="clip")
    if divisor.size:
        taken = taken.astype(divisor.dtype) / divisor
    np.copyto(y, taken, casting="unsafe")
