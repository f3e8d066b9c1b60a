"""2D upsampling: nearest neighbour, or resampling with a weight matrix for rows and one for columns."""

import numpy as np

from npae.kernels.reference.array import Array


def upsample_nearest(x: Array, factor_h: int, factor_w: int, y: Array) -> None:
    """y[i, j] = x[⌊i / fh⌋, ⌊j / fw⌋], for x (N, H, W, C), y (N, OH, OW, C)."""
    rows, columns = np.arange(y.shape[1]) // factor_h, np.arange(y.shape[2]) // factor_w
    y[...] = x[:, rows[:, None], columns]


def upsample_nearest_gradient(dy: Array, factor_h: int, factor_w: int, dx: Array) -> None:
    """dx = 0, then dx[⌊i / fh⌋, ⌊j / fw⌋] += dy[i, j]."""
    dx[...] = 0
    for k in range(min(factor_h, dy.shape[1])):  # further phases are empty
        for m in range(min(factor_w, dy.shape[2])):
            phase = dy[:, k::factor_h, m::factor_w]
            dx[:, : phase.shape[1], : phase.shape[2]] += phase


def resample(x: Array, row_weights: Array, column_weights: Array, y: Array) -> None:
    """y = R x Cᵀ on each image, for x (N, H, W, C), R (OH, H), C (OW, W), y (N, OH, OW, C)."""
    np.einsum("ph,nhwc,qw->npqc", row_weights, x, column_weights, out=y, optimize=True)


def resample_gradient(dy: Array, row_weights: Array, column_weights: Array, dx: Array) -> None:
    """dx = Rᵀ dy C."""
    np.einsum("ph,npqc,qw->nhwc", row_weights, dy, column_weights, out=dx, optimize=True)
