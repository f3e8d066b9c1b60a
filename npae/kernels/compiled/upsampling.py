"""2D upsampling by repetition or interpolation, and its gradients. The inner loops run along the channels."""

import numpy as np

from npae.kernels.jit import jit, shared_jit
from npae.kernels.reference.array import Array
from npae.kernels.simd.copy import copy


@jit
def upsample_nearest(x: Array, factor_h: int, factor_w: int, y: Array) -> None:
    """As reference.upsample_nearest. Each row is enlarged once and then copied."""
    n, height, width, channels = x.shape
    rows, columns = y.shape[1:3]
    x_flat, y_flat = x.reshape(-1), y.reshape(-1)
    line = columns * channels
    for image in range(n):
        for i in range(rows):
            target = (image * rows + i) * line
            if i % factor_h:
                copy(y_flat, target - line, y_flat, target, line)
                continue
            source = (image * height + i // factor_h) * width * channels
            for j in range(width):
                for _ in range(min(factor_w, columns - j * factor_w)):
                    copy(x_flat, source, y_flat, target, channels)
                    target += channels
                source += channels


@jit
def upsample_nearest_gradient(dy: Array, factor_h: int, factor_w: int, dx: Array) -> None:
    """As reference.upsample_nearest_gradient."""
    n, rows, columns, channels = dy.shape
    dx[...] = 0
    for image in range(n):
        for i in range(rows):
            j = 0
            for m in range(dx.shape[2]):
                total = dx[image, i // factor_h, m]
                for _ in range(min(factor_w, columns - j)):
                    slope = dy[image, i, j]
                    for c in range(channels):
                        total[c] += slope[c]
                    j += 1


@shared_jit
def _spans(weights: Array) -> Array:
    """For each row of a matrix, the range (rows, 2) from its first to its last entry that is not zero."""
    spans = np.zeros((len(weights), 2), np.intp)
    for i in range(len(weights)):
        for j in range(weights.shape[1]):
            if weights[i, j] != 0:
                if spans[i, 1] == 0:
                    spans[i, 0] = j
                spans[i, 1] = j + 1
    return spans


@jit
def resample(x: Array, row_weights: Array, column_weights: Array, y: Array) -> None:
    """As reference.resample. Of each row of weights only the range of ``_spans`` is used."""
    n, rows, columns, channels = y.shape
    row_spans, column_spans = _spans(row_weights), _spans(column_weights)
    y[...] = 0
    for image in range(n):
        for i in range(rows):
            for k in range(row_spans[i, 0], row_spans[i, 1]):
                for j in range(columns):
                    total = y[image, i, j]
                    for m in range(column_spans[j, 0], column_spans[j, 1]):
                        weight = row_weights[i, k] * column_weights[j, m]
                        cell = x[image, k, m]
                        for c in range(channels):
                            total[c] += weight * cell[c]


@jit
def resample_gradient(dy: Array, row_weights: Array, column_weights: Array, dx: Array) -> None:
    """As reference.resample_gradient, with the same ranges as resample."""
    n, rows, columns, channels = dy.shape
    row_spans, column_spans = _spans(row_weights), _spans(column_weights)
    dx[...] = 0
    for image in range(n):
        for i in range(rows):
            for k in range(row_spans[i, 0], row_spans[i, 1]):
                for j in range(columns):
                    slope = dy[image, i, j]
                    for m in range(column_spans[j, 0], column_spans[j, 1]):
                        weight = row_weights[i, k] * column_weights[j, m]
                        total = dx[image, k, m]
                        for c in range(channels):
                            total[c] += weight * slope[c]
