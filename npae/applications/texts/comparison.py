"""Comparison of codes of texts with a truncated SVD of the same size and with the vectors themselves."""

from collections.abc import Sequence
from typing import Any

from npae.applications.classification import Row, measure
from npae.applications.features import Features, require_sklearn
from npae.applications.texts.classifier import TextClassifier


def compare(
    fitted: TextClassifier,
    train: Sequence[str],
    train_labels: Any,
    test: Sequence[str],
    test_labels: Any,
    few: int = 100,
    seed: int = 0,
) -> list[Row]:
    """Accuracy on texts: with codes of their TF-IDF vectors, a truncated SVD of the same size, and the vectors.

    Parameters
    ----------
    fitted : TextClassifier
        Its words and its model are compared.
    train, test : sequence of str
    train_labels, test_labels : array-like of whole numbers or str, one for each text
    few : int, default 100
        Number of training texts for the accuracy with few labels: the mean of several draws.
    seed : int, default 0
        Of the first draw, as in ``classification.compare``.

    Returns
    -------
    list of (name, size, accuracy with few labels, accuracy with all)

    Examples
    --------
    >>> from npae.applications.texts import TextClassifier, compare, text_model
    >>> texts = ["cheap flights and hotels", "flights to the sea", "goals and a penalty", "a penalty without goals"] * 8
    >>> labels = ["travel", "travel", "sport", "sport"] * 8
    >>> fitted = TextClassifier.fit(texts, labels, text_model(code_size=2, n_texts=len(texts)))
    >>> [row[0] for row in compare(fitted, texts, labels, texts, labels, few=8)]
    ['autoencoder', 'truncated SVD', 'raw']
    """
    require_sklearn("truncated SVD")
    from sklearn.decomposition import TruncatedSVD

    vectors, test_vectors = fitted.words.vectors(train), fitted.words.vectors(test)
    encode = fitted.model.network_.encode
    svd = TruncatedSVD(fitted.model.network_.code_shape[0], random_state=0).fit(vectors)
    ways = [
        Features("autoencoder", encode(vectors), encode(test_vectors)),
        Features("truncated SVD", svd.transform(vectors), svd.transform(test_vectors)),
        Features("raw", vectors, test_vectors),
    ]
    return measure(ways, train_labels, test_labels, few, seed)
