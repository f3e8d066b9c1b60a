"""Data is looked at once, where it comes in; behind that line everything trusts it."""

import math
from typing import Any

import numpy as np

from npae.types import Array, Shape


def check_samples(x: Any, shape: Shape, dtype: Any, what: str, *, unit_interval: bool = False) -> Array:
    """x as a C-contiguous (n, *shape) array of ``dtype``, copied only where it must be.

    With ``unit_interval`` its values must lie in [0, 1], as binary cross-entropy needs them.

    Raises
    ------
    ValueError
        If x has another shape, no samples, complex or non-finite values.
    TypeError
        If x does not hold numbers.
    """
    samples = check_numeric(x, what)
    if samples.shape[1:] != shape or samples.ndim != len(shape) + 1:
        raise ValueError(
            f"{what} of shape {samples.shape} were given, but the model expects (n, {', '.join(map(str, shape))}); "
            f"reshape the data or use a model for its shape"
        )
    if len(samples) == 0:
        raise ValueError(
            f"{what} are empty (shape {samples.shape}); give at least one sample, a minimum of 1 is required"
        )
    if unit_interval:
        check_unit_interval(samples, what)
    else:
        check_finite(samples, what)
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite
        converted = np.ascontiguousarray(samples, dtype=dtype)
    if samples.dtype != converted.dtype:
        check_finite(converted, f"{what}, as {converted.dtype},")
    return converted


def check_numeric(x: Any, what: str) -> Array:
    """x as an array of real numbers."""
    if hasattr(x, "toarray") and hasattr(x, "nnz"):
        raise TypeError(f"{what} are a sparse matrix, but dense data is required; use .toarray()")
    try:
        numbers: Array = np.asarray(x)
    except ValueError as error:
        raise ValueError(f"{what} cannot be made an array ({error}); give rows of equal length") from None
    if numbers.dtype.kind == "c":
        raise ValueError(f"Complex data not supported: {what} have dtype {numbers.dtype}; give real numbers")
    if numbers.dtype.kind not in "biuf":
        try:
            numbers = numbers.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise type(error)(
                f"{what} have dtype {numbers.dtype} and are not all numbers ({error}); encode them as numbers first"
            ) from None
    return numbers


def check_number(value: Any, name: str, *, least: float = -math.inf, above: float | None = None) -> None:
    """Refuse what is no finite number of at least ``least``, or not above ``above``."""
    expected = f"at least {least:g}" if above is None else f"above {above:g}"
    if not isinstance(value, int | float | np.integer | np.floating) or isinstance(value, bool):
        raise ValueError(f"{name} is {value!r}; expected a number {'of ' if above is None else ''}{expected}")
    if not math.isfinite(value) or value < least or (above is not None and value <= above):
        raise ValueError(f"{name} is {value}; expected a number {'of ' if above is None else ''}{expected}")


def check_finite(x: Array, what: str) -> None:
    """Refuse NaN and infinity, saying how many there are and where the first is."""
    # A sum is not finite if any element is not; only then each is looked at.
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(x.sum(dtype=np.float64)):
            return
    bad = ~np.isfinite(x)
    if bad.any():
        first = tuple(int(i) for i in np.argwhere(bad)[0])
        raise ValueError(
            f"{what} contains NaN or infinity: {int(bad.sum())} of {x.size} values, the first at index {first}; "
            f"replace or remove them"
        )


def check_unit_interval(x: Array, what: str) -> None:
    """Refuse targets outside [0, 1], which binary cross-entropy cannot rebuild; NaN among them."""
    low, high = float(x.min()), float(x.max())
    if 0 <= low <= high <= 1:
        return
    check_finite(x, what)
    raise ValueError(
        f"binary cross-entropy needs values from 0 to 1, but the data runs from {low:g} to {high:g}; "
        f'scale it (images of 0–255: X / 255) or use loss="mse"'
    )
