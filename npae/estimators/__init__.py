"""The five types as estimators with the API of scikit-learn: ``fit``, ``transform``, ``inverse_transform``."""

from npae.estimators.autoencoders import (
    ConvolutionalAutoencoder,
    DeepAutoencoder,
    DenoisingAutoencoder,
    VanillaAutoencoder,
    VariationalAutoencoder,
)
from npae.estimators.base import AutoencoderEstimator

ESTIMATORS: dict[str, type[AutoencoderEstimator]] = {
    "vanilla": VanillaAutoencoder,
    "deep": DeepAutoencoder,
    "convolutional": ConvolutionalAutoencoder,
    "denoising": DenoisingAutoencoder,
    "variational": VariationalAutoencoder,
}

__all__ = [
    "ESTIMATORS",
    "AutoencoderEstimator",
    "ConvolutionalAutoencoder",
    "DeepAutoencoder",
    "DenoisingAutoencoder",
    "VanillaAutoencoder",
    "VariationalAutoencoder",
]
