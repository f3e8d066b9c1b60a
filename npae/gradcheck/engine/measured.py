"""The measurements of one block: its values, the claimed gradient, and the numeric gradient."""

import numpy as np

from npae.gradcheck.engine.numeric import step_for
from npae.gradcheck.engine.subject import Weighted
from npae.utils.types import Array

SMALL = 1e-3  # values below it are taken to be of a scale of their own


class MeasuredBlock:
    """The arrays of a block and the scale that errors are relative to.

    Parameters
    ----------
    values : ndarray
        Contiguous; changed in place and restored.
    claimed : ndarray of the same shape
        The gradient that the code under test returned.
    weighted : Weighted
        The function F whose gradient is checked.

    Attributes
    ----------
    flat, claimed, numeric, left, right : ndarray of shape (size,)
        Values, claimed gradient, central differences (NaN where not measured), and one-sided slopes.
    step : float
        Step for a value of size 1.
    unit : float
        The size of a value that is 0 or small: 1, or the largest of the block where all are smaller than ``SMALL``.
    """

    def __init__(self, values: Array, claimed: Array, weighted: Weighted) -> None:
        self.shape = values.shape
        self.flat, self.claimed = values.reshape(-1), claimed.reshape(-1)
        self.weighted = weighted
        self.step = step_for(weighted.subject.eps)
        largest = float(np.abs(self.flat).max(initial=0.0))
        self.unit = largest if 0 < largest < SMALL else 1.0
        self.numeric = np.full(values.size, np.nan)
        self.left, self.right = self.numeric.copy(), self.numeric.copy()

    def step_at(self, i: int) -> float:
        """The step for entry i: ε^⅓ · max(unit, |x|)."""
        return self.step * max(self.unit, abs(float(self.flat[i])))

    @property
    def scale(self) -> float:
        """The largest entry of the measured numeric gradient, or, where that is 0 or missing, of the claimed one."""
        known = np.abs(self.numeric[np.isfinite(self.numeric)])
        return float(known.max(initial=0.0)) or float(np.abs(self.claimed).max(initial=0.0))
