"""Classification: logistic regression on codes, for few labels or large samples.

Texts are first converted to vectors of weighted word counts (TF-IDF; Spärck Jones 1972), which an autoencoder reduces,
as latent semantic analysis does linearly (Deerwester et al. 1990).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from npae.applications.features import Features, feature_sets, require_sklearn
from npae.estimators import AutoencoderEstimator, DenoisingAutoencoder
from npae.utils.randomness import generator
from npae.utils.scalars import whole_number
from npae.utils.types import Array
from npae.utils.validation import check_labels

WORDS = 2000  # the most frequent ones are used


def accuracy(features: Features, train_labels: Array, test_labels: Array) -> float:
    """Accuracy on test samples of logistic regression on standardised features. Needs scikit-learn.

    Raises ValueError if the training labels are all equal.
    """
    require_sklearn("logistic regression")
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    labels = np.unique(train_labels)
    if len(labels) < 2:
        raise ValueError(
            f"the samples to learn from, {len(train_labels)}, have the labels {labels.tolist()}; a classifier needs "
            f"two different ones at least: give other samples, or more labels where they are few"
        )
    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300, tol=1e-3))
    classifier.fit(features.train.astype(np.float64), train_labels)
    return float(classifier.score(features.test.astype(np.float64), test_labels))


def compare(
    model: AutoencoderEstimator,
    train: Any,
    train_labels: Any,
    test: Any,
    test_labels: Any,
    few: int = 100,
) -> list[tuple[str, int, float, float]]:
    """Accuracy on codes, PCA and raw features, with all training labels and with the first ``few``.

    Returns
    -------
    list of (name, size, accuracy with few labels, accuracy with all)
    """
    ways = feature_sets(model, train, test)
    train_labels = check_labels(train_labels, len(ways[0].train), "the training labels")
    test_labels = check_labels(test_labels, len(ways[0].test), "the test labels")
    return [_measured(features, train_labels, test_labels, few) for features in ways]


def text_model(code_size: int = 16, random_state: int = 0) -> DenoisingAutoencoder:
    """An unfitted denoising model for TF-IDF vectors, trained with 30 % of the values masked."""
    return DenoisingAutoencoder(
        code_size=code_size,
        hidden=(256,),
        noise="masking",
        noise_level=0.3,
        loss="mse",
        epochs=20,
        batch_size=50,
        random_state=random_state,
    )


def compare_texts(
    train: Sequence[str],
    train_labels: Any,
    test: Sequence[str],
    test_labels: Any,
    *,
    model: AutoencoderEstimator | None = None,
    few: int = 100,
) -> list[tuple[str, int, float, float]]:
    """Accuracy on texts: with codes of their TF-IDF vectors, a truncated SVD of the same size, and the vectors.

    Parameters
    ----------
    train, test : sequence of str
    train_labels, test_labels : array-like of str, one for each text
    model : unfitted estimator, optional
        By default ``text_model()``.
    few : int, default 100
        Number of training texts, drawn at random, for the accuracy with few labels.

    Returns
    -------
    list of (name, size, accuracy with few labels, accuracy with all)
    """
    require_sklearn("TF-IDF")
    from sklearn.decomposition import TruncatedSVD

    model = text_model() if model is None else model
    few = whole_number(few, "few")
    order = generator(0, "few texts").permutation(len(train))  # files are often sorted by label
    labels = check_labels(train_labels, len(train), "the training labels")[order]
    test_labels = check_labels(test_labels, len(test), "the test labels")
    vectors, test_vectors = text_vectors([train[i] for i in order], test)
    if model.code_size is not None and vectors.shape[1] < model.code_size:
        raise ValueError(
            f"the texts to learn from have {vectors.shape[1]} words in common, fewer than the {model.code_size} values "
            f"of a code; give more or longer texts, or a smaller code_size"
        )
    model.fit(vectors)
    svd = TruncatedSVD(model.network_.code_shape[0], random_state=0).fit(vectors)
    ways = [
        Features("autoencoder", model.network_.encode(vectors), model.network_.encode(test_vectors)),
        Features("truncated SVD", svd.transform(vectors), svd.transform(test_vectors)),
        Features("raw", vectors, test_vectors),
    ]
    return [_measured(features, labels, test_labels, few) for features in ways]


def _measured(features: Features, train_labels: Array, test_labels: Array, few: int) -> tuple[str, int, float, float]:
    start = Features(features.name, features.train[:few], features.test)
    return (
        features.name,
        features.size,
        accuracy(start, train_labels[:few], test_labels),
        accuracy(features, train_labels, test_labels),
    )


def text_vectors(train: Sequence[str], test: Sequence[str], words: int = WORDS) -> tuple[Array, Array]:
    """TF-IDF vectors (n, words) of training and test texts: unit length, dense, float32. Needs scikit-learn.

    Counts are weighted as 1 + log count; words of fewer than two texts and English stop words are omitted.
    """
    require_sklearn("TF-IDF")
    from sklearn.feature_extraction.text import TfidfVectorizer

    if not len(test):
        raise ValueError("there are no texts to test; give at least one")
    vectorizer = TfidfVectorizer(max_features=words, min_df=2, sublinear_tf=True, stop_words="english")
    try:
        vectors = vectorizer.fit_transform(train).toarray()
    except ValueError:  # for an empty vocabulary, with one of three messages
        raise ValueError(
            f"the texts to learn from, {len(train)}, have no word in common, the commonest English ones aside; give "
            f"more or longer texts"
        ) from None
    return vectors.astype(np.float32), vectorizer.transform(test).toarray().astype(np.float32)


HEADER: Sequence[str] = ("features", "values", "accuracy, {few} labels", "accuracy, all labels")
