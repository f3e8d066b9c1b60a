"""Five autoencoders, written by hand in NumPy and Numba: to train, to use and to understand.

Importing npae does not import numba: that happens when a network is first built.
"""

from npae.autoencoder import Autoencoder
from npae.checkpoint import Checkpoints
from npae.encoder import load_encoder
from npae.estimators import (
    ConvolutionalAutoencoder,
    DeepAutoencoder,
    DenoisingAutoencoder,
    VanillaAutoencoder,
    VariationalAutoencoder,
)
from npae.models import load
from npae.version import __version__

__all__ = [
    "Autoencoder",
    "Checkpoints",
    "ConvolutionalAutoencoder",
    "DeepAutoencoder",
    "DenoisingAutoencoder",
    "VanillaAutoencoder",
    "VariationalAutoencoder",
    "__version__",
    "load",
    "load_encoder",
]
