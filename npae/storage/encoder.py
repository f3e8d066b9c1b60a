"""``npae.load_encoder``: the encoder of a saved model in plain NumPy, without numba."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from npae.kernels import reference_kernels
from npae.layers.arena import Arena
from npae.layers.base import Chain, Layer
from npae.layers.losses import loss_by_name
from npae.network.batching import in_batches
from npae.network.config import from_config, to_config
from npae.storage import model_file
from npae.utils.bytes_as_numbers import hint_at_bytes
from npae.utils.columns import Columns, check_columns, columns_of, warn_of_names_on_one_side
from npae.utils.types import Array, Shape
from npae.utils.validation import check_samples


class Encoder:
    """The encoder of a trained model, with the method ``transform`` only.

    Parameters
    ----------
    record : mapping
        "network" with the layers of "encoder" and "code" and the name of the "loss", "input_shape", "dtype" and "seed",
        as in a model file.
    fill : function of Arena
        Allocates the planned layers and copies their parameters.
    layers : iterable of Layer classes
        User-defined layer classes.
    columns : Columns, optional
        Of the dataframe that the model was fitted to.

    Attributes
    ----------
    input_shape, code_shape : tuple of int
        Shape of one sample, and of its code.
    """

    input_shape: Shape
    code_shape: Shape

    def __init__(
        self,
        record: Mapping[str, Any],
        fill: Callable[[Arena], None],
        layers: Iterable[type[Layer]] = (),
        columns: Columns | None = None,
    ) -> None:
        layers, self._columns = list(layers), columns
        self._arena = Arena(record["dtype"], reference_kernels(), record["seed"])
        self._encoder = Chain(from_config(record["network"]["encoder"], layers))
        self._loss: str | None = record["network"].get("loss")  # which files of earlier versions do not name
        self._learned_unit_interval = self._loss is not None and loss_by_name(self._loss).needs_unit_interval
        self._code = Chain(from_config(record["network"]["code"], layers))
        hidden_shape = self._arena.add(self._encoder, record["input_shape"], "encoder")
        self._arena.add(self._code, hidden_shape, "code")
        fill(self._arena)
        self.input_shape, self.code_shape = self._encoder.input_shape, self._code.output_shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the codes: float32 or float64."""
        return self._arena.dtype

    @property
    def columns(self) -> Columns | None:
        """Those of the dataframe that the model was fitted to, if it was one."""
        return self._columns

    def transform(self, X: Any) -> Array:
        """Codes ``(n, *code_shape)`` of X ``(n, *input_shape)``: those of the model itself, rounding aside.

        The model's own kernels add in another order than NumPy, so that the last bits differ. A sample's code can
        differ in its last bits, too, where it is encoded among others: with the same samples in the same order it has
        the same bits.

        What is refused is the same as by the model: columns of a dataframe that are not those of ``fit`` in their
        order, masked cells, missing values, dates. A sparse matrix of SciPy is made dense a batch at a time.
        """
        warn_of_names_on_one_side(columns_of(X), self._columns, type(self).__name__)
        check_columns(columns_of(X), self._columns)
        X = check_samples(X, self.input_shape, self._arena.dtype, "X")
        if self._learned_unit_interval:
            hint_at_bytes(X)
        return in_batches(self._arena, lambda x: self._code.forward(self._encoder.forward(x)), self.code_shape, X)

    def __getstate__(self) -> dict[str, Any]:
        """State for copies and pickles: configuration and θ; views and buffers are rebuilt."""
        return {
            "network": {
                "encoder": to_config(self._encoder.layers),
                "code": to_config(self._code.layers),
                "loss": self._loss,
            },
            "input_shape": self.input_shape,
            "dtype": self._arena.dtype.name,
            "seed": self._arena.run.seed,
            "layers": list({type(layer) for layer in self._encoder.layers + self._code.layers}),
            "theta": self._arena.theta,
            "columns": self._columns,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        def fill(arena: Arena) -> None:
            arena.allocate()
            arena.theta[...] = state["theta"]

        self.__init__(state, fill, state["layers"], state["columns"])  # type: ignore[misc]


def load_encoder(path: str | Path, layers: Iterable[type[Layer]] = ()) -> Encoder:
    """Load the encoder of the model in a file; Numba is not imported.

    Parameters
    ----------
    path : str or Path
        A file that ``save`` or ``export_encoder`` wrote.
    layers : iterable of Layer classes, default none
        Your own layer classes, if the network has any.

    Returns
    -------
    Encoder
        With the method ``transform`` only.

    Raises
    ------
    FileNotFoundError
    FileFormatError
        If the file is truncated, damaged, or no npae model.

    Examples
    --------
    >>> import numpy as np
    >>> import npae
    >>> from npae.layers import Dense
    >>> npae.Autoencoder([Dense(2)], [Dense(5)], loss="mse").build((5,)).save("net.safetensors")
    >>> npae.load_encoder("net.safetensors").transform(np.ones((3, 5))).shape
    (3, 2)
    """
    stored = model_file.read(path)
    with stored.errors_as_file_errors():
        return Encoder(stored.record, stored.fill, layers, stored.columns())
