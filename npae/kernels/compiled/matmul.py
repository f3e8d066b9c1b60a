"""Matrix products of dense layers, forward and backward."""

import numpy as np

from npae.kernels.jit import exact_jit, jit
from npae.kernels.reference.array import Array
from npae.kernels.simd.llvm import LINE
from npae.kernels.simd.panel import DEPTH, ONE, ZERO, copy_rows, copy_transposed, multiply, new_panel, start_from
from npae.kernels.simd.sparse import is_sparse, sparse_product

FEW = 4  # number of rows below which W is not copied into panels


@exact_jit
def _affine_of_few(x: Array, W: Array, b: Array, y: Array) -> None:
    """y = x W + b for few rows: W is read once for each row; the order of the sums is that of a tile."""
    n_in, n_out = W.shape
    W_flat = W.reshape(-1)
    whole = n_in // 4 * 4
    for n in range(len(x)):
        given, result = x[n], y[n]
        for j in range(n_out):
            result[j] = b[j]
        for k in range(0, whole, 4):
            x0, x1, x2, x3 = given[k], given[k + 1], given[k + 2], given[k + 3]
            if x0 == 0 and x1 == 0 and x2 == 0 and x3 == 0:  # adds nothing; see ``npae.kernels.simd.sparse``
                continue
            W0, W1 = W_flat[k * n_out :][:n_out], W_flat[(k + 1) * n_out :][:n_out]
            W2, W3 = W_flat[(k + 2) * n_out :][:n_out], W_flat[(k + 3) * n_out :][:n_out]
            for j in range(n_out):
                total = result[j] + x0 * W0[j]
                total += x1 * W1[j]
                total += x2 * W2[j]
                result[j] = total + x3 * W3[j]
        for k in range(whole, n_in):
            row = W_flat[k * n_out :][:n_out]
            for j in range(n_out):
                result[j] += given[k] * row[j]


@jit
def affine(x: Array, W: Array, b: Array, y: Array) -> None:
    """As reference.affine."""
    (n, n_in), n_out = x.shape, W.shape[1]
    x_flat, W_flat, y_flat = x.reshape(-1), W.reshape(-1), y.reshape(-1)
    lanes = LINE // y.itemsize
    if n >= FEW and is_sparse(x_flat, n, n_in, n_in, ONE):
        sparse_product(n, n_in, n_out, x_flat, n_in, ONE, W_flat, b, y_flat)
    elif n >= FEW:
        panel = new_panel(y)
        for j in range(0, n_out, lanes):
            width = min(lanes, n_out - j)
            start_from(b, j, width, panel)
            for k in range(0, max(n_in, 1), DEPTH):
                depth = min(DEPTH, n_in - k)
                copy_rows(W_flat, k * n_out + j, n_out, depth, width, panel, ZERO)
                multiply(n, ONE, depth, x_flat, k, n_in, ZERO, ONE, panel, y_flat, j, n_out, width, k == 0)
    else:
        _affine_of_few(x, W, b, y)  # last, since a second process compiles it; see ``compile_together``


@jit
def matmul_transposed_left(a: Array, b: Array, c: Array) -> None:
    """As reference.matmul_transposed_left; the transpose of a is read in place."""
    (n, m), n_out = a.shape, b.shape[1]
    a_flat, b_flat, c_flat = a.reshape(-1), b.reshape(-1), c.reshape(-1)
    if n_out > 2 * LINE // c.itemsize and is_sparse(a_flat, m, ONE, n, m):  # for fewer columns lists are slower
        sparse_product(m, n, n_out, a_flat, ONE, m, b_flat, c_flat[:0], c_flat)
        return
    lanes = LINE // c.itemsize
    panel = new_panel(c)
    for j in range(0, n_out, lanes):
        width = min(lanes, n_out - j)
        for k in range(0, max(n, 1), DEPTH):
            depth = min(DEPTH, n - k)
            copy_rows(b_flat, k * n_out + j, n_out, depth, width, panel, ZERO)
            multiply(m, ONE, depth, a_flat, k * m, ONE, ZERO, m, panel, c_flat, j, n_out, width, k == 0)


@jit
def matmul_transposed_right(a: Array, b: Array, c: Array) -> None:
    """As reference.matmul_transposed_right; b is transposed a panel at a time."""
    (n, n_in), n_out = a.shape, b.shape[0]
    a_flat, b_flat, c_flat = a.reshape(-1), b.reshape(-1), c.reshape(-1)
    lanes = LINE // c.itemsize
    panel = new_panel(c)
    for j in range(0, n_out, lanes):
        width = min(lanes, n_out - j)
        for k in range(0, max(n_in, 1), DEPTH):
            depth = min(DEPTH, n_in - k)
            copy_transposed(b_flat, j * n_in + k, n_in, depth, width, panel)
            multiply(n, ONE, depth, a_flat, k, n_in, ZERO, ONE, panel, c_flat, j, n_out, width, k == 0)


@jit
def column_sum(a: Array, s: Array) -> None:
    """As reference.column_sum. Several rows of a narrow array are summed at once, to fill vectors."""
    n, m = a.shape
    flat = a.reshape(-1)
    together = max(1, 64 // max(m, 1))
    partial = s if together == 1 else np.empty(together * m, s.dtype)  # a wide row is not allocated
    partial[:] = 0
    for first in range(0, n * m, together * m):
        line = flat[first : first + together * m]
        for j in range(line.size):
            partial[j] += line[j]
    for j in range(m):
        total = partial[j]
        for i in range(1, together):
            total += partial[i * m + j]
        s[j] = total


@jit
def add_to_rows(b: Array, y: Array) -> None:
    """As reference.add_to_rows."""
    for row in y:
        for j in range(b.size):
            row[j] += b[j]
