"""Classification: how well codes serve a classifier, where labels are few or many, beside PCA and raw features."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from npae.applications.classifier import Classifier, plain_labels
from npae.applications.features import Features, feature_sets
from npae.applications.stratified import stratified
from npae.estimators import AutoencoderEstimator
from npae.utils.errors import Hint, quoted
from npae.utils.scalars import whole_number
from npae.utils.types import Array
from npae.utils.validation import check_labels

HEADER: Sequence[str] = ("features", "values", "accuracy, {few} labels", "accuracy, all labels")
Row = tuple[str, int, float, float]  # name, size, accuracy with few labels, accuracy with all


def accuracy(features: Features, train_labels: Any, test_labels: Any) -> float:
    """Accuracy on test samples of logistic regression on standardised features. Needs scikit-learn.

    Raises ValueError if the training labels are all equal.
    """
    found, _ = Classifier.fit(features.train, train_labels).predict(features.test)
    return float((found == test_labels).mean())


def compare(
    model: AutoencoderEstimator,
    train: Any,
    train_labels: Any,
    test: Any,
    test_labels: Any,
    few: int = 100,
    seed: int = 0,
) -> list[Row]:
    """Accuracy on codes, PCA and raw features, with all training labels and with a few.

    Parameters
    ----------
    model : fitted estimator
    train, test : array-like of shape ``(n, *shape)``
    train_labels, test_labels : array-like of whole numbers or str, shape (n,)
    few : int, default 100
        Number of training samples for the accuracy with few labels, drawn by ``stratified.stratified``.
    seed : int, default 0
        Of the draw.

    Returns
    -------
    list of (name, size, accuracy with few labels, accuracy with all)
    """
    return measure(feature_sets(model, train, test), train_labels, test_labels, few, seed)


def measure(ways: Sequence[Features], train_labels: Any, test_labels: Any, few: int, seed: int) -> list[Row]:
    """Accuracies on several features of the same samples, each with the same few labels, and with all."""
    (n, _), (m, _) = ways[0].train.shape, ways[0].test.shape
    train_labels = plain_labels(check_labels(train_labels, n, "the training labels"), "the training labels")
    test_labels = plain_labels(check_labels(test_labels, m, "the test labels"), "the test labels")
    _hint_at_unknown(train_labels, test_labels)
    drawn = stratified(train_labels, whole_number(few, "few"), seed)
    return [
        (
            features.name,
            features.size,
            accuracy(Features(features.name, features.train[drawn], features.test), train_labels[drawn], test_labels),
            accuracy(features, train_labels, test_labels),
        )
        for features in ways
    ]


def _hint_at_unknown(train_labels: Array, test_labels: Array) -> None:
    """Warn of labels that a classifier cannot find."""
    unknown = np.setdiff1d(test_labels, train_labels)
    if len(unknown):
        names = ", ".join(quoted(label) for label in unknown[:3].tolist()) + (", ..." if len(unknown) > 3 else "")
        count = int(np.isin(test_labels, unknown).sum())
        warnings.warn(
            f"{count} of {len(test_labels)} test samples have labels that no training sample has ({names}), so they "
            f"cannot be found; give training samples of these labels too",
            Hint,
            stacklevel=4,
        )
