"""Known mistakes of the reparameterization beside those of the library."""

import numpy as np

from npae.learn.mutant import mutant


@mutant("backward", "g := 1", "Multiply by the gradient from above.")
def drops_upstream(right, g, mu, log_var, eps):
    return right(np.ones_like(g), mu, log_var, eps)


@mutant("backward", "dℓ = ½ g ε", "An exponential is its own slope: the σ stays.", name="no-σ")
def no_sigma(right, g, mu, log_var, eps):
    return g, 0.5 * g * eps


@mutant("backward", "dμ = g, dℓ = 0", "The width of the distribution is learned, as its mean is.")
def mean_only(right, g, mu, log_var, eps):
    return g, np.zeros_like(g)


@mutant("backward", "dμ = Σ g over the batch", "Every image has a mean of its own; nothing was broadcast.")
def summed(right, g, mu, log_var, eps):
    return g.sum(axis=0), right(g, mu, log_var, eps)[1]
