# npae-exercise: hunt_bce v1
import numpy as np


def backward(z, t):
    """The gradient by z of the mean cross-entropy of p = σ(z) with the target t: both (N, D). Return dz."""
    p = 1 / (1 + np.exp(-z))
    dp = (p - t) / z.size
    return dp * p * (1 - p)
