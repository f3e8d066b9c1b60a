"""A vanilla autoencoder: x → max(x W1 + b1, 0) → σ(h W2 + b2), with cross-entropy."""

import numpy as np


def activations(x, W1, b1, W2, b2):
    """a (N, H), h (N, H) and the logits z (N, D)."""
    a = x @ W1 + b1
    h = np.maximum(a, 0)
    z = h @ W2 + b2
    return a, h, z


def cross_entropy(z, x):
    """Mean over all pixels of −x log σ(z) − (1 − x) log(1 − σ(z)), without overflow."""
    return np.mean(np.maximum(z, 0) - x * z + np.log1p(np.exp(-np.abs(z))))


def sigmoid(z):
    """1 / (1 + e⁻ᶻ), without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * z))


def gradient(x, W1, b1, W2, b2):
    """The loss, dW1, db1, dW2, db2."""
    a, h, z = activations(x, W1, b1, W2, b2)
    dz = (sigmoid(z) - x) / x.size  # (N, D)
    dW2, db2 = h.T @ dz, dz.sum(axis=0)
    da = (dz @ W2.T) * (a > 0)  # (N, H)
    dW1, db1 = x.T @ da, da.sum(axis=0)
    return cross_entropy(z, x), dW1, db1, dW2, db2


def forward(x, W1, b1, W2, b2):
    """The loss."""
    return cross_entropy(activations(x, W1, b1, W2, b2)[2], x)


def draw(rng):
    """All sizes differ, no unit of the code is at its kink, and some are neither always on nor always off."""
    n, n_pixels, n_code = rng.permutation([3, 4, 5, 6])[:3]
    while True:
        inputs = {
            "x": rng.uniform(0.05, 0.95, (n, n_pixels)),
            "W1": rng.standard_normal((n_pixels, n_code)),
            "b1": 0.5 * rng.standard_normal(n_code),
            "W2": rng.standard_normal((n_code, n_pixels)),
            "b2": rng.standard_normal(n_pixels),
        }
        a = activations(**inputs)[0]
        on, off = (a > 0).any(axis=0), (a < 0).any(axis=0)
        if np.abs(a).min() > 0.02 and (on & off).any():
            return inputs


def initial(rng, images):
    """Random weights that keep the size of what passes, and biases b1 that let every unit of the code begin alive."""
    n_pixels, n_code = images.shape[1], 64
    return {
        "W1": rng.standard_normal((n_pixels, n_code)) * np.sqrt(2 / n_pixels),
        "b1": np.ones(n_code),
        "W2": rng.standard_normal((n_code, n_pixels)) * np.sqrt(1 / n_code),
        "b2": np.zeros(n_pixels),
    }


def noise(rng, x, parameters):
    """Nothing is drawn."""
    return {}


def reconstruct(x, parameters):
    """p, the image that the network makes of x."""
    return sigmoid(activations(x, **parameters)[2])
