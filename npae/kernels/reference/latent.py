"""Kernels of the code: the Gaussian code of a variational network with its KL term, the L1 activity penalty, and the
one-hot labels that are appended to a code.
"""

import numpy as np

from npae.kernels.reference.array import Array


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


def warm_up(key: Array, beta: float, steps: int, beta_now: Array) -> None:
    """beta_now (1,) = β min(1, (t + 1) / steps) at the step t of ``key`` (6,), whose two highest words it is."""
    t = int(key[4]) + (int(key[5]) << 32)
    beta_now[0] = beta * min(1.0, (t + 1) / steps)


def l1_penalty(x: Array, strength: float, penalty: Array) -> None:
    """``penalty[n] = strength · Σᵢ |x|``, for x (N, n)."""
    penalty[...] = strength * np.abs(x).sum(axis=1)


def l1_gradient(x: Array, dy: Array, strength: float, dx: Array) -> None:
    """dx = dy + strength · sign(x), for arrays of the same shape."""
    dx[...] = dy + strength * np.sign(x)


def append_one_hot(x: Array, labels: Array, y: Array) -> None:
    """y[n] = (x[n], e_c), with e_c the unit vector of c = labels[n], for x (N, n), labels (N,) and y (N, n + k)."""
    size = x.shape[1]
    y[:, :size] = x
    y[:, size:] = labels[:, None] == np.arange(y.shape[1] - size)


def append_one_hot_gradient(dy: Array, dx: Array) -> None:
    """dx = dy[:, :n], for dy (N, n + k) and dx (N, n)."""
    dx[...] = dy[:, : dx.shape[1]]
