"""Inference in batches, so that the buffers stay small whatever the number of samples."""

from collections.abc import Callable

import numpy as np

from npae.layers.arena import Arena
from npae.utils.sparse import Samples, dense
from npae.utils.types import Array, Shape

BATCH = 256  # samples that pass the network at once,
BATCH_BYTES = 2**27  # or fewer, where their buffers would take more than this


def batch_size_for(arena: Arena) -> int:
    """Samples in a block."""
    return max(1, min(BATCH, BATCH_BYTES // max(arena.bytes_per_sample, 1)))


def in_batches(arena: Arena, f: Callable[..., Array], shape: Shape, *inputs: Samples) -> Array:
    """``f`` of samples of any number, block by block; it returns ``(block, *shape)``, and this ``(n, *shape)``.

    Of sparse samples no more than a block is dense at once.
    """
    n, size = len(inputs[0]), batch_size_for(arena)
    result = np.empty((n, *shape), dtype=arena.dtype)
    for start in range(0, n, size):
        block = slice(start, min(start + size, n))
        arrays = [dense(x[block]) for x in inputs]
        with arena.lock:
            arena.resize(block.stop - block.start)
            result[block] = f(*arrays)
    return result
