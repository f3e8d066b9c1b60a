"""Dropout; and an autoencoder that gets a noisy image, drops hidden units, and must give back the clean image."""

import numpy as np


def dropout(x, m, level):
    """y = x·m / (1 − level)."""
    return x * m / (1 - level)


def backward(g, m, level):
    """dx = g·m / (1 − level)."""
    return g * m / (1 - level)


def activations(x, W1, b1, W2, b2, eps, m, level):
    """The noisy image (N, D), a, h, d (N, H), the logits z (N, D)."""
    noisy = x + eps
    a = noisy @ W1 + b1
    h = np.maximum(a, 0)
    d = dropout(h, m, level)
    z = d @ W2 + b2
    return noisy, a, h, d, z


def cross_entropy(z, x):
    """Mean over all pixels of −x log σ(z) − (1 − x) log(1 − σ(z)), without overflow."""
    return np.mean(np.maximum(z, 0) - x * z + np.log1p(np.exp(-np.abs(z))))


def sigmoid(z):
    """1 / (1 + e⁻ᶻ), without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * z))


def gradient(x, W1, b1, W2, b2, eps, m, level):
    """The loss, dW1, db1, dW2, db2."""
    noisy, a, _, d, z = activations(x, W1, b1, W2, b2, eps, m, level)
    dz = (sigmoid(z) - x) / x.size  # (N, D)
    dh = backward(dz @ W2.T, m, level)  # (N, H)
    da = dh * (a > 0)
    return cross_entropy(z, x), noisy.T @ da, da.sum(axis=0), d.T @ dz, dz.sum(axis=0)


def forward(x, W1, b1, W2, b2, eps, m, level):
    """The loss."""
    return cross_entropy(activations(x, W1, b1, W2, b2, eps, m, level)[-1], x)


def draw_dropout(rng):
    """A mask that drops some and keeps some."""
    n, n_units = rng.permutation([3, 4, 5, 6])[:2]
    level = rng.uniform(0.2, 0.4)
    return {"x": rng.standard_normal((n, n_units)), "m": draw_mask(rng, (n, n_units), level), "level": level}


def draw(rng):
    """All sizes differ, no unit is at its kink, and some are neither always on nor always off."""
    n, n_pixels, n_hidden = rng.permutation([3, 4, 5, 6])[:3]
    level = rng.uniform(0.2, 0.4)
    while True:
        inputs = {
            "x": rng.uniform(0.05, 0.95, (n, n_pixels)),
            "W1": rng.standard_normal((n_pixels, n_hidden)),
            "b1": 0.5 * rng.standard_normal(n_hidden),
            "W2": rng.standard_normal((n_hidden, n_pixels)),
            "b2": rng.standard_normal(n_pixels),
            "eps": 0.5 * rng.standard_normal((n, n_pixels)),
            "m": draw_mask(rng, (n, n_hidden), level),
            "level": level,
        }
        a = activations(**inputs)[1]
        on, off = (a > 0).any(axis=0), (a < 0).any(axis=0)
        if np.abs(a).min() > 0.02 and (on & off).any():
            return inputs


def draw_mask(rng, shape, level):
    """Zeros and ones, of both at least two and neither a whole row."""
    while True:
        m = (rng.random(shape) >= level).astype(float)
        if m.any(axis=1).all() and (m == 0).sum() >= 2:
            return m


def initial(rng, images):
    """Random weights that keep the size of what passes, and biases that let every unit begin alive."""
    n_pixels, n_hidden = images.shape[1], 128
    return {
        "W1": rng.standard_normal((n_pixels, n_hidden)) * np.sqrt(1 / n_pixels),
        "b1": np.ones(n_hidden),
        "W2": rng.standard_normal((n_hidden, n_pixels)) * np.sqrt(1 / n_hidden),
        "b2": np.zeros(n_pixels),
    }


def noise(rng, x, parameters):
    """The image's noise, and the hidden units that are dropped."""
    level = 0.2
    m = (rng.random((len(x), len(parameters["b1"]))) >= level).astype(float)
    return {"eps": 0.4 * rng.standard_normal(x.shape), "m": m, "level": level}


def corrupted(rng, x):
    """What the trained network is shown."""
    return x + 0.4 * rng.standard_normal(x.shape)


def reconstruct(x, parameters):
    """p, the clean image that the network makes of a noisy x; nothing is added or dropped any more."""
    n_hidden = len(parameters["b1"])
    return sigmoid(activations(x, **parameters, eps=0.0, m=np.ones(n_hidden), level=0.0)[-1])
