"""Features for a classifier: logistic regression on codes, where labels are few or samples are large.

Texts become vectors of weighted word counts first (TF-IDF; Spärck Jones 1972), which an autoencoder then shortens, as
latent semantic analysis does linearly (Deerwester et al. 1990).
"""

from collections.abc import Sequence

import numpy as np

from npae.applications.features import Features, require_sklearn, three_ways
from npae.estimators import AutoencoderEstimator
from npae.types import Array

WORDS = 2000  # the most frequent ones count


def accuracy(features: Features, train_labels: Array, test_labels: Array) -> float:
    """Share of the test samples that logistic regression on standardised features gets right. Needs scikit-learn."""
    require_sklearn("logistic regression")
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300, tol=1e-3))
    classifier.fit(features.train.astype(np.float64), train_labels)
    return float(classifier.score(features.test.astype(np.float64), test_labels))


def compare(
    model: AutoencoderEstimator,
    train: Array,
    train_labels: Array,
    test: Array,
    test_labels: Array,
    few: int = 100,
) -> list[tuple[str, int, float, float]]:
    """Accuracy on codes, PCA and raw features, with all training labels and with the first ``few``.

    Returns
    -------
    list of (name, size, accuracy with few labels, accuracy with all)
    """
    rows = []
    for features in three_ways(model, train, test):
        start = Features(features.name, features.train[:few], features.test)
        accuracies = (
            accuracy(start, train_labels[:few], test_labels),
            accuracy(features, train_labels, test_labels),
        )
        rows.append((features.name, features.size, *accuracies))
    return rows


def text_vectors(train: Sequence[str], test: Sequence[str], words: int = WORDS) -> tuple[Array, Array]:
    """TF-IDF vectors of unit length, dense and float32: (n, words) of training and of test texts.

    Counts enter as 1 + log count; words of fewer than two texts and the commonest English ones are left out.
    """
    require_sklearn("TF-IDF")
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(max_features=words, min_df=2, sublinear_tf=True, stop_words="english")
    return (
        vectorizer.fit_transform(train).toarray().astype(np.float32),
        vectorizer.transform(test).toarray().astype(np.float32),
    )


HEADER: Sequence[str] = ("features", "values", "accuracy, {few} labels", "accuracy, all labels")
