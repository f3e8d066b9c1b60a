"""Five autoencoders, written by hand in NumPy and Numba: to train, to use and to understand.

Importing npae does not import numba: that happens when a network is first built.
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from npae.applications import embed
from npae.estimators import (
    ConvolutionalAutoencoder,
    DeepAutoencoder,
    DenoisingAutoencoder,
    VanillaAutoencoder,
    VariationalAutoencoder,
)
from npae.estimators.load import load
from npae.layers import losses
from npae.network import recipes
from npae.network.autoencoder import Autoencoder
from npae.storage import import_weights as foreign
from npae.storage.encoder import load_encoder
from npae.training import Checkpoints, optimizers, schedules
from npae.utils import errors
from npae.utils.version import __version__

if TYPE_CHECKING:
    from npae import gradcheck as gradcheck
    from npae import learn as learn
    from npae.applications.explore import explore

# Modules with a short public name, so that npae.recipes can be imported as well as npae.network.recipes. That of embed
# imports nothing that npae does not, least of all Dask; imported when it is first used, `import npae.embed` would fail.
for _name, _module in {
    "embed": embed,
    "errors": errors,
    "foreign": foreign,
    "losses": losses,
    "optimizers": optimizers,
    "recipes": recipes,
    "schedules": schedules,
}.items():
    sys.modules[f"npae.{_name}"] = _module
del _name, _module

__all__ = [
    "Autoencoder",
    "Checkpoints",
    "ConvolutionalAutoencoder",
    "DeepAutoencoder",
    "DenoisingAutoencoder",
    "VanillaAutoencoder",
    "VariationalAutoencoder",
    "__version__",
    "explore",
    "load",
    "load_encoder",
]


if not TYPE_CHECKING:  # type checkers would take every attribute for defined

    def __getattr__(name: str) -> Any:
        """``explore``, ``gradcheck`` and ``learn``, whose modules are imported when they are first used."""
        if name == "explore":
            from npae.applications.explore import explore

            return explore
        if name in ("gradcheck", "learn"):
            return import_module(f"npae.{name}")
        raise AttributeError(f"module 'npae' has no attribute {name!r}")
