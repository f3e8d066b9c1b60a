"""Binary cross-entropy of probabilities, and of the logits that a sigmoid makes them from."""

import numpy as np


def draw(rng, edge=False):
    """p, z, t (N, F), two of the logits large; ``share``, what one entry counts, is for the known mistakes.

    At the edge some p are near 0 and 1, and so are their t, so that the slopes are ordinary numbers.
    """
    n, f = rng.choice(np.arange(2, 8), 2, replace=False)
    z = rng.standard_normal((n, f))
    large = rng.permutation(n * f)[:2]
    z.flat[large] = rng.uniform(38.0, 45.0, 2) * [1.0, -1.0]
    p, t = rng.uniform(0.1, 0.9, (n, f)), rng.uniform(0.1, 0.9, (n, f))
    if edge:
        ends = rng.permutation(n * f)[:2]
        near = 10.0 ** rng.uniform(-10.0, -8.5, 2)
        p.flat[ends], t.flat[ends] = np.abs([0.0, 1.0] - near), np.abs([0.0, 1.0] - near * rng.uniform(2.0, 4.0, 2))
    return {"p": p, "z": z, "t": t, "share": 1 / (n * f)}


def loss_of_probabilities(p, t):
    return -np.mean(t * np.log(p) + (1 - t) * np.log(1 - p))


def loss_of_logits(z, t):
    return np.mean(np.logaddexp(0, z) - t * z)


def on_probabilities(g, p, t):
    return g * (p - t) / (p * (1 - p)) / p.size


def on_logits(g, z, t):
    return g * (1 / (1 + np.exp(-z)) - t) / z.size
