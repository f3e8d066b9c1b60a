"""Central differences with steps so large that no other formula gives the same number."""

import numpy as np


def draw(rng):
    """A number x with an option a, and arrays X (n, i), A (i, o) with weights G (n, o)."""
    n, i, o = rng.choice(np.arange(2, 6), 3, replace=False)
    return {
        "x": rng.uniform(0.5, 1.5),
        "a": rng.uniform(0.5, 2.0),
        "X": rng.standard_normal((n, i)),
        "A": rng.standard_normal((i, o)),
        "G": rng.standard_normal((n, o)),
        "h": rng.uniform(0.1, 0.4),
    }


def curve(x, a):
    return a * x**3 + np.sin(x)


def field(X, A):
    return np.sin(X @ A)


def slope(x, a, h):
    return (curve(x + h, a) - curve(x - h, a)) / (2 * h)


def gradient(G, X, A, h):
    X = X.copy()
    dX = np.empty_like(X)
    for entry in np.ndindex(X.shape):
        here = X[entry]
        X[entry] = here + h
        ahead = np.sum(G * field(X, A))
        X[entry] = here - h
        behind = np.sum(G * field(X, A))
        X[entry] = here
        dX[entry] = (ahead - behind) / (2 * h)
    return dX
