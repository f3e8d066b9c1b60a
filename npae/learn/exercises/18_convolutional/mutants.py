"""Known mistakes of a convolutional autoencoder where its steps meet; those of upsampling are in the library."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from npae.learn.mutant import mutant


def windows(x, size, stride, border):
    """(N, H, W, C) -> (N, OH, OW, C, size, size)."""
    padded = np.pad(x, ((0, 0), (border, border), (border, border), (0, 0)))
    return sliding_window_view(padded, (size, size), axis=(1, 2))[:, ::stride, ::stride]


def cells(x):
    """The four cells of each window: (N, H, W, C) -> (N, H/2, W/2, C, 2, 2)."""
    return windows(x, 2, 2, 0)


def pieces(x, W1, b1, W2, b2):
    """a, h and the right gradients by z, u and the code."""
    a = np.einsum("nijcab,abcf->nijf", windows(x, 4, 2, 1), W1) + b1
    h = np.maximum(a, 0)
    u = cells(h).max(axis=(4, 5)).repeat(4, axis=1).repeat(4, axis=2)
    z = np.einsum("nijcab,abcf->nijf", windows(u, 5, 1, 2), W2) + b2
    dz = (1 / (1 + np.exp(-z)) - x) / x.size
    du = np.einsum("nijfab,abcf->nijc", windows(dz, 5, 1, 2), W2[::-1, ::-1])
    return a, h, dz, du, summed(du)


def summed(du):
    """The gradient by the code."""
    return windows(du, 4, 4, 0).sum(axis=(4, 5))


def spread(g):
    """To every cell of its window."""
    return g.repeat(2, axis=1).repeat(2, axis=2)


def winners(h):
    """1 at the first largest cell of each window, 0 elsewhere."""
    n, height, width, channels = h.shape
    flat = cells(h).reshape(n, height // 2, width // 2, channels, 4)
    one = flat.argmax(axis=4)[..., None] == np.arange(4)
    return one.reshape(n, height // 2, width // 2, channels, 2, 2).transpose(0, 1, 4, 2, 5, 3).reshape(h.shape)


def encoder(x, da):
    """dW1 and db1."""
    return np.einsum("nijcab,nijf->abcf", windows(x, 4, 2, 1), da), da.sum(axis=(0, 1, 2))


def with_code_gradient(right, given, dcode):
    """What follows from another gradient by the code."""
    loss, _, _, *decoder = right(*given)
    a, h, *_ = pieces(*given)
    return loss, *encoder(given[0], spread(dcode) * winners(h) * (a > 0)), *decoder


@mutant("gradient", "dcode = du[:, ::4, ::4]", "Each value of the code was used in a whole block.")
def stride_pick(right, *given):
    return with_code_gradient(right, given, pieces(*given)[3][:, ::4, ::4])


@mutant("gradient", "dcode = mean of du over each block", "A copy forward is a sum backward.")
def block_mean(right, *given):
    return with_code_gradient(right, given, pieces(*given)[4] / 16)


@mutant(
    "gradient",
    "du = dz correlated with W2 as it is",
    "The transpose of a correlation is a convolution, which reverses the kernel's axes.",
)
def du_unflipped(right, *given):
    dz, W2 = pieces(*given)[2], given[3]
    return with_code_gradient(right, given, summed(np.einsum("nijfab,abcf->nijc", windows(dz, 5, 1, 2), W2)))


@mutant("gradient", "da = dh", "Where the output is constant, its derivative is 0.")
def no_mask(right, *given):
    loss, _, _, *decoder = right(*given)
    _, h, _, _, dcode = pieces(*given)
    return loss, *encoder(given[0], spread(dcode) * winners(h)), *decoder


@mutant(
    "gradient",
    "dcode to the whole window",
    "A small change of a cell that is not the maximum does not change the output.",
)
def pool_all(right, *given):
    loss, _, _, *decoder = right(*given)
    a, _, _, _, dcode = pieces(*given)
    return loss, *encoder(given[0], spread(dcode) * (a > 0)), *decoder


@mutant(
    "gradient", "dh = dcode·[h == max]", "Of equal cells, as a blank corner has, one wins, and g is shared out once."
)
def ties_all(right, *given):
    loss, _, _, *decoder = right(*given)
    a, h, _, _, dcode = pieces(*given)
    won = h == spread(cells(h).max(axis=(4, 5)))
    return loss, *encoder(given[0], spread(dcode) * won * (a > 0)), *decoder


@mutant("gradient", "dcode/4 to the whole window", "A maximum depends on one cell, a mean on all.")
def pool_average(right, *given):
    loss, _, _, *decoder = right(*given)
    a, _, _, _, dcode = pieces(*given)
    return loss, *encoder(given[0], spread(dcode) / 4 * (a > 0)), *decoder


@mutant("gradient", "dW1 = 0, db1 = 0", "The encoder learns only from what passes through the code.")
def decoder_only(right, *given):
    loss, dW1, db1, *decoder = right(*given)
    return loss, 0 * dW1, 0 * db1, *decoder


@mutant("gradient", "dz = (p − x)/N", "Divide by as many numbers as the mean was taken over.")
def batch_only(right, x, *parameters):
    loss, *gradients = right(x, *parameters)
    return loss, *(d * x[0].size for d in gradients)


@mutant("gradient", "db1, db2 = mean of what arrives", "Broadcast forward means sum backward.")
def db_mean(right, x, *parameters):
    loss, dW1, db1, dW2, db2 = right(x, *parameters)
    return loss, dW1, db1 / (x.size / 4), dW2, db2 / x.size
