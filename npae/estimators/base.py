"""Base class of the five estimators: everything except the network of each type.

The constructor only stores its arguments, each under its own name; names of attributes that ``fit`` sets end in an
underscore. So estimators work in clone, parameter searches and pipelines, and npae does not need scikit-learn.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from npae.estimators.fitting import FitMixin
from npae.estimators.parameters import estimator
from npae.estimators.sample_record import GrowingRecord, SampleRecord
from npae.estimators.saving import OPTIMIZER_STATE
from npae.network.autoencoder import Autoencoder
from npae.training.replicas import effective_n_jobs
from npae.utils.columns import Columns, check_columns, check_order, columns_of, columns_of_row
from npae.utils.samples import Samples
from npae.utils.scalars import whole_number
from npae.utils.types import Array
from npae.utils.validation import stack_two


@estimator("Base class of the five autoencoders: training, codes, reconstructions, samples and scores.")
class AutoencoderEstimator(FitMixin):
    """The five types are its subclasses, each with a network of its type.

    Attributes
    ----------
    network_ : Autoencoder
    history_ : dict of str to list of float
        One entry for each epoch; see ``npae.training.Training``.
    n_features_in_ : int
        Number of values of a sample.
    feature_names_in_ : ndarray of str, shape (features,)
        Names of the columns, if the model was fitted to a dataframe.
    n_iter_ : int
        Number of epochs trained.
    classes_ : ndarray of shape (labels,)
        The different labels of a conditional model, in order.
    metadata_ : dict
        What the samples mean, saved with the model as JSON: empty after ``fit``, to be filled by the caller, as
        ``npae train`` does with the layout of music (``npae.datasets.music.Layout.to_metadata``).

    Examples
    --------
    >>> import numpy as np
    >>> import npae
    >>> from npae.estimators import AutoencoderEstimator
    >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
    >>> model = npae.VanillaAutoencoder(code_size=2, epochs=1, random_state=0).fit(X)
    >>> isinstance(model, AutoencoderEstimator)
    True
    >>> codes = model.transform(X)
    >>> model.inverse_transform(codes).shape, model.reconstruct(X).shape
    ((256, 8), (256, 8))
    """

    @property
    def n_iter_(self) -> int:
        """Number of epochs trained."""
        return len(self.history_.get("loss", ()))

    # Use

    def transform(self, X: Any) -> Any:
        """Encode samples, without noise.

        Parameters
        ----------
        X : array-like of shape ``(n, *shape)``
            Samples of the shape of the training samples.

        Returns
        -------
        ndarray of shape (n, code_size), or a dataframe if ``set_output`` was called
            The codes; of a variational model their means.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        ValueError
            If X has another shape or is not finite.
        """
        return self._contained(self._network().encode(self._check_shape(X), n_jobs=effective_n_jobs(self.n_jobs)), X)

    def transform_parts(self, X: Any) -> Iterator[Array]:
        """The codes of ``transform`` in parts, so that those of a source are never all in memory.

        Parameters
        ----------
        X : array-like of shape ``(n, *shape)``, or a source

        Yields
        ------
        ndarray of shape (m, code_size)
            The codes of the next m samples.

        Examples
        --------
        >>> import numpy as np
        >>> import npae
        >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
        >>> model = npae.VanillaAutoencoder(code_size=2, epochs=1, random_state=0).fit(X)
        >>> sum(len(codes) for codes in model.transform_parts(X))
        256
        """
        yield from self._network().encode_parts(self._check_shape(X), n_jobs=effective_n_jobs(self.n_jobs))

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        """Train on X with new parameters, and encode X: ``fit(X, y).transform(X)``.

        Parameters
        ----------
        X : array-like of shape (n, features), (n, height, width) or (n, height, width, channels)
            As for ``fit``.
        y : array-like of shape (n,), optional
            The labels of a conditional model, which needs them; others ignore it.

        Returns
        -------
        ndarray of shape (n, code_size), or a dataframe if ``set_output`` was called
            The codes.

        Raises
        ------
        ValueError
            As ``fit``.
        """
        return self.fit(X, y).transform(X)

    def inverse_transform(self, Z: Any, labels: Any = None) -> Array:
        """Decode codes.

        Parameters
        ----------
        Z : array-like of shape (n, code_size)
            Codes, as ``transform`` gives them.
        labels : label or array-like of labels, shape (n,), optional
            Those of a conditional model, which needs them; as for ``sample``.

        Returns
        -------
        ndarray of shape ``(n, *shape)``
            Samples in the shape of the training samples.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        ValueError
            If Z has another shape or is not finite, or labels are missing or unknown.
        """
        net = self._network()
        check_order(columns_of(Z), Columns(tuple(self.get_feature_names_out()), are_names=True))
        n = np.shape(Z)[0] if net.condition.n_labels and np.ndim(Z) else 0
        return net.decode(Z, self.places_of(labels, n))

    def reconstruct(self, X: Any, y: Any = None) -> Array:
        """Encode samples and decode their codes; a denoising model removes noise.

        Parameters
        ----------
        X : array-like of shape ``(n, *shape)``
            Samples of the shape of the training samples.
        y : array-like of shape (n,), optional
            The labels of a conditional model, which needs them.

        Returns
        -------
        ndarray of shape ``(n, *shape)``
            The reconstructions.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        ValueError
            If X has another shape or is not finite.
        """
        samples = self._check_shape(X)
        return self._network().reconstruct(samples, self._places_or_none(y, len(samples), "the labels y"))

    def score_samples(self, X: Any, y: Any = None) -> Array:
        """Negative loss of each sample, penalties included; higher is better.

        Where ``loss="auto"`` took cross-entropy, samples may have values outside [0, 1], as a scaler gives them for
        data that it was not fitted to: such a value counts as the nearest one within, plus the square of its distance
        from it.

        Parameters
        ----------
        X : array-like of shape ``(n, *shape)``
            Samples of the shape of the training samples.
        y : array-like of shape (n,), optional
            The labels of a conditional model, which needs them; others ignore it.

        Returns
        -------
        ndarray of shape (n,)
            In nats for cross-entropy; the negative sum of squares for squared error.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        ValueError
            If X has another shape or is not finite.

        Examples
        --------
        >>> import numpy as np
        >>> import npae
        >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
        >>> model = npae.VanillaAutoencoder(code_size=2, epochs=1, random_state=0).fit(X)
        >>> scores = model.score_samples(X)
        >>> scores.shape, bool(np.isclose(scores.mean(), model.score(X)))
        ((256,), True)
        """
        samples = self._check_shape(X)
        labels = self._places(y, len(samples), "the labels y")
        return -self._network().losses(samples, any_range=self.loss == "auto", labels=labels)

    def score(self, X: Any, y: Any = None) -> float:
        """Mean of ``score_samples``, for parameter searches.

        Parameters
        ----------
        X : array-like of shape ``(n, *shape)``
            Samples of the shape of the training samples.
        y : array-like of shape (n,), optional
            The labels of a conditional model, which needs them; others ignore it.

        Returns
        -------
        float
            The mean negative loss of a sample; higher is better.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        ValueError
            If X has another shape or is not finite.

        Examples
        --------
        >>> import numpy as np
        >>> import npae
        >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
        >>> model = npae.VanillaAutoencoder(code_size=2, epochs=1, random_state=0).fit(X)
        >>> model.score(X) < 0
        True
        """
        return float(self.score_samples(X, y).mean())

    @property
    def fitted_to_(self) -> SampleRecord | None:
        """Hashes of samples that the model was fitted to; None where an earlier version of npae saved it."""
        self._network()
        return None if self._fitted_to is None else self._fitted_to.present

    def interpolate(self, a: Any, b: Any, steps: int = 9, *, labels: Any = None) -> Array:
        """Decode codes on the straight line between the codes of two samples.

        Parameters
        ----------
        a, b : array-like of shape ``shape``
            Two samples of the shape of the training samples.
        steps : int, default 9
            Number of samples to return, both ends included; at least 2.
        labels : label or array-like of labels, shape (steps,), optional
            Those of a conditional model, which needs them; as for ``sample``.

        Returns
        -------
        ndarray of shape ``(steps, *shape)``
            The first is the reconstruction of ``a``, the last that of ``b``.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        ValueError
            If ``steps`` is below 2, or a sample has another shape or is not finite.

        Examples
        --------
        >>> import numpy as np
        >>> import npae
        >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
        >>> model = npae.VanillaAutoencoder(code_size=2, epochs=1, random_state=0).fit(X)
        >>> model.interpolate(X[0], X[1], steps=5).shape
        (5, 8)
        """
        if whole_number(steps, "steps") < 2:
            raise ValueError(f"steps is {steps}; expected a whole number of at least 2, for both ends")
        for row in (a, b):
            check_columns(columns_of_row(row), self._network().columns)
        start, end = self._network().encode(self._flat_checked(stack_two(a, b)))
        t = np.linspace(0, 1, steps)[:, None]
        return self.inverse_transform((1 - t) * start + t * end, labels)

    # Helpers

    def _network(self) -> Autoencoder:
        return self.network_

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        if hasattr(self, "training_"):
            state[OPTIMIZER_STATE] = self.training_.optimizer.kept_state()
        if (fitted_to := state.get("_fitted_to")) is not None:
            state["_fitted_to"] = fitted_to.present  # hashes, and no samples
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        if (fitted_to := state.get("_fitted_to")) is not None:
            self._fitted_to = GrowingRecord(fitted_to)

    def _check_shape(self, X: Any) -> Samples:
        """X as an array with the columns of ``fit``."""
        self._network()
        self._warn_of_names(X)
        return self._flat_checked(X)
