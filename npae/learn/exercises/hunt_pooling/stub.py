# npae-exercise: hunt_pooling v1
import numpy as np


def backward(g, x, size, stride):
    """The gradient of max-pooling. Return dx.

    g: (N, OH, OW, C), the gradient of the loss by y
    x: (N, H, W, C)
    size: (kh, kw), stride: (sh, sw)
    """
    dx = np.zeros(x.shape)
    (kh, kw), (sh, sw) = size, stride
    images, channels = np.ogrid[: x.shape[0], : x.shape[3]]
    for i in range(g.shape[1]):
        for j in range(g.shape[2]):
            cells = x[:, i * sh : i * sh + kh, j * sw : j * sw + kw]
            winner = cells.reshape(len(x), kh * kw, -1).argmax(axis=1)  # (N, C)
            row, column = np.divmod(winner, kw)
            dx[images, i * sh + row, j * sw + column, channels] = g[:, i, j]
    return dx
