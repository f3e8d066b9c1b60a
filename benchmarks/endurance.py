"""Does memory stay where it is? Long training, thousands of fits, a thousand files, each in one process.

::

    python benchmarks/endurance.py training --minutes 30 --out endurance
    python benchmarks/endurance.py fits --count 10000 --out endurance
    python benchmarks/endurance.py files --count 1000 --out endurance

Each writes ``NAME.csv``, one row a sample of the process (its resident memory, threads and open files), and
``NAME.json`` with the figures, which it prints: resident memory after the first tenth, at the end and at most, and the
slope of the line through all that was seen after the first tenth. Needs ``/proc``, and so Linux.
"""

import argparse
import csv
import gc
import json
import math
import os
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

import npae
from npae.cli.bench.machine import machine
from npae.datasets import load_digits
from npae.estimators import AutoencoderEstimator
from npae.training.trainer import Training

MIB = 2**20
WARM_UP = 0.1  # of a run: kernels are compiled, buffers allocated, the first arenas of malloc made
KINDS = {
    "vanilla": npae.VanillaAutoencoder,
    "deep": npae.DeepAutoencoder,
    "convolutional": npae.ConvolutionalAutoencoder,
    "denoising": npae.DenoisingAutoencoder,
    "variational": npae.VariationalAutoencoder,
}


@dataclass(frozen=True)
class Sample:
    """What this process holds at one moment."""

    seconds: float  # that it has run, without those in which it was stopped
    work: int  # steps, fits or files so far
    resident_mib: float
    threads: int
    open_files: int


class Process:
    """Samples of this process, at most one every ``interval`` seconds."""

    def __init__(self, interval: float) -> None:
        self.interval, self.samples, self.running = interval, list[Sample](), 0.0
        self._last = time.perf_counter()

    def look(self, work: int) -> None:
        """Add a sample. A gap of many intervals was no running time: somebody had stopped the process."""
        now = time.perf_counter()
        self.running += min(now - self._last, 3 * self.interval)
        self._last = now
        pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
        self.samples.append(
            Sample(
                round(self.running, 3),
                work,
                round(pages * os.sysconf("SC_PAGESIZE") / MIB, 3),
                threading.active_count(),
                len(os.listdir("/proc/self/fd")) - 1,  # without that of the listing itself
            )
        )

    def figures(self, unit: str) -> dict[str, Any]:
        """Of what came after the warm-up."""
        last = self.samples[-1]
        warm = [s for s in self.samples if s.work >= WARM_UP * last.work]
        seconds, resident = np.array([(s.seconds, s.resident_mib) for s in warm]).T
        work = np.array([s.work for s in warm], float)
        return {
            unit: last.work,
            "minutes": round(last.seconds / 60, 1),
            "resident_mib": {
                "after the first tenth": resident[0],
                "at the end": resident[-1],
                "at most": resident.max(),
                "per hour": round(float(np.polyfit(seconds, resident, 1)[0]) * 3600, 3),
                f"per thousand {unit}": round(float(np.polyfit(work, resident, 1)[0]) * 1000, 5),
            },
            "threads": [warm[0].threads, last.threads],
            "open_files": [warm[0].open_files, last.open_files],
        }


def training(process: Process, args: argparse.Namespace) -> str:
    """A convolutional variational model on the digits, until it has run for so many minutes."""
    model = npae.VariationalAutoencoder(
        filters=(16, 32), epochs=10**9, n_jobs=args.n_jobs, random_state=0, validation_fraction=0.1
    )
    due = 0.0

    def look(trained: Training) -> bool:
        nonlocal due
        if time.perf_counter() >= due:
            process.look(trained.network.run.step)
            due = time.perf_counter() + process.interval
        return process.running >= 60 * args.minutes

    model.fit(load_digits().train_images, callbacks=[look])
    assert math.isfinite(model.history_["loss"][-1])
    return "steps"


def fits(process: Process, args: argparse.Namespace) -> str:
    """A new tiny model of each type in turn, fitted and let go."""
    X = load_digits().train_images[:32, 10:18, 10:18]
    for i in range(args.count):
        tiny(i, args.n_jobs).fit(X)
        if (i + 1) % max(args.count // 200, 1) == 0:
            process.look(i + 1)
    return "fits"


def tiny(i: int, n_jobs: int = 1) -> AutoencoderEstimator:
    """The i-th of the tiny models: the five types in turn."""
    kind = list(KINDS)[i % len(KINDS)]
    sizes: dict[str, Any] = {"convolutional": {"filters": (2,)}, "vanilla": {}}.get(kind, {"hidden": (8,)})
    return KINDS[kind](code_size=4, batch_size=16, epochs=1, random_state=i, n_jobs=n_jobs, **sizes)


def files(process: Process, args: argparse.Namespace) -> str:
    """Models of the five types in turn, written, and read again."""
    X = load_digits().train_images[:32, 10:18, 10:18]
    models = [tiny(i).fit(X) for i in range(len(KINDS))]
    with tempfile.TemporaryDirectory() as folder:
        for i in range(args.count):
            model, path = models[i % len(models)], Path(folder, "model.safetensors")
            model.save(path)
            assert np.array_equal(npae.load(path).transform(X), model.transform(X))
            npae.load_encoder(path).transform(X)
            if (i + 1) % max(args.count // 200, 1) == 0:
                process.look(i + 1)
    return "files"


RUNS: dict[str, Callable[[Process, argparse.Namespace], str]] = {"training": training, "fits": fits, "files": files}


def main() -> int:
    """Run one of them, and write what was seen."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("run", choices=RUNS)
    parser.add_argument("--minutes", type=float, default=30, help="of training (default: 30)")
    parser.add_argument("--count", type=int, default=1000, help="of fits or files (default: 1000)")
    parser.add_argument("--n-jobs", type=int, default=None, help="threads (default: 2 for training, else 1)")
    parser.add_argument("--interval", type=float, default=5, help="seconds between two looks at a training")
    parser.add_argument("--out", default=".", help="folder for the results (default: .)")
    args = parser.parse_args()
    if args.n_jobs is None:
        args.n_jobs = 2 if args.run == "training" else 1
    process = Process(args.interval)
    unit = RUNS[args.run](process, args)
    gc.collect()
    folder = Path(args.out)
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / f"{args.run}.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(field.name for field in fields(Sample))
        writer.writerows(astuple(sample) for sample in process.samples)
    figures = {"machine": machine(args.n_jobs), **process.figures(unit)}
    (folder / f"{args.run}.json").write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures, indent=2))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
