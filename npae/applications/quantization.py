"""Quantisation of codes: whole numbers with one step size for all dimensions.

With one step the error is the same in every dimension, which for a given error in all takes the fewest bits
(reverse water-filling; Cover & Thomas 2006, §10.3.3). A dimension that never changes costs nothing.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from npae.utils.scalars import whole_number
from npae.utils.types import Array

BITS = range(1, 17)


@dataclass(frozen=True)
class Quantizer:
    """q = round((z − low) / step).

    Attributes
    ----------
    low : ndarray of float32, shape (size,)
        The least value in each dimension.
    step : float
    """

    low: Array
    step: float

    @classmethod
    def fit(cls, codes: Array, bits: int) -> Self:
        """The quantiser that gives ``bits`` bits to the dimension of the widest range in codes (n, size)."""
        bits = whole_number(bits, "bits", least=BITS[0], most=BITS[-1])
        low = codes.min(axis=0).astype(np.float32)
        widest = float((codes.max(axis=0) - low).max())
        return cls(low, float(np.float32(widest / (2**bits - 1))) or 1.0)

    def quantize(self, codes: Array) -> Array:
        """Whole numbers (n, size) from 0 to 65535, uint16."""
        numbers: Array = np.rint((codes.astype(np.float64) - self.low) / self.step).clip(0, 2**16 - 1).astype(np.uint16)
        return numbers

    def restore(self, numbers: Array) -> Array:
        """Codes (n, size) of float32, each off by at most half a step."""
        codes: Array = (numbers * self.step + self.low).astype(np.float32)
        return codes
