"""A dense layer, a weak test of its gradient, one gradient that passes it, and inputs that are strong."""

import numpy as np


def draw(rng, square=False):
    """x (N, I), W (I, O), b (O,), all sizes different from one another unless ``square``."""
    n, i, o = rng.choice(np.arange(2, 8), 3, replace=False)
    if square:
        o = i
    return {"x": rng.standard_normal((n, i)), "W": rng.standard_normal((i, o)), "b": rng.standard_normal(o)}


def weak_inputs():
    return {
        "g": np.ones((1, 3)),
        "x": np.array([[0.5, -1.0, 2.0]]),
        "W": np.array([[1.0, 2.0, 0.0], [0.0, -1.0, 1.5], [3.0, 0.5, -2.0]]),
        "b": np.zeros(3),
    }


def forward(x, W, b=0.0):
    return x @ W + b


def backward(g, x, W):
    return g @ W.T, x.T @ g, g.sum(axis=0)


def wrong(g, x, W):
    return g @ W.T, x.T @ g, g.mean(axis=0)  # of one sample the mean is the sum


def inputs():
    rng = np.random.default_rng(0)
    return rng.standard_normal((3, 5)), rng.standard_normal((3, 4)), rng.standard_normal((4, 5))
