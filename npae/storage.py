"""Models as files: the parameters by name, and everything else as JSON beside them. Nothing in a file is executed."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from npae import safetensors
from npae.arena import Arena
from npae.autoencoder import Autoencoder, in_blocks
from npae.configuration import from_config
from npae.errors import FileFormatError
from npae.estimators import ESTIMATORS, AutoencoderEstimator
from npae.kernels import reference_kernels
from npae.layers.base import Chain, Layer
from npae.types import Array
from npae.validation import check_samples
from npae.version import __version__

FORMAT = 1
#: Arrays of an estimator that are no parameters of its network.
EXTRAS = ("code_mean", "code_factor")


def save(model: AutoencoderEstimator | Autoencoder, path: str | Path) -> None:
    """Write a fitted estimator or a built network; an existing file is replaced only by a complete one.

    Parameters
    ----------
    model : AutoencoderEstimator or Autoencoder
    path : str or Path
        By custom it ends in ``.safetensors``.
    """
    net = model if isinstance(model, Autoencoder) else model.network_
    arrays = {name: value for name, value, _ in net.arena.parameters()}
    record: dict[str, Any] = {
        "format": FORMAT,
        "version": __version__,
        "network": net.config(),
        "input_shape": net.input_shape,
        "dtype": net.arena.dtype.name,
        "seed": net.run.seed,
        "step": net.run.step,
    }
    if not isinstance(model, Autoencoder):
        params = model.get_params()
        if not isinstance(params["random_state"], int | None):
            params["random_state"] = net.run.seed
        record |= {"estimator": type(model).__name__, "params": params, "history": model.history_}
        for name in EXTRAS:
            if getattr(model, name + "_", None) is not None:
                arrays[name] = getattr(model, name + "_")
    safetensors.write(path, arrays, {"npae": json.dumps(record, default=_plain)})


def load(path: str | Path, layers: Iterable[type[Layer]] = ()) -> Any:
    """What ``save`` wrote: an estimator, or a network.

    Parameters
    ----------
    path : str or Path
    layers : iterable of Layer classes
        Your own layer classes, if the network has any.

    Raises
    ------
    FileNotFoundError
    FileFormatError
        If the file is truncated, damaged, or no npae model.
    """
    stored = _read(path)
    with stored.blaming_the_file():
        net = Autoencoder.from_config(stored.record["network"], layers)
        net.plan(stored.record["input_shape"], seed=stored.record["seed"], dtype=stored.record["dtype"])
        stored.fill(net.arena)
        net.run.step = int(stored.record["step"])
        if "estimator" not in stored.record:
            return net
        return _estimator(stored, net)


def load_encoder(path: str | Path, layers: Iterable[type[Layer]] = ()) -> "Encoder":
    """The encoding half of a saved model, in plain NumPy: numba is not imported.

    Parameters and errors as for ``load``.
    """
    stored = _read(path)
    with stored.blaming_the_file():
        arena = Arena(stored.record["dtype"], reference_kernels(), stored.record["seed"])
        encoder = Chain(from_config(stored.record["network"]["encoder"], layers))
        code = Chain(from_config(stored.record["network"]["code"], layers))
        hidden_shape = arena.add(encoder, stored.record["input_shape"], "encoder")
        arena.add(code, hidden_shape, "code")
        stored.fill(arena)
        return Encoder(arena, encoder, code)


class Encoder:
    """A trained model that only encodes.

    Attributes
    ----------
    input_shape, code_shape : tuple of int
        Of one sample.
    """

    def __init__(self, arena: Arena, encoder: Chain, code: Chain) -> None:
        self._arena, self._encoder, self._code = arena, encoder, code
        self.input_shape, self.code_shape = encoder.input_shape, code.output_shape

    def transform(self, X: Any) -> Array:
        """Codes (n, *code_shape) of X (n, *input_shape), as the model itself gives them."""
        X = check_samples(X, self.input_shape, self._arena.dtype, "X")
        return in_blocks(self._arena, lambda x: self._code.forward(self._encoder.forward(x)), self.code_shape, X)


@dataclass
class _Stored:
    """A model file that was read and not yet believed."""

    path: Path
    arrays: dict[str, Array]
    record: dict[str, Any]

    def fill(self, arena: Arena) -> None:
        """Allocate what was planned, if the file holds exactly that, and copy it in."""
        for name, shape in arena.parameter_shapes().items():
            found = self.arrays.get(name)
            if found is None or found.shape != shape or found.dtype != arena.dtype:
                there = "is missing" if found is None else f"is {found.dtype} of shape {found.shape}"
                raise ValueError(f"the parameter {name!r} {there}, where {arena.dtype} of shape {shape} was expected")
        arena.allocate()
        for name, parameter, _ in arena.parameters():
            parameter[...] = self.arrays[name]

    @contextmanager
    def blaming_the_file(self) -> Iterator[None]:
        """Whatever does not fit together is the file's fault."""
        try:
            yield
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            reason = f"{error} is missing" if isinstance(error, KeyError) else error
            raise FileFormatError(f"{self.path} holds a model that cannot be rebuilt: {reason}") from error


def _read(path: str | Path) -> _Stored:
    arrays, metadata = safetensors.read(path)
    try:
        record = json.loads(metadata["npae"])
        version = record["format"]
    except (KeyError, TypeError, ValueError, RecursionError):
        raise FileFormatError(f"{path} is a safetensors file, but no npae model; give one that npae saved") from None
    if version != FORMAT:
        raise FileFormatError(
            f"{path} has format {version!r}, but npae {__version__} reads format {FORMAT}; use the one that wrote it"
        )
    return _Stored(Path(path), arrays, record)


def _estimator(stored: _Stored, net: Autoencoder) -> AutoencoderEstimator:
    name = stored.record["estimator"]
    known = {cls.__name__: cls for cls in ESTIMATORS.values()}
    if name not in known:
        raise ValueError(f"unknown estimator {name!r}")
    params: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in stored.record["params"].items()}
    estimator = known[name](**params)
    estimator.network_ = net
    estimator.history_ = stored.record["history"]
    estimator.n_features_in_ = prod(net.input_shape)
    for extra in EXTRAS:
        array = stored.arrays.get(extra)
        setattr(estimator, extra + "_", None if array is None else array.copy())
    return estimator


def _plain(value: Any) -> Any:
    """NumPy's numbers as Python's, for JSON."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{value!r} cannot be saved; use plain numbers and texts as parameters")
