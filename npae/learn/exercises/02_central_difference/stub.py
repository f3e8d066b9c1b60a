# npae-exercise: central_difference v1
import numpy as np


def curve(x, a):
    """a·x³ + sin x, one number of one number. Leave it as it is."""
    return a * x**3 + np.sin(x)


def field(X, A):
    """sin(X A): X (n, i), A (i, o) -> Y (n, o). Leave it as it is."""
    return np.sin(X @ A)


def slope(x, a, h):
    """The central difference of curve(x, a) by x, with h to each side. Return one number."""
    raise NotImplementedError


def gradient(G, X, A, h):
    """The central difference of Σ G·field(X, A) by every entry of X, with h to each side. Return dX (n, i)."""
    raise NotImplementedError
