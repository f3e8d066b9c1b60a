"""Data is looked at once, where it comes in; behind that line everything trusts it."""

from typing import Any

import numpy as np

from npae.types import Array, Shape


def check_samples(x: Any, shape: Shape, dtype: Any, what: str) -> Array:
    """x as a C-contiguous (n, *shape) array of ``dtype``, copied only where it must be.

    Raises
    ------
    ValueError
        If x has another shape, no samples, complex or non-finite values.
    TypeError
        If x does not hold numbers.
    """
    x = check_numeric(x, what)
    if x.shape[1:] != shape or x.ndim != len(shape) + 1:
        raise ValueError(f"{what} of shape {x.shape} were given, but the model expects (n, {_inner(shape)})")
    if len(x) == 0:
        raise ValueError(f"{what} are empty (shape {x.shape}); give at least one")
    x = np.ascontiguousarray(x, dtype=dtype)
    check_finite(x, what)
    return x


def check_numeric(x: Any, what: str) -> Array:
    """x as an array of real numbers."""
    if hasattr(x, "toarray") and hasattr(x, "nnz"):
        raise TypeError(f"{what} are a sparse matrix, but dense data is required; use .toarray()")
    x = np.asarray(x)
    if x.dtype.kind == "c":
        raise ValueError(f"Complex data not supported: {what} have dtype {x.dtype}; give real numbers")
    if x.dtype.kind not in "biuf":
        try:
            x = x.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise type(error)(
                f"{what} have dtype {x.dtype} and are not all numbers ({error}); encode them first"
            ) from None
    return x


def check_finite(x: Array, what: str) -> None:
    """Refuse NaN and infinity, saying how many there are and where the first is."""
    # A sum is not finite if any element is not; only then each is looked at.
    if np.isfinite(x.sum(dtype=np.float64)):
        return
    bad = ~np.isfinite(x)
    if bad.any():
        first = tuple(int(i) for i in np.argwhere(bad)[0])
        raise ValueError(
            f"{what} contains NaN or infinity: {int(bad.sum())} of {x.size} values, the first at index {first}; "
            f"replace or remove them"
        )


def check_unit_interval(x: Array) -> None:
    """Refuse targets outside [0, 1], which binary cross-entropy cannot rebuild."""
    low, high = float(x.min()), float(x.max())
    if low < 0 or high > 1:
        raise ValueError(
            f"binary cross-entropy needs values from 0 to 1, but the data runs from {low:g} to {high:g}; "
            f'scale it (images of 0–255: X / 255) or use loss="mse"'
        )


def _inner(shape: Shape) -> str:
    return ", ".join(map(str, shape))
