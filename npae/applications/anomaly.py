"""Anomaly detection: samples unlike the training data have a larger reconstruction error.

The measure is the area under the ROC curve: the probability that an outlier has a larger error than an inlier
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
    """Mean squared error (n,) of each sample of X (n, ...), over its values, for reconstructions of the same shape."""
    per_sample: Array = np.square(rebuilt - X, dtype=np.float64).reshape(len(X), -1).mean(axis=1)
    return per_sample


def auroc(inliers: Array, outliers: Array) -> float:
    """Area under the ROC curve: the share of pairs in which the outlier's score is higher, ties counting half.

    It is the Mann-Whitney statistic U / (n m).

    Parameters
    ----------
    inliers, outliers : ndarray of shape (n,) and (m,)
        Scores.

    Examples
    --------
    >>> import numpy as np
    >>> auroc(np.array([1.0, 2.0]), np.array([2.0, 3.0]))
    0.875
    """
    scores = np.concatenate([inliers, outliers])
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]  # equal scores share the mean of their ranks
    n, m = len(inliers), len(outliers)
    return float((ranks[n:].sum() - m * (m + 1) / 2) / (n * m))


def noise_like(X: Array, seed: int = 0) -> Array:
    """Uniform noise with the shape, dtype and range of X."""
    noise: Array = generator(seed, "anomaly noise").uniform(X.min(), X.max(), X.shape).astype(X.dtype)
    return noise


def compare(
    model: AutoencoderEstimator, train: Any, test: Any, outliers: Mapping[str, Any]
) -> list[tuple[str, float, float]]:
    """Area under the ROC curve of the reconstruction error, for a fitted model and for PCA of the same code size.

    Parameters
    ----------
    model : fitted estimator
    train, test : array-like of shape ``(n, *shape)``
        Inliers: training data, for PCA, and samples of the same kind.
    outliers : mapping of str to array-like of shape ``(n, *shape)``

    Returns
    -------
    list of (name of the outliers, area of the autoencoder, area of PCA)
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
