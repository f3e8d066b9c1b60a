"""Data and models that are small enough to train in a test."""

from collections.abc import Callable
from typing import Any

import numpy as np

import npae
from npae.estimators import AutoencoderEstimator
from npae.utils.types import Array

QUICK: dict[str, Any] = {"epochs": 2, "batch_size": 8, "random_state": 0}


def samples(n: int, *shape: int, seed: int = 0, factors: int = 3) -> Array:
    """Float32 samples (n, *shape) between 0 and 1 that depend on few factors, so that a small code can hold them."""
    generator = np.random.default_rng(seed)
    mixing = np.random.default_rng(99).standard_normal((factors, int(np.prod(shape))))
    logits = generator.standard_normal((n, factors)) @ mixing
    return (1 / (1 + np.exp(-2 * logits))).reshape(n, *shape).astype("float32")


#: One small estimator of each type, and the shape of the samples it is given here.
TYPES: dict[str, tuple[Callable[..., AutoencoderEstimator], tuple[int, ...]]] = {
    "vanilla": (lambda **p: npae.VanillaAutoencoder(**{"code_size": 4, **QUICK, **p}), (12,)),
    "deep": (lambda **p: npae.DeepAutoencoder(**{"hidden": (9, 6), "code_size": 4, **QUICK, **p}), (12,)),
    "convolutional": (
        lambda **p: npae.ConvolutionalAutoencoder(**{"filters": (3, 5), "code_size": 4, **QUICK, **p}),
        (7, 6, 3),
    ),
    "denoising": (lambda **p: npae.DenoisingAutoencoder(**{"hidden": (9,), "code_size": 4, **QUICK, **p}), (4, 3)),
    "variational": (lambda **p: npae.VariationalAutoencoder(**{"hidden": (9,), "code_size": 4, **QUICK, **p}), (12,)),
}


def unfitted(kind: str, **parameters: Any) -> AutoencoderEstimator:
    """A small estimator of the type ``kind``."""
    make, _ = TYPES[kind]
    return make(**parameters)


def data_for(kind: str, n: int = 24, seed: int = 0) -> Array:
    """Samples of the shape that the tests give the type ``kind``."""
    _, shape = TYPES[kind]
    return samples(n, *shape, seed=seed)


def fitted(kind: str, **parameters: Any) -> AutoencoderEstimator:
    """A small estimator of the type ``kind``, trained for two epochs."""
    return unfitted(kind, **parameters).fit(data_for(kind))
