"""Random layers and models with right gradients, on which the checker must raise no false alarm."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from npae.layers import (
    ActivityL1,
    AveragePool2D,
    Chain,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GaussianNoise,
    LeakyReLU,
    MaskingNoise,
    MaxPool2D,
    ReLU,
    Reparameterization,
    Reshape,
    SaltAndPepperNoise,
    Sigmoid,
    Softplus,
    Tanh,
    TiedDense,
    UpSample2D,
)
from npae.network.recipes import RECIPES
from npae.utils.types import Array, Shape


@dataclass(frozen=True)
class Configuration:
    """A layer and the shape of its samples, or a network and a batch."""

    name: str
    subject: Any
    shape: Shape
    x: Array | None = None  # given for a network


def _pair(rng: np.random.Generator, low: int, high: int) -> tuple[int, int]:
    return int(rng.integers(low, high)), int(rng.integers(low, high))


def _border(rng: np.random.Generator, size: tuple[int, int]) -> Any:
    uneven = tuple((int(rng.integers(k)), int(rng.integers(k))) for k in size)
    return ("same", uneven, "valid")[rng.integers(3)]


def _convolution(rng: np.random.Generator) -> Any:
    size = _pair(rng, 1, 4)
    return Conv2D(int(rng.integers(1, 4)), size, stride=_pair(rng, 1, 4), padding=_border(rng, size))


def _pooling(kind: Any) -> Callable[[np.random.Generator], Any]:
    def make(rng: np.random.Generator) -> Any:
        size = _pair(rng, 2, 4)
        return kind(size, stride=_pair(rng, 1, 4), padding=_border(rng, size))

    return make


def _chain(rng: np.random.Generator) -> Any:
    between = (ReLU, Tanh, Softplus)[rng.integers(3)]
    return Chain([Conv2D(2), between(), MaxPool2D(), UpSample2D(), Conv2D(1), Flatten(), Dense(2)])


FLAT: dict[str, Callable[[np.random.Generator], Any]] = {
    "dense": lambda rng: Dense(int(rng.integers(1, 7))),
    "tied": lambda rng: Chain([Dense(int(rng.integers(2, 6))), Sigmoid(), TiedDense("chain.0")]),
    "variational": lambda rng: Reparameterization(int(rng.integers(1, 5)), beta=float(rng.uniform(0.2, 4))),
    "dropout": lambda rng: Dropout(float(rng.uniform(0.1, 0.6))),
    "masking": lambda rng: MaskingNoise(float(rng.uniform(0.1, 0.6))),
}
IMAGES: dict[str, Callable[[np.random.Generator], Any]] = {
    "convolution": _convolution,
    "max-pool": _pooling(MaxPool2D),
    "average-pool": _pooling(AveragePool2D),
    "nearest": lambda rng: UpSample2D(_pair(rng, 1, 4)),
    "bilinear": lambda rng: UpSample2D(_pair(rng, 1, 4), mode="bilinear"),
    "relu": lambda rng: ReLU(),
    "leaky relu": lambda rng: LeakyReLU(float(rng.uniform(0.01, 0.5))),
    "sigmoid": lambda rng: Sigmoid(),
    "tanh": lambda rng: Tanh(),
    "softplus": lambda rng: Softplus(),
    "flatten": lambda rng: Flatten(),
    "reshape": lambda rng: Reshape(()),  # draw replaces it, since its shape depends on the image's
    "gaussian": lambda rng: GaussianNoise(float(rng.uniform(0.1, 1)), clip=((-1, 1), None)[rng.integers(2)]),
    "salt and pepper": lambda rng: SaltAndPepperNoise(float(rng.uniform(0.1, 0.6))),
    "sparse": lambda rng: ActivityL1(float(rng.uniform(0.1, 3))),
    "chain": _chain,
}


def _model(name: str, rng: np.random.Generator) -> Configuration:
    """One of the five autoencoders, small, with random options."""
    convolutional = name == "convolutional" or (name != "deep" and name != "vanilla" and rng.random() < 0.4)
    shape: Shape = (*_pair(rng, 4, 6), int(rng.integers(1, 3))) if convolutional else (int(rng.integers(5, 12)),)
    options: dict[str, Any] = {
        "code_size": int(rng.integers(2, 5)),
        "activation": ("relu", "tanh", "leaky_relu", "softplus")[rng.integers(4)],
        "loss": ("bce", "mse")[rng.integers(2)],
        "weight_decay": float(rng.choice([0.0, 0.3])),
        "activity_l1": float(rng.choice([0.0, 0.2])),
    }
    if name in ("vanilla", "deep"):
        options["tied_weights"] = bool(rng.integers(2))
    if convolutional:
        options["filters"] = (2,)
    elif name != "vanilla":
        options["hidden"] = (6, 4)
    if name == "denoising":
        options["noise"] = ("gaussian", "masking", "salt_and_pepper")[rng.integers(3)]
    if name == "variational":
        options["beta"] = float(rng.uniform(0.2, 4))
    return Configuration(name, RECIPES[name](shape, **options), shape, rng.random((3, *shape)))


def draw(number: int) -> Configuration:
    """Configuration number ``number``: all layers and models in turn, with random sizes and options."""
    rng = np.random.default_rng([number, 4])
    names = [*FLAT, *IMAGES, *RECIPES]
    name = names[number % len(names)]
    if name in RECIPES:
        return _model(name, rng)
    shape: Shape = (int(rng.integers(3, 9)),) if name in FLAT else (*_pair(rng, 3, 7), int(rng.integers(1, 4)))
    layer = {**FLAT, **IMAGES}[name](rng)
    return Configuration(name, Reshape((shape[2], shape[0] * shape[1])) if name == "reshape" else layer, shape)
