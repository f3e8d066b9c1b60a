"""Inference in batches, so that the buffers stay small whatever the number of samples."""

from collections.abc import Callable

import numpy as np

from npae.layers.arena import Arena
from npae.utils.types import Array, Shape

BATCH = 256  # samples that pass the network at once,
BATCH_BYTES = 2**27  # or fewer, where their buffers would take more than this


def batch_size_for(arena: Arena) -> int:
    """Samples in a block."""
    return max(1, min(BATCH, BATCH_BYTES // max(arena.bytes_per_sample, 1)))


def in_batches(arena: Arena, f: Callable[..., Array], shape: Shape, *inputs: Array) -> Array:
    """``f`` of arrays of any length, block by block; it returns ``(block, *shape)``, and this ``(n, *shape)``."""
    n, size = len(inputs[0]), batch_size_for(arena)
    result = np.empty((n, *shape), dtype=arena.dtype)
    for start in range(0, n, size):
        block = slice(start, min(start + size, n))
        with arena.lock:
            arena.resize(block.stop - block.start)
            try:
                result[block] = f(*(a[block] for a in inputs))
            finally:
                arena.release(*inputs)
    return result
