# npae-exercise: pooling v1
import numpy as np


def windows(x, size, stride):
    """Given: (i, j, rows, columns) of every window; y[:, i, j] is made of x[:, rows, columns]."""
    for i in range((x.shape[1] - size[0]) // stride[0] + 1):
        for j in range((x.shape[2] - size[1]) // stride[1] + 1):
            top, left = i * stride[0], j * stride[1]
            yield i, j, slice(top, top + size[0]), slice(left, left + size[1])


def max_backward(g, x, size, stride):
    """y[:, i, j] = x[:, rows, columns].max(axis=(1, 2)). Return dx.

    g: (N, OH, OW, C), the gradient of the loss by y
    x: (N, H, W, C)
    size: (kh, kw), stride: (sh, sw)
    """
    raise NotImplementedError


def average_backward(g, x, size, stride):
    """y[:, i, j] = x[:, rows, columns].mean(axis=(1, 2)). Return dx."""
    raise NotImplementedError
