"""Precision of a search: the share of what is found that has the label of the query, beside PCA and raw features."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from npae.applications.features import feature_sets
from npae.applications.retrieval.index import Index
from npae.applications.retrieval.nearest import METRICS
from npae.estimators import AutoencoderEstimator
from npae.utils.scalars import whole_number
from npae.utils.types import Array
from npae.utils.validation import check_labels
from npae.utils.wording import counted

HEADER: Sequence[str] = ("features", "values", "precision, Euclidean", "precision, cosine")


def precision_at(k: int, train: Array, train_labels: Any, test: Array, test_labels: Any, metric: str) -> float:
    """Mean share of each test sample's k nearest training samples that have its label.

    Parameters
    ----------
    k : int
        Number of neighbours.
    train, test : ndarray of shape (n, size), (m, size)
    train_labels, test_labels : array-like of shape (n,), (m,)
    metric : {"euclidean", "cosine"}

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ValueError
        If there are fewer training samples than k.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.applications.retrieval import precision_at
    >>> codes = np.array([[0.0], [0.1], [5.0], [5.1]])
    >>> precision_at(2, codes, [0, 0, 1, 1], codes, [0, 0, 1, 1], "euclidean")
    1.0
    """
    if whole_number(k, "k") > len(train):
        raise ValueError(f"k is {k}, but there are only {counted(len(train), 'training sample')}; give at most as many")
    places, _ = Index(train.astype(np.float32), metric).search(test, k)
    train_labels = check_labels(train_labels, len(train), "the training labels")
    test_labels = check_labels(test_labels, len(test), "the test labels")
    return float((train_labels[places] == test_labels[:, None]).mean())


def compare(
    model: AutoencoderEstimator, train: Any, train_labels: Any, test: Any, test_labels: Any, k: int = 10
) -> list[tuple[str, int, float, float]]:
    """Precision at k of codes, PCA and raw features.

    Parameters
    ----------
    model : fitted estimator
    train, test : array-like of shape ``(n, *shape)``, ``(m, *shape)``
        Samples to search in, and those that are searched for.
    train_labels, test_labels : array-like of shape (n,), (m,)
    k : int, default 10
        Number of neighbours.

    Returns
    -------
    list of (name, size, precision by Euclidean distance, precision by cosine)

    Examples
    --------
    >>> import numpy as np
    >>> import npae
    >>> from npae.applications.retrieval import compare
    >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
    >>> labels = (X[:, 0] > 0.5).astype(int)
    >>> model = npae.VanillaAutoencoder(code_size=2, epochs=1, random_state=0).fit(X)
    >>> [row[:2] for row in compare(model, X[:128], labels[:128], X[128:], labels[128:])]
    [('autoencoder', 2), ('PCA', 2), ('raw', 8)]
    """
    rows = []
    for features in feature_sets(model, train, test):
        euclidean, cosine = (
            precision_at(k, features.train, train_labels, features.test, test_labels, metric) for metric in METRICS
        )
        rows.append((features.name, features.size, euclidean, cosine))
    return rows
