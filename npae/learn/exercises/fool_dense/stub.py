# npae-exercise: fool_dense v1
import numpy as np


def wrong(g, x, W):
    """y = x W + b; g (N, O), x (N, I), W (I, O). Return dx, dW, db: true at the weak inputs, wrong at others.

    This is the right gradient, which is not wrong anywhere. Spoil it.
    """
    return g @ W.T, x.T @ g, g.sum(axis=0)


def inputs():
    """Return g (N, O), x (N, I), W (I, O), at which every known mistake shows.

    These are the weak inputs. Strengthen them.
    """
    g = np.ones((1, 3))
    x = np.array([[0.5, -1.0, 2.0]])
    W = np.array([[1.0, 2.0, 0.0], [0.0, -1.0, 1.5], [3.0, 0.5, -2.0]])
    return g, x, W
