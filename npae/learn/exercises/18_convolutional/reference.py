"""Upsampling; and a convolutional autoencoder of a convolution, a max-pooling, an upsampling and a convolution."""

import numpy as np


def upsample(x, factor):
    """Every value repeated in a block of factor[0] × factor[1]."""
    return x.repeat(factor[0], axis=1).repeat(factor[1], axis=2)


def backward(g, factor):
    """dx: the sum of g over each block."""
    n, height, width, channels = g.shape
    blocks = g.reshape(n, height // factor[0], factor[0], width // factor[1], factor[1], channels)
    return blocks.sum(axis=(2, 4))


def slices(k, m, rows, columns, stride):
    """Where in the image with its border the numbers lie that W[k, m] sees, one for each of rows × columns."""
    sh, sw = stride
    return np.s_[:, k : k + (rows - 1) * sh + 1 : sh, m : m + (columns - 1) * sw + 1 : sw]


def convolve(x, W, b, stride, padding):
    """The convolution of the exercise stride."""
    padded = np.pad(x, ((0, 0), *padding, (0, 0)))
    kh, kw = W.shape[:2]
    rows = (padded.shape[1] - kh) // stride[0] + 1
    columns = (padded.shape[2] - kw) // stride[1] + 1
    y = np.zeros((len(x), rows, columns, W.shape[3])) + b
    for k in range(kh):
        for m in range(kw):
            y += padded[slices(k, m, rows, columns, stride)] @ W[k, m]
    return y


def convolution_backward(g, x, W, stride, padding):
    """dx, dW, db of a convolution: the exercise stride."""
    padded = np.pad(x, ((0, 0), *padding, (0, 0)))
    dpadded, dW = np.zeros(padded.shape), np.zeros(W.shape)
    for k in range(W.shape[0]):
        for m in range(W.shape[1]):
            seen = slices(k, m, *g.shape[1:3], stride)
            dW[k, m] = np.einsum("nijc,nijf->cf", padded[seen], g)
            dpadded[seen] += g @ W[k, m].T
    (top, _), (left, _) = padding
    return dpadded[:, top : top + x.shape[1], left : left + x.shape[2]], dW, g.sum(axis=(0, 1, 2))


def max_pool(x):
    """The largest of each 2 × 2 cells."""
    return np.maximum(np.maximum(x[:, ::2, ::2], x[:, ::2, 1::2]), np.maximum(x[:, 1::2, ::2], x[:, 1::2, 1::2]))


def max_backward(g, x):
    """dx of max_pool: g to the first winner of each 2 × 2 cells, as in the exercise pooling."""
    dx = np.zeros(x.shape)
    left = np.ones(g.shape, bool)  # windows that have no winner yet
    for cell in (np.s_[:, ::2, ::2], np.s_[:, ::2, 1::2], np.s_[:, 1::2, ::2], np.s_[:, 1::2, 1::2]):
        won = left & (x[cell] == max_pool(x))
        dx[cell] = g * won
        left &= ~won
    return dx


def activations(x, W1, b1, W2, b2):
    """a, h (N, H/2, W/2, F), code (N, H/4, W/4, F), u (N, H, W, F), the logits z (N, H, W, 1)."""
    a = convolve(x, W1, b1, (2, 2), ((1, 1), (1, 1)))
    h = np.maximum(a, 0)
    code = max_pool(h)
    u = upsample(code, (4, 4))
    z = convolve(u, W2, b2, (1, 1), ((2, 2), (2, 2)))
    return a, h, code, u, z


def cross_entropy(z, x):
    """Mean over all pixels of −x log σ(z) − (1 − x) log(1 − σ(z)), without overflow."""
    return np.mean(np.maximum(z, 0) - x * z + np.log1p(np.exp(-np.abs(z))))


def sigmoid(z):
    """1 / (1 + e⁻ᶻ), without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * z))


def gradient(x, W1, b1, W2, b2):
    """The loss, dW1, db1, dW2, db2."""
    a, h, _, u, z = activations(x, W1, b1, W2, b2)
    dz = (sigmoid(z) - x) / x.size
    du, dW2, db2 = convolution_backward(dz, u, W2, (1, 1), ((2, 2), (2, 2)))
    dcode = backward(du, (4, 4))
    da = max_backward(dcode, h) * (a > 0)
    _, dW1, db1 = convolution_backward(da, x, W1, (2, 2), ((1, 1), (1, 1)))
    return cross_entropy(z, x), dW1, db1, dW2, db2


def forward(x, W1, b1, W2, b2):
    """The loss."""
    return cross_entropy(activations(x, W1, b1, W2, b2)[-1], x)


def draw_upsampled(rng, turn=0):
    """Sizes and factors that all differ."""
    n, height, width, channels = rng.permutation([2, 4, 5, 6])
    s, t = (2, 3) if turn % 2 else (3, 2)
    return {"x": rng.standard_normal((n, height, width, channels)), "factor": (s, t)}


def draw(rng):
    """Images that are not square, with a blank corner as digits have; no unit is at its kink.

    No window has two winners but the first, which sees the blank corner only: all its cells are b1.
    """
    n, n_filters = rng.permutation([2, 3])
    height, width = rng.permutation([8, 12])
    while True:
        inputs = {
            "x": rng.uniform(0.05, 0.95, (n, height, width, 1)),
            "W1": 0.5 * rng.standard_normal((4, 4, 1, n_filters)),
            "b1": 0.5 * rng.standard_normal(n_filters),
            "W2": 0.3 * rng.standard_normal((5, 5, n_filters, 1)),
            "b2": rng.standard_normal(1),
        }
        inputs["x"][:, :5, :5] = 0.0
        inputs["b1"][0] = rng.uniform(0.2, 0.6)
        a = activations(**inputs)[0]
        cells = a.reshape(n, height // 4, 2, width // 4, 2, n_filters)
        first, second = np.sort(cells.transpose(2, 4, 0, 1, 3, 5).reshape(4, -1), axis=0)[:1:-1]
        margin = (first - second).reshape(n, -1, n_filters)[:, 1:]
        if np.abs(a).min() > 0.002 and margin.min() > 0.002 and (first > 0).any() and (first < 0).any():
            return inputs


def initial(rng, images):
    """Random weights that keep the size of what passes, and biases that let every filter begin alive."""
    n_filters = 8
    return {
        "W1": rng.standard_normal((4, 4, 1, n_filters)) * np.sqrt(2 / 16),
        "b1": np.full(n_filters, 0.1),
        "W2": rng.standard_normal((5, 5, n_filters, 1)) * np.sqrt(1 / (25 * n_filters)),
        "b2": np.zeros(1),
    }


def noise(rng, x, parameters):
    """Nothing is drawn."""
    return {}


def reconstruct(x, parameters):
    """p, the image that the network makes of x."""
    return sigmoid(activations(x, **parameters)[-1])
