"""The five models that are compared, with their batch sizes and training images."""

from typing import Any

import numpy as np

from npae.datasets import load_digits
from npae.estimators import ESTIMATORS, AutoencoderEstimator
from npae.utils.types import Array

#: Arguments of the estimator of the same name; the models in other libraries copy it.
MODELS: dict[str, dict[str, Any]] = {
    "vanilla": {"code_size": 32, "batch_size": 256},
    "deep": {"hidden": (128, 64), "code_size": 32, "batch_size": 256},
    "convolutional": {"filters": (16, 32), "code_size": None, "batch_size": 128},
    "denoising": {"filters": (32, 32), "code_size": None, "noise_level": 0.5, "batch_size": 128},
    "variational": {"hidden": (512,), "code_size": 16, "batch_size": 128},
}


def new_model(name: str, n_jobs: int = 1, **changes: Any) -> AutoencoderEstimator:
    """The estimator of that name, unfitted: Adam with learning rate 1e-3, cross-entropy on logits, float32."""
    return ESTIMATORS[name](**(MODELS[name] | changes), loss="bce", random_state=0, n_jobs=n_jobs)


def is_convolutional(model: AutoencoderEstimator) -> bool:
    """Whether it takes images rather than rows of numbers."""
    return getattr(model, "filters", None) is not None


def noise_level(model: AutoencoderEstimator) -> float:
    """Standard deviation of the Gaussian noise on its input; 0 where there is none."""
    return float(getattr(model, "noise_level", 0.0))


def is_variational(model: AutoencoderEstimator) -> bool:
    """Whether its code is a distribution."""
    return hasattr(model, "beta")


def hidden_units(model: AutoencoderEstimator) -> tuple[int, ...]:
    """Units of a dense encoder's hidden layers."""
    return tuple(getattr(model, "hidden", ()))


def steps_of(name: str, n_images: int) -> int:
    """Training steps in an epoch."""
    return int(-(-n_images // MODELS[name]["batch_size"]))


def images_for(name: str, n: int, side: int = 28, *, inverted: bool = False) -> Array:
    """The embedded digits, repeated up to ``n`` images: (n, 28, 28) for a convolutional model, else (n, 784).

    For another ``side`` each image is cropped, or tiled with copies of itself. With ``inverted`` they are 1 − 0.9 x of
    the digits x: data without zeros, which nothing can skip.
    """
    digits = load_digits().train_images[:n]
    if inverted:
        digits = 1 - np.float32(0.9) * digits
    if side != 28:
        cells = np.arange(side) % 28
        digits = digits[:, cells[:, None], cells]
    images = np.empty((n, side, side), dtype=np.float32)
    for start in range(0, n, len(digits)):
        images[start : start + len(digits)] = digits[: n - start]
    return images if is_convolutional(new_model(name)) else images.reshape(n, -1)
