"""Layers as plain NumPy functions, whose source is copied into exported Python files.

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
