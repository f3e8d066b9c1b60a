"""z = μ + e^{ℓ/2} ε, with ℓ = log σ²."""

import numpy as np


def forward(mu, log_var, eps):
    """(N, Z), (N, Z), (N, Z) -> (N, Z)."""
    return mu + np.exp(0.5 * log_var) * eps


def backward(g, mu, log_var, eps):
    """dμ = g, dℓ = ½ g ε e^{ℓ/2}."""
    return g.copy(), 0.5 * g * eps * np.exp(0.5 * log_var)


def draw(rng):
    """Three arrays of one shape, whose two sizes differ."""
    mu, log_var, eps = rng.standard_normal((3, *rng.permutation([3, 4, 5, 6])[:2]))
    return {"mu": mu, "log_var": log_var, "eps": eps, "beta": None}
