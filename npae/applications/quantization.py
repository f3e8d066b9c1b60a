"""Quantisation of codes to integers, with one step size for all dimensions.

With one step size the error is equal in all dimensions, which takes the fewest bits for a given total error (reverse
water-filling; Cover & Thomas 2006, §10.3.3). A constant dimension takes none.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from npae.utils.scalars import whole_number
from npae.utils.types import Array

BITS = range(1, 17)


@dataclass(frozen=True)
class Quantizer:
    """Uniform quantizer: q = round((z − low) / step), z ≈ low + q · step.

    Attributes
    ----------
    low : ndarray of float32, shape (size,)
        Minimum of each dimension.
    step : float

    Examples
    --------
    >>> import numpy as np
    >>> from npae.applications.quantization import Quantizer
    >>> codes = np.array([[0.0], [0.4], [1.0]])
    >>> quantizer = Quantizer.fit(codes, bits=2)
    >>> numbers = quantizer.quantize(codes)
    >>> numbers.tolist()
    [[0], [1], [3]]
    >>> quantizer.restore(numbers).round(2).ravel().tolist()
    [0.0, 0.33000001311302185, 1.0]
    """

    low: Array
    step: float

    @classmethod
    def fit(cls, codes: Array, bits: int) -> Self:
        """A quantiser for codes.

        Parameters
        ----------
        codes : ndarray of shape (n, size)
        bits : int
            For the dimension of the widest range, from 1 to 16; the others have the same step.

        Returns
        -------
        Quantizer

        Raises
        ------
        ValueError
            If ``bits`` is out of range.
        """
        bits = whole_number(bits, "bits", least=BITS[0], most=BITS[-1])
        low = codes.min(axis=0).astype(np.float32)
        widest = float((codes.max(axis=0) - low).max())
        return cls(low, float(np.float32(widest / (2**bits - 1))) or 1.0)

    def quantize(self, codes: Array) -> Array:
        """Codes as integers; values outside the range are clipped.

        Parameters
        ----------
        codes : ndarray of shape (n, size)

        Returns
        -------
        ndarray of uint16, shape (n, size)
        """
        numbers: Array = np.rint((codes.astype(np.float64) - self.low) / self.step).clip(0, 2**16 - 1).astype(np.uint16)
        return numbers

    def restore(self, numbers: Array) -> Array:
        """Codes from integers, with an error of at most half a step.

        Parameters
        ----------
        numbers : ndarray of uint16, shape (n, size)

        Returns
        -------
        ndarray of float32, shape (n, size)
        """
        codes: Array = (numbers * self.step + self.low).astype(np.float32)
        return codes
