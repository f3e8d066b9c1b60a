"""Memory that starts at a cache line, where vector instructions read and write it fastest."""

from typing import Any

import numpy as np

from npae.utils.types import Array

ALIGNMENT = 64  # bytes: a cache line, and the widest vector register
PAGE = 4096  # bytes of a page of memory
APART = 512  # bytes between the places within a page at which two vectors start


def aligned_empty(nbytes: int, multiple: int = ALIGNMENT, beyond: int = 0) -> Array:
    """Uninitialised bytes (nbytes,), of which the first lies ``beyond`` bytes after a multiple of ``multiple``."""
    raw = np.empty(nbytes + multiple, dtype=np.uint8)
    offset = (beyond - raw.ctypes.data) % multiple
    return raw[offset : offset + nbytes]


def zero_vector(size: int, dtype: Any, number: int) -> Array:
    """Zeros (size,) for θ, number 0, dθ, 1, or from 2 on what an optimizer remembers and a copy of θ.

    The loop of an optimizer reads and writes all of them at once. It took three times as long where some did not start
    at a cache line, and a third longer where all started at the same place of a page, so that a processor takes a read
    of one for a read of what it is about to write to another.
    """
    dtype = np.dtype(dtype)
    vector: Array = aligned_empty(size * dtype.itemsize, PAGE, number * APART % PAGE).view(dtype)
    vector[...] = 0
    return vector


def round_up(n: int, multiple: int) -> int:
    """The least multiple that is at least n."""
    return -(-n // multiple) * multiple
