"""Known mistakes of a deep autoencoder with tied weights; those of one tied pair are in the library."""

import numpy as np

from npae.learn.mutant import mutant


def pieces(x, W1, b1, W2, b2, c2, c1):
    """a1, h1, h2, a3, h3 and the right dz, da3, dh2."""
    a1 = x @ W1 + b1
    h1 = np.maximum(a1, 0)
    h2 = h1 @ W2 + b2
    a3 = h2 @ W2.T + c2
    h3 = np.maximum(a3, 0)
    dz = (1 / (1 + np.exp(-(h3 @ W1.T + c1))) - x) / x.size
    da3 = (dz @ W1) * (a3 > 0)
    return a1, h1, h2, a3, h3, dz, da3, da3 @ W2


def encoder_shares(x, W1, b1, W2, *others):
    """What W1 and W2 receive where they encode."""
    a1, h1, _, _, _, _, _, dh2 = pieces(x, W1, b1, W2, *others)
    return x.T @ ((dh2 @ W2.T) * (a1 > 0)), h1.T @ dh2


@mutant("gradient", "dW1 = xᵀ da1, dW2 = h1ᵀ dh2", "Both matrices decode too, and every use counts.")
def encoder_only(right, *given):
    loss, _, db1, _, *others = right(*given)
    dW1, dW2 = encoder_shares(*given)
    return loss, dW1, db1, dW2, *others


@mutant("gradient", "dW1 = dzᵀ h3, dW2 = da3ᵀ h2", "Both matrices encode too, and every use counts.")
def decoder_only(right, *given):
    loss, dW1, db1, dW2, *others = right(*given)
    first, second = encoder_shares(*given)
    return loss, dW1 - first, db1, dW2 - second, *others


@mutant("gradient", "dW1 without dzᵀ h3", "The last layer uses a matrix that you have met before.")
def last_use_forgotten(right, *given):
    loss, _, *others = right(*given)
    return loss, encoder_shares(*given)[0], *others


@mutant("gradient", "dW1, dW2 = half of the sum", "The gradients of two uses are added, not averaged.")
def averaged(right, *given):
    loss, dW1, db1, dW2, *others = right(*given)
    return loss, dW1 / 2, db1, dW2 / 2, *others


@mutant("gradient", "nothing flows back through the code", "The encoder learns from what its code does further on.")
def stops_at_code(right, *given):
    loss, dW1, db1, dW2, db2, *others = right(*given)
    first, second = encoder_shares(*given)
    return loss, dW1 - first, np.zeros_like(db1), dW2 - second, np.zeros_like(db2), *others


@mutant("gradient", "da1 = dh1", "Every ReLU on the way forward is a gate on the way back.")
def encoder_mask_forgotten(right, x, W1, b1, W2, *others):
    loss, dW1, _, *rest = right(x, W1, b1, W2, *others)
    dh1 = pieces(x, W1, b1, W2, *others)[-1] @ W2.T
    return loss, dW1 - encoder_shares(x, W1, b1, W2, *others)[0] + x.T @ dh1, dh1.sum(axis=0), *rest


@mutant("gradient", "da3 = dh3", "Every ReLU on the way forward is a gate on the way back.")
def decoder_mask_forgotten(right, x, W1, b1, W2, b2, c2, c1):
    loss, *_, dc1 = right(x, W1, b1, W2, b2, c2, c1)
    a1, h1, h2, _, h3, dz, _, _ = pieces(x, W1, b1, W2, b2, c2, c1)
    da3 = dz @ W1
    dh2 = da3 @ W2
    da1 = (dh2 @ W2.T) * (a1 > 0)
    dW1, dW2 = x.T @ da1 + dz.T @ h3, h1.T @ dh2 + da3.T @ h2
    return loss, dW1, da1.sum(axis=0), dW2, dh2.sum(axis=0), da3.sum(axis=0), dc1


@mutant("gradient", "da1 masked by [a3 > 0], da3 by [a1 > 0]", "Each gate opens where its own input was positive.")
def masks_swapped(right, x, W1, b1, W2, b2, c2, c1):
    loss, *_, dc1 = right(x, W1, b1, W2, b2, c2, c1)
    a1, h1, h2, a3, h3, dz, _, _ = pieces(x, W1, b1, W2, b2, c2, c1)
    da3 = (dz @ W1) * (a1 > 0)
    dh2 = da3 @ W2
    da1 = (dh2 @ W2.T) * (a3 > 0)
    dW1, dW2 = x.T @ da1 + dz.T @ h3, h1.T @ dh2 + da3.T @ h2
    return loss, dW1, da1.sum(axis=0), dW2, dh2.sum(axis=0), da3.sum(axis=0), dc1


@mutant("gradient", "dz = (p − x)/N", "Divide by as many numbers as the mean was taken over.")
def batch_only(right, x, *parameters):
    loss, *gradients = right(x, *parameters)
    return loss, *(d * x.shape[1] for d in gradients)


@mutant("gradient", "every db = mean over the batch", "Broadcast forward means sum backward.")
def db_mean(right, x, *parameters):
    loss, dW1, db1, dW2, db2, dc2, dc1 = right(x, *parameters)
    n = len(x)
    return loss, dW1, db1 / n, dW2, db2 / n, dc2 / n, dc1 / n
