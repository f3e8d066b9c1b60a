"""2D convolution of images that are padded already, its weight gradient, and transposed convolution."""

import numpy as np

from npae.kernels.reference.array import Array


def _window(x: Array, k: int, m: int, stride_h: int, stride_w: int, rows: int, columns: int) -> Array:
    """The cells of x (N, H, W, C) at element (k, m) of a sliding window: a view (N, rows, columns, C)."""
    return x[:, k : k + (rows - 1) * stride_h + 1 : stride_h, m : m + (columns - 1) * stride_w + 1 : stride_w]


def convolution(x: Array, W: Array, b: Array, stride_h: int, stride_w: int, y: Array) -> None:
    """y[i, j] = Σₖₘ x[i·s + k, j·s + m] W[k, m] + b, for x (N, H, W, in), W (kh, kw, in, out), y (N, OH, OW, out)."""
    rows, columns = y.shape[1:3]
    y[...] = b
    for k, m in np.ndindex(W.shape[:2]):
        y += _window(x, k, m, stride_h, stride_w, rows, columns) @ W[k, m]


def convolution_weight_gradient(x: Array, dy: Array, stride_h: int, stride_w: int, dW: Array) -> None:
    """dW[k, m] = Σₙᵢⱼ x[i·s + k, j·s + m]ᵀ dy[i, j]."""
    rows, columns, n_out = dy.shape[1:]
    for k, m in np.ndindex(dW.shape[:2]):
        seen = _window(x, k, m, stride_h, stride_w, rows, columns)
        # (N, OH, OW, in) -> (N*OH*OW, in)
        dW[k, m] = seen.reshape(-1, x.shape[3]).T @ dy.reshape(-1, n_out)


def transposed_convolution(
    x: Array, W: Array, b: Array, stride_h: int, stride_w: int, top: int, left: int, y: Array
) -> None:
    """y = b, then y[i·s + k − top, j·s + m − left] += x[i, j] W[k, m], for x (N, H, W, in), W (kh, kw, in, out).

    Terms outside y (N, OH, OW, out) are omitted. With the channels of W swapped and b = 0 this is the gradient of a
    convolution by its input, with ``top`` and ``left`` the padding of the image.
    """
    rows, columns = x.shape[1:3]
    kh, kw = W.shape[:2]
    height = max((rows - 1) * stride_h + kh, top + y.shape[1])
    width = max((columns - 1) * stride_w + kw, left + y.shape[2])
    whole = np.zeros((len(x), height, width, y.shape[3]), y.dtype)
    for k, m in np.ndindex(kh, kw):
        _window(whole, k, m, stride_h, stride_w, rows, columns)[...] += x @ W[k, m]
    y[...] = whole[:, top : top + y.shape[1], left : left + y.shape[2]] + b
