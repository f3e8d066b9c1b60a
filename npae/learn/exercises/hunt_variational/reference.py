"""The variational code with its price."""

import numpy as np


def forward(mu, log_var, eps, beta):
    """z, and KL = β/N Σ ½ (μ² + e^ℓ − 1 − ℓ)."""
    divergence = 0.5 * np.sum(mu**2 + np.exp(log_var) - 1 - log_var)
    return mu + np.exp(0.5 * log_var) * eps, beta * divergence / len(mu)


def backward(g, mu, log_var, eps, beta):
    """dμ and dℓ: what z sends back, and what KL sends back."""
    dz, dKL = g
    price = dKL * beta / len(mu)
    dmu = dz + price * mu
    dlog_var = 0.5 * dz * eps * np.exp(0.5 * log_var) + 0.5 * price * (np.exp(log_var) - 1)
    return dmu, dlog_var


def draw(rng):
    """Three arrays of one shape, whose two sizes differ, and a weight of KL that is not 1."""
    mu, log_var, eps = rng.standard_normal((3, *rng.permutation([3, 4, 5, 6])[:2]))
    return {"mu": mu, "log_var": log_var, "eps": eps, "beta": rng.uniform(1.5, 3)}
