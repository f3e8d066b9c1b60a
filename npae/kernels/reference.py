"""What each kernel computes, in plain NumPy: the specification, the test's oracle, and the path without Numba."""

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

# Matrix products


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


# Convolution without padding: the image brings its border of zeros along


def _window(x: Array, k: int, m: int, stride_h: int, stride_w: int, rows: int, columns: int) -> Array:
    """The cells of x (N, H, W, C) that element (k, m) of a sliding window sees: a view (N, rows, columns, C)."""
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


def convolution_input_gradient(dy: Array, W_transposed: Array, stride_h: int, stride_w: int, dx: Array) -> None:
    """dx[i·s + k, j·s + m] += dy[i, j] W[k, m]ᵀ, from zero, for W_transposed (kh, kw, out, in)."""
    rows, columns = dy.shape[1:3]
    dx[...] = 0
    for k, m in np.ndindex(W_transposed.shape[:2]):
        _window(dx, k, m, stride_h, stride_w, rows, columns)[...] += dy @ W_transposed[k, m]


# Pooling. The first window starts ``top`` rows above and ``left`` columns before the image.


def _spans(n_in: int, n_out: int, window: int, stride: int, before: int) -> list[slice]:
    """For each window along one axis, the cells of the image it covers."""
    starts = [i * stride - before for i in range(n_out)]
    return [slice(max(start, 0), min(start + window, n_in)) for start in starts]


def max_pool(
    x: Array, window_h: int, window_w: int, stride_h: int, stride_w: int, top: int, left: int, y: Array, winner: Array
) -> None:
    """y = the first maximum of each window of x (N, H, W, C); winner = its place, row · W + column."""
    n, height, width, channels = x.shape
    for i, rows in enumerate(_spans(height, y.shape[1], window_h, stride_h, top)):
        for j, columns in enumerate(_spans(width, y.shape[2], window_w, stride_w, left)):
            cells = x[:, rows, columns].reshape(n, -1, channels)  # (N, cells, C)
            best = cells.argmax(axis=1)  # (N, C)
            span = columns.stop - columns.start
            y[:, i, j] = np.take_along_axis(cells, best[:, None], axis=1)[:, 0]
            winner[:, i, j] = (rows.start + best // span) * width + columns.start + best % span


def max_pool_gradient(dy: Array, winner: Array, dx: Array) -> None:
    """dx[winner[i, j]] += dy[i, j], from zero."""
    n, _, _, channels = dy.shape
    dx[...] = 0
    flat = dx.reshape(n, -1, channels)
    sample, channel = np.arange(n)[:, None, None, None], np.arange(channels)
    np.add.at(flat, (sample, winner, channel), dy)


def average_pool(
    x: Array, window_h: int, window_w: int, stride_h: int, stride_w: int, top: int, left: int, y: Array
) -> None:
    """y = the mean of the cells of x (N, H, W, C) that each window covers."""
    for i, rows in enumerate(_spans(x.shape[1], y.shape[1], window_h, stride_h, top)):
        for j, columns in enumerate(_spans(x.shape[2], y.shape[2], window_w, stride_w, left)):
            y[:, i, j] = x[:, rows, columns].mean(axis=(1, 2))


def average_pool_gradient(
    dy: Array, window_h: int, window_w: int, stride_h: int, stride_w: int, top: int, left: int, dx: Array
) -> None:
    """Each cell of a window receives dy / cells, from zero."""
    dx[...] = 0
    for i, rows in enumerate(_spans(dx.shape[1], dy.shape[1], window_h, stride_h, top)):
        for j, columns in enumerate(_spans(dx.shape[2], dy.shape[2], window_w, stride_w, left)):
            cells = (rows.stop - rows.start) * (columns.stop - columns.start)
            dx[:, rows, columns] += dy[:, i, j][:, None, None] / cells


# Upsampling


def upsample_nearest(x: Array, factor_h: int, factor_w: int, y: Array) -> None:
    """y[i, j] = x[⌊i / fh⌋, ⌊j / fw⌋], for x (N, H, W, C), y (N, OH, OW, C)."""
    rows, columns = np.arange(y.shape[1]) // factor_h, np.arange(y.shape[2]) // factor_w
    y[...] = x[:, rows[:, None], columns]


def upsample_nearest_gradient(dy: Array, factor_h: int, factor_w: int, dx: Array) -> None:
    """dx[⌊i / fh⌋, ⌊j / fw⌋] += dy[i, j], from zero."""
    dx[...] = 0
    for k in range(factor_h):
        for m in range(factor_w):
            phase = dy[:, k::factor_h, m::factor_w]
            dx[:, : phase.shape[1], : phase.shape[2]] += phase


def resample(x: Array, row_weights: Array, column_weights: Array, y: Array) -> None:
    """y = R x Cᵀ on each image, for x (N, H, W, C), R (OH, H), C (OW, W), y (N, OH, OW, C)."""
    np.einsum("ph,nhwc,qw->npqc", row_weights, x, column_weights, out=y, optimize=True)


def resample_gradient(dy: Array, row_weights: Array, column_weights: Array, dx: Array) -> None:
    """dx = Rᵀ dy C."""
    np.einsum("ph,npqc,qw->nhwc", row_weights, dy, column_weights, out=dx, optimize=True)


# Activations, on arrays of any one shape


def relu(x: Array, y: Array) -> None:
    """y = max(x, 0)."""
    np.maximum(x, 0, out=y)


def relu_gradient(y: Array, dy: Array, dx: Array) -> None:
    """dx = dy where y > 0, else 0."""
    np.multiply(dy, y > 0, out=dx)


def leaky_relu(x: Array, slope: float, y: Array) -> None:
    """y = x where x > 0, else slope · x."""
    y[...] = np.where(x > 0, x, slope * x)


def leaky_relu_gradient(x: Array, slope: float, dy: Array, dx: Array) -> None:
    """dx = dy where x > 0, else slope · dy."""
    dx[...] = np.where(x > 0, dy, slope * dy)


def sigmoid(x: Array, y: Array) -> None:
    """y = 1 / (1 + e⁻ˣ), written so that the exponential cannot overflow."""
    e = np.exp(-np.abs(x))
    y[...] = np.where(x >= 0, 1 / (1 + e), e / (1 + e))


def sigmoid_gradient(y: Array, dy: Array, dx: Array) -> None:
    """dx = y (1 − y) dy."""
    np.multiply(y * (1 - y), dy, out=dx)


def tanh(x: Array, y: Array) -> None:
    """y = tanh x."""
    np.tanh(x, out=y)


def tanh_gradient(y: Array, dy: Array, dx: Array) -> None:
    """dx = (1 − y²) dy."""
    np.multiply(1 - y * y, dy, out=dx)


def softplus(x: Array, y: Array) -> None:
    """y = log(1 + eˣ), written so that the exponential cannot overflow."""
    y[...] = np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def softplus_gradient(x: Array, dy: Array, dx: Array) -> None:
    """dx = dy / (1 + e⁻ˣ)."""
    sigmoid(x, dx)
    dx *= dy


# Losses: one number for each sample, and the gradient times ``weight``, in one pass. Arrays are (N, n).


def bce_on_logits(z: Array, t: Array, weight: float, losses: Array, dz: Array) -> None:
    """losses[n] = Σᵢ max(z, 0) − z t + log(1 + e^−|z|); dz = weight (σ(z) − t)."""
    e = np.exp(-np.abs(z))
    np.sum(np.maximum(z, 0) - z * t + np.log1p(e), axis=1, out=losses)
    dz[...] = weight * (np.where(z >= 0, 1 / (1 + e), e / (1 + e)) - t)


def bce_on_probabilities(p: Array, t: Array, weight: float, floor: float, losses: Array, dp: Array) -> None:
    """losses[n] = −Σᵢ t log p + (1 − t) log(1 − p); dp = weight (p − t) / (p (1 − p)).

    p and 1 − p count as at least ``floor`` in every place, so that neither is infinite.
    """
    q = np.maximum(1 - p, floor)
    p = np.maximum(p, floor)
    np.sum(-t * np.log(p) - (1 - t) * np.log(q), axis=1, out=losses)
    dp[...] = weight * ((1 - t) / q - t / p)


def squared_error(y: Array, t: Array, weight: float, losses: Array, dy: Array) -> None:
    """losses[n] = Σᵢ (y − t)²; dy = weight · 2 (y − t)."""
    difference = y - t
    np.sum(difference * difference, axis=1, out=losses)
    dy[...] = (2 * weight) * difference


# Flat vectors, one pass, in place


def add_scaled(x: Array, factor: float, y: Array) -> None:
    """y += factor · x."""
    y += factor * x


# Optimizers


def sgd(theta: Array, dtheta: Array, velocity: Array, rate: float, momentum: float) -> None:
    """v = momentum · v + dθ; θ −= rate · v."""
    velocity *= momentum
    velocity += dtheta
    theta -= rate * velocity


def adam(
    theta: Array, dtheta: Array, m: Array, v: Array, rate: float, beta1: float, beta2: float, epsilon: float, step: int
) -> None:
    """Adam with bias correction; ``step`` counts from 1."""
    m += (1 - beta1) * (dtheta - m)
    v += (1 - beta2) * (dtheta * dtheta - v)
    m_hat_scale, v_hat_scale = 1 / (1 - beta1**step), 1 / (1 - beta2**step)
    theta -= rate * (m * m_hat_scale) / (np.sqrt(v * v_hat_scale) + epsilon)


def adamw(
    theta: Array,
    dtheta: Array,
    m: Array,
    v: Array,
    rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    step: int,
    decay: float,
) -> None:
    """θ −= rate · decay · θ, then Adam."""
    theta *= 1 - rate * decay
    adam(theta, dtheta, m, v, rate, beta1, beta2, epsilon, step)


def rmsprop(theta: Array, dtheta: Array, v: Array, rate: float, decay: float, epsilon: float) -> None:
    """v = decay · v + (1 − decay) dθ²; θ −= rate · dθ / (√v + ε)."""
    v += (1 - decay) * (dtheta * dtheta - v)
    theta -= rate * dtheta / (np.sqrt(v) + epsilon)
