"""Demonstration: train five autoencoders on digits and compare them with PCA."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from npae.applications.pca import PCA
from npae.datasets import Digits, load_digits
from npae.estimators import (
    AutoencoderEstimator,
    ConvolutionalAutoencoder,
    DeepAutoencoder,
    DenoisingAutoencoder,
    VanillaAutoencoder,
    VariationalAutoencoder,
)
from npae.utils.randomness import generator
from npae.utils.types import Array

NOISE_LEVEL = 0.3
#: Always two threads, since results depend on the number of threads.
COMMON: dict[str, Any] = {"batch_size": 50, "random_state": 0, "n_jobs": 2}


def models() -> dict[str, AutoencoderEstimator]:
    """The five models, sized so that all train in about half a minute."""
    return {
        "vanilla": VanillaAutoencoder(code_size=32, activation="linear", epochs=20, **COMMON),
        "deep": DeepAutoencoder(code_size=32, hidden=(256, 128), epochs=20, **COMMON),
        "convolutional": ConvolutionalAutoencoder(code_size=32, filters=(16, 32), epochs=10, **COMMON),
        "denoising": DenoisingAutoencoder(code_size=32, hidden=(512,), noise_level=NOISE_LEVEL, epochs=30, **COMMON),
        "variational": VariationalAutoencoder(code_size=16, hidden=(512,), epochs=20, **COMMON),
    }


def map_model() -> VariationalAutoencoder:
    """A variational model with a code of two values, which can be drawn as a plane."""
    return VariationalAutoencoder(code_size=2, hidden=(256,), epochs=40, **COMMON)


@dataclass
class Result:
    """One trained type and how it compares with PCA at its code size, on the test digits."""

    name: str
    model: AutoencoderEstimator
    seconds: float
    loss: float  # mean over the test digits, in nats
    error: float  # mean squared error per pixel
    pca_error: float
    restored_error: float  # of noisy digits, against the clean ones
    pca_restored_error: float

    @property
    def parameters(self) -> int:
        return self.model.network_.arena.parameter_count()

    @property
    def code_size(self) -> int:
        return self.model.network_.code_shape[0]


@dataclass
class Demonstration:
    """Everything that the table and the report show."""

    digits: Digits
    noisy: Array  # the test digits with noise, (n, 28, 28)
    pca: PCA
    results: list[Result]
    map_model: VariationalAutoencoder


def demonstrate(announce: Callable[[str], None], *, verbose: bool = False) -> Demonstration:
    """Train all models on the embedded digits.

    Parameters
    ----------
    announce : callable
        Called with a line of text before each training.
    verbose : bool, default False
        Show a progress bar for each.
    """
    digits = load_digits()
    pca = PCA(digits.train_images, code_size=64)
    noisy = add_noise(digits.test_images)
    results = []
    for name, model in models().items():
        announce(f"training {name}: {model}")
        model.set_params(verbose=verbose)
        started = time.perf_counter()
        model.fit(digits.train_images)
        seconds = time.perf_counter() - started
        results.append(compare(name, model, seconds, pca, digits.test_images, noisy))
    plane = map_model()
    announce(f"training a map of the digits: {plane}")
    plane.set_params(verbose=verbose).fit(digits.train_images)
    return Demonstration(digits, noisy, pca, results, plane)


def add_noise(images: Array) -> Array:
    """Images with Gaussian noise of σ = ``NOISE_LEVEL``, clipped to [0, 1]; the seed is fixed."""
    noise = generator(0, "demo noise").standard_normal(images.shape)
    return np.clip(images + NOISE_LEVEL * noise, 0, 1).astype(images.dtype)


def compare(name: str, model: AutoencoderEstimator, seconds: float, pca: PCA, clean: Array, noisy: Array) -> Result:
    """Measure a trained model, and PCA with the same code size."""
    (code_size,) = model.network_.code_shape
    return Result(
        name=name,
        model=model,
        seconds=seconds,
        loss=-model.score(clean),
        error=squared_error(model.reconstruct(clean), clean),
        pca_error=squared_error(pca.reconstruct(clean, code_size), clean),
        restored_error=squared_error(model.reconstruct(noisy), clean),
        pca_restored_error=squared_error(pca.reconstruct(noisy, code_size), clean),
    )


def squared_error(a: Array, b: Array) -> float:
    """Mean over all samples and pixels."""
    return float(np.square(a - b, dtype=np.float64).mean())


COLUMNS = ("type", "parameters", "code", "seconds", "test loss", "MSE", "PCA's MSE")
FORMATS = {"seconds": ".1f", "test loss": ".1f"}


def row(result: Result) -> tuple[str | float, ...]:
    """One row of the table: test loss in nats per image, and mean squared error per pixel beside that of PCA."""
    return (
        result.name,
        result.parameters,
        result.code_size,
        result.seconds,
        result.loss,
        result.error,
        result.pca_error,
    )


def restored(demonstration: Demonstration) -> str:
    """What the denoising model makes of noisy digits, in one sentence."""
    denoising = next(r for r in demonstration.results if r.name == "denoising")
    return (
        f"noisy digits (σ = {NOISE_LEVEL}) restored by the denoising model: MSE {denoising.restored_error:.4f}; "
        f"by PCA at code size {denoising.code_size}: {denoising.pca_restored_error:.4f}"
    )
