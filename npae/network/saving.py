"""Write a built network to a safetensors file: its parameters by name, and all else as JSON beside them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from npae.network.base import Network
from npae.utils import safetensors
from npae.utils.types import Array
from npae.utils.version import __version__

FORMAT = 1


def save(
    net: Network,
    path: str | Path,
    *,
    record: Mapping[str, Any] | None = None,
    arrays: Mapping[str, Array] | None = None,
) -> None:
    """Write a built network to a model file, which is replaced atomically.

    Parameters
    ----------
    net : Autoencoder
    path : str or Path
        Usually with the suffix ``.safetensors``.
    record, arrays : mapping, optional
        Further content, as plain JSON and as arrays.

    Raises
    ------
    ValueError
        If ``net`` is no built network.

    Examples
    --------
    >>> import npae
    >>> from npae.layers import Dense
    >>> net = npae.Autoencoder([Dense(2)], [Dense(5)], loss="mse").build((5,))
    >>> npae.storage.save(net, "net.safetensors", record={"seen": "2026-01-31"})
    >>> npae.storage.read("net.safetensors").record["seen"]
    '2026-01-31'
    """
    if not isinstance(net, Network) or not hasattr(net, "arena"):
        raise ValueError(
            f"{type(net).__name__} is no built Autoencoder; call build first (estimators have a save of their own)"
        )
    parameters = {name: value for name, value, _ in net.arena.parameters()}
    write(path, net, {"network": net.config(), **(record or {})}, {**parameters, **(arrays or {})})


def write(path: str | Path, net: Network, record: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
    """Write arrays and a record, to which ``common_record`` is added."""
    safetensors.write(path, arrays, {"npae": json.dumps({**common_record(net), **record}, default=plain)})


def common_record(net: Network) -> dict[str, Any]:
    """The entries that every model file has: format, versions, shapes, and what the columns are called, if anything."""
    columns = {} if net.columns is None else {columns_key(net.columns.are_names): list(net.columns.labels)}
    return {
        **columns,
        "format": FORMAT,
        "version": __version__,
        "input_shape": net.input_shape,
        "dtype": net.arena.dtype.name,
        "seed": net.run.seed,
        "step": net.run.step,
    }


def columns_key(are_names: bool) -> str:
    """The entry of a model file that holds the names of columns, or labels that are no text."""
    return "feature_names" if are_names else "feature_labels"


def plain(value: Any) -> Any:
    """NumPy's numbers and arrays as Python's, for JSON."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    raise TypeError(f"{value!r} cannot be saved; use plain numbers and texts as parameters")
