"""The sigmoid and tanh, each with its slope in terms of its output."""

import numpy as np


def draw(rng):
    """x (n, m) of either sign; the known mistakes are told that σ is not turned round, σ(−x)."""
    n, m = rng.choice(np.arange(2, 8), 2, replace=False)
    x = rng.uniform(0.2, 2.0, (n, m)) * rng.choice([-1.0, 1.0], (n, m))
    return {"x": x, "turn": 1.0}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def tanh(x):
    return np.tanh(x)


def sigmoid_backward(g, x, y):
    return g * y * (1 - y)


def tanh_backward(g, x, y):
    return g * (1 - y**2)
