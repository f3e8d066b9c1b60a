"""Single numbers and truth values as arguments: NumPy's are taken like Python's, everything else is refused.

Each function returns Python's own number, so that what is stored, compared and saved does not depend on where it came
from. A truth value is no number, and 3.0 is no whole number.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from npae.utils.errors import quoted


def whole_number(value: Any, name: str, *, least: int = 1, most: int | None = None) -> int:
    """``value`` as an int, if it is a whole number of at least ``least`` and at most ``most``."""
    is_whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not is_whole or value < least or (most is not None and value > most):
        expected = f"of at least {least}" if most is None else f"from {least} to {most}"
        raise ValueError(f"{name} is {_shown(value)}; expected a whole number {expected}")
    return int(value)


def real_number(
    value: Any,
    name: str,
    *,
    least: float = -math.inf,
    above: float = -math.inf,
    most: float = math.inf,
    below: float = math.inf,
) -> float:
    """``value`` as Python's own number, if it is finite and within the bounds; an int stays one."""
    expected = _expected(least, above, most, below)
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise ValueError(f"{name} is {_shown(value)}; expected {expected}")
    number = int(value) if isinstance(value, int | np.integer) else float(value)
    if not (_is_finite(number) and least <= number <= most and above < number < below):
        raise ValueError(f"{name} is {value}; expected {expected}")
    return number


def number_or_range(value: Any, name: str, **bounds: float) -> float | tuple[float, float]:
    """A number as by ``real_number``, or two of them, the lower first, as a tuple."""
    if isinstance(value, str) or not isinstance(value, Sequence | np.ndarray) or np.ndim(value) == 0:
        return real_number(value, name, **bounds)
    if len(value) != 2:
        raise ValueError(f"{name} is {_shown(value)}; expected a number, or two, the lower first")
    low, high = (real_number(end, f"a value in {name}", **bounds) for end in value)
    if low > high:
        raise ValueError(f"{name} is {_shown(value)}, from high to low; give the lower number first")
    return low, high


def truth_value(value: Any, name: str) -> bool:
    """``value`` as a bool, if it is True or False."""
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"{name} is {_shown(value)}; expected True or False")
    return bool(value)


def whole_numbers(values: Any, name: str, *, least: int = 1) -> tuple[int, ...]:
    """A sequence or array of whole numbers of at least ``least`` each, as a tuple."""
    if isinstance(values, str) or not isinstance(values, Sequence | np.ndarray) or np.ndim(values) != 1:
        example = f"({values!r},) or (64, 32)" if isinstance(values, int | np.integer) else "(64, 32)"
        raise ValueError(f"{name} is {_shown(values)}; expected a sequence of whole numbers, such as {example}")
    return tuple(whole_number(value, f"a value in {name}", least=least) for value in values)


def _shown(value: object) -> str:
    return " ".join(quoted(value).split())  # an array has lines


def _is_finite(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:  # a whole number that no float can hold
        return False


def _expected(least: float, above: float, most: float, below: float) -> str:
    """The range in words."""
    low = f"above {above:g}" if above > least else f"from {least:g}"
    if math.isfinite(min(most, below)):
        return f"a number {low} to {f'below {below:g}' if below <= most else f'{most:g}'}"
    if math.isfinite(above):
        return f"a number above {above:g}"
    return f"a number of at least {least:g}" if math.isfinite(least) else "a finite number"
