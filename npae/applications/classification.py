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

DRAWS = 10  # of a few labels, of which the mean accuracy is taken: one draw is worth a few hundredths more or less
HEADER: Sequence[str] = ("features", "values", "accuracy, {few} labels", "accuracy, all labels")
Row = tuple[str, int, float, float]  # name, size, accuracy with few labels, accuracy with all


def accuracy(features: Features, train_labels: Any, test_labels: Any) -> float:
    """Accuracy on test samples of logistic regression on standardised features. Needs scikit-learn.

    Parameters
    ----------
    features : features.Features
    train_labels, test_labels : array-like of whole numbers or str, shape (n,)

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ValueError
        If the training labels are all equal.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.applications.classification import accuracy
    >>> from npae.applications.features import Features
    >>> X = np.array([[0.0], [0.1], [0.9], [1.0]])
    >>> accuracy(Features("raw", X, X), [0, 0, 1, 1], [0, 0, 1, 1])
    1.0
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
        Number of training samples for the accuracy with few labels: the mean of ``DRAWS`` draws by
        ``stratified.stratified``.
    seed : int, default 0
        Of the first draw; each further one has the next.

    Returns
    -------
    list of (name, size, accuracy with few labels, accuracy with all)

    Examples
    --------
    >>> import numpy as np
    >>> import npae
    >>> from npae.applications.classification import compare
    >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
    >>> labels = (X[:, 0] > 0.5).astype(int)
    >>> model = npae.VanillaAutoencoder(code_size=2, epochs=1, random_state=0).fit(X)
    >>> [row[0] for row in compare(model, X[:128], labels[:128], X[128:], labels[128:], few=20)]
    ['autoencoder', 'PCA', 'raw']
    """
    return measure(feature_sets(model, train, test), train_labels, test_labels, few, seed)


def measure(ways: Sequence[Features], train_labels: Any, test_labels: Any, few: int, seed: int) -> list[Row]:
    """Accuracies on several features of the same samples: the mean of draws of a few labels, and with all.

    Parameters
    ----------
    ways : sequence of features.Features
    train_labels, test_labels : array-like of whole numbers or str, shape (n,)
    few : int
        Number of training samples of a draw.
    seed : int
        Of the first draw; each further one has the next.

    Returns
    -------
    list of (name, size, accuracy with few labels, accuracy with all)

    Examples
    --------
    >>> import numpy as np
    >>> from npae.applications.classification import measure
    >>> from npae.applications.features import Features
    >>> X = np.linspace(0, 1, 40)[:, None]
    >>> labels = (X[:, 0] > 0.5).astype(int)
    >>> [(name, size) for name, size, *_ in measure([Features("raw", X, X)], labels, labels, few=10, seed=0)]
    [('raw', 1)]
    """
    (n, _), (m, _) = ways[0].train.shape, ways[0].test.shape
    train_labels = plain_labels(check_labels(train_labels, n, "the training labels"), "the training labels")
    test_labels = plain_labels(check_labels(test_labels, m, "the test labels"), "the test labels")
    _hint_at_unknown(train_labels, test_labels)
    few, seed = whole_number(few, "few"), whole_number(seed, "seed", least=0)
    drawn = [stratified(train_labels, few, seed + i) for i in range(DRAWS if few < n else 1)]
    return [
        (
            features.name,
            features.size,
            float(np.mean([_few_accuracy(features, chosen, train_labels, test_labels) for chosen in drawn])),
            accuracy(features, train_labels, test_labels),
        )
        for features in ways
    ]


def _few_accuracy(features: Features, chosen: Array, train_labels: Array, test_labels: Array) -> float:
    few = Features(features.name, features.train[chosen], features.test)
    return accuracy(few, train_labels[chosen], test_labels)


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
