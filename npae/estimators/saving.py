"""A fitted estimator as a file: its network, its parameters, its record, and the distribution of its codes."""

from collections.abc import Iterable
from math import prod
from pathlib import Path
from typing import Any, Self

from npae.estimators.gaussian import Gaussian
from npae.estimators.sklearn_api import SklearnMixin
from npae.layers.base import Layer
from npae.network.autoencoder import Autoencoder
from npae.storage import model_file
from npae.storage.limits import check_threads
from npae.utils.sparse import Samples
from npae.utils.types import Array
from npae.utils.validation import refuse_non_finite


class SaveMixin(SklearnMixin):
    """Saving an estimator to a model file, and building it from one."""

    network_: Autoencoder
    history_: dict[str, list[float]]
    _code_distribution: Gaussian | None
    _seen: Samples | None

    @property
    def code_distribution_(self) -> Gaussian | None:
        """The Gaussian that ``sample`` draws codes from, for models without a prior."""
        raise NotImplementedError

    def save(self, path: str | Path) -> None:
        """Write the fitted model to a safetensors file, which ``npae.load`` reads."""
        net = self._network()
        record = self._description(net.run.seed)
        model_file.save(net, path, record={**record, "history": self.history_}, arrays=self._arrays())

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
        """The fitted model that ``save`` wrote; its optimizer starts afresh.

        Names of columns are as many texts as a sample has values; the Gaussian of the codes is finite and fits the
        code; threads are at most 1,024. The estimator's other parameters are stored as they are: ``fit`` checks them.
        """
        params = stored.record["params"]
        check_threads(params.get("n_jobs"))
        tuples: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in params.items()}
        model = cls(**tuples)
        model.network_ = stored.network(layers)
        model.history_ = stored.history()
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
