# npae-exercise: convolution v1
import numpy as np


def forward(x, W, b):
    """Given: y[n, i, j] = Σₖₘ x[n, i + k, j + m] @ W[k, m] + b, from (N, H, W, C) to (N, OH, OW, F)."""
    kh, kw = W.shape[:2]
    rows, columns = x.shape[1] - kh + 1, x.shape[2] - kw + 1
    y = np.zeros((len(x), rows, columns, W.shape[3])) + b
    for k in range(kh):
        for m in range(kw):
            y += x[:, k : k + rows, m : m + columns] @ W[k, m]
    return y


def backward(g, x, W):
    """The gradients of forward. Return dx, dW, db.

    g: (N, OH, OW, F), the gradient of the loss by y
    x: (N, H, W, C)
    W: (kh, kw, C, F)
    """
    raise NotImplementedError
