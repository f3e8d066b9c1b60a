"""Dimension reduction: how much of the samples their codes keep, beside PCA.

Three questions are asked of them: can the sample be rebuilt, are the neighbours in the map neighbours in the data
(trustworthiness; Venna & Kaski 2001), and how many of the nearest neighbours are the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from npae.applications.features import feature_sets, require_sklearn, samples_for
from npae.applications.pca import PCA
from npae.applications.retrieval import Index
from npae.estimators import AutoencoderEstimator
from npae.utils.types import Array

NEIGHBOURS = 10


@dataclass(frozen=True)
class Reduction:
    """How much of the test samples is left in features of one kind."""

    name: str
    size: int
    error: float  # mean squared error per value after rebuilding
    trustworthiness: float  # 1: no neighbour in the map is a stranger in the data
    overlap: float  # share of the nearest neighbours that are the same


def neighbour_overlap(a: Array, b: Array, k: int = NEIGHBOURS) -> float:
    """Mean share of the k nearest neighbours that each sample has in common in a (n, p) and in b (n, q)."""
    neighbours = []
    for features in (a, b):
        places, _ = Index(features.astype(np.float32)).search(features, k + 1)
        # Itself is left out; where it has many twins and is not among them, so is the farthest.
        neighbours.append([set([j for j in row if j != i][:k]) for i, row in enumerate(places.tolist())])
    shared = [len(p & q) for p, q in zip(*neighbours, strict=True)]
    return float(np.mean(shared)) / k


def compare(model: AutoencoderEstimator, train: Any, test: Any, k: int = NEIGHBOURS) -> list[Reduction]:
    """Codes and PCA of the same size, on test samples ``(n, *shape)``.

    Needs scikit-learn for the trustworthiness.
    """
    require_sklearn("trustworthiness")
    from sklearn.manifold import trustworthiness

    train, test = samples_for(model, train, "the training samples"), samples_for(model, test, "the test samples")
    if len(test) <= 2 * k:
        raise ValueError(f"{len(test)} test samples are too few to compare {k} neighbours; give more than {2 * k}")
    (size,) = model.network_.code_shape
    rebuilt = {"autoencoder": model.network_.reconstruct(test), "PCA": PCA(train, size).reconstruct(test, size)}
    flat = test.reshape(len(test), -1)
    return [
        Reduction(
            features.name,
            features.size,
            float(np.square(rebuilt[features.name] - test, dtype=np.float64).mean()),
            float(trustworthiness(flat, features.test, n_neighbors=k)),
            neighbour_overlap(flat, features.test, k),
        )
        for features in feature_sets(model, train, test)
        if features.name in rebuilt
    ]


def plane(codes: Array) -> Array:
    """Codes (n, size) as points (n, 2): themselves where they are two, else their first two principal coordinates."""
    return codes if codes.shape[1] == 2 else PCA(codes, 2).encode(codes, 2)


HEADER: Sequence[str] = ("features", "values", "MSE", "trustworthiness", "neighbours kept")
