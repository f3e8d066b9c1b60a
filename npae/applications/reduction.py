"""Dimension reduction: the information about samples that codes preserve, compared with PCA.

There are three measures: reconstruction error, trustworthiness (whether neighbours among the codes are neighbours in
the data; Venna & Kaski 2001), and the share of nearest neighbours that are the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from npae.applications.features import feature_sets, require_sklearn, samples_for
from npae.applications.pca import PCA
from npae.applications.retrieval import Index
from npae.estimators import AutoencoderEstimator
from npae.utils.scalars import whole_number
from npae.utils.types import Array

NEIGHBOURS = 10


@dataclass(frozen=True)
class Reduction:
    """Measures of one kind of features on test samples."""

    name: str
    size: int
    error: float  # mean squared error of reconstruction per value
    trustworthiness: float  # from 0 to 1: no neighbour among the features is far away in the data
    overlap: float  # share of the nearest neighbours that are the same


def neighbour_overlap(a: Array, b: Array, k: int = NEIGHBOURS) -> float:
    """Mean share of the k nearest neighbours that each sample has in common in a (n, p) and in b (n, q)."""
    k, neighbours = whole_number(k, "k"), []
    for features in (a, b):
        places, _ = Index(features.astype(np.float32)).search(features, k + 1)
        # Omit the sample itself; if many equal ones displace it, omit the farthest.
        neighbours.append([set([j for j in row if j != i][:k]) for i, row in enumerate(places.tolist())])
    shared = [len(p & q) for p, q in zip(*neighbours, strict=True)]
    return float(np.mean(shared)) / k


def compare(model: AutoencoderEstimator, train: Any, test: Any, k: int = NEIGHBOURS) -> list[Reduction]:
    """Measures of codes and of PCA of the same size, on test samples ``(n, *shape)``, n > 2 k. Needs scikit-learn."""
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
    """Codes (n, size) as points (n, 2): the codes if size is 2, else their first two principal components."""
    return codes if codes.shape[1] == 2 else PCA(codes, 2).encode(codes, 2)


HEADER: Sequence[str] = ("features", "values", "MSE", "trustworthiness", "neighbours kept")
