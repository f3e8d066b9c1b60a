"""Numerical derivatives from function values, with an estimate of their error.

The derivative along a direction d is the slope of F on the line x + t·d at t = 0, by central differences::

    D(h) = (F(x + h·d) − F(x − h·d)) / (t⁺ − t⁻)

The error is h² F‴ / 6 from truncation and ε F / h from rounding; both are small at h = ε^⅓. The divisor is the
difference of the floating-point arguments, which is not exactly 2h. Halving the step gives an estimate of the first
term, and two estimates at larger steps cancel it (Richardson 1911; Press et al., Numerical Recipes, §5.7).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from npae.utils.types import Array

EPS = float(np.finfo(np.float64).eps)


def step_for(eps: float = EPS) -> float:
    """ε^⅓, where truncation and rounding errors are of the same size: 6e-6 in float64."""
    return float(eps ** (1 / 3))


#: t ↦ the step after rounding, and the rise of a function over it.
Line = Callable[[float], tuple[float, float]]


class LineFunction:
    """t ↦ F(x + t·d) − F(x), for an array x that F reads; x is changed in place and restored.

    Parameters
    ----------
    rise : callable
        Returns F(current values) − F(x), a number.
    values : ndarray
        x, or the part of it that is changed.
    direction : ndarray of the same shape
        The direction d.
    dtype : dtype, default float64
        That in which F reads x: x + t·d is rounded to it.
    """

    def __init__(self, rise: Callable[[], float], values: Array, direction: Array, dtype: Any = np.float64) -> None:
        self.rise, self.values, self.direction, self.dtype = rise, values, direction, dtype
        self.start = values.copy()
        self._length = float(direction @ direction)
        self._seen: dict[float, tuple[float, float]] = {}  # estimates of one slope share some of their steps

    def __call__(self, t: float) -> tuple[float, float]:
        """The step after rounding of x + t·d, and the rise over it; each is computed once."""
        if t not in self._seen:
            self._seen[t] = self._moved(t)
        return self._seen[t]

    def _moved(self, t: float) -> tuple[float, float]:
        try:
            self.values[...] = (self.start + t * self.direction).astype(self.dtype)
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
        """Right minus left slope: h·F″ for a smooth F, a constant at a kink."""
        return self.right - self.left

    @property
    def jump(self) -> float:
        """The absolute difference of both one-sided slopes."""
        return abs(self.bend)


def slopes(line: Line, h: float) -> Slopes:
    """The one-sided and central slopes at a line's origin, from two evaluations; NaN where a step rounds to 0."""
    (ahead, up), (behind, down) = line(h), line(-h)
    if ahead == 0 or behind == 0:  # x + t·d rounds to x
        return Slopes(np.nan, np.nan, np.nan)
    return Slopes(down / behind, up / ahead, (up - down) / (ahead - behind))


@dataclass(frozen=True)
class Estimate:
    """A slope with an error estimate, and whether it is at a kink.

    Attributes
    ----------
    value, error : float
        The slope, and an estimate of its absolute error.
    left, right : float
        One-sided slopes; they agree within the error where there is no kink.
    kink : bool
        Whether the one-sided slopes differ.
    """

    value: float
    error: float
    left: float
    right: float
    kink: bool = False


def smooth_estimate(line: Line, h: float, noise: float, enough: float = 0.0) -> Estimate:
    """The best of several estimates of a smooth line's slope, each with an error estimate.

    Plain estimates with steps h, h/4 and h/16: the value is D(h/2), its error a third of the distance from D(h), plus
    2 noise / h. The smaller steps are for lines with kinks nearby. Then Richardson's: (4 D(h/2) − D(h)) / 3 with steps
    of 5e-4 and 2.5e-4, its error the change from the same with doubled steps; it is used unless it contradicts the best
    plain estimate. The search ends at an error of at most ``enough``.
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
    """The error from a kink that both steps cross: without one, half the step has half the bend."""
    return max(0.0, abs(2 * near.bend - wide.bend) - 16 * noise)


def _error(e: Estimate) -> float:
    return e.error if np.isfinite(e.error) else np.inf


def estimate(line: Line, h: float, noise: float, enough: float = 0.0) -> Estimate:
    """The slope of a line that may have a kink near its origin.

    Where F is smooth, the one-sided slopes differ by h·F″, so a quarter of the step leaves a quarter of the difference.
    A kink between x and x + h falsifies the slope until the step is shorter than the distance to the kink. A difference
    that stays the same for every step means a kink at x itself. So a ReLU whose sign changes, or a maximum that moves
    to another cell, is detected from function values alone.

    Parameters
    ----------
    line : callable
        A ``LineFunction``, or t ↦ (step after rounding, rise).
    h : float
        First step.
    noise : float
        Rounding error of a rise.
    enough : float
        Error at which the search for a better estimate ends.

    Returns
    -------
    Estimate
    """
    first, before, now = h, slopes(line, h), slopes(line, h / 4)
    for _ in range(6):
        if abs(now.bend - before.bend / 4) <= 0.02 * before.jump + 32 * noise / h:
            return smooth_estimate(line, h, noise, enough)
        before, h = now, h / 4
        now = slopes(line, h / 4)
    if abs(now.bend - before.bend) <= 0.5 * before.jump:
        return Estimate(now.central, now.jump, now.left, now.right, kink=True)
    # Either a kink so near that only the last step is shorter, or rounding errors larger than ``noise``.
    return min(smooth_estimate(line, first, noise, enough), _plain_estimate(line, h / 4, noise), key=_error)


def taylor_slope(line: Line, claimed: float, noise: float) -> float:
    """The exponent p with which the remainder F(x + t·d) − F(x) − t·claimed falls, as tᵖ.

    It is 2 when ``claimed`` is right and 1 when it is wrong; 2 where the remainder is only rounding error; NaN where a
    remainder is 0 or not finite.
    """
    steps = np.array([1e-2, 5e-3, 2.5e-3, 1.25e-3])
    taken = [line(t) for t in steps]
    remainders = np.array([abs(rise - t * claimed) for t, rise in taken])
    if remainders.max() <= 100 * noise:
        return 2.0
    if not np.isfinite(remainders).all() or remainders.min() == 0:
        return float("nan")
    return float(np.polyfit(np.log(steps), np.log(remainders), 1)[0])
