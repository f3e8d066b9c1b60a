"""Adam's path for given gradients (Kingma & Ba 2015, algorithm 1)."""

import numpy as np


def draw(rng):
    """Gradients (T, P) from 1 down to 1e-9, so that ε counts; ``x`` is what the known mistakes call them."""
    t, p = rng.choice(np.arange(3, 9), 2, replace=False)
    gradients = rng.standard_normal((t, p)) * 10.0 ** rng.permutation(np.linspace(-9, 0, p))
    settings = {
        "rate": float(rng.uniform(0.005, 0.05)),
        "beta1": float(rng.uniform(0.7, 0.95)),
        "beta2": float(rng.uniform(0.97, 0.999)),
        "epsilon": 1e-8,
    }
    return {"gradients": gradients, "x": gradients, "start": rng.standard_normal(p), **settings}


def adam(gradients, start, rate, beta1, beta2, epsilon):
    theta, m, v = start, np.zeros_like(start), np.zeros_like(start)
    path = np.empty_like(gradients)
    for t, d in enumerate(gradients, start=1):
        m = beta1 * m + (1 - beta1) * d
        v = beta2 * v + (1 - beta2) * d**2
        theta = theta - rate * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + epsilon)
        path[t - 1] = theta
    return path
