"""Fast mode: random directions for whole blocks, and bisection where a direction disagrees with the gradient.

A wrong entry shows in every direction that moves it. So a part of the block whose slope agrees is discarded, and one
whose slope does not is halved: some dozens of evaluations find the wrong entries among 100,000.
"""

import heapq
from itertools import count
from time import monotonic

import numpy as np

from npae.gradcheck.engine.block import Block
from npae.gradcheck.report.verdict import KINKED
from npae.utils.types import Array

DIRECTIONS = 4
FEW = 4  # parts of at most this many entries are measured rather than halved again
ENOUGH = 24  # wrong entries after which the search ends


def examine_directions(block: Block, generator: np.random.Generator, deadline: float) -> bool:
    """Measure the slopes along four random directions; True where all agree and none meets a kink."""
    _measure_directions(block, generator, deadline)
    return bool(block.directions) and not any(
        direction.numeric.kink or block.disagreement(direction) > 0 for direction in block.directions
    )


def _measure_directions(
    block: Block, generator: np.random.Generator, deadline: float, left_out: Array | None = None
) -> None:
    block.directions = []
    while len(block.directions) < DIRECTIONS and monotonic() < deadline:
        block.directions.append(block.along(slice(0, block.flat.size), generator, left_out))


def bisect(block: Block, generator: np.random.Generator, deadline: float) -> None:
    """Find and measure entries at which the block is wrong or has a kink.

    Where no entry is wrong, the directions are measured again with new ones that leave out the entries at kinks, since
    a step that happened to cross a kink proves nothing.
    """
    _search(block, generator, deadline)
    if np.isnan(block.numeric).all():  # every part agreed: measure the largest entries, and some random ones
        largest = np.argsort(-np.abs(block.claimed))[: ENOUGH // 2]
        others = generator.choice(block.flat.size, min(ENOUGH // 2, block.flat.size), replace=False)
        block.measure(np.union1d(largest, others), deadline)
    if not any(_stands_out(block, i) and i not in block.kinks.allowed for i in block.known.tolist()):
        left_out = np.zeros(block.flat.size, dtype=bool)
        left_out[block.kinks.entries] = True
        _measure_directions(block, generator, deadline, left_out)


def _search(block: Block, generator: np.random.Generator, deadline: float) -> None:
    order = count()  # ties in the heap are broken by this number, since slices cannot be compared
    parts = [(-np.inf, next(order), slice(0, block.flat.size))]
    found: list[int] = []
    while parts and len(found) < ENOUGH and monotonic() < deadline:
        _, _, part = heapq.heappop(parts)
        if part.stop - part.start <= FEW:
            entries = np.arange(part.start, part.stop)
            block.measure(entries, deadline)
            found += [i for i in entries.tolist() if _stands_out(block, i)]
            continue
        middle = (part.start + part.stop) // 2
        for half in (slice(part.start, middle), slice(middle, part.stop)):
            direction = block.along(half, generator)
            wrongness = KINKED if direction.numeric.kink else block.disagreement(direction)
            if wrongness > 0:
                # Per entry: sums over many entries are larger, so the halves of all would come before any entry.
                heapq.heappush(parts, (-wrongness / max(direction.length, 1.0), next(order), half))


def _stands_out(block: Block, i: int) -> bool:
    return bool(block.errors[i] > block.tolerance) or i in block.kinks.entries
