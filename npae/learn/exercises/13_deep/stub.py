# npae-exercise: deep v1
import numpy as np


def backward(g, x, W, b):
    """h = x @ W + b, y = h @ W.T + c, with x: (N, D), W: (D, H), b: (H,), c: (D,) and g, the gradient by y: (N, D).

    Return dx, dW, db, dc.
    """
    raise NotImplementedError


def activations(x, W1, b1, W2, b2, c2, c1):
    """Forward, given: a1, h1 (N, H), the code h2 (N, K), a3, h3 (N, H), the logits z (N, D)."""
    a1 = x @ W1 + b1
    h1 = np.maximum(a1, 0)
    h2 = h1 @ W2 + b2
    a3 = h2 @ W2.T + c2
    h3 = np.maximum(a3, 0)
    z = h3 @ W1.T + c1
    return a1, h1, h2, a3, h3, z


def cross_entropy(z, x):
    """The loss, given: the mean over all pixels of −x log σ(z) − (1 − x) log(1 − σ(z)), without overflow."""
    return np.mean(np.maximum(z, 0) - x * z + np.log1p(np.exp(-np.abs(z))))


def gradient(x, W1, b1, W2, b2, c2, c1):
    """The loss of a deep autoencoder with tied weights, and its gradients.

    x: (N, D) in [0, 1], W1: (D, H), b1: (H,), W2: (H, K), b2: (K,), c2: (H,), c1: (D,).
    Return loss, dW1, db1, dW2, db2, dc2, dc1.
    """
    a1, h1, h2, a3, h3, z = activations(x, W1, b1, W2, b2, c2, c1)
    loss = cross_entropy(z, x)
    raise NotImplementedError
