"""Known mistakes of a convolution beside those of the library: at the border, and in sums."""

import numpy as np

from npae.learn.mutant import mutant


@mutant("backward", "dx = dx̄", "The border is not part of the image, and dx has x's shape.")
def border_kept(right, g, x, W, stride, padding):
    _, dW, db = right(g, x, W, stride, padding)
    padded = np.pad(x, ((0, 0), *padding, (0, 0)))
    return right(g, padded, W, stride, ((0, 0), (0, 0)))[0], dW, db


@mutant("backward", "dx of the last place of the kernel only", "What several places of the kernel saw adds up.")
def slice_assign(right, g, x, W, stride, padding):
    _, dW, db = right(g, x, W, stride, padding)
    dpadded = np.zeros(np.pad(x, ((0, 0), *padding, (0, 0))).shape)
    (sh, sw), (rows, columns), ((top, _), (left, _)) = stride, g.shape[1:3], padding
    for k, m in np.ndindex(W.shape[:2]):
        dpadded[:, k : k + (rows - 1) * sh + 1 : sh, m : m + (columns - 1) * sw + 1 : sw] = g @ W[k, m].T
    return dpadded[:, top : top + x.shape[1], left : left + x.shape[2]], dW, db


@mutant("backward", "dx = dx̄[:, top:−bottom, left:−right]", "An end of −0 is 0: count from the start.")
def cropped_to_minus_zero(right, g, x, W, stride, padding):
    _, dW, db = right(g, x, W, stride, padding)
    padded = np.pad(x, ((0, 0), *padding, (0, 0)))
    (top, bottom), (left, sideways) = padding
    return right(g, padded, W, stride, ((0, 0), (0, 0)))[0][:, top:-bottom, left:-sideways], dW, db


@mutant("backward", "g := 1", "Multiply by the gradient from above.")
def drops_upstream(right, g, x, W, stride, padding):
    return right(np.ones_like(g), x, W, stride, padding)


@mutant("backward", "dW, db of the last image", "`=` in the loop where `+=` is needed.")
def last_sample(right, g, x, W, stride, padding):
    dx, _, _ = right(g, x, W, stride, padding)
    return dx, *right(g[-1:], x[-1:], W, stride, padding)[1:]


@mutant("backward", "db = mean of g over images and places", "Broadcast forward means sum backward.")
def db_mean(right, g, x, W, stride, padding):
    dx, dW, _ = right(g, x, W, stride, padding)
    return dx, dW, g.mean(axis=(0, 1, 2))
