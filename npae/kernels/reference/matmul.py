"""Matrix products of dense layers, and the sums of their biases."""

import numpy as np

from npae.kernels.reference.array import Array


def affine(x: Array, W: Array, b: Array, y: Array) -> None:
    """y = x W + b, for x (N, in), W (in, out), b (out,), y (N, out)."""
    np.matmul(x, W, out=y)
    y += b


def matmul_transposed_left(a: Array, b: Array, c: Array) -> None:
    """c = aᵀ b, for a (N, m), b (N, n), c (m, n)."""
    np.matmul(a.T, b, out=c)


def matmul_transposed_right(a: Array, b: Array, c: Array) -> None:
    """c = a bᵀ, for a (N, n), b (m, n), c (N, m)."""
    np.matmul(a, b.T, out=c)


def column_sum(a: Array, s: Array) -> None:
    """s = Σₙ a[n], for a (N, n), s (n,)."""
    np.sum(a, axis=0, out=s)


def add_to_rows(b: Array, y: Array) -> None:
    """y[n] += b, for b (n,), y (N, n)."""
    y += b
