"""Models that one processor has trained, on another: the five types, saved there, loaded and trained again here.

``python benchmarks/exchange.py make FOLDER`` on one machine, and ``python benchmarks/exchange.py compare FOLDER`` on
the other, with the same folder.
"""

import argparse
import platform
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import npae
from npae.datasets import load_digits
from npae.estimators import AutoencoderEstimator
from npae.utils.types import Array

TYPES: dict[str, type[AutoencoderEstimator]] = {
    "vanilla": npae.VanillaAutoencoder,
    "deep": npae.DeepAutoencoder,
    "convolutional": npae.ConvolutionalAutoencoder,
    "denoising": npae.DenoisingAutoencoder,
    "variational": npae.VariationalAutoencoder,
}
TRAINED, ENCODED = 96, 40  # digits


def trained(kind: str, n_jobs: int) -> AutoencoderEstimator:
    """Three epochs of three steps."""
    model = TYPES[kind](code_size=8, epochs=3, batch_size=32, random_state=0, n_jobs=n_jobs)
    return model.fit(load_digits().train_images[:TRAINED])


def results(model: AutoencoderEstimator) -> dict[str, Array]:
    """Codes and reconstructions of test digits, and the losses of training."""
    codes = model.transform(load_digits().test_images[:ENCODED])
    losses = np.array(model.history_["loss"])
    return {"codes": codes, "reconstructions": model.inverse_transform(codes), "losses": losses}


def make(folder: Path) -> None:
    """Train and save."""
    folder.mkdir(parents=True, exist_ok=True)
    for kind, n_jobs in runs():
        model = trained(kind, n_jobs)
        model.save(folder / f"{kind}-{n_jobs}")
        np.savez(folder / f"{kind}-{n_jobs}.npz", **results(model))  # type: ignore[arg-type]
        print(f"{platform.machine()}: {kind}, n_jobs={n_jobs}, saved", flush=True)


def compare(folder: Path) -> None:
    """Print the largest difference, relative to the largest number, of each result."""
    columns = ("codes", "reconstructions", "codes of the encoder alone", "codes trained here", "losses here")
    print("type, n_jobs", *columns, sep=" | ")
    for kind, n_jobs in runs():
        there = np.load(folder / f"{kind}-{n_jobs}.npz")
        loaded, again = results(npae.load(folder / f"{kind}-{n_jobs}")), results(trained(kind, n_jobs))
        encoder = npae.load_encoder(folder / f"{kind}-{n_jobs}")
        alone = encoder.transform(load_digits().test_images[:ENCODED])
        found = (
            *(apart(loaded[name], there[name]) for name in ("codes", "reconstructions")),
            apart(alone, there["codes"]),
            *(apart(again[name], there[name]) for name in ("codes", "losses")),
        )
        print(f"{kind}, {n_jobs}", *(f"{difference:.1e}" for difference in found), sep=" | ", flush=True)


def runs() -> Iterator[tuple[str, int]]:
    """Each type, on one thread and on two."""
    return ((kind, n_jobs) for kind in TYPES for n_jobs in (1, 2))


def apart(a: Array, b: Array) -> float:
    return float(np.abs(a - b).max() / np.abs(b).max())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=["make", "compare"])
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    (make if given.what == "make" else compare)(given.folder)
