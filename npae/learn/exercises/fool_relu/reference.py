"""ReLU, a weak test of its gradient, one gradient that passes it, and inputs that are strong."""

import numpy as np


def draw(rng):
    """x (N, F) of either sign, away from the kink at 0."""
    n, f = rng.choice(np.arange(5, 10), 2, replace=False)
    return {"x": rng.uniform(0.2, 2.0, (n, f)) * rng.choice([-1.0, 1.0], (n, f))}


def weak_inputs():
    return {"g": np.ones((2, 3)), "x": np.array([[0.5, -1.0, 2.0], [-0.3, 1.5, -2.0]])}


def forward(x):
    return np.maximum(x, 0)


def backward(g, x):
    return g * (x > 0)


def wrong(g, x):
    return g * (x > 0) * (g > 0)


def inputs():
    x = np.array([[0.5, -1.0, 2.0, -0.3]])
    g = np.array([[0.7, 1.5, -0.4, -2.0]])
    return g, x
