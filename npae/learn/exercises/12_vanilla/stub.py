# npae-exercise: vanilla v1
import numpy as np


def activations(x, W1, b1, W2, b2):
    """Forward, given: a = x W1 + b1 (N, H), the code h = max(a, 0) (N, H), the logits z = h W2 + b2 (N, D)."""
    a = x @ W1 + b1
    h = np.maximum(a, 0)
    z = h @ W2 + b2
    return a, h, z


def cross_entropy(z, x):
    """The loss, given: the mean over all pixels of −x log σ(z) − (1 − x) log(1 − σ(z)), without overflow."""
    return np.mean(np.maximum(z, 0) - x * z + np.log1p(np.exp(-np.abs(z))))


def gradient(x, W1, b1, W2, b2):
    """The loss of an autoencoder and its gradients.

    x: (N, D) in [0, 1], W1: (D, H), b1: (H,), W2: (H, D), b2: (D,).
    Return loss, dW1, db1, dW2, db2: a number, and arrays of the parameters' shapes.
    """
    a, h, z = activations(x, W1, b1, W2, b2)
    loss = cross_entropy(z, x)
    raise NotImplementedError
