"""A convolution with stride 1 and without a border, as a loop over the places of its kernel."""

import numpy as np


def forward(x, W, b):
    """y[n, i, j] = Σₖₘ x[n, i + k, j + m] W[k, m] + b."""
    kh, kw = W.shape[:2]
    rows, columns = x.shape[1] - kh + 1, x.shape[2] - kw + 1
    y = np.zeros((len(x), rows, columns, W.shape[3])) + b
    for k in range(kh):
        for m in range(kw):
            y += x[:, k : k + rows, m : m + columns] @ W[k, m]
    return y


def backward(g, x, W):
    """Of each place of the kernel the gradients of a dense layer; what several windows saw receives from each."""
    rows, columns = g.shape[1:3]
    dx, dW = np.zeros(x.shape), np.zeros(W.shape)
    for k in range(W.shape[0]):
        for m in range(W.shape[1]):
            seen = x[:, k : k + rows, m : m + columns]  # (N, OH, OW, C)
            dW[k, m] = np.einsum("nijc,nijf->cf", seen, g)
            dx[:, k : k + rows, m : m + columns] += g @ W[k, m].T
    return dx, dW, g.sum(axis=(0, 1, 2))


def draw(rng):
    """Images and kernels that are not square, and numbers of channels that all differ."""
    n, n_in, n_out = rng.permutation([2, 3, 4])
    kh, kw = rng.permutation([2, 3])
    height, width = rng.permutation([5, 6, 7])[:2]
    return {
        "x": rng.standard_normal((n, height, width, n_in)),
        "W": rng.standard_normal((kh, kw, n_in, n_out)),
        "b": rng.standard_normal(n_out),
        "stride": (1, 1),
        "padding": ((0, 0), (0, 0)),
    }
