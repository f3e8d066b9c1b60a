"""Fast mode: whole blocks are moved along random directions, and only where one disagrees are entries looked for.

A wrong entry shows in every direction that moves it, so a part of the block that agrees with its claim is left, and one
that does not is halved: the wrong entries of 100,000 are found with some dozens of evaluations.
"""

import heapq
from itertools import count
from time import monotonic

import numpy as np

from npae.gradcheck.engine.block import Block
from npae.gradcheck.report.verdict import KINKED

DIRECTIONS = 4
FEW = 4  # entries that are measured rather than halved again
ENOUGH = 24  # wrong entries after which the search ends


def examine_directions(block: Block, generator: np.random.Generator) -> bool:
    """Move the block along four directions; whether all agree, with no kink among them."""
    whole = slice(0, block.flat.size)
    block.directions = [block.along(whole, generator) for _ in range(DIRECTIONS)]
    return not any(e.kink or block.disagreement(e, claimed) > 0 for e, claimed in block.directions)


def bisect(block: Block, generator: np.random.Generator, deadline: float) -> None:
    """Find and measure entries at which the block is wrong or has a kink.

    Where no entry is wrong, the block is moved once more along other directions, without the entries that have kinks:
    a step that happened to cross a kink is no evidence.
    """
    _search(block, generator, deadline)
    if np.isnan(block.numeric).all():  # every part agreed: what the whole showed is measured where it is largest
        largest = np.argsort(-np.abs(block.claimed))[: ENOUGH // 2]
        others = generator.choice(block.flat.size, min(ENOUGH // 2, block.flat.size), replace=False)
        block.measure(np.union1d(largest, others), deadline)
    if not any(_stands_out(block, i) and i not in block.kinks.allowed for i in block.known.tolist()):
        left_out = np.zeros(block.flat.size, dtype=bool)
        left_out[block.kinks.entries] = True
        whole = slice(0, block.flat.size)
        block.directions = [block.along(whole, generator, left_out) for _ in range(DIRECTIONS)]


def _search(block: Block, generator: np.random.Generator, deadline: float) -> None:
    order = count()  # so that equal errors never compare slices
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
            e, claimed = block.along(half, generator)
            wrongness = KINKED if e.kink else block.disagreement(e, claimed)
            if wrongness > 0:
                heapq.heappush(parts, (-wrongness, next(order), half))


def _stands_out(block: Block, i: int) -> bool:
    return bool(block.errors[i] > block.tolerance) or i in block.kinks.entries
