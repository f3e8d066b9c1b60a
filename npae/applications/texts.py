"""Texts: vectors of weighted word counts, codes of them, and a classifier that learns from the codes.

Texts are converted to sparse vectors of weighted word counts (TF-IDF; Spärck Jones 1972), which an autoencoder reduces,
as latent semantic analysis does linearly (Deerwester et al. 1990). Vectors are made dense a batch at a time.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from npae.applications.classification import Row, measure
from npae.applications.classifier import Classifier
from npae.applications.features import Features, require_sklearn
from npae.estimators import AutoencoderEstimator, DenoisingAutoencoder
from npae.estimators.load import load
from npae.storage.model_file import fingerprint
from npae.utils import safetensors
from npae.utils.errors import FileFormatError
from npae.utils.types import Array
from npae.utils.validation import check_labels, refuse_non_finite

WORDS = 2000  # the most frequent ones are used
BATCH = 50  # texts in a training step, if there are so many
FORMAT = 1
KEY = "npae-words"  # of the description in a file
FILES = ("model.safetensors", "words.safetensors", "classifier.safetensors")  # of a text classifier


@dataclass(frozen=True, eq=False)
class WordWeights:
    """The words that vectors count, and the weight of each: less for words of many texts.

    Counts are weighted as 1 + log count, times the word's weight, and scaled to unit length. Words are two or more
    letters or digits, in small letters.

    Attributes
    ----------
    words : list of str, length k
    weights : ndarray of float64, shape (k,)
        Inverse document frequencies.

    Examples
    --------
    >>> from npae.applications.texts import WordWeights
    >>> texts = ["cheap flights and cheap hotels", "hotels near the sea", "a sea of flights"]
    >>> words = WordWeights.fit(texts)
    >>> words.words
    ['flights', 'hotels', 'sea']
    >>> words.vectors(["flights to the sea"]).toarray().round(2).tolist()
    [[0.7099999785423279, 0.0, 0.7099999785423279]]
    >>> words.save("words.safetensors")
    >>> WordWeights.load("words.safetensors").words == words.words
    True
    """

    words: list[str]
    weights: Array

    @classmethod
    def fit(cls, texts: Sequence[str], most: int = WORDS) -> Self:
        """The most frequent words of texts. Needs scikit-learn.

        Words of fewer than two texts and English stop words are omitted.

        Parameters
        ----------
        texts : sequence of str
        most : int
            Number of words; by default ``WORDS``.

        Returns
        -------
        WordWeights

        Raises
        ------
        ValueError
            If the texts have no word in common.
        """
        require_sklearn("TF-IDF")
        from sklearn.feature_extraction.text import TfidfVectorizer

        vectorizer = TfidfVectorizer(max_features=most, min_df=2, sublinear_tf=True, stop_words="english")
        try:
            vectorizer.fit(texts)
        except ValueError:  # for an empty vocabulary, with one of three messages
            raise ValueError(
                f"the texts to learn from, {len(texts)}, have no word in common, the commonest English ones aside; "
                f"give more or longer texts"
            ) from None
        return cls(vectorizer.get_feature_names_out().tolist(), vectorizer.idf_)

    def vectors(self, texts: Sequence[str]) -> Any:
        """The vectors of texts. Needs scikit-learn.

        Parameters
        ----------
        texts : sequence of str

        Returns
        -------
        sparse matrix of float32, shape (n, k)
            Rows of unit length, or of zeros for a text without known words.

        Raises
        ------
        ValueError
            If there are no texts.
        """
        require_sklearn("TF-IDF")
        from sklearn.feature_extraction.text import TfidfVectorizer

        if not len(texts):
            raise ValueError("there are no texts; give at least one")
        vectorizer = TfidfVectorizer(vocabulary=self.words, sublinear_tf=True)
        vectorizer.idf_ = np.array(self.weights)
        return vectorizer.transform(texts).astype(np.float32)

    def save(self, path: str | Path, model: str = "") -> None:
        """Write words and weights to a safetensors file.

        Parameters
        ----------
        path : str or Path
        model : str, default ""
            Fingerprint of the model of their vectors, which is written with them.
        """
        record = {"format": FORMAT, "words": self.words, "model": model}
        safetensors.write(path, {"weights": self.weights.astype(np.float64)}, {KEY: json.dumps(record)})

    @classmethod
    def load(cls, path: str | Path, model: str = "") -> Self:
        """Load words from a file of ``save``.

        Parameters
        ----------
        path : str or Path
        model : str, default ""
            If a fingerprint is given, the file must have the same.

        Returns
        -------
        WordWeights

        Raises
        ------
        FileNotFoundError
            If the file does not exist.
        FileFormatError
            If the file does not hold words, or those of another model.
        """
        arrays, metadata = safetensors.read(path)
        try:
            record, weights = json.loads(metadata[KEY]), arrays["weights"]
            words = record["words"]
            are_texts = isinstance(words, list) and all(type(word) is str and word for word in words)
            is_right = are_texts and len(set(words)) == len(words) > 0 and weights.shape == (len(words),)
            if record["format"] != FORMAT or not is_right or weights.dtype != np.float64:
                raise ValueError
            refuse_non_finite(weights, "weights")
        except (KeyError, TypeError, ValueError, RecursionError):
            raise FileFormatError(
                f"{path} holds no words that this version reads; make it with npae texts --save"
            ) from None
        if model and record.get("model") != model:
            raise FileFormatError(f"{path} was made for another model; give the folder as npae texts --save wrote it")
        return cls(words, weights)


@dataclass(frozen=True, eq=False)
class TextClassifier:
    """Words, an autoencoder of their vectors, and a classifier of its codes.

    Attributes
    ----------
    words : WordWeights
    model : fitted estimator
    classifier : Classifier

    Examples
    --------
    >>> from pathlib import Path
    >>> from npae.applications.texts import TextClassifier, text_model
    >>> texts = ["cheap flights and hotels", "flights to the sea", "goals and a penalty", "a penalty without goals"] * 8
    >>> labels = ["travel", "travel", "sport", "sport"] * 8
    >>> classifier = TextClassifier.fit(texts, labels, text_model(code_size=2, n_texts=len(texts)))
    >>> found, probabilities, n_known = classifier.predict(["cheap hotels"])
    >>> found.shape, n_known.tolist()
    ((1,), [2])
    >>> Path("travel").mkdir()
    >>> classifier.save("travel")
    >>> TextClassifier.load("travel").words.words[0]
    'cheap'
    """

    words: WordWeights
    model: AutoencoderEstimator
    classifier: Classifier

    @classmethod
    def fit(cls, texts: Sequence[str], labels: Any, model: AutoencoderEstimator | None = None) -> Self:
        """Learn from texts and their labels. Needs scikit-learn.

        Parameters
        ----------
        texts : sequence of str
        labels : array-like of whole numbers or str, shape (n,)
        model : unfitted estimator, optional
            By default ``text_model()``.

        Returns
        -------
        TextClassifier

        Raises
        ------
        ValueError
            If the texts have no word in common, or there are not two different labels.
        MissingExtraError
            If scikit-learn is not installed.
        """
        labels = check_labels(labels, len(texts), "the labels")
        words = WordWeights.fit(texts)
        vectors = words.vectors(texts)
        model = _fitted(text_model(n_texts=len(texts)) if model is None else model, vectors)
        return cls(words, model, Classifier.of(model, vectors, labels))

    def predict(self, texts: Sequence[str]) -> tuple[Array, Array, Array]:
        """The most probable label of each text.

        Parameters
        ----------
        texts : sequence of str

        Returns
        -------
        labels : ndarray of shape (n,)
        probabilities : ndarray of shape (n,)
            Of these labels.
        n_known : ndarray of int, shape (n,)
            How many known words each text has.
        """
        vectors = self.words.vectors(texts)
        return *self.classifier.predict_samples(self.model, vectors), np.diff(vectors.indptr)

    def save(self, folder: str | Path) -> None:
        """Write ``FILES`` into a folder, which must exist; those there are replaced, each atomically.

        Parameters
        ----------
        folder : str or Path
        """
        model, words, classifier = (Path(folder, name) for name in FILES)
        self.model.save(model)
        self.words.save(words, fingerprint(self.model.network_))
        self.classifier.save(classifier)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Load what ``save`` wrote.

        Parameters
        ----------
        folder : str or Path

        Returns
        -------
        TextClassifier

        Raises
        ------
        FileNotFoundError
            If one of the files does not exist.
        FileFormatError
            If one is damaged or of another kind, or the files do not belong together.
        ValueError
            If the classifier belongs to another model.
        """
        paths = [Path(folder, name) for name in FILES]
        for path in paths:
            if not path.is_file():
                raise FileNotFoundError(f"there is no file {path}; give a folder that npae texts --save wrote")
        model = load(paths[0])
        if not isinstance(model, AutoencoderEstimator):
            raise FileFormatError(f"{paths[0]} holds a bare network; give a folder that npae texts --save wrote")
        words = WordWeights.load(paths[1], fingerprint(model.network_))
        if model.network_.input_shape != (len(words.words),):
            raise FileFormatError(
                f"{paths[1]} has {len(words.words)} words, but the model takes samples of shape "
                f"{model.network_.input_shape}; give the folder as npae texts --save wrote it"
            )
        return cls(words, model, Classifier.load(paths[2], model))


def text_model(code_size: int = 16, random_state: int = 0, *, n_texts: int = BATCH) -> DenoisingAutoencoder:
    """An unfitted denoising model for the TF-IDF vectors of texts, trained with 30 % of the values masked.

    Parameters
    ----------
    code_size : int, default 16
    random_state : int, default 0
    n_texts : int
        Number of texts it will be fitted to; a batch has no more.

    Returns
    -------
    DenoisingAutoencoder

    Examples
    --------
    >>> from npae.applications.texts import text_model
    >>> text_model(code_size=8, n_texts=20).batch_size
    20
    """
    return DenoisingAutoencoder(
        code_size=code_size,
        hidden=(256,),
        noise="masking",
        noise_level=0.3,
        loss="mse",
        epochs=20,
        batch_size=min(BATCH, max(1, n_texts)),
        random_state=random_state,
    )


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


def _fitted(model: AutoencoderEstimator, vectors: Any) -> AutoencoderEstimator:
    if model.code_size is not None and vectors.shape[1] < model.code_size:
        raise ValueError(
            f"the texts to learn from have {vectors.shape[1]} words in common, fewer than the {model.code_size} values "
            f"of a code; give more or longer texts, or a smaller code size"
        )
    return model.fit(vectors)
