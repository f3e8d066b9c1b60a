"""Feature sets for comparisons: codes, principal components, and raw values of the same samples."""

from dataclasses import dataclass
from typing import Any

from npae.applications.pca import PCA
from npae.estimators import AutoencoderEstimator
from npae.utils.scikit_learn import require_sklearn as require_sklearn
from npae.utils.sparse import is_sparse
from npae.utils.types import Array
from npae.utils.validation import check_dense


@dataclass(frozen=True)
class Features:
    """One set of features: its name, and arrays for training and test samples.

    Attributes
    ----------
    name : str
        "autoencoder", "PCA" or "raw".
    train, test : ndarray of shape (n, size)

    Examples
    --------
    >>> import numpy as np
    >>> from npae.applications.features import Features
    >>> Features("raw", np.zeros((5, 8)), np.zeros((3, 8))).size
    8
    """

    name: str
    train: Array
    test: Array

    @property
    def size(self) -> int:
        """Number of values of a sample."""
        return int(self.train.shape[1])


def samples_for(model: AutoencoderEstimator, X: Any, what: str) -> Array:
    """Samples as an array that the model takes, for a comparison with other methods.

    Parameters
    ----------
    model : fitted estimator
    X : array-like of shape ``(n, *shape)``
    what : str
        What they are called in an error.

    Returns
    -------
    ndarray of shape ``(n, *shape)``
        In X's own dtype.

    Raises
    ------
    TypeError
        If X is a sparse matrix, which PCA and nearest neighbours would need as a whole, or no numbers.
    ValueError
        As the model raises.

    Examples
    --------
    >>> import numpy as np
    >>> import npae
    >>> from npae.applications.features import samples_for
    >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
    >>> model = npae.VanillaAutoencoder(code_size=2, epochs=1, random_state=0).fit(X)
    >>> samples_for(model, X.tolist(), "the samples").shape
    (256, 8)
    """
    if is_sparse(X):
        raise TypeError(
            f"{what} are a sparse matrix, but PCA, which the model is compared with, needs all values; give .toarray()"
        )
    model.network_.check(X)
    return check_dense(X, what)


def feature_sets(model: AutoencoderEstimator, train: Any, test: Any) -> list[Features]:
    """Codes of a fitted model, as many principal components fitted to ``train``, and the flattened samples.

    Parameters
    ----------
    model : fitted estimator
    train, test : array-like of shape ``(n, *shape)``

    Returns
    -------
    list of Features
        "autoencoder", "PCA" and "raw".

    Raises
    ------
    TypeError, ValueError
        As ``samples_for``.

    Examples
    --------
    >>> import numpy as np
    >>> import npae
    >>> from npae.applications.features import feature_sets
    >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
    >>> model = npae.VanillaAutoencoder(code_size=2, epochs=1, random_state=0).fit(X)
    >>> [(features.name, features.size) for features in feature_sets(model, X[:128], X[128:])]
    [('autoencoder', 2), ('PCA', 2), ('raw', 8)]
    """
    train, test = samples_for(model, train, "the training samples"), samples_for(model, test, "the test samples")
    (size,) = model.network_.code_shape
    pca = PCA(train, size)
    return [
        Features("autoencoder", model.network_.encode(train), model.network_.encode(test)),
        Features("PCA", pca.encode(train, size), pca.encode(test, size)),
        Features("raw", train.reshape(len(train), -1), test.reshape(len(test), -1)),
    ]
