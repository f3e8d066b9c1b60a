"""The Fréchet distance between two sets of features: how far drawn samples are from data.

Heusel et al., GANs trained by a two time-scale update rule converge to a local Nash equilibrium, NeurIPS 2017. Theirs
are features of a network for photographs; here they are those of a small classifier of the data's own labels, or the
codes of the model itself.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from npae.estimators import AutoencoderEstimator
from npae.estimators.labels import label_array, numbered
from npae.utils.randomness import generator
from npae.utils.scikit_learn import has_sklearn
from npae.utils.types import Array
from npae.utils.validation import check_dense

HIDDEN = (128, 32)  # units of the classifier; the last are the features
ROUNDS = 20  # epochs for which it learns
MOST = 10_000  # samples of the data that are used, in two halves
FEWEST = 2  # samples of a half for each feature


class TooFewSamplesError(ValueError):
    """A half of the data has fewer samples than determine a covariance.

    Examples
    --------
    >>> from npae.applications.frechet import TooFewSamplesError
    >>> issubclass(TooFewSamplesError, ValueError)
    True
    """


def frechet_distance(a: Array, b: Array) -> float:
    r"""Squared Fréchet distance of the normal distributions with the means and covariances of two sets of features.

    .. math::

       d^2 = \|\mu_a - \mu_b\|^2 + \mathrm{tr}\left(\Sigma_a + \Sigma_b
       - 2 \left(\Sigma_a^{1/2} \Sigma_b \Sigma_a^{1/2}\right)^{1/2}\right)

    It is 0 for equal sets (Dowson & Landau 1982). Of finite sets it is too large, the more so the fewer samples there
    are for each feature, so that two distances are compared only for equal numbers of samples.

    Parameters
    ----------
    a, b : ndarray of shape (n, features), (m, features)

    Returns
    -------
    float
        In squared units of the features; at least 0.

    Raises
    ------
    ValueError
        If a set has fewer than two samples, or the sets have not as many features.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.applications.frechet import frechet_distance
    >>> a = np.random.default_rng(0).normal(size=(100, 3))
    >>> round(frechet_distance(a, a), 9), round(frechet_distance(a, a + 2), 9)
    (0.0, 12.0)
    """
    a, b = (np.asarray(x, np.float64) for x in (a, b))
    if a.ndim != 2 or a.shape[1:] != b.shape[1:] or min(len(a), len(b)) < 2:
        raise ValueError(
            f"features of shapes {a.shape} and {b.shape} were given; give two samples or more of as many features each"
        )
    means, covariances = [x.mean(axis=0) for x in (a, b)], [np.cov(x.T).reshape(x.shape[1], -1) for x in (a, b)]
    root = square_root(covariances[0])
    between = square_root(root @ covariances[1] @ root)
    distance = np.square(means[0] - means[1]).sum() + np.trace(covariances[0] + covariances[1] - 2 * between)
    return max(float(distance), 0.0)  # below 0 by rounding alone


def square_root(a: Array) -> Array:
    """The symmetric square root V √Λ Vᵀ of a symmetric matrix without negative eigenvalues, up to rounding.

    Parameters
    ----------
    a : ndarray of shape (n, n)

    Returns
    -------
    ndarray of shape (n, n)

    Examples
    --------
    >>> import numpy as np
    >>> from npae.applications.frechet import square_root
    >>> square_root(np.diag([4.0, 9.0])).tolist()
    [[2.0, 0.0], [0.0, 3.0]]
    """
    values, vectors = np.linalg.eigh((a + a.T) / 2)
    root: Array = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    return root


@dataclass(frozen=True)
class Features:
    """Features in which samples are compared: the last hidden layer of a classifier, or the model's own codes.

    Attributes
    ----------
    name : str
        What gives them, as it follows "features of".
    of : function of samples ``(n, *shape)``
        Returns their features (n, size).

    Examples
    --------
    >>> import numpy as np
    >>> from npae.applications.frechet import Features
    >>> Features("the first two values", lambda samples: samples[:, :2]).of(np.zeros((3, 5))).shape
    (3, 2)
    """

    name: str
    of: Callable[[Any], Array]


def features_for(model: AutoencoderEstimator, X: Array, labels: Any = None) -> Features:
    """Features of a small classifier that learns the labels of samples, or the model's codes.

    They are the codes where there are no labels or all are equal, and where scikit-learn is not installed. The
    classifier is scikit-learn's ``MLPClassifier`` with 128 and 32 ReLU units and 20 epochs, a function of the data
    alone. Codes flatter the model that they come from: use them to compare samplers, not models.

    Parameters
    ----------
    model : fitted estimator
    X : ndarray of shape ``(n, *shape)``
    labels : array-like of shape (n,), optional

    Returns
    -------
    Features

    Examples
    --------
    >>> import numpy as np
    >>> import npae
    >>> from npae.applications.frechet import features_for
    >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
    >>> model = npae.VanillaAutoencoder(code_size=2, epochs=1, random_state=0).fit(X)
    >>> features_for(model, X).name
    "the model's own codes"
    """
    classes, places = (None, None) if labels is None else numbered(labels, len(X), "labels")
    if classes is None or len(classes) < 2 or not has_sklearn():
        return Features("the model's own codes", lambda samples: model.network_.encode(samples).astype(np.float64))
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    centre, spread = float(X.mean()), float(X.std()) or 1.0

    def scaled(samples: Array) -> Array:
        return (samples.reshape(len(samples), -1).astype(np.float64) - centre) / spread

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the number of epochs is fixed
        network = MLPClassifier(HIDDEN, max_iter=ROUNDS, random_state=0).fit(scaled(X), places)

    def hidden(samples: Array) -> Array:
        y = scaled(samples)
        for W, b in zip(network.coefs_[:-1], network.intercepts_[:-1], strict=True):
            y = np.maximum(y @ W + b, 0)
        return y

    accuracy = network.score(scaled(X), places)
    return Features(f"a classifier of the labels, right for {accuracy:.1%} of what it learned from", hidden)


@dataclass(frozen=True)
class Comparison:
    """Fréchet distances to one half of the data, of as many samples each.

    Attributes
    ----------
    rows : list of (name, distance)
        For each sampler, and last for the other half of the data.
    n : int
        Samples of a half, and drawn by each sampler.
    size : int
        Number of features.
    features : str
        What gives them, as it follows "features of".

    Examples
    --------
    >>> from npae.applications.frechet import Comparison
    >>> Comparison([("gaussian", 0.5), ("data", 0.1)], n=100, size=2, features="the model's own codes").rows[0]
    ('gaussian', 0.5)
    """

    rows: list[tuple[str, float]]
    n: int
    size: int
    features: str


def compare(
    model: AutoencoderEstimator, X: Any, labels: Any = None, samplers: Sequence[str] | None = None
) -> Comparison:
    """Fréchet distance from samples of a model to one half of the data, beside that of the other half.

    Parameters
    ----------
    model : fitted estimator
    X : array-like of shape ``(n, *shape)``
        Up to 10,000 samples are used, drawn by chance.
    labels : array-like of shape (n,), optional
        For the classifier whose features are compared; of a conditional model also those with which samples are drawn.
    samplers : sequence of str, optional
        By default all that the model has.

    Returns
    -------
    Comparison

    Raises
    ------
    TooFewSamplesError
        If a half has fewer than two samples for each feature.

    Examples
    --------
    >>> import numpy as np
    >>> import npae
    >>> from npae.applications.frechet import compare
    >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
    >>> model = npae.VanillaAutoencoder(code_size=2, epochs=1, random_state=0).fit(X)
    >>> found = compare(model, X, samplers=["gaussian"])
    >>> [name for name, distance in found.rows], found.n
    (['gaussian', 'data'], 128)
    """
    model.network_.check(X)
    X = check_dense(X, "X")
    labels = None if labels is None else label_array(labels, len(X), "labels")
    order = generator(0, "halves").permutation(len(X))[:MOST]
    X, labels = X[order], None if labels is None else labels[order]
    features = features_for(model, X, labels)
    half = len(X) // 2
    real, other = features.of(X[:half]), features.of(X[half : 2 * half])
    if half < FEWEST * real.shape[1]:
        raise TooFewSamplesError(
            f"{half} samples a side are too few for a Fréchet distance in {real.shape[1]} features; give at least "
            f"{2 * FEWEST * real.shape[1]} in all"
        )
    condition = None if labels is None or not model.network_.condition.n_labels else labels[half : 2 * half]
    rows = [
        (name, frechet_distance(features.of(model.sample(half, sampler=name, labels=condition)), real))
        for name in (model.samplers_ if samplers is None else samplers)
    ]
    return Comparison([*rows, ("data", frechet_distance(other, real))], half, real.shape[1], features.name)


HEADER: Sequence[str] = ("drawn from", "Fréchet distance")
