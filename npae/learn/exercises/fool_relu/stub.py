# npae-exercise: fool_relu v1
import numpy as np


def wrong(g, x):
    """y = max(x, 0); g, x (N, F). Return dx: true at the weak inputs, wrong at others.

    This is the right gradient, which is not wrong anywhere. Spoil it.
    """
    return g * (x > 0)


def inputs():
    """Return g and x, both (N, F), at which every known mistake shows.

    These are the weak inputs. Strengthen them.
    """
    g = np.ones((2, 3))
    x = np.array([[0.5, -1.0, 2.0], [-0.3, 1.5, -2.0]])
    return g, x
