"""What is shared by all rows of a batch, and a batch in several parts."""

import numpy as np


def draw(rng):
    """x (N, F), b and a (F,); means (K, P) of shards that differ in size.

    W is for the known mistakes of a dense layer, which x + b is with W = 1.
    """
    n, f, k, p = rng.choice(np.arange(2, 9), 4, replace=False)
    return {
        "x": rng.standard_normal((n, f)),
        "W": np.eye(f),
        "b": rng.standard_normal(f),
        "a": rng.uniform(0.5, 2.0, f) * rng.choice([-1.0, 1.0], f),
        "means": rng.standard_normal((k, p)),
        "sizes": rng.choice(np.arange(3.0, 40.0), k, replace=False),
    }


def add_bias(x, b):
    return x + b


def multiply_by_gain(x, a):
    return a * x


def bias(g, x, b):
    return g, g.sum(axis=0)


def gain(g, x, a):
    return g * a, (g * x).sum(axis=0)


def combine(means, sizes):
    return sizes @ means / sizes.sum()
