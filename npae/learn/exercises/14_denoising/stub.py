# npae-exercise: denoising v1
import numpy as np


def backward(g, m, level):
    """y = x · m / (1 − level), with m of zeros and ones and g, the gradient by y: all (N, H). Return dx."""
    raise NotImplementedError


def activations(x, W1, b1, W2, b2, eps, m, level):
    """Forward, given: the noisy image (N, D), a, h, d (N, H), the logits z (N, D)."""
    noisy = x + eps
    a = noisy @ W1 + b1
    h = np.maximum(a, 0)
    d = h * m / (1 - level)
    z = d @ W2 + b2
    return noisy, a, h, d, z


def cross_entropy(z, x):
    """The loss, given: the mean over all pixels of −x log σ(z) − (1 − x) log(1 − σ(z)), without overflow."""
    return np.mean(np.maximum(z, 0) - x * z + np.log1p(np.exp(-np.abs(z))))


def gradient(x, W1, b1, W2, b2, eps, m, level):
    """The loss of a denoising autoencoder and its gradients.

    x: clean images (N, D) in [0, 1], eps: noise (N, D), m: mask of dropout (N, H), level: a number,
    W1: (D, H), b1: (H,), W2: (H, D), b2: (D,).
    Return loss, dW1, db1, dW2, db2.
    """
    noisy, a, h, d, z = activations(x, W1, b1, W2, b2, eps, m, level)
    loss = cross_entropy(z, x)
    raise NotImplementedError
