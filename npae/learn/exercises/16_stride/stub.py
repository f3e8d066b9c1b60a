# npae-exercise: stride v1
import numpy as np


def slices(k, m, rows, columns, stride):
    """Given: where in the image with its border the numbers lie that W[k, m] sees, one for each of rows × columns."""
    sh, sw = stride
    return np.s_[:, k : k + (rows - 1) * sh + 1 : sh, m : m + (columns - 1) * sw + 1 : sw]


def forward(x, W, b, stride, padding):
    """Given: y[n, i, j] = Σₖₘ x̄[n, i·sh + k, j·sw + m] @ W[k, m] + b, with x̄ the image in a border of zeros."""
    padded = np.pad(x, ((0, 0), *padding, (0, 0)))
    kh, kw = W.shape[:2]
    rows = (padded.shape[1] - kh) // stride[0] + 1
    columns = (padded.shape[2] - kw) // stride[1] + 1
    y = np.zeros((len(x), rows, columns, W.shape[3])) + b
    for k in range(kh):
        for m in range(kw):
            y += padded[slices(k, m, rows, columns, stride)] @ W[k, m]
    return y


def backward(g, x, W, stride, padding):
    """The gradients of forward. Return dx, dW, db.

    g: (N, OH, OW, F), the gradient of the loss by y
    x: (N, H, W, C)
    W: (kh, kw, C, F)
    stride: (sh, sw)
    padding: ((top, bottom), (left, right))
    """
    raise NotImplementedError
