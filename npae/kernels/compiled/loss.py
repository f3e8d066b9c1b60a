"""Losses (N,) of outputs and targets (N, n), and their gradient, in one pass. Sums are computed in float64."""

import math

from npae.kernels.jit import jit
from npae.kernels.reference.array import Array
from npae.kernels.simd.cross_entropy import PART, cross_entropy


@jit
def bce_on_logits(z: Array, t: Array, weight: float, losses: Array, dz: Array) -> None:
    """As reference.bce_on_logits."""
    z_flat, t_flat, dz_flat = z.reshape(-1), t.reshape(-1), dz.reshape(-1)
    n, size = z.shape
    factor = dz.dtype.type(weight)
    for sample in range(n):
        total = 0.0
        for first in range(0, size, PART):
            linear, q = cross_entropy(z_flat, t_flat, dz_flat, sample * size + first, min(PART, size - first), factor)
            total += linear + math.log1p(q)
        losses[sample] = total


@jit
def bce_on_probabilities(p: Array, t: Array, weight: float, floor: float, losses: Array, dp: Array) -> None:
    """As reference.bce_on_probabilities."""
    number = dp.dtype.type
    one, factor, least = number(1), number(weight), number(floor)
    for sample in range(len(p)):
        probabilities, targets, slopes = p[sample], t[sample], dp[sample]
        total = 0.0
        for i in range(probabilities.size):
            probability, target = probabilities[i], targets[i]
            above = least if probability < least else probability
            below = least if one - probability < least else one - probability
            total -= target * math.log(above) + (one - target) * math.log(below)
            slopes[i] = factor * ((one - target) / below - target / above)
        losses[sample] = total


@jit
def squared_error(y: Array, t: Array, weight: float, losses: Array, dy: Array) -> None:
    """As reference.squared_error."""
    factor = dy.dtype.type(2 * weight)
    for sample in range(len(y)):
        outputs, targets, slopes = y[sample], t[sample], dy[sample]
        total = 0.0
        for i in range(outputs.size):
            difference = outputs[i] - targets[i]
            total += difference * difference
            slopes[i] = factor * difference
        losses[sample] = total
