"""Kernels of the code: the Gaussian code of a variational network with its KL term, the L1 activity penalty, and the
one-hot labels that are appended to a code.
"""

import math

import numpy as np

from npae.kernels.jit import jit
from npae.kernels.reference.array import Array


@jit
def gaussian_code(mu: Array, log_var: Array, eps: Array, beta: Array, sigma: Array, z: Array, penalty: Array) -> None:
    """As reference.gaussian_code; sums are computed in float64."""
    half = sigma.dtype.type(0.5)
    for n in range(len(mu)):
        total = 0.0
        for j in range(mu.shape[1]):
            spread = math.exp(half * log_var[n, j])
            sigma[n, j] = spread
            z[n, j] = mu[n, j] + spread * eps[n, j]
            total += mu[n, j] * mu[n, j] + spread * spread - 1 - log_var[n, j]
        penalty[n] = beta[0] * 0.5 * total


@jit
def gaussian_code_gradient(
    dz: Array, mu: Array, sigma: Array, eps: Array, beta: Array, weight: float, dmu: Array, dlog_var: Array
) -> None:
    """As reference.gaussian_code_gradient."""
    number = dmu.dtype.type
    price, half, one = number(beta[0] * weight), number(0.5), number(1)
    for n in range(len(dz)):
        for j in range(dz.shape[1]):
            slope, spread = dz[n, j], sigma[n, j]
            dmu[n, j] = slope + price * mu[n, j]
            dlog_var[n, j] = slope * half * spread * eps[n, j] + price * half * (spread * spread - one)


@jit
def warm_up(key: Array, beta: float, steps: int, beta_now: Array) -> None:
    """As reference.warm_up."""
    t = np.int64(key[4]) + (np.int64(key[5]) << 32)
    beta_now[0] = beta * min(1.0, (t + 1) / steps)


@jit
def l1_penalty(x: Array, strength: float, penalty: Array) -> None:
    """As reference.l1_penalty; sums are computed in float64."""
    for n in range(len(x)):
        total = 0.0
        for i in range(x.shape[1]):
            total += abs(x[n, i])
        penalty[n] = strength * total


@jit
def l1_gradient(x: Array, dy: Array, strength: float, dx: Array) -> None:
    """As reference.l1_gradient; NaN is preserved."""
    x_flat, dy_flat, dx_flat = x.reshape(-1), dy.reshape(-1), dx.reshape(-1)
    number = dx.dtype.type
    price, zero = number(strength), number(0)
    for i in range(dx_flat.size):
        value = x_flat[i]
        sign_price = price if value > zero else (-price if value < zero else price * value)
        dx_flat[i] = dy_flat[i] + sign_price


@jit
def append_one_hot(x: Array, labels: Array, y: Array) -> None:
    """As reference.append_one_hot."""
    size, zero, one = x.shape[1], y.dtype.type(0), y.dtype.type(1)
    for n in range(len(y)):
        for j in range(size):
            y[n, j] = x[n, j]
        for c in range(y.shape[1] - size):
            y[n, size + c] = one if labels[n] == c else zero


@jit
def append_one_hot_gradient(dy: Array, dx: Array) -> None:
    """As reference.append_one_hot_gradient."""
    for n in range(len(dx)):
        for j in range(dx.shape[1]):
            dx[n, j] = dy[n, j]
