"""Does npae learn as well as the same models do in PyTorch?

Trains the five types on all images of a folder, MNIST or one built like it, and prints what they lose on its test
images::

    python benchmarks/quality.py FOLDER
    python benchmarks/quality.py FOLDER --peer torch
    python benchmarks/quality.py FOLDER --peer torch --models vanilla,deep --epochs 3

FOLDER holds ``train-images-idx3-ubyte`` and ``t10k-images-idx3-ubyte``, plain or as ``.gz``. ``--peer torch`` trains
every model in PyTorch too; the exit code is 1 if npae ends more than 3 % above it. On a busy machine set
``OMP_NUM_THREADS=1``: threads that wait for one another cost PyTorch more than they gain.

Both sides have the same layers, batch size, epochs and seed 0, float32 and Adam with a learning rate of 1e-3; each
starts from its own default initialisation. The loss is the binary cross-entropy in nats, summed over an image's
pixels and averaged over the test images. Two models need a word on how they are tested:

denoising
    The test images are noisy, with noise drawn once for both sides; their targets are clean.
variational
    The loss is the negative evidence lower bound: cross-entropy at a z drawn from the code's distribution, plus KL.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from npae import (
    ConvolutionalAutoencoder,
    DeepAutoencoder,
    DenoisingAutoencoder,
    VanillaAutoencoder,
    VariationalAutoencoder,
)
from npae.datasets import read
from npae.utils.types import Array

try:
    import torch

    from npae.cli.bench.peers import torch_twins
except ImportError:  # only the peer needs it
    torch = None

SEED = 0
NOISE = 0.5  # standard deviation
WORST_RATIO = 1.03
COMMON: dict[str, Any] = {"loss": "bce", "random_state": SEED}
ESTIMATORS: dict[str, Any] = {
    "vanilla": VanillaAutoencoder(code_size=32, batch_size=256, **COMMON),
    "deep": DeepAutoencoder(hidden=(128, 64), code_size=32, batch_size=256, **COMMON),
    "convolutional": ConvolutionalAutoencoder(filters=(16, 32), code_size=None, batch_size=128, **COMMON),
    "denoising": DenoisingAutoencoder(filters=(32, 32), noise_level=NOISE, code_size=None, batch_size=128, **COMMON),
    "variational": VariationalAutoencoder(hidden=(400,), code_size=20, batch_size=128, **COMMON),
}


@dataclass
class Task:
    """A model and its images: (n, height, width) if it is convolutional, otherwise (n, features)."""

    model: Any
    train: Array
    test: Array

    def __post_init__(self) -> None:
        self.convolutional = getattr(self.model, "filters", None) is not None
        self.denoising = isinstance(self.model, DenoisingAutoencoder)
        self.variational = isinstance(self.model, VariationalAutoencoder)
        self.pixels = prod(self.train.shape[1:])
        if not self.convolutional:
            self.train, self.test = (x.reshape(len(x), -1) for x in (self.train, self.test))
        self.test_input = self.test
        if self.denoising:
            noise = np.random.default_rng(SEED).standard_normal(self.test.shape, dtype=np.float32)
            self.test_input = np.clip(self.test + NOISE * noise, 0, 1)


def read_images(folder: Path, part: str) -> Array:
    """(n, height, width) in [0, 1]."""
    path = folder / f"{part}-images-idx3-ubyte"
    return read(path if path.exists() else f"{path}.gz")


# Both sides: train without end, and yield the test loss after each epoch.


def train_npae(task: Task) -> Iterator[float]:
    while True:
        net = task.model.partial_fit(task.train).network_
        net.run.training = task.variational  # draws z, where losses() would take its mean
        losses = net.losses(task.test_input, task.test)
        net.run.training = False
        yield float(losses.mean(dtype=np.float64))


def train_torch(task: Task) -> Iterator[float]:
    torch.manual_seed(SEED)
    net = torch_twins.network(task.model, task.pixels)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    train, test_input, test = map(torch_twins.as_tensor, (task.train, task.test_input, task.test))
    batch_size = task.model.batch_size
    while True:
        for chosen in torch.randperm(len(train)).split(batch_size):
            x = train[chosen]
            x_noisy = torch_twins.noisy(x, NOISE if task.denoising else 0.0)
            optimizer.zero_grad()
            torch_twins.losses(net, x_noisy, x, task.variational).mean().backward()
            optimizer.step()
        with torch.no_grad():
            batches = zip(test_input.split(batch_size), test.split(batch_size), strict=True)
            losses = torch.cat([torch_twins.losses(net, *batch, task.variational) for batch in batches])
        yield losses.double().mean().item()


# The table


def losses_by_epoch(title: str, learner: Iterator[float], epochs: int) -> dict[int, float]:
    losses = {}
    for epoch, loss in zip(range(1, epochs + 1), learner, strict=False):
        losses[epoch] = loss
        print(f"{title}, epoch {epoch} of {epochs}: {loss:.2f}", file=sys.stderr, flush=True)
    return losses


def print_header(sides: dict[str, Any]) -> None:
    columns = "".join(f"{side:>9}{'per pixel':>11}" for side in sides)
    print(f"{'model':<14}{'batch':>6}{'epoch':>6}{columns}{'  npae/torch' if len(sides) == 2 else ''}", flush=True)


def print_model(name: str, task: Task, epochs: list[int], sides: dict[str, Any]) -> float:
    """Train on all sides and print the rows; returns npae's last loss in units of its peer's, 1 where it has none."""
    losses = [losses_by_epoch(f"{name}, {side}", train(task), epochs[-1]) for side, train in sides.items()]
    for epoch in epochs:
        columns = "".join(f"{side[epoch]:9.1f}{side[epoch] / task.pixels:11.4f}" for side in losses)
        ratio = losses[0][epoch] / losses[-1][epoch]
        ratio_column = f"{ratio:12.3f}" if len(sides) == 2 else ""
        print(f"{name:<14}{task.model.batch_size:6}{epoch:6}{columns}{ratio_column}", flush=True)
    return ratio


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train the five types on a folder of idx files; print test losses.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--peer", choices=["torch"], help="train the same models there too")
    parser.add_argument("--models", type=lambda s: s.split(","), default=list(ESTIMATORS), metavar="NAME,NAME,...")
    parser.add_argument("--epochs", type=int, help="default: 10, and 3 for convolutional networks")
    options = parser.parse_args()
    if unknown := set(options.models) - set(ESTIMATORS):
        parser.error(f"unknown models {', '.join(sorted(unknown))}; expected some of {', '.join(ESTIMATORS)}")
    if options.epochs is not None and options.epochs < 1:
        parser.error(f"--epochs is {options.epochs}; expected at least 1")
    if options.peer and torch is None:
        parser.error("--peer torch needs PyTorch; install it: pip install torch")
    return options


def main() -> int:
    options = parse_arguments()
    sides = {"npae": train_npae} | ({"torch": train_torch} if options.peer else {})
    train, test = read_images(options.folder, "train"), read_images(options.folder, "t10k")
    print_header(sides)
    good = True
    for name in options.models:
        task = Task(ESTIMATORS[name], train, test)
        last = options.epochs or (3 if task.convolutional else 10)
        good &= print_model(name, task, sorted({1, min(3, last), last}), sides) <= WORST_RATIO
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
