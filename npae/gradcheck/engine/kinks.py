"""Kinks: points with two one-sided slopes, where any value between them is a subgradient.

At a kink a backward may return any subgradient. At a tie that condition is too weak: for two equal cells under a
maximum, the one-sided slopes of each are 0 and 1, so that (1, 0) and (½, ½), but also (1, 1) and (0, 0) lie between
them. When the tied cells move *together*, the maximum moves with them: there the function has one slope, and the
gradients must add up to it. (1, 1) adds up to 2 and (0, 0) to 0, where the slope is 1.
"""

from time import monotonic

import numpy as np

from npae.gradcheck.engine.measured import MeasuredBlock
from npae.gradcheck.engine.numeric import estimate
from npae.gradcheck.report.verdict import KINKED
from npae.utils.types import Array


class Kinks:
    """The entries of a block that are at a kink.

    Attributes
    ----------
    entries : list of int
    wrong : list of int
        Those whose claimed value is no subgradient.
    wrong_ties : list of tuple
        Groups whose claimed values do not add up to the slope: (entries, slope, sum of the claimed values).
    """

    def __init__(self, block: MeasuredBlock) -> None:
        self.block = block
        self.entries: list[int] = []
        self.wrong: list[int] = []
        self.wrong_ties: list[tuple[Array, float, float]] = []
        self._tested = 0

    @property
    def allowed(self) -> list[int]:
        """Entries at a kink whose claimed value is a subgradient."""
        return [i for i in self.entries if i not in self.wrong]

    def add(self, i: int) -> None:
        """Record a kink at entry i, and whether its claimed value lies between the one-sided slopes.

        The slopes are taken for each output separately: a cell that is tied in two windows may be chosen as the
        maximum of one and not of the other.
        """
        block = self.block
        sides = [self._slopes_of_outputs(i, sign * block.step_at(i) / 16) for sign in (-1, 1)]
        slack = KINKED * max(block.scale, float(np.abs(sides[0]).max()), float(np.abs(sides[1]).max()))
        low, high = (float(f(*sides).sum()) for f in (np.minimum, np.maximum))
        self.entries.append(int(i))
        if not low - slack <= block.claimed[i] <= high + slack:
            self.wrong.append(int(i))

    def _slopes_of_outputs(self, i: int, h: float) -> Array:
        """The slope of every weighted output u·y on one side of entry i."""
        block = self.block
        value = block.flat[i]
        try:
            block.flat[i] = block.weighted.subject.dtype(value + h)
            taken = block.flat[i] - value
            slopes: Array = block.weighted.rises() / taken
        finally:
            block.flat[i] = value
        return slopes

    def test_ties(self, deadline: float) -> None:
        """Move each group of equal entries together, where new kinks were found."""
        if len(self.entries) == self._tested:
            return
        self._tested = len(self.entries)
        self.wrong_ties = []
        block = self.block
        for group in self._groups():
            if monotonic() > deadline:
                break
            d = np.zeros(block.flat.size)
            d[group] = 1.0
            e = estimate(block.weighted.line(block.flat, d), block.step_at(int(group[0])), block.weighted.noise)
            claimed = float(block.claimed[group].sum())
            size = max(block.scale, abs(e.value))
            # A kink of the whole group has another cause than the tie, and its subgradients are not known.
            if not e.kink and abs(claimed - e.value) > KINKED * size + 4 * e.error:
                self.wrong_ties.append((group, e.value, claimed))

    def _groups(self) -> list[Array]:
        """Groups of entries at a kink, in one sample, whose values are equal or closer than the step."""
        block = self.block
        entries = np.array(sorted(self.entries))
        sample = entries // max(block.flat.size // block.shape[0], 1) if len(block.shape) > 1 else 0 * entries
        groups = []
        for n in np.unique(sample):
            members = entries[sample == n]
            members = members[np.argsort(block.flat[members], kind="stable")]
            largest = max(block.unit, float(np.abs(block.flat[members]).max()))
            gaps = np.diff(block.flat[members]) > 2 * block.step * largest
            groups += [g for g in np.split(members, np.flatnonzero(gaps) + 1) if len(g) > 1]
        return groups
