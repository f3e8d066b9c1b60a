"""Losses (N,) of outputs and targets (N, n), and their gradient times ``weight``."""

import numpy as np

from npae.kernels.reference.array import Array


def bce_on_logits(z: Array, t: Array, weight: float, losses: Array, dz: Array) -> None:
    """losses[n] = Σᵢ max(z, 0) − z t + log(1 + e^−|z|); dz = weight (σ(z) − t)."""
    e = np.exp(-np.abs(z))
    np.sum(np.maximum(z, 0) - z * t + np.log1p(e), axis=1, out=losses)
    dz[...] = weight * (np.where(z >= 0, 1 / (1 + e), e / (1 + e)) - t)


def bce_on_probabilities(p: Array, t: Array, weight: float, floor: float, losses: Array, dp: Array) -> None:
    """losses[n] = −Σᵢ t log p + (1 − t) log(1 − p); dp = weight (p − t) / (p (1 − p)).

    In both equations p and 1 − p are replaced by ``floor`` where they are smaller, so that both are finite.
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
