"""ReLU, a gate that the input opens."""

import numpy as np


def draw(rng):
    """x (n, m) of either sign, away from the kink at 0."""
    n, m = rng.choice(np.arange(3, 8), 2, replace=False)
    return {"x": rng.uniform(0.2, 2.0, (n, m)) * rng.choice([-1.0, 1.0], (n, m))}


def forward(x):
    return np.maximum(x, 0)


def backward(g, x):
    return g * (x > 0)
