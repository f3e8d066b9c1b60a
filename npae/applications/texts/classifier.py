"""A classifier of texts: their words, an autoencoder of the vectors of words, and a classifier of its codes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from npae.applications.classifier import Classifier
from npae.applications.texts.model import fitted_model
from npae.applications.texts.words import SAVE, WordWeights
from npae.estimators import AutoencoderEstimator
from npae.estimators.load import load
from npae.storage.model_file import fingerprint
from npae.utils.errors import FileFormatError
from npae.utils.types import Array
from npae.utils.validation import check_labels

FILES = ("model.safetensors", "words.safetensors", "classifier.safetensors")  # of a text classifier


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
        model = fitted_model(model, vectors)
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
                raise FileNotFoundError(f"there is no file {path}; give a folder that {SAVE} wrote")
        model = load(paths[0])
        if not isinstance(model, AutoencoderEstimator):
            raise FileFormatError(f"{paths[0]} holds a bare network; give a folder that {SAVE} wrote")
        words = WordWeights.load(paths[1], fingerprint(model.network_))
        if model.network_.input_shape != (len(words.words),):
            raise FileFormatError(
                f"{paths[1]} has {len(words.words)} words, but the model takes samples of shape "
                f"{model.network_.input_shape}; give the folder as {SAVE} wrote it"
            )
        return cls(words, model, Classifier.load(paths[2], model))
