"""Exact search for the nearest of many codes, in blocks, so that its memory does not grow with their number.

Distances are compared in float32 first. What rounding cannot rule out is compared again in float64.
"""

import numpy as np

from npae.applications.distance_bounds import SAMPLE, bounds_of, candidates, middle_of
from npae.utils.types import Array

METRICS = ("euclidean", "cosine")
QUERIES, CODES = 256, 16_384  # compared at once: 16 MiB of distances in float32
VALUES = 2**20  # of pairs compared at once in float64: 8 MiB


def nearest(queries: Array, codes: Array, k: int, metric: str) -> tuple[Array, Array]:
    """Places and distances (m, k) of the k nearest codes (n, size), n ≥ k, of each query (m, size).

    See ``Index.search``.
    """
    places = np.empty((len(queries), k), np.int64)
    distances = np.empty((len(queries), k))
    for start in range(0, len(queries), QUERIES):
        block = slice(start, start + QUERIES)
        places[block], distances[block] = _nearest_of_block(queries[block], codes, k, metric)
    return places, distances


def _nearest_of_block(queries: Array, codes: Array, k: int, metric: str) -> tuple[Array, Array]:
    """For a few queries: the nearest of each block of codes, merged with those so far."""
    a = comparable(queries, metric)
    best_places = np.empty((len(a), 0), np.int64)
    best = np.empty((len(a), 0))  # squared distances
    middle = middle_of(codes[:SAMPLE]) if metric == "euclidean" else None
    for start in range(0, len(codes), CODES):
        b = codes[start : start + CODES]
        limit = best[:, -1] if best.shape[1] == k else None
        rows, columns = candidates(bounds_of(a, b, metric, middle), k, limit)
        if limit is not None and not len(rows):
            continue
        squares = np.concatenate([best.ravel(), _squared_distances(a, b, rows, columns, metric)])
        places = np.concatenate([best_places.ravel(), start + columns])
        rows = np.concatenate([np.repeat(np.arange(len(a)), best.shape[1]), rows])
        order = np.lexsort((squares, rows))  # it is stable, and in each row places ascend
        first = np.searchsorted(rows[order], np.arange(len(a)))
        chosen = order[first[:, None] + np.arange(min(k, start + len(b)))]
        best, best_places = squares[chosen], places[chosen]
    # ‖a − b‖² of unit vectors is 2 (1 − cos)
    return best_places, np.sqrt(best) if metric == "euclidean" else best / 2


def _squared_distances(a: Array, b: Array, rows: Array, columns: Array, metric: str) -> Array:
    """‖a_i − b_j‖² of pairs i, j in float64; equal for equal vectors, whatever other pairs are asked for."""
    squares = np.empty(len(rows))
    length = max(VALUES // a.shape[1], 1)
    for start in range(0, len(rows), length):
        pairs = slice(start, start + length)
        difference = a[rows[pairs]].astype(np.float64) - comparable(b[columns[pairs]], metric)
        squares[pairs] = np.square(difference, out=difference).sum(axis=1)
    return squares


def comparable(codes: Array, metric: str) -> Array:
    """The codes, if the metric is cosine scaled to unit length in float64."""
    if metric == "cosine":
        codes = codes.astype(np.float64)
        codes /= np.maximum(np.linalg.norm(codes, axis=1, keepdims=True), np.finfo(np.float64).tiny)
    return codes
