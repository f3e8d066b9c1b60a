"""Optimizer steps and sums over flat vectors, in place.

Arguments that change from step to step, ``rate`` (1,) and ``step`` (1,), are arrays, so that calls can be recorded.
"""

import numpy as np

from npae.kernels.reference.array import Array


def total(x: Array, t: Array) -> None:
    """t (1,) = Σ x, in float64."""
    t[0] = x.sum(dtype=np.float64)


def add_scaled(x: Array, factor: float, y: Array) -> None:
    """y += factor · x."""
    y += factor * x


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
    """AdamW (Loshchilov & Hutter 2019); with ``decay`` 0 Adam (Kingma & Ba 2015). ``step`` is t, from 1::

    m = β₁ m + (1 − β₁) dθ;  v = β₂ v + (1 − β₂) dθ²
    θ −= rate · decay · θ + rate · m / (1 − β₁ᵗ) / (√(v / (1 − β₂ᵗ)) + ε)
    """
    theta *= 1 - rate[0] * decay
    m += (1 - beta1) * (dtheta - m)
    v += (1 - beta2) * (dtheta * dtheta - v)
    m_hat_scale, v_hat_scale = 1 / (1 - beta1 ** step[0]), 1 / (1 - beta2 ** step[0])
    theta -= rate[0] * (m * m_hat_scale) / (np.sqrt(v * v_hat_scale) + epsilon)


def rmsprop(theta: Array, dtheta: Array, v: Array, rate: Array, decay: float, epsilon: float) -> None:
    """v = decay · v + (1 − decay) dθ²; θ −= rate · dθ / (√v + ε)."""
    v += (1 - decay) * (dtheta * dtheta - v)
    theta -= rate[0] * dtheta / (np.sqrt(v) + epsilon)
