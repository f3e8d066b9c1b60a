"""Anomaly detection: what a model was not trained on, it rebuilds badly. So the error tells strangers from friends.

The measure is the area under the ROC curve: how often a stranger has a larger error than a friend
(Hanley & McNeil 1982).
"""

from collections.abc import Mapping, Sequence

import numpy as np

from npae.applications.pca import PCA
from npae.estimators import AutoencoderEstimator
from npae.utils.randomness import generator
from npae.utils.types import Array


def errors(rebuilt: Array, X: Array) -> Array:
    """Mean squared error of each sample (n,)."""
    per_sample: Array = np.square(rebuilt - X, dtype=np.float64).reshape(len(X), -1).mean(axis=1)
    return per_sample


def auroc(friends: Array, strangers: Array) -> float:
    """How often a stranger's score is above a friend's, a tie counting half: the statistic of Mann and Whitney."""
    scores = np.concatenate([friends, strangers])
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]  # equal scores share the mean of their ranks
    n, m = len(friends), len(strangers)
    return float((ranks[n:].sum() - m * (m + 1) / 2) / (n * m))


def noise_like(X: Array, seed: int = 0) -> Array:
    """Uniform noise of the shape and the range of X."""
    noise: Array = generator(seed, "anomaly noise").uniform(X.min(), X.max(), X.shape).astype(X.dtype)
    return noise


def compare(
    model: AutoencoderEstimator, train: Array, test: Array, strangers: Mapping[str, Array]
) -> list[tuple[str, float, float]]:
    """Area under the curve by reconstruction error, of a fitted model and of PCA of the same size.

    Parameters
    ----------
    model : fitted estimator
    train, test : ndarray of shape ``(n, *shape)``
        Friends: what the model was trained on, and more of the kind.
    strangers : mapping of str to ndarray of shape ``(n, *shape)``

    Returns
    -------
    list of (name of the strangers, of the autoencoder, of PCA)
    """
    (size,) = model.network_.code_shape
    pca = PCA(train, size)
    rows = []
    for name, X in strangers.items():
        by_model = auroc(errors(model.reconstruct(test), test), errors(model.reconstruct(X), X))
        by_pca = auroc(errors(pca.reconstruct(test, size), test), errors(pca.reconstruct(X, size), X))
        rows.append((name, by_model, by_pca))
    return rows


HEADER: Sequence[str] = ("strangers", "autoencoder", "PCA")
