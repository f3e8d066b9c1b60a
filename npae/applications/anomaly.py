"""Anomaly detection: samples unlike the training data have a larger reconstruction error.

The measure is the area under the ROC curve: how often an outlier has a larger error than an inlier
(Hanley & McNeil 1982).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from npae.applications.features import samples_for
from npae.applications.pca import PCA
from npae.estimators import AutoencoderEstimator
from npae.utils.randomness import generator
from npae.utils.types import Array


def errors(rebuilt: Array, X: Array) -> Array:
    """Mean squared error of each sample (n,)."""
    per_sample: Array = np.square(rebuilt - X, dtype=np.float64).reshape(len(X), -1).mean(axis=1)
    return per_sample


def auroc(inliers: Array, outliers: Array) -> float:
    """How often an outlier's score is above an inlier's, a tie counting half: the statistic of Mann and Whitney."""
    scores = np.concatenate([inliers, outliers])
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]  # equal scores share the mean of their ranks
    n, m = len(inliers), len(outliers)
    return float((ranks[n:].sum() - m * (m + 1) / 2) / (n * m))


def noise_like(X: Array, seed: int = 0) -> Array:
    """Uniform noise of the shape and the range of X."""
    noise: Array = generator(seed, "anomaly noise").uniform(X.min(), X.max(), X.shape).astype(X.dtype)
    return noise


def compare(
    model: AutoencoderEstimator, train: Any, test: Any, outliers: Mapping[str, Any]
) -> list[tuple[str, float, float]]:
    """Area under the curve by reconstruction error, of a fitted model and of PCA of the same size.

    Parameters
    ----------
    model : fitted estimator
    train, test : array-like of shape ``(n, *shape)``
        Friends: what the model was trained on, and more of the kind.
    outliers : mapping of str to array-like of shape ``(n, *shape)``

    Returns
    -------
    list of (name of the outliers, of the autoencoder, of PCA)
    """
    train, test = samples_for(model, train, "the training samples"), samples_for(model, test, "the test samples")
    net = model.network_
    (size,) = net.code_shape
    pca = PCA(train, size)
    rows = []
    for name, given in outliers.items():
        X = samples_for(model, given, f"the outliers {name!r}")
        by_model = auroc(errors(net.reconstruct(test), test), errors(net.reconstruct(X), X))
        by_pca = auroc(errors(pca.reconstruct(test, size), test), errors(pca.reconstruct(X, size), X))
        rows.append((name, by_model, by_pca))
    return rows


HEADER: Sequence[str] = ("outliers", "autoencoder", "PCA")
