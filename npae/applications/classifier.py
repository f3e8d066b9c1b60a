"""A classifier of codes: logistic regression, fitted by scikit-learn, saved as numbers and used with NumPy alone."""

import json
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from npae.applications.features import require_sklearn
from npae.estimators import AutoencoderEstimator
from npae.storage.model_file import fingerprint
from npae.utils import safetensors
from npae.utils.errors import FileFormatError, Hint
from npae.utils.sparse import is_sparse
from npae.utils.types import Array
from npae.utils.validation import check_labels, refuse_non_finite

FORMAT = 1
MOST_BYTES = 2**28  # of the names of labels in a file
STEPS = 1000  # of the optimisation
KEY = "npae-classifier"  # of the description in a file


@dataclass(frozen=True, eq=False)
class Classifier:
    """Logistic regression on standardised features: p = softmax((x − mean) / scale · W + b).

    Attributes
    ----------
    mean, scale : ndarray of float64, shape (size,)
    W : ndarray of float64, shape (size, k)
    b : ndarray of float64, shape (k,)
    labels : ndarray of int64 or str, shape (k,)
        In rising order.
    model : str
        Fingerprint of the network whose codes are classified, or empty.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.applications.classifier import Classifier
    >>> half = Classifier(np.zeros(1), np.ones(1), np.array([[-5.0, 5.0]]), np.zeros(2), np.array(["minus", "plus"]))
    >>> half.predict([[2.0], [-1.0]])[0].tolist()
    ['plus', 'minus']
    >>> half.probabilities([[0.0]]).tolist()
    [[0.5, 0.5]]
    >>> half.save("half.safetensors")
    >>> Classifier.load("half.safetensors").labels.tolist()
    ['minus', 'plus']
    """

    mean: Array
    scale: Array
    W: Array
    b: Array
    labels: Array
    model: str = ""

    @classmethod
    def fit(cls, features: Any, labels: Any, model: str = "") -> Self:
        """A classifier that learns from features and their labels. Needs scikit-learn.

        Values of sparse features are scaled and not centred, so that they stay sparse.

        Parameters
        ----------
        features : ndarray or sparse matrix of shape (n, size)
        labels : array-like of whole numbers or str, shape (n,)
        model : str, default ""
            Fingerprint of the network whose codes the features are.

        Returns
        -------
        Classifier

        Raises
        ------
        MissingExtraError
            If scikit-learn is not installed.
        ValueError
            If there are not at least two different labels.

        Examples
        --------
        >>> import numpy as np
        >>> from npae.applications.classifier import Classifier
        >>> X = np.array([[0.0], [0.1], [0.9], [1.0]])
        >>> Classifier.fit(X, ["low", "low", "high", "high"]).predict([[0.2]])[0].tolist()
        ['low']
        """
        require_sklearn("logistic regression")
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression
        from sklearn.preprocessing import StandardScaler

        features = features if is_sparse(features) else np.asarray(features)
        labels = plain_labels(check_labels(labels, features.shape[0], "the labels"), "the labels")
        known = np.unique(labels)
        if len(known) < 2:
            raise ValueError(
                f"the samples to learn from, {len(labels)}, have the labels {known.tolist()}; a classifier needs "
                f"two different ones at least: give other samples, or more labels where they are few"
            )
        scaler = StandardScaler(with_mean=not is_sparse(features))
        scaled = scaler.fit_transform(features.astype(np.float64))
        regression = LogisticRegression(max_iter=STEPS, tol=1e-3)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # of several lines, about an optimiser
            regression.fit(scaled, labels)
        if regression.n_iter_.max() >= STEPS:
            warnings.warn(
                f"the classifier had not converged after {STEPS} steps, so others may fit the samples better; it can "
                f"be used all the same",
                Hint,
                stacklevel=2,
            )
        W, b = regression.coef_.T, regression.intercept_
        if len(known) == 2:  # scikit-learn has the weights of the second label alone
            W, b = np.c_[np.zeros(len(W)), W], np.r_[0.0, b]
        mean = np.zeros(len(W)) if scaler.mean_ is None or is_sparse(features) else scaler.mean_
        return cls(mean, scaler.scale_, W, b, known, model)

    @classmethod
    def of(cls, model: AutoencoderEstimator, X: Any, labels: Any) -> Self:
        """A classifier of the codes of samples, encoded by a fitted model. Needs scikit-learn.

        Parameters
        ----------
        model : fitted estimator
        X : array-like of shape ``(n, *shape)``
        labels : array-like of whole numbers or str, shape (n,)

        Returns
        -------
        Classifier
            Which belongs to the model.

        Raises
        ------
        MissingExtraError, ValueError
            As ``fit``.

        Examples
        --------
        >>> import numpy as np
        >>> import npae
        >>> from npae.applications.classifier import Classifier
        >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
        >>> model = npae.VanillaAutoencoder(code_size=2, epochs=1, random_state=0).fit(X)
        >>> classifier = Classifier.of(model, X, (X[:, 0] > 0.5).astype(int))
        >>> labels, probabilities = classifier.predict_samples(model, X[:3])
        >>> labels.shape, bool((probabilities >= 0.5).all())
        ((3,), True)
        """
        return cls.fit(_codes(model, X), labels, fingerprint(model.network_))

    def probabilities(self, features: Any) -> Array:
        """The probability of each label.

        Parameters
        ----------
        features : array-like or sparse matrix of shape (n, size)

        Returns
        -------
        ndarray of shape (n, k)
            Rows sum to 1.

        Raises
        ------
        ValueError
            If features have another size.
        """
        features = features if is_sparse(features) else np.asarray(features)
        if features.ndim != 2 or features.shape[1] != len(self.mean):
            raise ValueError(
                f"features of shape {features.shape} were given, but the classifier expects (n, {len(self.mean)}); "
                f"give those of the kind that it was fitted to"
            )
        weights = self.W / self.scale[:, None]
        scores: Array = features @ weights + (self.b - self.mean @ weights)  # (n, k)
        scores -= scores.max(axis=1, keepdims=True)
        p: Array = np.exp(scores)
        p /= p.sum(axis=1, keepdims=True)
        return p

    def predict(self, features: Any) -> tuple[Array, Array]:
        """The most probable label of each sample.

        Parameters
        ----------
        features : array-like or sparse matrix of shape (n, size)

        Returns
        -------
        labels : ndarray of shape (n,)
        probabilities : ndarray of shape (n,)
            Of these labels.
        """
        p = self.probabilities(features)
        return self.labels[p.argmax(axis=1)], p.max(axis=1)

    def predict_samples(self, model: AutoencoderEstimator, X: Any) -> tuple[Array, Array]:
        """As ``predict``, for samples that the classifier's model encodes.

        Parameters
        ----------
        model : fitted estimator
        X : array-like of shape ``(n, *shape)``

        Returns
        -------
        labels : ndarray of shape (n,)
        probabilities : ndarray of shape (n,)
            Of these labels.

        Examples
        --------
        >>> import numpy as np
        >>> import npae
        >>> from npae.applications.classifier import Classifier
        >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
        >>> model = npae.VanillaAutoencoder(code_size=2, epochs=1, random_state=0).fit(X)
        >>> Classifier.of(model, X, (X[:, 0] > 0.5).astype(int)).predict_samples(model, X[:3])[0].shape
        (3,)
        """
        return self.predict(_codes(model, X))

    def save(self, path: str | Path) -> None:
        """Write the classifier to a safetensors file; an existing file is replaced atomically.

        Parameters
        ----------
        path : str or Path
            By custom it ends in ``.safetensors``.
        """
        arrays = {name: np.asarray(getattr(self, name), np.float64) for name in ("mean", "scale", "W", "b")}
        record = {"format": FORMAT, "labels": self.labels.tolist(), "model": self.model}
        safetensors.write(path, arrays, {KEY: json.dumps(record)})

    @classmethod
    def load(cls, path: str | Path, model: AutoencoderEstimator | None = None) -> Self:
        """Load a classifier from a file of ``save``.

        Parameters
        ----------
        path : str or Path
        model : fitted estimator, optional
            If it is given, the classifier must belong to it.

        Returns
        -------
        Classifier

        Raises
        ------
        FileNotFoundError
            If the file does not exist.
        FileFormatError
            If the file is not a valid classifier.
        ValueError
            If the classifier belongs to another model.
        """
        arrays, metadata = safetensors.read(path)
        try:
            record = json.loads(metadata[KEY])
            mean, scale, W, b = (_numbers(arrays[name]) for name in ("mean", "scale", "W", "b"))
            labels, maker = _labels(record["labels"]), record["model"]
            size, k = W.shape
            shapes = (mean.shape, scale.shape, b.shape, labels.shape)
            is_right = shapes == ((size,), (size,), (k,), (k,)) and scale.all() and isinstance(maker, str)
            if record["format"] != FORMAT or not is_right:
                raise ValueError
        except (KeyError, TypeError, ValueError, OverflowError, RecursionError):
            raise FileFormatError(
                f"{path} is no classifier that this version reads; make it with npae classify --save (in Python "
                f"Classifier.save)"
            ) from None
        if model is not None and maker != fingerprint(model.network_):
            raise ValueError(
                f"the classifier {path} was fitted to codes of another model, which mean something else; give that "
                f"model, or fit a classifier to this one"
            )
        return cls(mean, scale, W, b, labels, maker)


def plain_labels(labels: Array, what: str) -> Array:
    """Labels as whole numbers or texts, which a file can hold.

    Parameters
    ----------
    labels : ndarray of shape (n,)
    what : str
        What they are called in an error.

    Returns
    -------
    ndarray of int64 or str, shape (n,)

    Raises
    ------
    ValueError
        For any other labels.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.applications.classifier import plain_labels
    >>> plain_labels(np.array([1.0, 2.0]), "the labels").tolist()
    [1, 2]
    """
    if labels.dtype.kind in "biuf":
        with np.errstate(invalid="ignore"):  # of infinity
            whole = labels.astype(np.int64)
        if (whole == labels).all():
            return whole
    elif labels.dtype.kind == "U" or (labels.dtype.kind == "O" and all(isinstance(label, str) for label in labels)):
        return labels.astype(str)
    raise ValueError(f"{what} are of dtype {labels.dtype}, but whole numbers or texts are expected; convert them")


def _codes(model: AutoencoderEstimator, X: Any) -> Array:
    codes: Array = model.network_.encode(X)
    return codes.reshape(len(codes), -1)


def _numbers(array: Array) -> Array:
    if array.dtype != np.float64:
        raise ValueError
    refuse_non_finite(array, "the classifier")
    return array


def _labels(values: Any) -> Array:
    """At least two different labels, in rising order: whole numbers or texts."""
    if not isinstance(values, list) or len(values) < 2:
        raise ValueError
    kind = type(values[0])
    if kind not in (int, str) or not all(type(value) is kind for value in values):
        raise ValueError
    if kind is str and len(values) * max(map(len, values)) * 4 > MOST_BYTES:
        raise ValueError
    labels = np.array(values, np.int64 if kind is int else str)
    if not (labels[:-1] < labels[1:]).all():
        raise ValueError
    return labels
