"""Saving of fitted estimators: network, parameters, history, and the distributions of the codes."""

from collections.abc import Iterable, Mapping
from functools import partial
from math import prod
from pathlib import Path
from typing import Any, Self

from npae.estimators.labels import described
from npae.estimators.sample_record import GrowingRecord, SampleRecord
from npae.estimators.sampling import SamplingMixin
from npae.layers.base import Layer
from npae.network.autoencoder import Autoencoder
from npae.network.saving import save
from npae.storage import model_file
from npae.storage.limits import check_threads
from npae.training.trainer import Training
from npae.utils.scalars import whole_number, whole_numbers
from npae.utils.types import Array, Shape
from npae.utils.validation import refuse_non_finite

#: Attribute of a copy that has not gone on training: what the optimizer remembers.
OPTIMIZER_STATE = "_optimizer_state"
#: Before the names of the arrays that hold it in a model file.
REMEMBERED = "optimizer."


class SaveMixin(SamplingMixin):
    """Saving an estimator to a model file, and building it from one."""

    network_: Autoencoder
    history_: dict[str, list[float]]
    metadata_: dict[str, Any]
    training_: Training
    _fitted_to: GrowingRecord | None
    _trained_with: dict[str, Any]
    _schedule_span: tuple[int, int] | None

    def save(self, path: str | Path, *, optimizer: bool = False) -> None:
        """Write the fitted model to a safetensors file, which ``npae.load`` reads; an existing file is replaced.

        Parameters
        ----------
        path : str or Path
        optimizer : bool, default False
            Whether the file also holds what the optimizer remembers, such as Adam's running means, so that
            ``partial_fit`` goes on as if the model had not been saved. It makes the file up to three times as large.

        Raises
        ------
        ValueError
            If the model is not fitted, or a parameter that was set after ``fit`` is not valid; nothing is written.

        Examples
        --------
        >>> import numpy as np
        >>> import npae
        >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
        >>> model = npae.VanillaAutoencoder(code_size=2, epochs=1, random_state=0).fit(X)
        >>> model.save("vanilla.safetensors")
        >>> bool((npae.load("vanilla.safetensors").transform(X) == model.transform(X)).all())
        True
        """
        net = self._network()
        self._checked()
        record = self._description(net.run.seed)
        classes = self.classes_ if net.condition.n_labels else None
        record |= {"history": self.history_, **self._class_record(classes), **self._changes_since_fit(record["params"])}
        if self.metadata_:
            record["metadata"] = self.metadata_
        arrays = self._distributions.arrays()
        if self._fitted_to is not None:
            fitted_to = self._fitted_to.present
            record |= fitted_to.record()
            arrays |= fitted_to.arrays()
        if optimizer:
            arrays |= {f"{REMEMBERED}{name}": value for name, value in self._optimizer_memory().items()}
            record["optimizer_of"] = self._trained_with["optimizer"]
        save(net, path, record=record, arrays=arrays)

    def _optimizer_memory(self) -> dict[str, Array]:
        """What the optimizer remembers; of a model that has not gone on training, what its file or copy had."""
        if "training_" in vars(self):
            return self.training_.optimizer.kept_state()
        kept: dict[str, Array] | None = vars(self).get(OPTIMIZER_STATE)
        if kept is None:
            raise ValueError(
                "this model remembers nothing of its optimizer, since it was read from a file without it; save it "
                "without optimizer=True"
            )
        return kept

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

    @classmethod
    def from_stored(cls, stored: model_file.StoredModel, layers: Iterable[type[Layer]] = ()) -> Self:
        """The fitted model from a file of ``save``; the state of its optimizer is reset.

        Names of columns are as many texts as a sample has values; the distributions of the codes are finite and fit the
        code; threads are at most 256. The estimator's other parameters are stored as they are: ``fit`` checks them.

        Parameters
        ----------
        stored : StoredModel
            As ``npae.storage.read`` returns it.
        layers : iterable of Layer classes, default none
            Your own layer classes, if the network has any.

        Returns
        -------
        AutoencoderEstimator
            Fitted.

        Raises
        ------
        KeyError, TypeError, ValueError
            If the file's description is not complete or not valid; ``npae.load`` turns them into a FileFormatError.

        Examples
        --------
        >>> import numpy as np
        >>> import npae
        >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
        >>> npae.VanillaAutoencoder(code_size=2, epochs=1, random_state=0).fit(X).save("stored.safetensors")
        >>> npae.VanillaAutoencoder.from_stored(npae.storage.read("stored.safetensors")).n_features_in_
        8
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
        model._adopt_classes(_classes(stored, model.network_))
        if "optimizer_of" in stored.record:
            setattr(model, OPTIMIZER_STATE, _remembered(stored, model))
        model._forget_codes()
        fitted_to = SampleRecord.from_stored(stored.arrays, stored.record)
        model._fitted_to = None if fitted_to is None else GrowingRecord(fitted_to)
        model._distributions.restore(set(stored.arrays), partial(_finite, stored))
        return model


def _remembered(stored: model_file.StoredModel, model: Any) -> dict[str, Array]:
    """What the optimizer of the model remembers, for its ``restore``."""
    if stored.record["optimizer_of"] != model._trained_with["optimizer"]:
        raise ValueError("the state of its optimizer is that of another one")
    names = model._new_optimizer().state_names
    theta = model.network_.theta
    vectors = {name: stored.array(f"{REMEMBERED}{name}", theta.shape, theta.dtype).copy() for name in names}
    for name, vector in vectors.items():
        refuse_non_finite(vector, f"the array {name!r}")
    steps = stored.array(f"{REMEMBERED}steps", (1,), "int64").copy()
    if steps[0] < 0:
        raise ValueError("the number of its optimizer's steps is negative")
    return {"steps": steps, **vectors}


def _finite(stored: model_file.StoredModel, name: str, shape: Shape) -> Array:
    """A copy of the array called ``name``, in float64; raises ValueError unless it has this shape and is finite."""
    array = stored.array(name, shape, "float64")
    refuse_non_finite(array, f"the array {name!r}")
    return array.copy()


def _classes(stored: model_file.StoredModel, network: Autoencoder) -> Array | None:
    """The labels that a conditional model knows."""
    n = network.condition.n_labels
    if not n:
        return None
    classes = described(stored.record["classes"])
    if len(classes) != n:
        raise ValueError(f"it knows {len(classes)} labels, but the network takes {n}")
    return classes


def _with_tuples(values: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}


def _span(span: Any) -> tuple[int, int] | None:
    """The first step of a schedule and its number of steps."""
    if span is None:
        return None
    start, total = whole_numbers(span, "the span of the schedule", least=0)
    return start, whole_number(total, "the length of the schedule")
