"""The check of one block (one array): entry by entry and along directions."""

from dataclasses import dataclass
from time import monotonic

import numpy as np

from npae.gradcheck.engine.kinks import Kinks
from npae.gradcheck.engine.measured import SMALL, MeasuredBlock
from npae.gradcheck.engine.numeric import Estimate, LineFunction, estimate, slopes, taylor_slope
from npae.gradcheck.engine.subject import Weighted
from npae.gradcheck.report.verdict import KINKED
from npae.utils.types import Array

CONFIRMED = 16  # wrong entries that are remeasured with an error estimate; that many are enough evidence
CERTAIN = 10  # error estimates by which a difference must exceed the tolerance; functions with steps have shown six
DISPUTED = 512  # most entries that are remeasured


class Block(MeasuredBlock):
    """The gradient by one array, entry by entry and along directions.

    Parameters
    ----------
    name : str
    values : ndarray
        Contiguous; changed in place and restored.
    claimed : ndarray of the same shape
        The gradient that the code under test returned.
    weighted : Weighted
        The function F whose gradient is checked.
    tolerance : float
        Relative to the largest entry.
    """

    def __init__(self, name: str, values: Array, claimed: Array, weighted: Weighted, tolerance: float) -> None:
        super().__init__(values, claimed, weighted)
        self.name, self.tolerance = name, tolerance
        self.bound = self.numeric.copy()  # error estimate of each entry; NaN where none was made
        self.kinks = Kinks(self)
        self.directions: list[Direction] = []
        self._raised: dict[int, str] = {}

    @property
    def known(self) -> Array:
        """The entries that have been measured."""
        return np.flatnonzero(np.isfinite(self.numeric))

    @property
    def errors(self) -> Array:
        """The relative error of each entry; 0 where the claimed value is a subgradient at a kink."""
        errors: Array = np.abs(self.claimed - self.numeric) / (self.scale or 1.0)
        errors[self.kinks.allowed] = 0.0
        return errors

    # Entries

    def line(self, i: int) -> LineFunction:
        """The line along entry i."""
        return self.weighted.line(self.flat[i : i + 1], np.ones(1))

    def measure(self, entries: Array, deadline: float = np.inf) -> None:
        """Measure the numeric derivative of these entries until the deadline; remeasure those that disagree."""
        for i in entries:
            if monotonic() > deadline:
                break
            s = slopes(self.line(i), self.step_at(i))
            self.numeric[i], self.left[i], self.right[i] = s.central, s.left, s.right
            if not np.isfinite(s.central):
                self._raised[int(i)], self.weighted.error = self.weighted.error, ""
        self._look_twice(deadline)
        self.kinks.test_ties(deadline)

    @property
    def undefined(self) -> dict[int, str]:
        """The entries at which F has no finite value as soon as they are moved, and what F raised there, if it did."""
        return {i: error for i, error in self._raised.items() if not np.isfinite(self.numeric[i])}

    def _look_twice(self, deadline: float) -> None:
        scale = self.scale
        difference, jump = np.abs(self.claimed - self.numeric), np.abs(self.right - self.left)
        # A slope that is not finite is remeasured too, with other steps.
        disputed = ~(difference <= self.tolerance * scale) | ~(jump <= KINKED * scale)
        disputed &= np.isfinite(self.left) | np.isfinite(self.numeric)
        disputed &= np.isnan(self.bound)
        order = np.flatnonzero(disputed)[np.argsort(-difference[disputed])]
        confirmed = 0
        for i in order[:DISPUTED]:
            if monotonic() > deadline or (confirmed >= CONFIRMED and jump[i] <= KINKED * scale):
                continue
            e = self._estimate(i, 0.1 * self.tolerance * scale)
            if e.kink:
                self.kinks.add(i)
            self.numeric[i], self.left[i], self.right[i], self.bound[i] = e.value, e.left, e.right, e.error
            confirmed += abs(self.claimed[i] - e.value) > self.tolerance * scale + CERTAIN * e.error
        for i in order[DISPUTED:]:
            if jump[i] > KINKED * scale:  # too many to remeasure: the first measurement decides
                self.kinks.add(i)

    def _estimate(self, i: int, enough: float = 0.0) -> Estimate:
        """The slope at entry i with an error estimate.

        A function may change on the scale of a value far below 1, as 1/x and log x do, where the usual step leaps over
        all that happens. So at a small value a step of its own scale is tried too. Where the two contradict each other,
        the smaller step is right, if its own error is small; else nothing is known.
        """
        usual = estimate(self.line(i), self.step_at(i), self.weighted.noise, enough)
        size = abs(float(self.flat[i]))
        if not 0 < size < SMALL * self.unit:
            return usual
        own = estimate(self.line(i), self.step * size, self.weighted.noise, enough)
        apart = abs(own.value - usual.value)
        if apart <= 4 * (own.error + usual.error):
            return min(own, usual, key=lambda e: e.error if np.isfinite(e.error) else np.inf)
        if own.error <= 0.1 * abs(own.value) or not np.isfinite(usual.value):
            return own
        return Estimate(own.value, max(own.error, apart), own.left, own.right)

    def certainty(self, i: int) -> float:
        """The error estimate of entry i, measured now if there was none."""
        if np.isnan(self.bound[i]):
            self.bound[i] = self._estimate(i).error
        return float(self.bound[i])

    def limit(self, i: int) -> float:
        """How far claimed and numeric may differ at entry i."""
        return self.tolerance * self.scale + (CERTAIN * float(self.bound[i]) if np.isfinite(self.bound[i]) else 0.0)

    # Directions

    def along(self, part: slice, generator: np.random.Generator, left_out: Array | None = None) -> "Direction":
        """The slopes along a random direction within a part of the block.

        The direction has Gaussian entries of both signs, in units of the block's root mean square: errors of opposite
        sign do not cancel, and small entries count too.
        """
        values = self.flat[part]
        unit = float(np.sqrt(np.mean(self.flat * self.flat))) or 1.0
        d = generator.standard_normal(values.size)
        if left_out is not None:
            d[left_out[part]] = 0.0
        claimed = float(self.claimed[part] @ d)
        if not d.any():
            return Direction(Estimate(0.0, 0.0, 0.0, 0.0), claimed, 0.0, 0.0)
        line = self.weighted.line(values, unit * d)
        first = slopes(line, self.step)
        scale = unit * self.direction_scale(first.central / unit)
        if abs(first.central - unit * claimed) <= 0.5 * self.tolerance * scale and first.jump <= KINKED * scale:
            e = Estimate(first.central, 0.0, first.left, first.right)
        else:
            # Where the slopes are far apart, a thousandth of that tells it well enough.
            enough = max(0.1 * self.tolerance * scale, 1e-3 * abs(first.central - unit * claimed))
            e = estimate(line, self.step, self.weighted.noise, enough)
        e = Estimate(e.value / unit, e.error / unit, e.left / unit, e.right / unit, e.kink)
        return Direction(e, claimed, float(np.abs(d).sum()), float(np.sqrt(d @ d)))

    def direction_scale(self, slope: float) -> float:
        """The scale of an error along a direction: the largest claimed entry, or the slope where all claims are 0."""
        return float(np.abs(self.claimed).max(initial=0.0)) or abs(slope)

    def disagreement(self, direction: "Direction", length: float = 1.0) -> float:
        """The difference of both slopes, relative to the block's largest entry; 0 where it is within the tolerance.

        The tolerance is that of one entry, times ``length``: with the sum of the direction's absolute entries, no
        gradient whose entries are all within the tolerance disagrees.
        """
        e = direction.numeric
        scale = self.direction_scale(e.value)
        difference = abs(e.value - direction.claimed)
        if not np.isfinite(difference):
            return np.inf
        if difference <= self.tolerance * scale * length + CERTAIN * e.error:
            return 0.0
        return difference / scale if scale > 0 else 0.0

    def is_refuted(self, direction: "Direction") -> bool:
        """Whether the slope along a direction proves that some entry is wrong, whichever it is."""
        e = direction.numeric
        return not e.kink and np.isfinite(e.value) and self.disagreement(direction, max(direction.sum, 1.0)) > 0

    def slope_of_remainder(self, generator: np.random.Generator) -> float:
        """``taylor_slope`` along a random direction, a second test that is independent of the first."""
        d = generator.standard_normal(self.flat.size)
        d /= np.sqrt(d @ d)
        return taylor_slope(
            self.weighted.line(self.flat, self.unit * d), self.unit * float(self.claimed @ d), self.weighted.noise
        )


@dataclass(frozen=True)
class Direction:
    """The slopes along one direction d of a block.

    Attributes
    ----------
    numeric : Estimate
        The measured slope.
    claimed : float
        That of the claimed gradient.
    sum, length : float
        Σ |dᵢ| and √Σ dᵢ²: by how much the slope may be off where every entry is off by 1, at most and on average.
    """

    numeric: Estimate
    claimed: float
    sum: float
    length: float
