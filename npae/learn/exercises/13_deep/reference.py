"""One matrix for encoding and decoding; and a deep autoencoder of two such matrices, with cross-entropy."""

import numpy as np


def tied(x, W, b, c):
    """y = (x W + b) Wᵀ + c."""
    return (x @ W + b) @ W.T + c


def backward(g, x, W, b):
    """dx, dW, db, dc: W receives from both of its places."""
    h = x @ W + b
    dh = g @ W  # (N, H)
    dW = x.T @ dh + g.T @ h  # (D, H)
    return dh @ W.T, dW, dh.sum(axis=0), g.sum(axis=0)


def activations(x, W1, b1, W2, b2, c2, c1):
    """a1, h1 (N, H), the code h2 (N, K), a3, h3 (N, H), the logits z (N, D)."""
    a1 = x @ W1 + b1
    h1 = np.maximum(a1, 0)
    h2 = h1 @ W2 + b2
    a3 = h2 @ W2.T + c2
    h3 = np.maximum(a3, 0)
    z = h3 @ W1.T + c1
    return a1, h1, h2, a3, h3, z


def cross_entropy(z, x):
    """Mean over all pixels of −x log σ(z) − (1 − x) log(1 − σ(z)), without overflow."""
    return np.mean(np.maximum(z, 0) - x * z + np.log1p(np.exp(-np.abs(z))))


def sigmoid(z):
    """1 / (1 + e⁻ᶻ), without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * z))


def gradient(x, W1, b1, W2, b2, c2, c1):
    """The loss, dW1, db1, dW2, db2, dc2, dc1."""
    a1, h1, h2, a3, h3, z = activations(x, W1, b1, W2, b2, c2, c1)
    dz = (sigmoid(z) - x) / x.size  # (N, D)
    da3 = (dz @ W1) * (a3 > 0)  # (N, H)
    dh2 = da3 @ W2  # (N, K)
    da1 = (dh2 @ W2.T) * (a1 > 0)  # (N, H)
    dW1 = x.T @ da1 + dz.T @ h3  # (D, H)
    dW2 = h1.T @ dh2 + da3.T @ h2  # (H, K)
    return cross_entropy(z, x), dW1, da1.sum(axis=0), dW2, dh2.sum(axis=0), da3.sum(axis=0), dz.sum(axis=0)


def forward(x, W1, b1, W2, b2, c2, c1):
    """The loss."""
    return cross_entropy(activations(x, W1, b1, W2, b2, c2, c1)[-1], x)


def draw_pair(rng, square=False):
    """One tied pair; all sizes differ, unless ``square``."""
    n, n_in, n_code = rng.permutation([2, 3, 4, 5, 6])[:3]
    if square:
        n_code = n_in
    return {
        "x": rng.standard_normal((n, n_in)),
        "W": rng.standard_normal((n_in, n_code)),
        "b": rng.standard_normal(n_code),
        "c": rng.standard_normal(n_in),
    }


def draw(rng):
    """A deep network; all sizes differ, no unit is at its kink, and each layer has some that are neither on nor off."""
    n, n_pixels, n_hidden, n_code = rng.permutation([3, 4, 5, 6])
    while True:
        inputs = {
            "x": rng.uniform(0.05, 0.95, (n, n_pixels)),
            "W1": 0.7 * rng.standard_normal((n_pixels, n_hidden)),
            "b1": rng.standard_normal(n_hidden),
            "W2": 0.7 * rng.standard_normal((n_hidden, n_code)),
            "b2": rng.standard_normal(n_code),
            "c2": rng.standard_normal(n_hidden),
            "c1": rng.standard_normal(n_pixels),
        }
        a1, _, _, a3, _, _ = activations(**inputs)
        a = np.stack([a1, a3])  # (2, N, H)
        on, off = (a > 0).any(axis=1), (a < 0).any(axis=1)
        if np.abs(a).min() > 0.02 and (on & off).any(axis=1).all():
            return inputs


def initial(rng, images):
    """Random weights that keep the size of what passes, and biases that let every unit begin alive."""
    n_pixels, n_hidden, n_code = images.shape[1], 128, 16
    return {
        "W1": rng.standard_normal((n_pixels, n_hidden)) * np.sqrt(1 / n_pixels),
        "b1": np.full(n_hidden, 0.5),
        "W2": rng.standard_normal((n_hidden, n_code)) * np.sqrt(1 / n_hidden),
        "b2": np.zeros(n_code),
        "c2": np.full(n_hidden, 0.5),
        "c1": np.zeros(n_pixels),
    }


def noise(rng, x, parameters):
    """Nothing is drawn."""
    return {}


def reconstruct(x, parameters):
    """p, the image that the network makes of x."""
    return sigmoid(activations(x, **parameters)[-1])
