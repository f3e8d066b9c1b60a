"""Anomaly detection: samples unlike the training data have a larger reconstruction error.

The measure is the area under the ROC curve: the probability that an outlier has a larger error than an inlier
(Hanley & McNeil 1982). ``npae.applications.detector`` turns scores into decisions.
"""

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any

import numpy as np

from npae.applications.anomaly_scores import SCORES, AnomalyScore, errors
from npae.applications.features import require_sklearn, samples_for
from npae.applications.mahalanobis import Mahalanobis
from npae.applications.pca import PCA
from npae.estimators import AutoencoderEstimator, VariationalAutoencoder
from npae.utils.randomness import generator
from npae.utils.types import Array

FOREST = "IsolationForest"


def auroc(inliers: Array, outliers: Array) -> float:
    """Area under the ROC curve: the share of pairs in which the outlier's score is higher, ties counting half.

    It is the Mann-Whitney statistic U / (n m).

    Parameters
    ----------
    inliers, outliers : ndarray of shape (n,) and (m,)
        Scores.

    Returns
    -------
    float
        1 where every outlier has the higher score, ½ for scores that say nothing.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.applications.anomaly import auroc
    >>> auroc(np.array([1.0, 2.0]), np.array([2.0, 3.0]))
    0.875
    """
    scores = np.concatenate([inliers, outliers])
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]  # equal scores share the mean of their ranks
    n, m = len(inliers), len(outliers)
    return float((ranks[n:].sum() - m * (m + 1) / 2) / (n * m))


def noise_like(X: Array, seed: int = 0) -> Array:
    """Uniform noise with the shape, dtype and range of samples.

    Parameters
    ----------
    X : ndarray of shape (n, ...)
    seed : int, default 0

    Returns
    -------
    ndarray of the shape and dtype of X

    Examples
    --------
    >>> import numpy as np
    >>> from npae.applications.anomaly import noise_like
    >>> noise_like(np.array([[0.0, 1.0], [0.5, 0.2]], dtype="float32")).dtype.name
    'float32'
    """
    noise: Array = generator(seed, "anomaly noise").uniform(X.min(), X.max(), X.shape).astype(X.dtype)
    return noise


def compare(
    model: AutoencoderEstimator, train: Any, test: Any, outliers: Mapping[str, Any]
) -> dict[str, dict[str, float]]:
    """Area under the ROC curve of the scores of a fitted model, and of methods that work on the values themselves.

    These are the reconstruction error of PCA of the same code size, the Mahalanobis distance, and the isolation forest
    of scikit-learn (Liu, Ting & Zhou 2008), which is left out where scikit-learn is not installed.

    Parameters
    ----------
    model : fitted estimator
    train, test : array-like of shape ``(n, *shape)``
        Inliers: training data, to which the other methods and the distances of codes are fitted, and samples of the
        same kind.
    outliers : mapping of str to array-like of shape ``(n, *shape)``

    Returns
    -------
    dict of str to dict of str to float
        For each name of outliers the area of each method.

    Examples
    --------
    >>> import numpy as np
    >>> import npae
    >>> from npae.applications.anomaly import compare
    >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
    >>> model = npae.VanillaAutoencoder(code_size=2, epochs=1, random_state=0).fit(X[:128])
    >>> areas = compare(model, X[:128], X[128:], {"all zero": np.zeros((4, 8), "float32")})
    >>> 0 <= areas["all zero"]["Mahalanobis, raw"] <= 1
    True
    """
    train, test = samples_for(model, train, "the training samples"), samples_for(model, test, "the test samples")
    scores = _scores(model, train)
    of_inliers = {method: score(test) for method, score in scores.items()}
    areas = {}
    for name, given in outliers.items():
        X = samples_for(model, given, f"the outliers {name!r}")
        areas[name] = {method: auroc(of_inliers[method], score(X)) for method, score in scores.items()}
    return areas


def _scores(model: AutoencoderEstimator, train: Array) -> dict[str, Callable[[Array], Array]]:
    """A function of samples (n, ...) that returns their scores (n,), for each method."""
    (size,) = model.network_.code_shape
    scores: dict[str, Callable[[Array], Array]] = {
        kind: AnomalyScore(model, train, kind)
        for kind in SCORES
        if kind != "elbo" or isinstance(model, VariationalAutoencoder)
    }
    flat = train.reshape(len(train), -1)
    pca, raw = PCA(flat, size), Mahalanobis(flat)
    scores["PCA"] = lambda X: errors(pca.reconstruct(X.reshape(len(X), -1), size), X.reshape(len(X), -1))
    scores["Mahalanobis, raw"] = lambda X: raw(X.reshape(len(X), -1))
    if find_spec("sklearn") is not None:
        require_sklearn("an isolation forest")
        from sklearn.ensemble import IsolationForest

        forest = IsolationForest(random_state=0).fit(flat)
        scores[FOREST] = lambda X: -forest.score_samples(X.reshape(len(X), -1))
    return scores
