"""Memory that starts at a cache line, where vector instructions read and write it fastest."""

import numpy as np

from npae.utils.types import Array

ALIGNMENT = 64  # bytes: a cache line, and the widest vector register


def aligned_empty(nbytes: int, multiple: int = ALIGNMENT, beyond: int = 0) -> Array:
    """Uninitialised bytes (nbytes,), of which the first lies ``beyond`` bytes after a multiple of ``multiple``."""
    raw = np.empty(nbytes + multiple, dtype=np.uint8)
    offset = (beyond - raw.ctypes.data) % multiple
    return raw[offset : offset + nbytes]


def round_up(n: int, multiple: int) -> int:
    """The least multiple that is at least n."""
    return -(-n // multiple) * multiple
