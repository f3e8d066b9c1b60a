# npae-exercise: dense v1
import numpy as np


def backward(g, x, W):
    """y = x W + b; g (N, O), x (N, I), W (I, O). Return dx (N, I), dW (I, O), db (O,)."""
    raise NotImplementedError
