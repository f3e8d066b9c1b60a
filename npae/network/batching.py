"""Inference in batches, so that the size of the buffers does not depend on the number of samples."""

from collections.abc import Callable

import numpy as np

from npae.layers.arena import Arena
from npae.utils.samples import Samples, dense
from npae.utils.types import Array, Shape

BATCH = 256  # samples in a batch,
BATCH_BYTES = 2**27  # or fewer, if their buffers would take more bytes than this


def batch_size_for(arena: Arena) -> int:
    """Number of samples in a batch of inference."""
    return max(1, min(BATCH, BATCH_BYTES // max(arena.bytes_per_sample, 1)))


def in_batches(arena: Arena, f: Callable[..., Array], shape: Shape, *inputs: Samples) -> Array:
    """Apply ``f`` to ``inputs`` (n, ...) in batches; ``f`` returns (batch, *shape), ``in_batches`` (n, *shape).

    Of sparse samples no more than a batch is dense at once.
    """
    n, size = len(inputs[0]), batch_size_for(arena)
    result = np.empty((n, *shape), dtype=arena.dtype)
    for start in range(0, n, size):
        block = slice(start, min(start + size, n))
        arrays = [dense(x[block]) for x in inputs]
        with arena.lock:
            arena.resize(block.stop - block.start)
            try:
                result[block] = f(*arrays)
            finally:
                arena.release(*arrays)
    return result
