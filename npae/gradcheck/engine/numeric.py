"""Numerical derivatives from function values, with an estimate of their error.

A line x + t·d through the point is enough: its slope at t = 0 needs no calculus::

    D(h) = (F(x + h·d) − F(x − h·d)) / (t⁺ − t⁻)

The error is h² F‴ / 6 from the formula and ε F / h from rounding; both are small at h = ε^⅓. The divisor is the step
that floating-point numbers really took, which is not exactly 2h. The first term is known from halving the step, and two
estimates at larger steps cancel it (Richardson 1911; Press et al., Numerical Recipes, §5.7).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from npae.utils.types import Array

EPS = float(np.finfo(np.float64).eps)


def step_for(eps: float = EPS) -> float:
    """ε^⅓, where the error of the formula and the error of rounding are equal: 6e-6 in float64."""
    return float(eps ** (1 / 3))


class Line:
    """t ↦ F(x + t·d) − F(x), for an array x that F reads; x is changed in place and put back.

    Parameters
    ----------
    rise : callable
        F(now) − F(x), with F a number.
    values : ndarray
        x, or the part of it that moves.
    direction : ndarray of the same shape
        d.
    """

    def __init__(self, rise: Callable[[], float], values: Array, direction: Array) -> None:
        self.rise, self.values, self.direction = rise, values, direction
        self.start = values.copy()
        self._length = float(direction @ direction)

    def __call__(self, t: float) -> tuple[float, float]:
        """The step that was really taken, and the rise over it."""
        try:
            self.values[...] = self.start + t * self.direction
            taken = float((self.values - self.start) @ self.direction) / self._length
            return taken, self.rise()
        finally:
            self.values[...] = self.start


@dataclass(frozen=True)
class Slopes:
    """The slope to the left of a point, to its right, and across it."""

    left: float
    right: float
    central: float

    @property
    def bend(self) -> float:
        """How much the two sides differ: h·F″ for a smooth F, a constant at a kink."""
        return self.right - self.left

    @property
    def jump(self) -> float:
        """The same without its sign."""
        return abs(self.bend)


def slopes(line: Line, h: float) -> Slopes:
    """Both sides of a line's origin, with two evaluations."""
    (ahead, up), (behind, down) = line(h), line(-h)
    if ahead == 0 or behind == 0:  # a step that rounding swallowed proves nothing
        return Slopes(np.nan, np.nan, np.nan)
    return Slopes(down / behind, up / ahead, (up - down) / (ahead - behind))


@dataclass(frozen=True)
class Estimate:
    """A slope, how far it may be off, and whether there is only one.

    Attributes
    ----------
    value, error : float
    left, right : float
        One-sided slopes; the same but for the error where there is no kink.
    kink : bool
    """

    value: float
    error: float
    left: float
    right: float
    kink: bool = False


def smooth_estimate(line: Line, h: float, noise: float, enough: float = 0.0) -> Estimate:
    """The best of several estimates of a smooth line's slope, each with its own estimate of its error.

    Plain ones at h, h/4 and h/16: D(h/2), off by a third of its distance from D(h), plus 2 noise / h. The smaller
    steps are for lines with kinks near by. Richardson's: (4 D(h/2) − D(h)) / 3 at steps of 1e-3 and 5e-4, off by what
    a second one at half these steps changes, unless it contradicts the best plain one. The first whose error is
    ``enough`` will do.
    """
    best = _plain_estimate(line, h, noise)
    for k in (4, 16):
        if best.error <= enough:
            return best
        best = min(best, _plain_estimate(line, h / k, noise), key=_error)
    if best.error <= enough:
        return best
    large = 166 * h  # 1e-3 in float64
    a, b, c = (slopes(line, large / k) for k in (1, 2, 4))
    first, second = (4 * b.central - a.central) / 3, (4 * c.central - b.central) / 3
    error = abs(second - first) + 8 * noise / large + _crossed(b, c, noise / large) / 2
    if error < best.error and abs(second - best.value) <= 4 * (best.error + error):
        return Estimate(second, error, best.left, best.right)
    return best


def _plain_estimate(line: Line, h: float, noise: float) -> Estimate:
    wide, near = slopes(line, h), slopes(line, h / 2)
    error = abs(wide.central - near.central) / 3 + 2 * noise / h + _crossed(wide, near, noise / h) / 2
    return Estimate(near.central, error, near.left, near.right)


def _crossed(wide: Slopes, near: Slopes, noise: float) -> float:
    """The kink that both steps cross, and that spoils both alike: half the step is half the bend, but for that."""
    return max(0.0, abs(2 * near.bend - wide.bend) - 16 * noise)


def _error(e: Estimate) -> float:
    return e.error if np.isfinite(e.error) else np.inf


def estimate(line: Line, h: float, noise: float, enough: float = 0.0) -> Estimate:
    """The slope of a line that may have a kink near its origin.

    Where F is smooth the two sides differ by h·F″, so a quarter of the step leaves a quarter of the difference. A kink
    between x and x + h spoils the slope across it; it is left behind when the step shrinks below its distance. A
    difference that no step makes smaller is a kink at x itself. So the ReLU that changed sides and the maximum that
    another cell took over are seen from outside, in code that knows nothing of this checker.

    Parameters
    ----------
    line : Line
    h : float
        First step.
    noise : float
        Rounding error of a rise.
    enough : float
        An error that is small enough to stop at.
    """
    first, before, now = h, slopes(line, h), slopes(line, h / 4)
    for _ in range(6):
        if abs(now.bend - before.bend / 4) <= 0.02 * before.jump + 32 * noise / h:
            return smooth_estimate(line, h, noise, enough)
        before, h = now, h / 4
        now = slopes(line, h / 4)
    if abs(now.bend - before.bend) <= 0.5 * before.jump:
        return Estimate(now.central, now.jump, now.left, now.right, kink=True)
    # A kink so near that only the last step is short of it; or nothing but rounding, more of it than was thought.
    return min(smooth_estimate(line, first, noise, enough), _plain_estimate(line, h / 4, noise), key=_error)


def taylor_slope(line: Line, claimed: float, noise: float) -> float:
    """How fast the remainder F(x + t·d) − F(x) − t·claimed falls with t: as t² when claimed is right, as t when not.

    Returns the exponent (2 right, 1 wrong); 2 too where nothing but rounding remains; NaN where F is not smooth enough
    to tell.
    """
    steps = np.array([1e-2, 5e-3, 2.5e-3, 1.25e-3])
    taken = [line(t) for t in steps]
    remainders = np.array([abs(rise - t * claimed) for t, rise in taken])
    if remainders.max() <= 100 * noise:
        return 2.0
    if not np.isfinite(remainders).all() or remainders.min() == 0:
        return float("nan")
    return float(np.polyfit(np.log(steps), np.log(remainders), 1)[0])
