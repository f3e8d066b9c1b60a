"""``npae.load``: read an estimator or a network from a model file."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from npae.estimators import ESTIMATORS
from npae.layers.base import Layer
from npae.storage import model_file


def load(path: str | Path, layers: Iterable[type[Layer]] = ()) -> Any:
    """Load a saved estimator, or an ``Autoencoder`` if the file has a network only.

    Parameters
    ----------
    path : str or Path
    layers : iterable of Layer classes
        Your own layer classes, if the network has any.

    Returns
    -------
    estimator or Autoencoder
        As ``save`` wrote it, ready to use.

    Raises
    ------
    FileNotFoundError
    FileFormatError
        If the file is truncated, damaged, or no npae model.

    Examples
    --------
    >>> import numpy as np
    >>> import npae
    >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
    >>> npae.VanillaAutoencoder(code_size=2, epochs=1, random_state=0).fit(X).save("model.safetensors")
    >>> npae.load("model.safetensors").transform(X).shape
    (256, 2)
    """
    stored = model_file.read(path)
    with stored.errors_as_file_errors():
        if stored.record.get("part") == "encoder":
            raise ValueError("it is an encoder alone; use npae.load_encoder")
        if "estimator" not in stored.record:
            return stored.network(layers)
        name = stored.record["estimator"]
        known = {cls.__name__: cls for cls in ESTIMATORS.values()}
        if name not in known:
            raise ValueError(f"unknown estimator {name!r}")
        return known[name].from_stored(stored, layers)
