"""Saving of fitted estimators: network, parameters, history, and the distribution of the codes."""

from collections.abc import Iterable, Mapping
from math import prod
from pathlib import Path
from typing import Any, Self

from npae.estimators.gaussian import Gaussian
from npae.estimators.sklearn_api import SklearnMixin
from npae.layers.base import Layer
from npae.network.autoencoder import Autoencoder
from npae.network.saving import save
from npae.storage import model_file
from npae.storage.limits import check_threads
from npae.utils.scalars import whole_number, whole_numbers
from npae.utils.sparse import Samples
from npae.utils.types import Array
from npae.utils.validation import refuse_non_finite


class SaveMixin(SklearnMixin):
    """Saving an estimator to a model file, and building it from one."""

    network_: Autoencoder
    history_: dict[str, list[float]]
    metadata_: dict[str, Any]
    _code_distribution: Gaussian | None
    _seen: Samples | None
    _trained_with: dict[str, Any]
    _schedule_span: tuple[int, int] | None

    @property
    def code_distribution_(self) -> Gaussian | None:
        """The Gaussian from which ``sample`` draws codes, for models without a prior."""
        raise NotImplementedError

    def save(self, path: str | Path) -> None:
        """Write the fitted model to a safetensors file, which ``npae.load`` reads; an existing file is replaced.

        Raises
        ------
        ValueError
            If the model is not fitted, or a parameter that was set after ``fit`` is not valid; nothing is written.
        """
        net = self._network()
        self._checked()
        record = self._description(net.run.seed)
        record |= {"history": self.history_, **self._changes_since_fit(record["params"])}
        if self.metadata_:
            record["metadata"] = self.metadata_
        save(net, path, record=record, arrays=self._arrays())

    def _changes_since_fit(self, params: dict[str, Any]) -> dict[str, Any]:
        """What ``partial_fit`` must know of the past, where parameters were set after ``fit``."""
        earlier = {name: value for name, value in self._trained_with.items() if name != "random_state"}
        changed = {name: value for name, value in earlier.items() if repr(value) != repr(params[name])}
        span = {} if self._schedule_span is None else {"schedule_span": self._schedule_span}
        return ({"trained_with": changed} if changed else {}) | span

    def _checked(self, values: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The parameters, or earlier values of them, in Python's own numbers; a wrong one is refused."""
        raise NotImplementedError

    def _remember_parameters(self) -> None:
        """Note that the network has been trained with the parameters as they are."""
        raise NotImplementedError

    def _description(self, seed: int) -> dict[str, Any]:
        """The estimator's name and parameters, for a model file."""
        params = self.get_params()
        if not isinstance(params["random_state"], int | None):
            params["random_state"] = seed
        return {"estimator": type(self).__name__, "params": params}

    def _arrays(self) -> dict[str, Array]:
        codes = self.code_distribution_
        return {} if codes is None else {"code_mean": codes.mean, "code_factor": codes.factor}

    @classmethod
    def from_stored(cls, stored: model_file.StoredModel, layers: Iterable[type[Layer]] = ()) -> Self:
        """The fitted model from a file of ``save``; the state of its optimizer is reset.

        Names of columns are as many texts as a sample has values; the Gaussian of the codes is finite and fits the
        code; threads are at most 256. The estimator's other parameters are stored as they are: ``fit`` checks them.
        """
        params = stored.record["params"]
        check_threads(params.get("n_jobs"))
        model = cls(**_with_tuples(params))
        model._remember_parameters()
        earlier = _with_tuples(stored.record.get("trained_with", {}))
        model._trained_with |= {name: value for name, value in earlier.items() if name in params}
        model._schedule_span = _span(stored.record.get("schedule_span"))
        model.network_ = stored.network(layers)
        model.history_ = stored.history()
        model.metadata_ = stored.metadata()
        model.n_features_in_ = prod(model.network_.input_shape)
        model._name_columns()
        model._code_distribution = model._seen = None
        if "code_mean" in stored.arrays:
            (size,) = model.network_.code_shape
            mean, factor = (
                stored.array("code_mean", (size,), "float64"),
                stored.array("code_factor", (size, size), "float64"),
            )
            refuse_non_finite(mean, "the array 'code_mean'")
            refuse_non_finite(factor, "the array 'code_factor'")
            model._code_distribution = Gaussian(mean.copy(), factor.copy())
        return model


def _with_tuples(values: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}


def _span(span: Any) -> tuple[int, int] | None:
    """The first step of a schedule and its number of steps."""
    if span is None:
        return None
    start, total = whole_numbers(span, "the span of the schedule", least=0)
    return start, whole_number(total, "the length of the schedule")
