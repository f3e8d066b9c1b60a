"""Known mistakes of a convolution beside those of the library: sums over too little or too much."""

import numpy as np

from npae.learn.mutant import mutant


@mutant("backward", "g := 1", "Multiply by the gradient from above.")
def drops_upstream(right, g, x, W):
    return right(np.ones_like(g), x, W)


@mutant("backward", "dW, db of the last image", "`=` in the loop where `+=` is needed.")
def last_sample(right, g, x, W):
    dx, _, _ = right(g, x, W)
    return dx, *right(g[-1:], x[-1:], W)[1:]


@mutant("backward", "dx of the last place of the kernel only", "What several places of the kernel saw adds up.")
def slice_assign(right, g, x, W):
    _, dW, db = right(g, x, W)
    dx, (rows, columns) = np.zeros(x.shape), g.shape[1:3]
    for k, m in np.ndindex(W.shape[:2]):
        dx[:, k : k + rows, m : m + columns] = g @ W[k, m].T
    return dx, dW, db


@mutant("backward", "dW/N", "The loss already divided by N.")
def double_average(right, g, x, W):
    dx, dW, db = right(g, x, W)
    return dx, dW / len(x), db


@mutant("backward", "db = Σ g over the images only", "The bias is added at every place as well.")
def db_batch(right, g, x, W):
    dx, dW, _ = right(g, x, W)
    return dx, dW, g.sum(axis=0)


@mutant("backward", "db = mean of g over images and places", "Broadcast forward means sum backward.")
def db_mean(right, g, x, W):
    dx, dW, _ = right(g, x, W)
    return dx, dW, g.mean(axis=(0, 1, 2))
