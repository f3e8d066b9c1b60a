"""Compiled kernels compared with their reference twins: margins show what is read or written beside arrays."""

from typing import Any

import numpy as np

from npae.kernels import compiled, reference

Array = np.ndarray[Any, np.dtype[Any]]

TOLERANCE = {"float32": 1e-5, "float64": 1e-12}
MARGIN = 64
UNTOUCHED = 123


def embedded(values: Array, margin: float) -> Array:
    """A copy of the values in the middle of a larger block, so that reading or writing beside it shows."""
    block = np.full(values.size + 2 * MARGIN, margin, values.dtype)
    inside = block[MARGIN : MARGIN + values.size].reshape(values.shape)
    inside[...] = values
    return inside


def normal(seed: int, dtype: str, *shape: int) -> Array:
    """Standard normal numbers, among NaN."""
    return embedded(np.random.default_rng(seed).standard_normal(shape).astype(dtype), np.nan)


def unit(seed: int, dtype: str, *shape: int) -> Array:
    """Numbers from 0 to 1, both included."""
    values = np.random.default_rng(seed).random(shape).round(2)
    return embedded(values.astype(dtype), np.nan)


def check(name: str, *arguments: Any, outputs: list[Array], scale: float = 1.0) -> list[Array]:
    """Call both twins; every output must be the same up to rounding, and nothing beside it written.

    ``scale`` is the size of the terms that are rounded, which counts where they cancel.
    """
    ours = [embedded(output, UNTOUCHED) for output in outputs]
    theirs = [output.copy() for output in outputs]
    with np.errstate(all="ignore"):
        getattr(compiled, name)(*arguments, *ours)
        getattr(reference, name)(*arguments, *theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert_close(a, b, scale)
        assert_margins_untouched(a)
    return ours


def assert_close(a: Array, b: Array, scale: float = 1.0) -> None:
    if a.dtype.kind != "f":
        np.testing.assert_array_equal(a, b)
        return
    finite = b[np.isfinite(b)]
    largest = np.abs(finite).max(initial=scale)
    smallest = 4 * float(np.finfo(a.dtype).tiny)  # below, the kernels' exponential ends
    np.testing.assert_allclose(a, b, rtol=0, atol=max(TOLERANCE[a.dtype.name] * largest, smallest))


def check_in_place(name: str, *arguments: Any, changed: list[Array]) -> None:
    """As ``check``, for what a kernel reads and writes: these come last."""
    ours, theirs = [embedded(array, UNTOUCHED) for array in changed], [array.copy() for array in changed]
    getattr(compiled, name)(*arguments, *ours)
    getattr(reference, name)(*arguments, *theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert_close(a, b)
        assert_margins_untouched(a)


def assert_margins_untouched(a: Array) -> None:
    block = a.base
    assert isinstance(block, np.ndarray)
    assert (block[:MARGIN] == UNTOUCHED).all()
    assert (block[block.size - MARGIN :] == UNTOUCHED).all()


def unset(dtype: str, *shape: int) -> Array:
    """An uninitialised output."""
    return np.full(shape, np.nan, dtype)


def whole(seed: int, dtype: str, *shape: int) -> Array:
    """A few whole numbers, among NaN."""
    return embedded(np.random.default_rng(seed).integers(-2, 3, shape).astype(dtype), np.nan)
