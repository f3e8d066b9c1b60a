# npae-exercise: hunt_convolution v1
import numpy as np


def backward(g, x, W, stride, padding):
    """The gradients of a convolution. Return dx, dW, db.

    g: (N, OH, OW, F), the gradient of the loss by y
    x: (N, H, W, C)
    W: (kh, kw, C, F)
    stride: (sh, sw)
    padding: ((top, bottom), (left, right))
    """
    (sh, sw), (rows, columns) = stride, g.shape[1:3]
    padded = np.pad(x, ((0, 0), *padding, (0, 0)))
    dpadded = np.zeros(padded.shape)
    dW = np.zeros(W.shape)
    for k in range(W.shape[0]):
        for m in range(W.shape[1]):
            seen = np.s_[:, k : k + (rows - 1) * sh + 1 : sh, m : m + (columns - 1) * sw + 1 : sw]
            dW[k, m] = np.einsum("nijc,nijf->cf", padded[seen], g)
            dpadded[seen] += g @ W[k, m].T
    dx = dpadded[:, : x.shape[1], : x.shape[2]]
    db = g.sum(axis=(0, 1, 2))
    return dx, dW, db
