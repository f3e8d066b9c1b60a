"""Memory and time with data beyond memory: shards of uint8, from which models are fitted and codes computed.

    python benchmarks/beyond_memory.py make FOLDER --gigabytes 2 --side 28
    python benchmarks/beyond_memory.py fit FOLDER vanilla
    python benchmarks/beyond_memory.py transform FOLDER vanilla
    python benchmarks/beyond_memory.py compress FOLDER vanilla
    python benchmarks/beyond_memory.py epochs FOLDER vanilla
    python benchmarks/beyond_memory.py sorted . deep

Memory is the highest resident set of a process of its own, less that before the call: page cache does not count, and
what the process maps does. Times are interleaved, and the median is shown.
"""

import argparse
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import numpy as np

from npae.applications import compression
from npae.datasets import ArraySource, ShardSource, load_digits
from npae.estimators import ESTIMATORS, AutoencoderEstimator
from npae.training import order
from npae.training.checkpoint import Checkpoints

MIB = 2**20
SHARD_BYTES = 2**26
SETTINGS = {"code_size": 16, "epochs": 1, "random_state": 0, "batch_size": 256}


def make(folder: Path, gigabytes: float, side: int) -> None:
    """Write shards of digits, cut to ``side`` × ``side`` pixels and brightened at random, as uint8."""
    folder.mkdir(parents=True, exist_ok=True)
    digits = load_digits().train_images
    middle = (28 - side) // 2
    digits = digits[:, middle : middle + side, middle : middle + side]
    rng = np.random.default_rng(0)
    n_shards = round(gigabytes * 1e9 / SHARD_BYTES)
    for i in range(n_shards):
        rows = rng.integers(len(digits), size=SHARD_BYTES // side**2)
        bright = rng.uniform(150, 255, (len(rows), 1, 1)).astype(np.float32)
        np.save(folder / f"shard-{i:04}.npy", (digits[rows] * bright).astype(np.uint8))


def peak() -> float:
    """The highest resident set of this process so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def added(call: Callable[[], object]) -> float:
    """MiB by which a call raises the peak of this process."""
    before = peak()
    call()
    return peak() - before


def model_of(kind: str, **settings: object) -> AutoencoderEstimator:
    return ESTIMATORS[kind](**{**SETTINGS, **settings})


def warmed(kind: str, source: ShardSource) -> AutoencoderEstimator:
    """A small model that has been fitted and used, so that kernels and libraries are there."""
    few = source.read(0, 2000).astype(np.float32) / 255
    model = model_of(kind, validation_fraction=0.1).fit(few)
    model.transform(few)
    return model


def fit(folder: Path, kind: str) -> None:
    source = ShardSource(folder, divide=255)
    warmed(kind, source)
    with tempfile.TemporaryDirectory() as run:
        model = model_of(kind, validation_fraction=0.1)
        started = time.perf_counter()
        extra = added(lambda: model.fit(source, checkpoints=Checkpoints(run)))
    print(
        f"fit {kind}: {source.nbytes / 1e9:.2f} GB of {source.shape}, {extra:.0f} MiB added, "
        f"{time.perf_counter() - started:.0f} s, loss {model.history_['loss'][-1]:.4g}"
    )


def transform(folder: Path, kind: str) -> None:
    source = ShardSource(folder, divide=255)
    model = warmed(kind, source)
    codes: list[np.ndarray] = []
    extra = added(lambda: codes.append(model.transform(source)))
    print(f"transform {kind}: {extra - codes[0].nbytes / MIB:.0f} MiB beside {codes[0].nbytes / MIB:.0f} MiB of codes")


def compress(folder: Path, kind: str) -> None:
    source = ShardSource(folder, divide=255)
    model = warmed(kind, source)
    sizes: list[int] = []
    extra = added(lambda: sizes.append(len(compression.compress(model, source, 6))))
    print(f"compress {kind}: {source.nbytes / 1e9:.2f} GB into {sizes[0]:,} bytes, {extra:.0f} MiB added")


def epochs(folder: Path, kind: str, times: int = 3) -> None:
    """An epoch over uint8 shards in the page cache, beside the same rows as float32 in memory."""
    source = ShardSource(folder, divide=255)
    X = source.read(0, len(source)).astype(np.float32) / 255
    models = {"float32 in memory": model_of(kind), "uint8 shards": model_of(kind)}
    data = {"float32 in memory": X, "uint8 shards": source}
    seconds: dict[str, list[float]] = {name: [] for name in models}
    for i in range(times + 1):
        for name, model in models.items():
            model.partial_fit(data[name])
            if i:  # the first compiles and reads
                seconds[name].append(model.history_["seconds"][-1])
    medians = {name: statistics.median(found) for name, found in seconds.items()}
    ratio = medians["uint8 shards"] / medians["float32 in memory"]
    print(f"epochs {kind}: {', '.join(f'{name} {s:.2f} s' for name, s in medians.items())}, ratio {ratio:.3f}")


def in_order(_: Path, kind: str, n_chunks: int = 24) -> None:
    """The loss of test digits after four epochs over digits sorted by label, by windows of 8 chunks and as a whole."""
    digits = load_digits()
    X = digits.train_images[np.argsort(digits.train_labels, kind="stable")]
    source = ArraySource(X)
    source.bounds = np.arange(n_chunks + 1) * len(X) // n_chunks
    with patch.object(order, "WINDOW_BYTES", 1):
        for seed in range(3):
            losses = {
                shuffle: -model_of(kind, epochs=4, random_state=seed, batch_size=128, shuffle=shuffle)
                .fit(source)
                .score(digits.test_images)
                for shuffle in ("global", "window")
            }
            ratio = losses["window"] / losses["global"]
            print(
                f"sorted {kind}, seed {seed}: " + ", ".join(f"{k} {v:.1f}" for k, v in losses.items()), f"{ratio:.3f}"
            )


CALLS = {"fit": fit, "transform": transform, "compress": compress, "epochs": epochs, "sorted": in_order}


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["make", *CALLS])
    parser.add_argument("folder", type=Path)
    parser.add_argument("kind", nargs="?", choices=list(ESTIMATORS), default="vanilla")
    parser.add_argument("--gigabytes", type=float, default=2)
    parser.add_argument("--side", type=int, default=28)
    args = parser.parse_args(arguments)
    if args.what == "make":
        make(args.folder, args.gigabytes, args.side)
    else:
        CALLS[args.what](args.folder, args.kind)


if __name__ == "__main__":
    main(sys.argv[1:])
