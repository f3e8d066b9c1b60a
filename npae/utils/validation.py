"""Input is validated once, where it enters; inner code assumes that it is valid."""

from collections.abc import Callable
from functools import cache
from math import prod
from typing import Any

import numpy as np

from npae.utils.errors import one_line
from npae.utils.memory import require_memory
from npae.utils.not_numbers import (
    numbers_of,
    refuse_in_list,
    refuse_masked,
    refuse_missing,
    refuse_read_once,
    refuse_table,
)
from npae.utils.samples import Rows, Samples, blocks, dense
from npae.utils.source_rows import SourceRows
from npae.utils.sources import IN_MEMORY, ArraySource, Source, is_mapped
from npae.utils.sparse import SparseRows, is_sparse
from npae.utils.types import Array, Shape
from npae.utils.wording import counted

#: How far beyond [0, 1] rounding takes a value: a few units in the last place of single precision.
ROUNDING = 1e-6


@cache
def largest_number(dtype: Any) -> float:
    """The largest finite number of a floating-point dtype."""
    return float(np.finfo(dtype).max)


def is_within(x: Array, low: float, high: float) -> bool:
    """Whether all values lie in [low, high]; False if there is a NaN."""
    return bool(low <= x.min() and x.max() <= high)


def is_unit_interval(x: Samples) -> bool:
    """Whether all values lie in [0, 1], rounding aside: a scaler may give 1.0000000000000002."""
    return all_within(x, -ROUNDING, 1 + ROUNDING)


def all_within(
    x: Samples, low: float, high: float, is_within: Callable[[Array, float, float], bool] = is_within
) -> bool:
    """Whether all values lie in [low, high]: by ``is_within`` of arrays, of a source by its range."""
    if type(x) is np.ndarray:
        return is_within(x, low, high)
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite
        if isinstance(x, SourceRows):
            return x.is_within(low, high)
        return all(is_within(block, low, high) for block in blocks(x))


def check_samples(
    x: Any,
    shape: Shape,
    dtype: Any,
    what: str,
    *,
    unit_interval: bool = False,
    loss_is_auto: bool = False,
    is_within: Callable[[Array, float, float], bool] = is_within,
    values_later: bool = False,
) -> Samples:
    """Validate samples and return them as a C-contiguous array of ``dtype``, copied only if necessary.

    An array of another dtype or order that would take more than 128 MiB, and a memory map of more, are converted batch
    by batch instead, as samples of a source are.

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
        Whether values must lie in [0, 1], rounding aside, as binary cross-entropy requires.
    loss_is_auto : bool, default False
        Whether ``loss="auto"`` chose it, for the message.
    is_within : callable, optional
        A faster function for the check of the range, with the arguments of ``is_within``.
    values_later : bool, default False
        Whether the caller looks at the values itself, where it uses them.

    Returns
    -------
    ndarray of shape (n, *shape), or the rows of a sparse matrix or of a source

    Raises
    ------
    ValueError
        If x has another shape, no samples, masked, missing, complex or non-finite values.
    TypeError
        If x is a sparse matrix or does not hold numbers.
    MemoryError
        If a copy does not fit in free memory.
    """
    samples = check_numeric(x, what)
    if samples.shape[1:] != shape or samples.ndim != len(shape) + 1:
        raise ValueError(
            f"{what} of shape {samples.shape} were given, but the model expects (n, {', '.join(map(str, shape))}); "
            f"{_advice_on_shape(samples.shape[1:], shape)}"
        )
    if len(samples) == 0:
        raise ValueError(
            f"{what} are empty (shape {samples.shape}); give at least one sample, a minimum of 1 is required"
        )
    converted = samples.astype(dtype) if isinstance(samples, Rows) else _converted(samples, dtype)
    if values_later:
        return converted
    largest = largest_number(converted.dtype)
    low, high = (-ROUNDING, 1 + ROUNDING) if unit_interval else (-largest, largest)
    if all_within(converted, low, high, is_within):
        return converted
    with np.errstate(over="ignore"):
        refuse_non_finite(samples, what)
        refuse_non_finite(converted, f"{what}, as {converted.dtype},")
        chosen = ', which loss="auto" took since the model was fitted to data in [0, 1],' if loss_is_auto else ""
        raise ValueError(
            f"binary cross-entropy{chosen} needs values from 0 to 1, but the data runs from {samples.min():.9g} to "
            f"{samples.max():.9g}; scale it (images of 0–255: X / 255, on the command line --divide 255), clip it "
            f'(in Python X.clip(0, 1)), or fit a new model with loss="mse"'
        )


def _advice_on_shape(given: Shape, expected: Shape) -> str:
    if prod(given) == prod(expected):
        return "reshape the data"
    are_images = len(given) == len(expected) in (2, 3)
    if are_images and given[2:] == expected[2:]:
        height, width = expected[:2]
        return (
            f"resize the images (of a folder: size=({height}, {width}) of npae.datasets.read, on the command line "
            f"--size {height},{width}), or use a model for their size"
        )
    return "give data of that shape, or use a model for this one"


def check_array(
    x: Any,
    shape: Shape,
    dtype: Any,
    what: str,
    *,
    is_within: Callable[[Array, float, float], bool] = is_within,
) -> Array:
    """``check_samples`` for what must be an array: a sparse matrix is refused."""
    if is_sparse(x):
        raise TypeError(f"{what} are a sparse matrix, but dense data is required; use .toarray()")
    samples = check_samples(x, shape, dtype, what, is_within=is_within)
    if isinstance(samples, Rows):
        nbytes = samples.size * samples.dtype.itemsize
        require_memory(nbytes, f"an array of {what} as {samples.dtype}", "give fewer")
    return dense(samples)


def _converted(samples: Array, dtype: Any) -> Samples:
    """An array as a C-contiguous one of ``dtype``, or what converts it batch by batch where that would be large."""
    is_as_it_is = samples.dtype == dtype and samples.flags.c_contiguous
    if is_as_it_is and type(samples) is np.ndarray and samples.nbytes <= IN_MEMORY:
        return samples
    is_large = samples.size * np.dtype(dtype).itemsize > IN_MEMORY
    if is_large and (not is_as_it_is or is_mapped(samples)):
        return SourceRows(ArraySource(samples), dtype=dtype)
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(samples, dtype=dtype)


def check_numeric(x: Any, what: str) -> Samples:
    """x as an array of real numbers, or as rows of a sparse matrix or of a source.

    What NumPy would drop silently is refused.
    """
    if type(x) is np.ndarray and x.dtype.kind in "biuf":  # most calls, of which all below has nothing to say
        return x
    if isinstance(x, Source):
        x.begin_use()
        return SourceRows(x)
    if is_sparse(x):
        if x.dtype.kind not in "biuf":
            numbers_of(np.empty(0, x.dtype), what)
        return SparseRows.of(x) if x.ndim > 1 else numbers_of(x.toarray(), what)
    if isinstance(x, Rows):
        return x
    refuse_read_once(x, what)
    if hasattr(x, "toarray") and hasattr(x, "nnz"):
        raise TypeError(f"{what} are a sparse matrix, but not one of SciPy; give that, or dense data: use .toarray()")
    if type(x) is not np.ndarray:
        refuse_masked(x, what)
        refuse_table(x, what)
        if isinstance(x, list | tuple):
            refuse_in_list(x, what)
    try:
        array: Array = np.asanyarray(x)  # a masked array may come of what is none, such as a variable of netCDF
    except (TypeError, ValueError, RuntimeError) as error:
        are_parts = isinstance(x, list | tuple) and all(getattr(entry, "ndim", 0) > 1 for entry in x)
        advice = "give images of one size, or npae.datasets.ShardSource(X) for parts of the data" if are_parts else ""
        raise (ValueError if isinstance(error, ValueError) else TypeError)(
            f"{what} cannot be made an array ({one_line(error)}); {advice or 'give rows of equal length'}"
        ) from None
    refuse_masked(array, what)
    return numbers_of(np.asarray(array), what, x)


def check_dense(x: Any, what: str) -> Array:
    """``check_numeric`` for what must be an array: of a sparse matrix, one that is dense."""
    return dense(check_numeric(x, what))


def check_labels(labels: Any, n: int, what: str) -> Array:
    """Labels (n,) of samples, of any type; masked and missing ones are refused."""
    refuse_masked(labels, what)
    refuse_table(labels, what)
    if isinstance(labels, list | tuple):
        refuse_in_list(labels, what)
    array: Array = np.asarray(labels)
    if array.shape != (n,):
        there = "is" if n == 1 else "are"
        raise ValueError(
            f"{what} have shape {array.shape}, but there {there} {counted(n, 'sample')}; give one label for each"
        )
    refuse_missing(array, what)
    return array


def stack_two(a: Any, b: Any) -> Array:
    """Two samples of one shape as an array (2, *shape); raises ValueError if their shapes differ."""
    a, b = (one_sample(x, name) for x, name in ((a, "a"), (b, "b")))
    if a.shape != b.shape:
        raise ValueError(f"a has shape {a.shape} and b has {b.shape}; give two samples of the shape of X's")
    return np.stack([a, b])


def one_sample(x: Any, what: str) -> Array:
    """One sample; the row of a sparse matrix is one."""
    sample = check_dense(x, what)
    return sample[0] if is_sparse(x) and len(sample) == 1 and sample.ndim > 1 else sample


def refuse_non_finite(x: Samples, what: str) -> None:
    """Raise ValueError if x has NaN or infinity; the message has their number and the index of the first.

    Of a source it has the place of the first alone, since no more than that is read.
    """
    if isinstance(x, SourceRows):
        row = x.first_non_finite()
        if row is not None:
            raise ValueError(f"{what} contains NaN or infinity, first in {x.place(row)}; replace or remove them")
        return
    count, first, start = 0, None, 0
    for block in blocks(x):
        bad = ~np.isfinite(block)
        if bad.any():
            count += int(bad.sum())
            if first is None:
                place = np.argwhere(bad)[0]
                first = (start + int(place[0]), *map(int, place[1:])) if len(place) else ()
        start += len(block) if block.ndim else 0
    if first is not None:
        raise ValueError(
            f"{what} contains NaN or infinity: {count} of {x.size} values, the first at index {first}; "
            f"replace or remove them"
        )
