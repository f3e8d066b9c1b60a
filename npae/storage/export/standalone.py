"""Layers and checks as plain NumPy functions, whose source is copied into exported Python files.

Arrays are (N, ...) or (N, H, W, C). ``npae.storage.export.python`` copies the functions that a model uses, with
those that they call.
"""

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def sigmoid(x: Array) -> Array:
    """1 / (1 + e⁻ˣ), without overflow."""
    e: Array = np.exp(-np.abs(x))
    y: Array = np.where(x >= 0, 1, e) / (1 + e)
    return y


def softplus(x: Array) -> Array:
    """log(1 + eˣ), without overflow."""
    y: Array = np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))
    return y


def convolution(x: Array, W: Array, b: Array, stride: tuple[int, int], padding: Any) -> Array:
    """y[i, j] = Σₖₗ x[i·s + k, j·s + l] W[k, l] + b, for W (kh, kw, in, out); x is first padded with zeros."""
    x = np.pad(x, ((0, 0), *padding, (0, 0)))
    rows, columns = ((n - k) // s + 1 for n, k, s in zip(x.shape[1:3], W.shape[:2], stride, strict=True))
    y = np.zeros((len(x), rows, columns, W.shape[3]), x.dtype) + b
    for k, m in np.ndindex(W.shape[:2]):
        y += (
            x[:, k : k + rows * stride[0] : stride[0], m : m + columns * stride[1] : stride[1]][:, :rows, :columns]
            @ (W[k, m])
        )
    return y


def pool(x: Array, reduce: Any, size: tuple[int, int], stride: tuple[int, int], padding: Any, shape: Any) -> Array:
    """``reduce`` of each window; the border is NaN, of which reduce takes no notice."""
    x = np.pad(x, ((0, 0), *padding, (0, 0)), constant_values=np.nan)
    (rows, columns), (sh, sw) = shape, stride
    cells = [x[:, k:, m:][:, : rows * sh : sh, : columns * sw : sw] for k, m in np.ndindex(size)]
    y: Array = reduce(np.stack([cell[:, :rows, :columns] for cell in cells]), axis=0)
    return y


def enlarge(x: Array, factor: tuple[int, int], shape: tuple[int, int]) -> Array:
    """Every value repeated, cut to ``shape`` (height, width)."""
    return x.repeat(factor[0], axis=1).repeat(factor[1], axis=2)[:, : shape[0], : shape[1]]


def resample(x: Array, rows: Array, columns: Array) -> Array:
    """y = R x Cᵀ, for R (OH, H), C (OW, W)."""
    return np.asarray(np.einsum("oh,nhwc,pw->nopc", rows, x, columns, optimize=True), x.dtype)


def checked(values: Any, shape: tuple[int, ...], dtype: str, columns: Any = None) -> Array:
    """``values`` as an array (n, *shape); what NumPy would make numbers of without a word is refused.

    ``columns`` are the names of the dataframe that the model was trained on.
    """
    names = [str(name) for name in getattr(values, "columns", ())]
    numbered = [str(i) for i in range(len(names))]
    # pandas numbers the columns that have no names
    may_differ = numbered in (names, columns) and sorted(names) != sorted(columns or ())
    if columns and names and names != columns and not may_differ:
        raise ValueError(f"the columns are {names}, but the model was trained on {columns}; give these, in this order")
    if hasattr(values, "isna") and np.asarray(values.isna()).any():
        raise ValueError("there are missing values; fill or remove them")
    if hasattr(values, "toarray"):
        raise TypeError("the samples are a sparse matrix; give some rows of it at a time, with .toarray()")
    x = values if is_masked(values) else np.asanyarray(values)  # which an object may convert itself to a masked array
    if is_masked(x):
        raise ValueError("there are masked values, and what lies beneath a mask is no data; fill or remove them")
    x = np.asarray(x)
    kinds = {type(value).__name__ for value in x.reshape(-1)} if x.dtype.kind == "O" else {x.dtype.name}
    wrong = [k for k in sorted(kinds) if k.startswith(("date", "time", "Time", "NaT", "NA", "None", "complex", "void"))]
    if wrong:
        raise TypeError(f"there are values of type {wrong[0]}, which are no real numbers; replace or remove them")
    try:
        with np.errstate(over="ignore"):  # what the precision cannot hold becomes infinite
            x = x.astype(dtype)
    except (TypeError, ValueError) as error:
        raise ValueError(f"these are not all numbers ({error}); give an array of numbers") from None
    if x.shape[1:] != shape or x.ndim != len(shape) + 1 or not len(x):
        expected = ", ".join(map(str, shape))
        raise ValueError(f"values of shape (n, {expected}), n at least 1, are expected, but {x.shape} was given")
    wrong = ~np.isfinite(x)
    if wrong.any():
        place = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise ValueError(
            f"there is NaN or infinity: {wrong.sum()} of {x.size} values, the first at index {place}; replace or "
            f"remove them"
        )
    return x


def is_masked(values: Any) -> bool:
    """Whether cells are masked, in an array or in a list of such."""
    is_list = isinstance(values, list | tuple)
    return any(is_masked(value) for value in values) if is_list else bool(np.ma.is_masked(values))
