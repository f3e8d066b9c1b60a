"""Known mistakes of a denoising autoencoder; those of dropout alone are in the library."""

import numpy as np

from npae.learn.mutant import mutant


def pieces(x, W1, b1, W2, b2, eps, m, level):
    """x̃, a, h, d and the right dz."""
    noisy = x + eps
    a = noisy @ W1 + b1
    h = np.maximum(a, 0)
    d = h * m / (1 - level)
    return noisy, a, h, d, (1 / (1 + np.exp(-(d @ W2 + b2))) - x) / x.size


def from_hidden(noisy, da):
    """dW1 and db1."""
    return noisy.T @ da, da.sum(axis=0)


@mutant("gradient", "dz = (p − x̃)/n", "What is wanted is the clean image.")
def noisy_target(right, x, W1, b1, W2, b2, eps, m, level):
    loss, *_ = right(x, W1, b1, W2, b2, eps, m, level)
    noisy, a, _, d, dz = pieces(x, W1, b1, W2, b2, eps, m, level)
    dz = dz - eps / x.size
    dh = (dz @ W2.T) * m / (1 - level)
    return loss, *from_hidden(noisy, dh * (a > 0)), d.T @ dz, dz.sum(axis=0)


@mutant("gradient", "dW1 = xᵀ da", "A layer's weights meet what went into that layer.")
def clean_input(right, x, W1, b1, W2, b2, eps, m, level):
    loss, dW1, *others = right(x, W1, b1, W2, b2, eps, m, level)
    _, a, _, _, dz = pieces(x, W1, b1, W2, b2, eps, m, level)
    da = (dz @ W2.T) * m / (1 - level) * (a > 0)
    return loss, dW1 - eps.T @ da, *others


@mutant("gradient", "dW2 = hᵀ dz", "A layer's weights meet what went into that layer.")
def before_dropout(right, x, W1, b1, W2, b2, eps, m, level):
    loss, dW1, db1, _, db2 = right(x, W1, b1, W2, b2, eps, m, level)
    _, _, h, _, dz = pieces(x, W1, b1, W2, b2, eps, m, level)
    return loss, dW1, db1, h.T @ dz, db2


@mutant("gradient", "dh without m", "What was dropped forward is dropped backward.")
def dropout_forgotten(right, x, W1, b1, W2, b2, eps, m, level):
    loss, _, _, *decoder = right(x, W1, b1, W2, b2, eps, m, level)
    noisy, a, _, _, dz = pieces(x, W1, b1, W2, b2, eps, m, level)
    return loss, *from_hidden(noisy, (dz @ W2.T) * (a > 0)), *decoder


@mutant("gradient", "dh·m without / (1 − level)", "What was scaled forward is scaled backward.")
def no_scale(right, x, W1, b1, W2, b2, eps, m, level):
    loss, dW1, db1, *decoder = right(x, W1, b1, W2, b2, eps, m, level)
    return loss, dW1 * (1 - level), db1 * (1 - level), *decoder


@mutant("gradient", "da = dh", "Dropout is one gate, ReLU is another; both were passed.")
def no_mask(right, x, W1, b1, W2, b2, eps, m, level):
    loss, _, _, *decoder = right(x, W1, b1, W2, b2, eps, m, level)
    noisy, _, _, _, dz = pieces(x, W1, b1, W2, b2, eps, m, level)
    return loss, *from_hidden(noisy, (dz @ W2.T) * m / (1 - level)), *decoder


@mutant("gradient", "dz = (p − x)/N", "Divide by as many numbers as the mean was taken over.")
def batch_only(right, x, *others):
    loss, *gradients = right(x, *others)
    return loss, *(d * x.shape[1] for d in gradients)


@mutant("gradient", "db1, db2 = mean over the batch", "Broadcast forward means sum backward.")
def db_mean(right, x, *others):
    loss, dW1, db1, dW2, db2 = right(x, *others)
    return loss, dW1, db1 / len(x), dW2, db2 / len(x)
