"""Optimizer steps and sums over flat vectors, in place.

Hyperparameters are cast to the dtype of the vectors: with a Python float the arithmetic would be in float64.
"""

import math

from npae.kernels.jit import jit
from npae.kernels.reference.array import Array


@jit
def total(x: Array, t: Array) -> None:
    """As reference.total."""
    sum_of_all = 0.0
    for i in range(x.size):
        sum_of_all += float(x[i])
    t[0] = sum_of_all


@jit
def add_scaled(x: Array, factor: float, y: Array) -> None:
    """As reference.add_scaled."""
    scale = y.dtype.type(factor)
    for i in range(y.size):
        y[i] += scale * x[i]


@jit
def sgd(theta: Array, dtheta: Array, velocity: Array, rate: Array, momentum: float) -> None:
    """As reference.sgd."""
    number = theta.dtype.type
    length, kept = number(rate[0]), number(momentum)
    for i in range(theta.size):
        velocity[i] = kept * velocity[i] + dtheta[i]
        theta[i] -= length * velocity[i]


@jit
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
    """As reference.adam."""
    number = theta.dtype.type
    keep, small = number(1 - rate[0] * decay), number(epsilon)
    new1, new2 = number(1 - beta1), number(1 - beta2)
    scale = number(rate[0] / (1 - beta1 ** step[0]))  # rate with the bias correction of m
    v_hat_scale = number(1 / (1 - beta2 ** step[0]))
    for i in range(theta.size):
        slope = dtheta[i]
        m[i] += new1 * (slope - m[i])
        v[i] += new2 * (slope * slope - v[i])
        theta[i] = keep * theta[i] - scale * m[i] / (math.sqrt(v[i] * v_hat_scale) + small)


@jit
def rmsprop(theta: Array, dtheta: Array, v: Array, rate: Array, decay: float, epsilon: float) -> None:
    """As reference.rmsprop."""
    number = theta.dtype.type
    length, new, small = number(rate[0]), number(1 - decay), number(epsilon)
    for i in range(theta.size):
        slope = dtheta[i]
        v[i] += new * (slope * slope - v[i])
        theta[i] -= length * slope / (math.sqrt(v[i]) + small)
