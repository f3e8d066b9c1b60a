# npae-exercise: relu v1
import numpy as np


def backward(g, x):
    """y = max(x, 0), entry by entry; g, x (n, m). Return dx (n, m)."""
    raise NotImplementedError
