# npae-exercise: convolutional v1
import numpy as np


def backward(g, factor):
    """y = x.repeat(s, axis=1).repeat(t, axis=2), with factor = (s, t) and g, the gradient by y: (N, sH, tW, C).

    Return dx: (N, H, W, C).
    """
    raise NotImplementedError


def convolve(x, W, b, stride, padding):
    """Given: the convolution of the exercise stride."""
    padded = np.pad(x, ((0, 0), *padding, (0, 0)))
    (kh, kw), (sh, sw) = W.shape[:2], stride
    rows, columns = (padded.shape[1] - kh) // sh + 1, (padded.shape[2] - kw) // sw + 1
    y = np.zeros((len(x), rows, columns, W.shape[3])) + b
    for k in range(kh):
        for m in range(kw):
            y += padded[:, k : k + (rows - 1) * sh + 1 : sh, m : m + (columns - 1) * sw + 1 : sw] @ W[k, m]
    return y


def max_pool(x):
    """Given: the largest of each 2 × 2 cells."""
    return np.maximum(np.maximum(x[:, ::2, ::2], x[:, ::2, 1::2]), np.maximum(x[:, 1::2, ::2], x[:, 1::2, 1::2]))


def activations(x, W1, b1, W2, b2):
    """Forward, given: a, h (N, H/2, W/2, F), code (N, H/4, W/4, F), u (N, H, W, F), the logits z (N, H, W, 1)."""
    a = convolve(x, W1, b1, (2, 2), ((1, 1), (1, 1)))
    h = np.maximum(a, 0)
    code = max_pool(h)
    u = code.repeat(4, axis=1).repeat(4, axis=2)
    z = convolve(u, W2, b2, (1, 1), ((2, 2), (2, 2)))
    return a, h, code, u, z


def cross_entropy(z, x):
    """The loss, given: the mean over all pixels of −x log σ(z) − (1 − x) log(1 − σ(z)), without overflow."""
    return np.mean(np.maximum(z, 0) - x * z + np.log1p(np.exp(-np.abs(z))))


def gradient(x, W1, b1, W2, b2):
    """The loss of a convolutional autoencoder and its gradients.

    x: (N, H, W, 1) in [0, 1], W1: (4, 4, 1, F), b1: (F,), W2: (5, 5, F, 1), b2: (1,).
    Return loss, dW1, db1, dW2, db2.
    """
    a, h, code, u, z = activations(x, W1, b1, W2, b2)
    loss = cross_entropy(z, x)
    raise NotImplementedError
