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


def add_to_rows(b: Array, y: Array) -> None:
    """y[n] += b, for b (n,), y (N, n)."""
    y += b


# Moving numbers


def take_rows(x: Array, chosen: Array, y: Array) -> None:
    """y[n] = x[chosen[n]], for x (M, n), chosen (N,) of whole numbers, y (N, n)."""
    np.take(x, chosen, axis=0, out=y, mode="clip")


def take_block(x: Array, place: Array, y: Array) -> None:
    """y = x[place[0] :], as many rows as y has, for x (M, n), place (2,), y (N, n)."""
    y[...] = x[place[0] :][: len(y)]


def put_block(y: Array, place: Array, x: Array) -> None:
    """The way back, x[place[0] :] = y; then place[0] moves on to the next block, at most to place[1]."""
    x[place[0] :][: len(y)] = y
    place[0] = min(place[0] + len(y), place[1])


def pad(x: Array, top: int, left: int, y: Array) -> None:
    """Write x (N, H, W, C) into the middle of y, ``top`` rows and ``left`` columns from its edge; the rest stays."""
    height, width = x.shape[1:3]
    y[:, top : top + height, left : left + width] = x


def swap_channels(W: Array, W_transposed: Array) -> None:
    """W_transposed[k, m] = W[k, m]ᵀ, for W (kh, kw, in, out), W_transposed (kh, kw, out, in)."""
    W_transposed[...] = W.transpose(0, 1, 3, 2)


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


def transposed_convolution(
    x: Array, W: Array, b: Array, stride_h: int, stride_w: int, top: int, left: int, y: Array
) -> None:
    """y[i·s + k − top, j·s + m − left] += x[i, j] W[k, m], from b, for x (N, H, W, in), W (kh, kw, in, out).

    What falls outside y is left out. With the weights' channels swapped and b = 0 this is the gradient of a convolution
    by its input: ``top`` and ``left`` are the border that the image was given.
    """
    rows, columns = x.shape[1:3]
    kh, kw = W.shape[:2]
    height = max((rows - 1) * stride_h + kh, top + y.shape[1])
    width = max((columns - 1) * stride_w + kw, left + y.shape[2])
    whole = np.zeros((len(x), height, width, y.shape[3]), y.dtype)
    for k, m in np.ndindex(kh, kw):
        _window(whole, k, m, stride_h, stride_w, rows, columns)[...] += x @ W[k, m]
    y[...] = whole[:, top : top + y.shape[1], left : left + y.shape[2]] + b


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


# Several layers in one. ``between`` is room for a few images of what lies between them.


def relu_max_pool(x: Array, y: Array, winner: Array) -> None:
    """y = the maximum of each 2×2 cells of x (N, 2H, 2W, C), or 0 where it is below.

    winner = 0 … 3, the first cell that has it, or 4 where y is not above 0.
    """
    n, rows, columns, channels = y.shape
    # (N, 2H, 2W, C) -> (N, H, W, C, 4)
    cells = x.reshape(n, rows, 2, columns, 2, channels).transpose(0, 1, 3, 5, 2, 4).reshape(*y.shape, 4)
    np.maximum(cells.max(axis=-1), 0, out=y)
    winner[...] = np.where(y > 0, cells.argmax(axis=-1), 4)


def relu_max_pool_gradient(dy: Array, winner: Array, dx: Array) -> None:
    """dx = dy in the winning cell of each window, else 0."""
    for cell in range(4):
        dx[:, cell // 2 :: 2, cell % 2 :: 2] = np.where(winner == cell, dy, 0)


def convolution_relu_max_pool(
    x: Array, W: Array, b: Array, stride_h: int, stride_w: int, between: Array, y: Array, winner: Array
) -> None:
    """``relu_max_pool`` of ``convolution``, a few images at a time."""
    for i in range(0, len(x), len(between)):
        few = slice(i, min(i + len(between), len(x)))
        convolved = between[: few.stop - i]
        convolution(x[few], W, b, stride_h, stride_w, convolved)
        relu_max_pool(convolved, y[few], winner[few])


def convolution_relu_max_pool_gradient(
    x: Array,
    dy: Array,
    winner: Array,
    W_transposed: Array,
    zero: Array,
    stride_h: int,
    stride_w: int,
    top: int,
    left: int,
    needs_dx: int,
    between: Array,
    dW: Array,
    db: Array,
    dx: Array,
) -> None:
    """Back through all three; dx is written where it is needed. ``zero`` is the bias of a gradient."""
    dW[...], db[...] = 0, 0
    for i in range(0, len(x), len(between)):
        few = slice(i, min(i + len(between), len(x)))
        slope, part = between[: few.stop - i], np.empty_like(dW)
        relu_max_pool_gradient(dy[few], winner[few], slope)
        convolution_weight_gradient(x[few], slope, stride_h, stride_w, part)
        dW += part
        db += slope.sum(axis=(0, 1, 2))
        if needs_dx:
            transposed_convolution(slope, W_transposed, zero, stride_h, stride_w, top, left, dx[few])


def upsample_convolution(
    x: Array,
    W: Array,
    b: Array,
    factor_h: int,
    factor_w: int,
    top: int,
    left: int,
    with_relu: int,
    group: int,
    y: Array,
) -> None:
    """Nearest-neighbour upsampling, convolution and, if asked for, ReLU; W is folded, see ``fold_upsampling``.

    ``group`` images at a time.
    """
    transposed_convolution(x, W, b, factor_h, factor_w, top, left, y)
    if with_relu:
        relu(y, y)


def upsample_convolution_gradient(
    x: Array,
    y: Array,
    dy: Array,
    W_transposed: Array,
    zero: Array,
    factor_h: int,
    factor_w: int,
    top: int,
    left: int,
    with_relu: int,
    between: Array,
    dW_transposed: Array,
    db: Array,
    dx: Array,
) -> None:
    """Back through both or all three; ``between`` (few, H, W, out) has a border of zeros."""
    dW_transposed[...], db[...] = 0, 0
    for i in range(0, len(x), len(between)):
        few = slice(i, min(i + len(between), len(x)))
        padded, part = between[: few.stop - i], np.empty_like(dW_transposed)
        slope = dy[few] * (y[few] > 0) if with_relu else dy[few]
        pad(slope, top, left, padded)
        db += slope.sum(axis=(0, 1, 2))
        convolution_weight_gradient(padded, x[few], factor_h, factor_w, part)
        dW_transposed += part
        convolution(padded, W_transposed, zero, factor_h, factor_w, dx[few])


def fold_upsampling(W: Array, factor_h: int, factor_w: int, W_folded: Array) -> None:
    """The weights (kh + fh − 1, kw + fw − 1, in, out) of the transposed convolution with stride (fh, fw) that equals
    upsampling by (fh, fw) followed by a convolution with W: each is the sum of those that meet the same value.
    """
    kh, kw = W.shape[:2]
    W_folded[...] = 0
    for k, m, t, u in np.ndindex(kh, kw, factor_h, factor_w):
        W_folded[kh - 1 - k + t, kw - 1 - m + u] += W[k, m]


def unfold_upsampling(dW_folded: Array, factor_h: int, factor_w: int, dW: Array) -> None:
    """The gradient by W, from that by the folded weights: each summand receives the whole."""
    kh, kw = dW.shape[:2]
    dW[...] = 0
    for k, m, t, u in np.ndindex(kh, kw, factor_h, factor_w):
        dW[k, m] += dW_folded[kh - 1 - k + t, kw - 1 - m + u]


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


# The code: its distribution, and a price on its activity


def gaussian_code(mu: Array, log_var: Array, eps: Array, beta: Array, sigma: Array, z: Array, penalty: Array) -> None:
    """σ = exp(½ log σ²); z = μ + σ ε; penalty[n] = β ½ Σⱼ (μ² + σ² − 1 − log σ²), for arrays (N, n) and β (1,)."""
    np.exp(0.5 * log_var, out=sigma)
    np.multiply(sigma, eps, out=z)
    z += mu
    penalty[...] = beta * 0.5 * (mu**2 + sigma**2 - 1 - log_var).sum(axis=1)


def gaussian_code_gradient(
    dz: Array, mu: Array, sigma: Array, eps: Array, beta: Array, weight: float, dmu: Array, dlog_var: Array
) -> None:
    """dμ = dz + β weight μ; d log σ² = dz ½ σ ε + β weight ½ (σ² − 1)."""
    dmu[...] = dz + beta * weight * mu
    dlog_var[...] = dz * (0.5 * sigma * eps) + beta * weight * 0.5 * (sigma**2 - 1)


def l1_penalty(x: Array, strength: float, penalty: Array) -> None:
    """penalty[n] = strength · Σᵢ |x|, for x (N, n)."""
    penalty[...] = strength * np.abs(x).sum(axis=1)


def l1_gradient(x: Array, dy: Array, strength: float, dx: Array) -> None:
    """dx = dy + strength · sign(x), on arrays of any one shape."""
    dx[...] = dy + strength * np.sign(x)


# Random numbers. ``key`` (6,) of uint32: two words that say what for, and the four of the first counter, lowest first.

_MULTIPLIERS = np.array([0xD2511F53, 0xCD9E8D57], dtype=np.uint64)
_KEY_STEPS = np.array([0x9E3779B9, 0xBB67AE85], dtype=np.uint64)


def _random_words(key: Array, first: int, n: int) -> Array:
    """(4, n) of uint64 below 2³²: Philox-4×32-10 of n counters that follow one another (Salmon et al. 2011, §4.3)."""
    low, mask = np.arange(first, first + n, dtype=np.uint64), np.uint64(0xFFFFFFFF)
    words = [(low + np.uint64(key[2])) & mask, *(np.full(n, word, np.uint64) for word in key[3:])]
    round_key = key[:2].astype(np.uint64)
    for _ in range(10):
        a, b = words[0] * _MULTIPLIERS[0], words[2] * _MULTIPLIERS[1]
        words = [(b >> 32) ^ words[1] ^ round_key[0], b & mask, (a >> 32) ^ words[3] ^ round_key[1], a & mask]
        round_key = (round_key + _KEY_STEPS) & mask
    return np.array(words)


def uniform(key: Array, y: Array) -> None:
    """Numbers from 0 to below 1, of 24 random bits each, for y (n,).

    A quarter of them from each word of the counters 0, 1, …; the one to three left over from a counter of their own.
    """
    n = y.size // 4
    for part, first in ((y[: 4 * n], 0), (y[4 * n :], n)):
        words = _random_words(key, first, max(part.size // 4, 1)) >> np.uint64(8)
        part[...] = words.reshape(-1)[: part.size] * 2.0**-24


def standard_normal(key: Array, y: Array) -> None:
    """Draws from N(0, 1), for y (n,), two from two uniform numbers (Box & Muller 1958)::

    √(−2 log u) cos 2πv  and  √(−2 log u) sin 2πv
    """
    n = y.size // 4
    for part, first in ((y[: 4 * n], 0), (y[4 * n :], n)):
        words = (_random_words(key, first, max(part.size // 4, 1)) >> np.uint64(8)).astype(np.float64)
        radius = np.sqrt(-2 * np.log((words[::2] + 0.5) * 2.0**-24))  # (2, n)
        angle = 2 * np.pi * words[1::2] * 2.0**-24
        pairs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)  # (2, 2, n)
        part[...] = pairs.reshape(-1)[: part.size]


# Noise, on arrays of any one shape: y, and ``keep`` = ∂y/∂x


def gaussian_noise(x: Array, drawn: Array, level: float, low: float, high: float, y: Array, keep: Array) -> None:
    """y = x + level · drawn, clipped to [low, high]; keep = 0 where it was clipped, else 1."""
    unclipped = x + level * drawn
    np.clip(unclipped, low, high, out=y)
    keep[...] = unclipped == y


def masking_noise(x: Array, drawn: Array, level: float, scale: float, y: Array, keep: Array) -> None:
    """y = keep · x; keep = 0 where drawn < level, else scale."""
    keep[...] = np.where(drawn < level, 0, scale)
    np.multiply(x, keep, out=y)


def salt_and_pepper_noise(x: Array, drawn: Array, level: float, y: Array, keep: Array) -> None:
    """y = 1 where drawn < level / 2, 0 where it is below level, else x; keep = 1 there alone."""
    keep[...] = drawn >= level
    y[...] = x * keep + (drawn < level / 2)


def multiply(a: Array, b: Array, c: Array) -> None:
    """c = a · b, element by element."""
    np.multiply(a, b, out=c)


def count_within(x: Array, low: float, high: float, count: Array) -> None:
    """count (1,) = how many values of x lie in [low, high]; a NaN does not."""
    count[0] = np.count_nonzero((x >= low) & (x <= high))


def count_outside(x: Array, limit: float, count: Array) -> None:
    """count (1,) += how many values of x lie outside [−limit, limit]; a NaN does."""
    count[0] += np.count_nonzero(~(np.abs(x) <= limit))


# Flat vectors, one pass, in place


def total(x: Array, t: Array) -> None:
    """t (1,) = Σ x, in float64."""
    t[0] = x.sum(dtype=np.float64)


def add_scaled(x: Array, factor: float, y: Array) -> None:
    """y += factor · x."""
    y += factor * x


# Optimizers. What changes from step to step, ``rate`` (1,) and ``step`` (1,), stands in arrays.


def sgd(theta: Array, dtheta: Array, velocity: Array, rate: Array, momentum: float) -> None:
    """v = momentum · v + dθ; θ −= rate · v."""
    velocity *= momentum
    velocity += dtheta
    theta -= rate[0] * velocity


def adam(
    theta: Array,
    dtheta: Array,
    m: Array,
    v: Array,
    rate: Array,
    step: Array,
    beta1: float,
    beta2: float,
    epsilon: float,
    decay: float,
) -> None:
    """θ −= rate · decay · θ, then Adam with bias correction; ``step`` counts from 1. Without decay it is plain Adam."""
    theta *= 1 - rate[0] * decay
    m += (1 - beta1) * (dtheta - m)
    v += (1 - beta2) * (dtheta * dtheta - v)
    m_hat_scale, v_hat_scale = 1 / (1 - beta1 ** step[0]), 1 / (1 - beta2 ** step[0])
    theta -= rate[0] * (m * m_hat_scale) / (np.sqrt(v * v_hat_scale) + epsilon)


def rmsprop(theta: Array, dtheta: Array, v: Array, rate: Array, decay: float, epsilon: float) -> None:
    """v = decay · v + (1 − decay) dθ²; θ −= rate · dθ / (√v + ε)."""
    v += (1 - decay) * (dtheta * dtheta - v)
    theta -= rate[0] * dtheta / (np.sqrt(v) + epsilon)
