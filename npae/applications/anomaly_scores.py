"""Anomaly scores of samples by a fitted model: the larger, the less like samples that are known to be good.

* "reconstruction": the mean squared error of a sample's values.
* "mahalanobis": the Mahalanobis distance of the code from those of the known-good samples.
* "joint": the same of the code and the logarithm of the reconstruction error, taken together as one vector: large where
  the model reconstructs badly, and where a sample is far out in a direction in which it reconstructs well.
* "elbo": the negative evidence lower bound of a variational model, −E[log p(x|z)] + KL, in nats with β = 1.
"""

import numpy as np

from npae.applications.generation import log_likelihood
from npae.applications.mahalanobis import Mahalanobis
from npae.estimators import AutoencoderEstimator, VariationalAutoencoder
from npae.network.posterior import posterior
from npae.utils.randomness import generator
from npae.utils.types import Array
from npae.utils.wording import counted

SCORES = ("reconstruction", "mahalanobis", "joint", "elbo")
DRAWS = 20  # of a code, for the ELBO


class AnomalyScore:
    """Scores of samples by a fitted model.

    Parameters
    ----------
    model : fitted estimator
    known_good : ndarray of shape ``(n, *shape)``
        The distances are from their mean.
    kind : str
        One of ``SCORES``.

    Raises
    ------
    ValueError
        For an unknown kind, for "elbo" with a model that is not variational.

    Examples
    --------
    >>> import numpy as np
    >>> import npae
    >>> from npae.applications.anomaly_scores import AnomalyScore
    >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
    >>> model = npae.VanillaAutoencoder(code_size=2, epochs=1, random_state=0).fit(X[:128])
    >>> score = AnomalyScore(model, X[128:], "reconstruction")
    >>> score(X[:3]).shape, score.of_known_good().shape
    ((3,), (128,))
    """

    def __init__(self, model: AutoencoderEstimator, known_good: Array, kind: str) -> None:
        check_score(model, kind)
        self._model, self._kind, self._known_good = model, kind, known_good
        is_distance = kind in ("mahalanobis", "joint")
        self._distance = Mahalanobis(self._features(known_good)) if is_distance else None

    def __call__(self, X: Array) -> Array:
        """Scores (n,) of samples X ``(n, *shape)``."""
        if self._distance is not None:
            scores = self._distance(self._features(X))
        elif isinstance(self._model, VariationalAutoencoder) and self._kind == "elbo":
            scores = negative_elbo(self._model, X)
        else:
            scores = errors(self._model.network_.decode(self._codes(X)), X)
        _refuse_infinite(scores)
        return scores

    def of_known_good(self) -> Array:
        """Scores of the known-good samples as new ones would have them: distances are from the mean of the others.

        Returns
        -------
        ndarray of shape (n,)

        Raises
        ------
        ValueError
            Where there are fewer than two samples, or for a distance fewer than twice its dimensions.
        """
        n, least, why = len(self._known_good), 2, ""
        if self._distance is not None:
            size = len(self._distance.mean)
            least, why = 2 * size, f", a distance in {size} dimensions"
        if n < least:
            raise ValueError(
                f"{counted(n, 'known-good sample')} cannot give a threshold for the score {self._kind}{why}; give at "
                f"least {least}"
            )
        return self(self._known_good) if self._distance is None else self._distance.of_own()

    def _codes(self, X: Array) -> Array:
        codes = self._model.network_.encode(X)
        _refuse_infinite(codes.sum(axis=1))
        return codes

    def _features(self, X: Array) -> Array:
        codes = self._codes(X)
        if self._kind == "mahalanobis":
            return codes
        error = errors(self._model.network_.decode(codes), X)
        return np.column_stack([codes, np.log(np.maximum(error, np.finfo(np.float32).tiny))])


def _refuse_infinite(values: Array) -> None:
    """Raise ValueError if what was computed for one of n samples, values (n,), is not finite."""
    if not np.isfinite(values).all():
        raise ValueError(
            f"sample {np.flatnonzero(~np.isfinite(values))[0]} has values so large that its score is not finite; scale "
            f"the data as that which the model was fitted to"
        )


def check_score(model: AutoencoderEstimator, score: str) -> None:
    """Refuse a score that is unknown, or that the model does not have; a conditional model has none.

    Parameters
    ----------
    model : fitted estimator
    score : str
        One of ``SCORES``.

    Raises
    ------
    ValueError

    Examples
    --------
    >>> import npae
    >>> from npae.applications.anomaly_scores import check_score
    >>> check_score(npae.VanillaAutoencoder(), "joint")
    >>> check_score(npae.VanillaAutoencoder(), "elbo")
    Traceback (most recent call last):
    ValueError: the score elbo is for variational models, but this one is a VanillaAutoencoder; ...
    """
    if getattr(model, "conditional", False):
        raise ValueError(
            "anomaly scores decode samples without labels, but this model is conditional; give one that was fitted "
            "without"
        )
    if score not in SCORES:
        raise ValueError(f"the score is {score!r}; expected one of {', '.join(SCORES)}")
    if score == "elbo" and not isinstance(model, VariationalAutoencoder):
        raise ValueError(
            f"the score elbo is for variational models, but this one is a {type(model).__name__}; give reconstruction, "
            f"mahalanobis or joint"
        )


def errors(rebuilt: Array, X: Array) -> Array:
    """Mean squared error of each sample, over its values.

    Parameters
    ----------
    rebuilt, X : ndarray of shape (n, ...)
        Reconstructions and samples.

    Returns
    -------
    ndarray of float64, shape (n,)

    Examples
    --------
    >>> import numpy as np
    >>> from npae.applications.anomaly_scores import errors
    >>> errors(np.array([[0.0, 1.0]]), np.array([[0.0, 0.5]])).tolist()
    [0.125]
    """
    per_sample: Array = np.square(rebuilt - X, dtype=np.float64).reshape(len(X), -1).mean(axis=1)
    return per_sample


def negative_elbo(model: VariationalAutoencoder, X: Array, draws: int = DRAWS) -> Array:
    """The negative evidence lower bound −ELBO of each sample, with β = 1 (Kingma & Welling 2014, eq. 7).

    The same noise is used for all samples, so that the score of one does not depend on the others. With cross-entropy a
    value outside [0, 1] counts as the nearest one within, plus the square of the distance between both.

    Parameters
    ----------
    model : fitted VariationalAutoencoder
    X : ndarray of shape ``(n, *shape)``
    draws : int
        Number of codes of each sample over which the bound is averaged; by default ``DRAWS``.

    Returns
    -------
    ndarray of float64, shape (n,)
        In nats.

    Examples
    --------
    >>> import numpy as np
    >>> import npae
    >>> from npae.applications.anomaly_scores import negative_elbo
    >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
    >>> model = npae.VariationalAutoencoder(hidden=(8,), code_size=2, epochs=1, random_state=0).fit(X)
    >>> negative_elbo(model, X[:3], draws=2).shape
    (3,)
    """
    mu, log_var = posterior(model.network_, X)
    nearest = X if model.network_.loss.name == "mse" else X.clip(0, 1)
    kl = 0.5 * (mu**2 + np.exp(log_var) - 1 - log_var).sum(axis=1)
    total = kl + np.square(X - nearest, dtype=np.float64).reshape(len(X), -1).sum(axis=1)
    noise = generator(0, "anomaly elbo").standard_normal((draws, mu.shape[1]))
    for eps in noise:
        total -= log_likelihood(model, nearest, mu + np.exp(0.5 * log_var) * eps) / draws
    elbo: Array = total
    return elbo
