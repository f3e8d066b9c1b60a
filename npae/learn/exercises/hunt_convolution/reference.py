"""A convolution with a stride and a border of zeros, as a loop over the places of its kernel."""

import numpy as np


def slices(k, m, rows, columns, stride):
    """Where in the image with its border the numbers lie that W[k, m] sees, one for each of rows × columns."""
    sh, sw = stride
    return np.s_[:, k : k + (rows - 1) * sh + 1 : sh, m : m + (columns - 1) * sw + 1 : sw]


def forward(x, W, b, stride, padding):
    """y[n, i, j] = Σₖₘ x̄[n, i·sh + k, j·sw + m] W[k, m] + b."""
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
    """As with stride 1, in the border; then the border is cut off."""
    padded = np.pad(x, ((0, 0), *padding, (0, 0)))
    dpadded, dW = np.zeros(padded.shape), np.zeros(W.shape)
    for k in range(W.shape[0]):
        for m in range(W.shape[1]):
            seen = slices(k, m, *g.shape[1:3], stride)
            dW[k, m] = np.einsum("nijc,nijf->cf", padded[seen], g)
            dpadded[seen] += g @ W[k, m].T
    (top, _), (left, _) = padding
    dx = dpadded[:, top : top + x.shape[1], left : left + x.shape[2]]
    return dx, dW, g.sum(axis=(0, 1, 2))


def draw(rng, turn=0):
    """One axis with overlapping windows, a border on one side and a remainder; the other with stride 1."""
    n, n_in, n_out = rng.permutation([2, 3, 4])
    wide = {"size": 7, "kernel": 3, "stride": 2, "padding": ((1, 0), (2, 1))[turn // 2]}
    narrow = {
        "size": int(rng.choice([4, 5, 6])),
        "kernel": 2,
        "stride": 1,
        "padding": ((0, 1), (1, 1))[rng.integers(2)],
    }
    axes = [wide, narrow] if turn % 2 else [narrow, wide]
    (height, width), (kh, kw), stride, padding = (
        tuple(axis[what] for axis in axes) for what in ("size", "kernel", "stride", "padding")
    )
    return {
        "x": rng.standard_normal((n, height, width, n_in)),
        "W": rng.standard_normal((kh, kw, n_in, n_out)),
        "b": rng.standard_normal(n_out),
        "stride": stride,
        "padding": padding,
    }
