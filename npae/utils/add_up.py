"""Sums of floats in one order and rounding, whatever the version of Python."""

from collections.abc import Iterable
from typing import Any


def add_up(values: Iterable[Any], start: Any = 0.0) -> Any:
    """((start + v₁) + v₂) + …, of numbers or of arrays.

    ``sum`` compensates for rounding from Python 3.12 on, so that the sum of some values and then of others would not be
    that of all.

    Examples
    --------
    >>> add_up([0.1] * 10) == add_up([0.1] * 6, add_up([0.1] * 4))
    True
    """
    for value in values:
        start = start + value
    return start
