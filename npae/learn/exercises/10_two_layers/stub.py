# npae-exercise: two_layers v1
import numpy as np


def backward(g, x, W1, b1, W2):
    """p = max(x W1 + b1, 0) W2 + b2.

    g (N, O), x (N, I), W1 (I, H), b1 (H,), W2 (H, O). Return dx, dW1, db1, dW2, db2.
    """
    raise NotImplementedError


def gradient(x, t, W1, b1, W2, b2, strength):
    """L = mean of (p − t)² over all N·O entries + ½·strength·(Σ W1² + Σ W2²), with p as above.

    x (N, I), t (N, O), b2 (O,), a number strength. Return L, dW1, db1, dW2, db2.
    """
    raise NotImplementedError
