"""Labels of a conditional model: what ``fit`` learns of them, and what is decoded with which label."""

from typing import Any

import numpy as np

from npae.estimators.labels import describe, numbered, places_of
from npae.estimators.sklearn_api import SklearnMixin
from npae.layers.label import AppendLabel
from npae.network.autoencoder import Autoencoder
from npae.utils.types import Array


class ConditionalMixin(SklearnMixin):
    """Labels of a model whose parameter ``conditional`` is set; of others there are none.

    A label is a number, a text or a boolean; ``classes_`` has the different ones in order, and the network takes their
    places in it.
    """

    classes_: Array

    @property
    def _is_conditional(self) -> bool:
        """Whether the parameter is set; most types do not have it."""
        return bool(getattr(self, "conditional", False))

    def _numbered(self, y: Any, n: int) -> tuple[Array | None, Array | None]:
        """The different labels of y, and their place for each of ``n`` samples; None where there is no condition."""
        if not self._is_conditional:
            return None, None
        if y is None:
            raise ValueError("conditional=True needs a label for each sample; call fit(X, y)")
        return numbered(y, n, "the labels y")

    def _places(self, labels: Any, n: int, what: str) -> Array | None:
        """For a fitted model, the places (n,) of labels in ``classes_``; None of a model that is not conditional."""
        if not self._network().condition.n_labels:
            return None
        if labels is None:
            raise ValueError(
                f"this model is conditional, so that what it rebuilds or draws depends on a label; give {what}, one of "
                f"classes_ for each sample"
            )
        return places_of(labels, self.classes_, n, what)

    def places_of(self, labels: Any, n: int) -> Array | None:
        """The places in ``classes_`` of labels as ``sample`` takes them, for ``network_.decode``.

        Parameters
        ----------
        labels : label or array-like of labels, shape (n,)
            One label is that of all; None for a model that is not conditional.
        n : int
            Number of samples.

        Returns
        -------
        ndarray of int64, shape (n,), or None
            None of a model that is not conditional, which takes no labels.

        Raises
        ------
        ValueError
            If labels are missing, unknown, or given to a model that takes none.

        Examples
        --------
        >>> import numpy as np
        >>> import npae
        >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
        >>> model = npae.VariationalAutoencoder(hidden=(8,), code_size=2, conditional=True, epochs=1, random_state=0)
        >>> model.fit(X, ["a", "b"] * 128).places_of(["b", "a", "a"], 3).tolist()
        [1, 0, 0]
        """
        return self._places_or_none(labels, n, "labels")

    def _places_or_none(self, labels: Any, n: int, what: str) -> Array | None:
        """As ``_places``, but one label alone stands for all, and a model that is not conditional takes none."""
        if labels is not None and not self._network().condition.n_labels:
            raise ValueError(f"{what} were given, but this {type(self).__name__} is not conditional; leave them out")
        is_one = isinstance(labels, str) or (labels is not None and np.ndim(labels) == 0)
        return self._places([labels] * n if is_one else labels, n, what)

    def _adopt_classes(self, classes: Array | None) -> None:
        if classes is not None:
            self.classes_ = classes
        elif hasattr(self, "classes_"):
            del self.classes_

    @staticmethod
    def _condition(network: Autoencoder, n_labels: int) -> Autoencoder:
        """The unbuilt network, whose decoder sees which of so many labels a sample has; 0 leaves it as it is."""
        if n_labels:
            network.decoder.layers.insert(0, AppendLabel(n_labels))
        return network

    @staticmethod
    def _class_record(classes: Array | None) -> dict[str, Any]:
        """What a model file says of the labels."""
        return {} if classes is None else {"classes": describe(classes)}
