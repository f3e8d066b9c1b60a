"""dense, ReLU, dense, then the mean squared error and the price of the weights."""

import numpy as np


def draw(rng):
    """All sizes differ, and no unit's a is near the ReLU's kink at 0."""
    n, i, h, o = rng.choice(np.arange(2, 7), 4, replace=False)
    while True:
        values = {
            "x": rng.standard_normal((n, i)),
            "t": rng.standard_normal((n, o)),
            "W1": rng.standard_normal((i, h)),
            "b1": rng.standard_normal(h),
            "W2": rng.standard_normal((h, o)),
            "b2": rng.standard_normal(o),
            "strength": float(rng.uniform(0.2, 0.9)),
        }
        a = hidden(values["x"], values["W1"], values["b1"])
        if np.abs(a).min() > 0.02 and (a > 0).any(axis=0).all() and (a < 0).any():
            return values


def hidden(x, W1, b1):
    """a, what goes into the ReLU (N, H)."""
    return x @ W1 + b1


def forward(x, W1, b1, W2, b2):
    return np.maximum(hidden(x, W1, b1), 0) @ W2 + b2


def loss(x, t, W1, b1, W2, b2, strength):
    p = forward(x, W1, b1, W2, b2)
    return np.mean((p - t) ** 2) + 0.5 * strength * (np.sum(W1**2) + np.sum(W2**2))


def backward(g, x, W1, b1, W2):
    a = hidden(x, W1, b1)
    h = np.maximum(a, 0)
    da = (g @ W2.T) * (a > 0)
    return da @ W1.T, x.T @ da, da.sum(axis=0), h.T @ g, g.sum(axis=0)


def gradient(x, t, W1, b1, W2, b2, strength):
    p = forward(x, W1, b1, W2, b2)
    _, dW1, db1, dW2, db2 = backward(2 * (p - t) / p.size, x, W1, b1, W2)
    price = 0.5 * strength * (np.sum(W1**2) + np.sum(W2**2))
    return np.mean((p - t) ** 2) + price, dW1 + strength * W1, db1, dW2 + strength * W2, db2
