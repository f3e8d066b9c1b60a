"""Detector of anomalies: a score for each sample, and a threshold that few known-good samples exceed.

The threshold is a quantile of the scores of known-good samples. Of n + 1 samples of one kind each is equally likely to
be the one with the k-th smallest score, so that a new good sample exceeds the k-th of n known-good ones with a
probability of at most 1 − k / (n + 1): the false-positive rate (Vovk, Gammerman & Shafer 2005, conformal prediction).
"""

import warnings
from dataclasses import dataclass
from math import ceil, floor
from typing import Any

import numpy as np

from npae.applications.anomaly_scores import AnomalyScore
from npae.estimators import AutoencoderEstimator
from npae.estimators.sample_record import SampleRecord
from npae.network.batching import BATCH
from npae.utils.samples import dense
from npae.utils.scalars import real_number
from npae.utils.types import Array
from npae.utils.wording import counted


@dataclass(frozen=True)
class Detection:
    """What a detector finds out about n samples.

    Attributes
    ----------
    scores : ndarray of shape (n,)
        The larger, the less like the known-good samples.
    is_anomaly : ndarray of bool, shape (n,)
        Whether the score exceeds the threshold.
    furthest : ndarray of int, shape (n,)
        Place of the value that is reconstructed worst, among a sample's values in their order.
    given, rebuilt : ndarray of shape (n,)
        That value, and its reconstruction.

    Examples
    --------
    >>> import numpy as np
    >>> import npae
    >>> from npae.applications.detector import Detector
    >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
    >>> model = npae.VanillaAutoencoder(code_size=2, epochs=1, random_state=0).fit(X[:128])
    >>> found = Detector(model, X[128:]).find(np.full((1, 8), 0.5, "float32"))
    >>> found.is_anomaly.tolist(), found.scores.shape, found.furthest.shape
    ([False], (1,), (1,))
    """

    scores: Array
    is_anomaly: Array
    furthest: Array
    given: Array
    rebuilt: Array


class Detector:
    """Anomaly scores by a fitted model, with a threshold by samples that are known to be good.

    Parameters
    ----------
    model : fitted estimator
    known_good : array-like of shape ``(n, *shape)``
        Samples without anomalies, best ones that the model was not fitted to: those it reconstructs better than new
        ones, and a threshold by them is too low.
    score : str, default "reconstruction"
        "reconstruction", "mahalanobis", "joint" or "elbo"; see ``npae.applications.anomaly_scores``.
    false_positive_rate : float, default 0.01
        Share of new good samples that may exceed the threshold. A rate below 1 / (n + 1) cannot be kept with n samples:
        the threshold is then their largest score, a warning says so, and ``false_positive_rate`` is 1 / (n + 1).

    Attributes
    ----------
    threshold : float
    false_positive_rate : float
    n_fitted : int or None
        How many of the training samples that the model keeps hashes of are among the known-good ones; None if it keeps
        none.

    Raises
    ------
    ValueError
        For an unknown score, for "elbo" with a model that is not variational, for samples of another shape, or for too
        few of them.

    Examples
    --------
    >>> import numpy as np
    >>> from npae import DeepAutoencoder
    >>> from npae.applications.detector import Detector
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 1)) @ np.ones((1, 4))  # four equal columns
    >>> model = DeepAutoencoder(hidden=(8,), code_size=1, epochs=30, batch_size=10, random_state=0).fit(X[:100])
    >>> detector = Detector(model, X[100:], false_positive_rate=0.05)
    >>> found = detector.find(np.array([[1.0, 1, 1, 1], [1, 1, -3, 1]]))
    >>> found.is_anomaly.tolist(), found.furthest.tolist()[1]
    ([False, True], 2)
    """

    def __init__(
        self,
        model: AutoencoderEstimator,
        known_good: Any,
        *,
        score: str = "reconstruction",
        false_positive_rate: float = 0.01,
    ) -> None:
        rate = real_number(false_positive_rate, "false_positive_rate", above=0, below=1)
        X = dense(model.network_.check(known_good))
        self._net, n = model.network_, len(X)
        self._score = AnomalyScore(model, X, score)
        scores = self._score.of_known_good()
        place = n + 1 - floor(rate * (n + 1) + 1e-9)  # the k-th smallest; the product may be just below a whole number
        if place > n:
            needed = ceil(1 / rate - 1e-9) - 1
            warnings.warn(
                f"a false-positive rate of {rate:g} cannot be kept with {counted(n, 'known-good sample')}, so the "
                f"threshold is the largest of their scores, for a rate of {1 / (n + 1):.2g}; give at least {needed} "
                f"samples for {rate:g}",
                stacklevel=2,
            )
        self.threshold = float(np.sort(scores)[min(place, n) - 1])
        self.false_positive_rate = max(rate, 1 / (n + 1))
        self.record: SampleRecord | None = model.fitted_to_
        self.n_fitted = None if self.record is None else self.record.count_in(X)

    def score(self, X: Any) -> Array:
        """The anomaly score of each sample.

        Parameters
        ----------
        X : array-like of shape ``(n, *shape)``

        Returns
        -------
        ndarray of shape (n,)
            The larger, the less like the known-good samples.

        Examples
        --------
        >>> import numpy as np
        >>> import npae
        >>> from npae.applications.detector import Detector
        >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
        >>> model = npae.VanillaAutoencoder(code_size=2, epochs=1, random_state=0).fit(X[:128])
        >>> Detector(model, X[128:]).score(X[:3]).shape
        (3,)
        """
        return self._score(dense(self._net.check(X)))

    def find(self, X: Any) -> Detection:
        """Scores of samples, which are anomalies, and the value of each that is furthest off.

        Parameters
        ----------
        X : array-like of shape ``(n, *shape)``

        Returns
        -------
        Detection
        """
        X = dense(self._net.check(X))
        scores, furthest = self._score(X), np.empty(len(X), np.int64)
        given, rebuilt = np.empty((2, len(X)), X.dtype)
        for start in range(0, len(X), BATCH):
            x = X[start : start + BATCH]
            y = self._net.reconstruct(x).reshape(len(x), -1)
            x = x.reshape(len(x), -1)
            place = np.abs(x - y).argmax(axis=1)
            rows, each = slice(start, start + len(x)), np.arange(len(x))
            furthest[rows], given[rows], rebuilt[rows] = place, x[each, place], y[each, place]
        return Detection(scores, scores > self.threshold, furthest, given, rebuilt)
