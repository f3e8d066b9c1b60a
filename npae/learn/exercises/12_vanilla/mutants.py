"""Known mistakes of a vanilla autoencoder: at the loss, at the code, and between the two."""

import numpy as np

from npae.learn.mutant import mutant


def pieces(x, W1, b1, W2, b2):
    """a, h, the reconstruction p and the right dz."""
    a = x @ W1 + b1
    h = np.maximum(a, 0)
    p = 1 / (1 + np.exp(-(h @ W2 + b2)))
    return a, h, p, (p - x) / x.size


def from_logits(x, a, h, W2, dz):
    """The gradients that follow from a gradient by the logits."""
    da = (dz @ W2.T) * (a > 0)
    return x.T @ da, da.sum(axis=0), h.T @ dz, dz.sum(axis=0)


@mutant("gradient", "dz = (p − x)p(1 − p)/n", "The logarithm's derivative already cancels the sigmoid's.")
def extra_slope(right, x, W1, b1, W2, b2):
    a, h, p, dz = pieces(x, W1, b1, W2, b2)
    return right(x, W1, b1, W2, b2)[0], *from_logits(x, a, h, W2, dz * p * (1 - p))


@mutant("gradient", "dz = (z − x)/n", "Compare the image with a probability.")
def no_sigmoid(right, x, W1, b1, W2, b2):
    a, h, _, _ = pieces(x, W1, b1, W2, b2)
    return right(x, W1, b1, W2, b2)[0], *from_logits(x, a, h, W2, (h @ W2 + b2 - x) / x.size)


@mutant("gradient", "dz = (x − p)/n", "If a pixel is too bright, making it brighter must raise the loss.")
def sign(right, x, W1, b1, W2, b2):
    loss, *gradients = right(x, W1, b1, W2, b2)
    return loss, *(-d for d in gradients)


@mutant("gradient", "dz = (p − x)/N", "Divide by as many numbers as the mean was taken over.")
def batch_only(right, x, W1, b1, W2, b2):
    loss, *gradients = right(x, W1, b1, W2, b2)
    return loss, *(d * x.shape[1] for d in gradients)


@mutant("gradient", "dz = p − x", "A mean forward is a division backward.")
def no_average(right, x, W1, b1, W2, b2):
    loss, *gradients = right(x, W1, b1, W2, b2)
    return loss, *(d * x.size for d in gradients)


@mutant("gradient", "dW1, dW2 divided by N once more", "The loss already divided.")
def double_average(right, x, W1, b1, W2, b2):
    loss, dW1, db1, dW2, db2 = right(x, W1, b1, W2, b2)
    return loss, dW1 / len(x), db1, dW2 / len(x), db2


@mutant("gradient", "da = dh", "Where the output of the code does not move, nothing flows back.")
def no_mask(right, x, W1, b1, W2, b2):
    loss, _, _, dW2, db2 = right(x, W1, b1, W2, b2)
    dh = pieces(x, W1, b1, W2, b2)[3] @ W2.T
    return loss, x.T @ dh, dh.sum(axis=0), dW2, db2


@mutant("gradient", "da = dh·[dh > 0]", "The sign of the forward input decides, not that of the gradient.")
def mask_on_g(right, x, W1, b1, W2, b2):
    loss, _, _, dW2, db2 = right(x, W1, b1, W2, b2)
    da = np.maximum(pieces(x, W1, b1, W2, b2)[3] @ W2.T, 0)
    return loss, x.T @ da, da.sum(axis=0), dW2, db2


@mutant("gradient", "dW2 = aᵀ dz", "A layer's weights meet what went into that layer.")
def before_relu(right, x, W1, b1, W2, b2):
    loss, dW1, db1, _, db2 = right(x, W1, b1, W2, b2)
    a, _, _, dz = pieces(x, W1, b1, W2, b2)
    return loss, dW1, db1, a.T @ dz, db2


@mutant("gradient", "dW1 = 0, db1 = 0", "The encoder learns only from what passes through the code.")
def decoder_only(right, x, W1, b1, W2, b2):
    loss, _, _, dW2, db2 = right(x, W1, b1, W2, b2)
    return loss, np.zeros_like(W1), np.zeros_like(b1), dW2, db2


@mutant("gradient", "db1, db2 = mean over the batch", "Broadcast forward means sum backward.")
def db_mean(right, x, W1, b1, W2, b2):
    loss, dW1, db1, dW2, db2 = right(x, W1, b1, W2, b2)
    return loss, dW1, db1 / len(x), dW2, db2 / len(x)


@mutant("gradient", "loss = sum over the pixels", "The gradients of a mean belong to the mean.")
def loss_sum(right, x, W1, b1, W2, b2):
    loss, *gradients = right(x, W1, b1, W2, b2)
    return loss * x.size, *gradients
