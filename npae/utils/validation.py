"""Input is validated once, where it enters; inner code assumes that it is valid."""

from collections.abc import Callable
from typing import Any

import numpy as np

from npae.utils.memory import require_memory
from npae.utils.types import Array, Shape


def is_within(x: Array, low: float, high: float) -> bool:
    """Whether all values lie in [low, high]; False if there is a NaN."""
    return bool(low <= x.min() and x.max() <= high)


def check_samples(
    x: Any,
    shape: Shape,
    dtype: Any,
    what: str,
    *,
    unit_interval: bool = False,
    is_within: Callable[[Array, float, float], bool] = is_within,
) -> Array:
    """Validate samples and return them as a C-contiguous array of ``dtype``, copied only if necessary.

    Parameters
    ----------
    x : array-like of shape (n, *shape)
    shape : tuple of int
        Shape of one sample.
    dtype : dtype
        Of the result.
    what : str
        What x is, as the plural subject of messages.
    unit_interval : bool, default False
        Whether values must lie in [0, 1], as binary cross-entropy requires.
    is_within : callable, optional
        A faster function for the check of the range, with the arguments of ``is_within``.

    Returns
    -------
    ndarray of shape (n, *shape)

    Raises
    ------
    ValueError
        If x has another shape, no samples, complex or non-finite values.
    TypeError
        If x is a sparse matrix or does not hold numbers.
    MemoryError
        If a copy does not fit in free memory.
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
    if samples.dtype != dtype or not samples.flags.c_contiguous:
        nbytes = samples.size * np.dtype(dtype).itemsize
        require_memory(nbytes, f"a copy of {what} as {np.dtype(dtype)}", "give fewer, or give them as such an array")
    with np.errstate(over="ignore"):  # values beyond float32 become infinite, and are refused below
        converted = np.ascontiguousarray(samples, dtype=dtype)
    largest = float(np.finfo(converted.dtype).max)
    if not is_within(converted, *((0.0, 1.0) if unit_interval else (-largest, largest))):
        refuse_non_finite(samples, what)
        refuse_non_finite(converted, f"{what}, as {converted.dtype},")
        raise ValueError(
            f"binary cross-entropy needs values from 0 to 1, but the data runs from {samples.min():g} to "
            f'{samples.max():g}; scale it (images of 0–255: X / 255) or use loss="mse"'
        )
    return converted


def check_numeric(x: Any, what: str) -> Array:
    """x as an array of real numbers; raises TypeError or ValueError if it is not numeric."""
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


def stack_two(a: Any, b: Any) -> Array:
    """Two samples of one shape as an array (2, *shape); raises ValueError if their shapes differ."""
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape:
        raise ValueError(f"a has shape {a.shape} and b has {b.shape}; give two samples of the shape of X's")
    return np.stack([a, b])


def refuse_non_finite(x: Array, what: str) -> None:
    """Raise ValueError if x has NaN or infinity; the message has their number and the index of the first."""
    bad = ~np.isfinite(x)
    if bad.any():
        first = tuple(int(i) for i in np.argwhere(bad)[0])
        raise ValueError(
            f"{what} contains NaN or infinity: {int(bad.sum())} of {x.size} values, the first at index {first}; "
            f"replace or remove them"
        )
