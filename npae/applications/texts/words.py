"""Texts as sparse vectors of weighted word counts (TF-IDF; Spärck Jones 1972), and the words and weights of these."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from npae.applications.features import require_sklearn
from npae.utils import safetensors
from npae.utils.errors import FileFormatError
from npae.utils.types import Array
from npae.utils.validation import refuse_non_finite

WORDS = 2000  # the most frequent ones are used
FORMAT = 1
KEY = "npae-words"  # of the description in a file
SAVE = "npae texts --save (in Python TextClassifier.save)"


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
            raise FileFormatError(f"{path} holds no words that this version reads; make it with {SAVE}") from None
        if model and record.get("model") != model:
            raise FileFormatError(f"{path} was made for another model; give the folder as {SAVE} wrote it")
        return cls(words, weights)
