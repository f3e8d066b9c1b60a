"""scikit-learn's MLPRegressor, which has dense layers only.

It has no cross-entropy for images and minimizes the squared error, which is less work; its code has a ReLU.
"""

import time
from typing import Any

import sklearn
from sklearn.neural_network import MLPRegressor

from npae.cli.bench.libraries import UnsupportedModelError
from npae.cli.bench.models import hidden_units, is_convolutional, is_variational, new_model
from npae.utils.types import Array


class Contender:
    """Every epoch is one ``partial_fit``."""

    def __init__(self, threads: int) -> None:
        """NumPy's BLAS reads the number of threads from the environment."""

    def prepare(self, name: str, x: Array, **changes: Any) -> None:
        model = new_model(name, **changes)
        if is_convolutional(model) or is_variational(model):
            raise UnsupportedModelError(f"MLPRegressor has no {name} model")
        hidden = hidden_units(model)
        self.x = x
        self.model = MLPRegressor(
            hidden_layer_sizes=(*hidden, model.code_size, *reversed(hidden)),
            batch_size=model.batch_size,
            learning_rate_init=1e-3,
            alpha=0.0,
            random_state=0,
        )

    def run_epoch(self) -> float:
        start = time.perf_counter()
        self.model.partial_fit(self.x, self.x)
        return time.perf_counter() - start

    def versions(self) -> dict[str, str]:
        return {"sklearn": str(sklearn.__version__)}
