"""The scikit-learn estimator API, written without importing scikit-learn.

https://scikit-learn.org/stable/developers/develop.html
"""

import copy
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from npae.estimators.dataframes import CONTAINERS, in_container, wanted_container
from npae.estimators.method_calls import PublicMethods
from npae.network.autoencoder import Autoencoder
from npae.utils.columns import columns_of, warn_of_names_on_one_side
from npae.utils.errors import NotFittedError
from npae.utils.signature import arguments_of
from npae.utils.types import Array


class SklearnMixin(PublicMethods):
    """Parameters that can be read and set, tags, copies, and dataframes with named columns.

    The class that uses it stores its constructor's arguments under their own names.
    """

    network_: Autoencoder
    feature_names_in_: Array
    n_features_in_: int
    dtype: str

    # Parameters

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters: the constructor's arguments.

        Parameters
        ----------
        deep : bool, default True
            As scikit-learn has it; it makes no difference here, where no parameter is an estimator.

        Returns
        -------
        dict of str to object
            By name.

        Examples
        --------
        >>> import npae
        >>> npae.VanillaAutoencoder(code_size=2).get_params()["code_size"]
        2
        """
        return {name: getattr(self, name) for name in arguments_of(type(self))}

    def set_params(self, **params: Any) -> Self:
        """Change parameters; a fitted model stays as it is until the next ``fit`` or ``partial_fit``.

        Parameters
        ----------
        **params
            New values, by the name of the parameter.

        Returns
        -------
        AutoencoderEstimator
            This model.

        Raises
        ------
        ValueError
            If there is no parameter of a name; those before it are changed.

        Examples
        --------
        >>> import npae
        >>> npae.VanillaAutoencoder(code_size=2).set_params(epochs=3, batch_size=32)
        VanillaAutoencoder(code_size=2, epochs=3, batch_size=32)
        """
        for name, value in params.items():
            if name not in self.get_params():
                raise ValueError(
                    f"{type(self).__name__} has no parameter {name!r}; it has {', '.join(self.get_params())}"
                )
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        defaults = arguments_of(type(self))
        changed = {k: v for k, v in self.get_params().items() if repr(v) != repr(defaults[k].default)}
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in changed.items())})"

    def _repr_html_(self) -> str:
        from npae.estimators.notebook import as_html

        return as_html(self)

    # Tags, and whether it is fitted

    if not TYPE_CHECKING:  # type checkers would take every attribute for defined

        def __getattr__(self, name: str) -> Any:
            """Raise NotFittedError for attributes that ``fit`` sets (named with a final underscore), before ``fit``."""
            if name.endswith("_") and not name.startswith("_") and "network_" not in self.__dict__:
                raise NotFittedError(f"this {type(self).__name__} is not fitted yet; call fit(X) first")
            return self.__getattribute__(name)  # raises an AttributeError with the name

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import InputTags, Tags, TargetTags, TransformerTags

        kept = ["float64", "float32"] if self.dtype == "auto" else [self.dtype]
        return Tags(
            estimator_type=None,
            target_tags=TargetTags(required=bool(getattr(self, "conditional", False))),
            transformer_tags=TransformerTags(preserves_dtype=kept),
            input_tags=InputTags(three_d_array=True, sparse=True),
        )

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "network_")

    # Copies

    def __copy__(self) -> Self:
        """A deep copy, so that training one does not change the other."""
        return copy.deepcopy(self)

    def __getstate__(self) -> dict[str, Any]:
        """State for pickles and copies, without the training itself, which is set up anew."""
        return {name: value for name, value in self.__dict__.items() if name != "training_"}

    # Dataframes

    def set_output(self, *, transform: str | None = None) -> Self:
        """Choose what ``transform`` returns.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, optional
            An array, or a dataframe whose columns are named as ``get_feature_names_out`` says. None changes nothing.

        Returns
        -------
        AutoencoderEstimator
            This model.

        Raises
        ------
        ValueError
            If ``transform`` is none of these.

        Examples
        --------
        >>> import numpy as np
        >>> import npae
        >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
        >>> model = npae.VanillaAutoencoder(code_size=2, epochs=1, random_state=0).set_output(transform="pandas")
        >>> list(model.fit_transform(X).columns)
        ['vanillaautoencoder0', 'vanillaautoencoder1']
        """
        if transform is not None:
            if transform not in CONTAINERS:
                raise ValueError(f"transform is {transform!r}; expected one of {', '.join(CONTAINERS)}")
            # scikit-learn's attribute, which its ``clone`` copies
            self._sklearn_output_config = {"transform": transform}
        return self

    def get_feature_names_out(self, input_features: Any = None) -> Array:
        """Names (code_size,) of the code's values: the class in small letters and a number.

        Parameters
        ----------
        input_features : array-like of str, optional
            Names of the features; only their number, and whether they are those of ``fit``, is checked.

        Returns
        -------
        ndarray of str, shape (code_size,)

        Raises
        ------
        NotFittedError
            Before ``fit``.
        ValueError
            If ``input_features`` are not the features of ``fit``.

        Examples
        --------
        >>> import numpy as np
        >>> import npae
        >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
        >>> npae.VanillaAutoencoder(code_size=2, epochs=1, random_state=0).fit(X).get_feature_names_out().tolist()
        ['vanillaautoencoder0', 'vanillaautoencoder1']
        """
        if input_features is not None:
            given = np.asarray(input_features, dtype=object)
            if hasattr(self, "feature_names_in_") and not np.array_equal(given, self.feature_names_in_):
                raise ValueError("input_features is not equal to feature_names_in_; give those, or none")
            if len(given) != self.n_features_in_:
                raise ValueError(
                    f"input_features should have length equal to number of features ({self.n_features_in_}), got "
                    f"{len(given)}"
                )
        (code_size,) = self._network().code_shape
        return np.asarray([f"{type(self).__name__.lower()}{i}" for i in range(code_size)], dtype=object)

    def _name_columns(self) -> None:
        """What the columns of ``fit`` were called; the network compares others with them."""
        columns = self.network_.columns
        if columns is not None and columns.are_names:
            self.feature_names_in_ = np.asarray(columns.labels, dtype=object)
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_

    def _warn_of_names(self, X: Any) -> None:
        warn_of_names_on_one_side(columns_of(X), self.network_.columns, type(self).__name__)

    def _contained(self, codes: Array, X: Any) -> Any:
        """Codes of X in the container chosen by ``set_output``."""
        config: dict[str, str] | None = vars(self).get("_sklearn_output_config")
        container = wanted_container(config.get("transform") if config else None)
        return codes if container == "default" else in_container(container, codes, self.get_feature_names_out(), X)

    def _network(self) -> Autoencoder:
        raise NotImplementedError
