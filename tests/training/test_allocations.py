"""A training step allocates at most 64 KiB at once: what is larger is planned with the network and allocated before.

Measured over the third epoch, in which every size of batch has been met before, with the callbacks of two epochs as
its ends.
"""

import threading
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import pytest
from helpers.allocations import LARGEST, noted_allocations
from helpers.small_models import samples

import npae
from npae.estimators import AutoencoderEstimator
from npae.kernels.jit import jit
from npae.layers import Dense, Layer
from npae.training.trainer import Training
from npae.utils.types import Array, Shape

pytestmark = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="plain NumPy allocates the result of each operation")

LIMIT = 2**16  # bytes
BATCH, ROWS = 40, 100  # so that an epoch has two sizes of batches

#: Models of each type that take more than LIMIT for a batch of samples, and the shape of a sample.
MODELS: dict[str, tuple[type[AutoencoderEstimator], dict[str, Any], Shape]] = {
    "vanilla": (npae.VanillaAutoencoder, {"code_size": 32}, (784,)),
    "deep": (npae.DeepAutoencoder, {"hidden": (64,)}, (784,)),
    "convolutional": (npae.ConvolutionalAutoencoder, {"filters": (16, 32)}, (28, 28)),
    "denoising": (npae.DenoisingAutoencoder, {"hidden": (64,), "noise": "gaussian"}, (784,)),
    "denoising by convolutions": (npae.DenoisingAutoencoder, {"filters": (6, 16), "noise": "masking"}, (28, 28)),
    "variational": (npae.VariationalAutoencoder, {"hidden": (64,)}, (784,)),
    "conditional": (npae.VariationalAutoencoder, {"hidden": (64,), "conditional": True}, (784,)),
}
#: What is on for each dtype.
OPTIONS: dict[str, dict[str, Any]] = {
    "float32": {"optimizer": "adam", "clip_norm": 0.1},
    "float64": {"optimizer": "sgd", "learning_rate": 1e-5, "schedule": "cosine", "weight_decay": 1e-4},
}


def largest_of_third_epoch(train: Callable[[Callable[[Training], None]], Any]) -> int:
    """The largest allocation of the third epoch of a training that is given this callback; in bytes."""
    found: list[int] = []
    with noted_allocations() as noted:

        def at_the_end_of_an_epoch(training: Training) -> None:
            found.append(int(noted[LARGEST]))
            noted[LARGEST] = 0

        train(at_the_end_of_an_epoch)
    return found[2]


def largest_of(model: AutoencoderEstimator, x: Array) -> int:
    labels = np.arange(len(x)) % 3
    return largest_of_third_epoch(lambda callback: model.fit(x, labels, callbacks=[callback]))


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("dtype", OPTIONS)
@pytest.mark.parametrize("kind", MODELS)
def test_a_step_allocates_little(kind: str, dtype: str, n_jobs: int) -> None:
    make, parameters, shape = MODELS[kind]
    given = {"epochs": 3, "batch_size": BATCH, "random_state": 0, "dtype": dtype, "n_jobs": n_jobs}
    model = make(**given, **parameters, **OPTIONS[dtype])
    assert 0 < largest_of(model, samples(ROWS, *shape).astype(dtype)) <= LIMIT


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        (npae.VanillaAutoencoder(code_size=2, epochs=3, batch_size=1), (150, 150)),
        (npae.ConvolutionalAutoencoder(filters=(6, 20), code_size=2, epochs=3, batch_size=1), (5000,)),
        (npae.ConvolutionalAutoencoder(filters=(20,), kernel_size=5, epochs=3, batch_size=1), (24, 256, 1)),
    ],
    ids=["many outputs", "a long signal", "a wide image"],
)
def test_a_step_of_wide_samples_allocates_little(model: AutoencoderEstimator, shape: Shape) -> None:
    x = samples(2, *shape)
    x[x < 0.6] = 0  # zeros are listed
    assert 0 < largest_of(model, x) <= LIMIT


# What is seen


class Allocating(Layer):
    """Passes its input on and allocates in every step."""

    def plan(self, input_shape: Shape, arena: Any) -> Shape:
        return input_shape

    def forward(self, x: Array) -> Array:
        np.empty(20_000)
        return x

    def backward(self, dy: Array) -> Array:
        return dy


@jit
def allocating(size: int) -> float:
    """The sum of as many zeros as it allocates."""
    total: float = np.zeros(size).sum()
    return total


def test_an_allocation_of_a_layer_is_seen() -> None:
    net = npae.Autoencoder([Allocating(), Dense(2)], [Dense(5)], loss="mse").build((5,))
    training = Training(net, npae.optimizers.SGD(0.01))
    x = samples(30, 5)
    assert 160_000 <= largest_of_third_epoch(lambda callback: training.fit(x, 3, callbacks=[callback])) < 170_000


def test_an_allocation_of_compiled_code_in_another_thread_is_seen() -> None:
    with noted_allocations() as noted:
        thread = threading.Thread(target=allocating, args=(20_000,))
        thread.start()
        thread.join(60)
        assert not thread.is_alive()
        found = int(noted[LARGEST])
    assert 160_000 <= found < 170_000
