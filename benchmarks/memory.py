"""Does training take as much memory as was estimated before it began?

::

    python benchmarks/memory.py
    python benchmarks/memory.py --json memory.json

Each case runs in a process of its own: a small model of the type is trained first, so that compiled kernels are no part
of the figure; then the peak is reset, the model is trained for an epoch, and the peak is compared with where it began.
Needs ``/proc``, and so Linux.
"""

import argparse
import json
import subprocess
import sys
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np

from npae.cli.bench.machine import machine
from npae.estimators import ESTIMATORS
from npae.training.memory_estimate import batch_bytes_needed, parameter_bytes_needed
from npae.training.optimizers import OPTIMIZERS

MIB = 2**20

#: The type, the shape of the data, and the estimator's arguments.
CASES: list[tuple[str, tuple[int, ...], dict[str, Any]]] = [
    ("vanilla", (4096, 4096), {"code_size": 1024, "batch_size": 512}),
    ("vanilla", (2048, 20000), {"code_size": 2048, "batch_size": 256, "optimizer": "sgd"}),
    ("vanilla", (2048, 20000), {"code_size": 2048, "batch_size": 256, "dtype": "float64", "tied_weights": True}),
    ("deep", (4096, 784), {"hidden": (4096, 2048), "batch_size": 4096}),
    ("deep", (4096, 784), {"hidden": (4096, 2048), "batch_size": 4096, "n_jobs": 2, "optimizer": "rmsprop"}),
    ("convolutional", (512, 64, 64, 3), {"batch_size": 128, "validation_fraction": 0.1}),
    ("convolutional", (800, 64, 64, 3), {"batch_size": 64, "validation_fraction": 0.5}),
    ("convolutional", (512, 64, 64, 3), {"batch_size": 512, "n_jobs": 2}),
    ("convolutional", (64, 256, 256, 3), {"filters": (32, 64), "batch_size": 48, "code_size": None}),
    ("denoising", (2000, 784), {"hidden": (2048, 1024), "batch_size": 1500}),
    ("denoising", (600, 64, 64), {"filters": (32, 32), "code_size": None, "batch_size": 500, "n_jobs": 2}),
    ("variational", (4096, 2048), {"hidden": (4096,), "batch_size": 1024, "validation_fraction": 0.25}),
    ("variational", (600, 64, 64), {"filters": (32, 64), "batch_size": 600}),
]


def measure(case: int) -> dict[str, Any]:
    """Estimate and peak of one case, in this process."""
    kind, shape, arguments = CASES[case]
    dtype = arguments.get("dtype", "float32")
    X = np.random.default_rng(0).random(shape, dtype="float32").astype(dtype)
    small = {"code_size": 4, "hidden": (8,), "filters": (2,), "batch_size": 4}
    shrunk = {name: small.get(name, value) for name, value in arguments.items() if value is not None}
    if len(shape) > 2:
        shrunk.setdefault("filters", (2,)) if kind == "convolutional" else None
    model = ESTIMATORS[kind](**{**shrunk, "epochs": 1, "random_state": 0})
    model.fit(X[:16, :64] if len(shape) == 2 else X[:16, :8, :8])
    del model

    model = ESTIMATORS[kind](**{**arguments, "epochs": 1, "random_state": 0, "loss": "bce"})
    n_validation = round(len(X) * (model.validation_fraction or 0))
    n, n_jobs = len(X) - n_validation, model.n_jobs or 1
    network = model.make_network(X.shape[1:], "bce", ceil(n / model.batch_size))
    network.plan(X.shape[1:], dtype=dtype)
    parameters = parameter_bytes_needed(network, OPTIMIZERS[model.optimizer].state_names, n_jobs)
    batch = batch_bytes_needed(network, n_jobs, model.batch_size, n, n_validation)
    copies = X.nbytes if n_validation else 0  # what is set aside is copied before the estimate
    del network

    before = status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # the peak starts here
    model.fit(X)
    taken = status("VmHWM") - before - copies
    estimate = parameters + batch
    return {
        "model": kind,
        "data": "×".join(map(str, shape)),
        "arguments": ", ".join(f"{k}={v}" for k, v in arguments.items()),
        "parameters_mib": round(parameters / MIB, 1),
        "batch_mib": round(batch / MIB, 1),
        "estimate_mib": round(estimate / MIB, 1),
        "measured_mib": round(taken / MIB, 1),
        "estimate_over_measured_percent": round(100 * (estimate / taken - 1), 1),
    }


def status(name: str) -> int:
    """Bytes, from what the system says of this process."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith(name + ":"):
            return 1024 * int(line.split()[1])
    raise KeyError(name)


def main() -> int:
    """Print a line for each case."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--case", type=int, help="only this one, in this process, as JSON")
    parser.add_argument("--json", metavar="FILE", help="where to write the figures")
    args = parser.parse_args()
    if args.case is not None:
        print(json.dumps(measure(args.case)))
        return 0
    results = []
    for case in range(len(CASES)):
        run = subprocess.run(
            [sys.executable, __file__, "--case", str(case)], capture_output=True, text=True, check=True
        )
        results.append(json.loads(run.stdout))
        r = results[-1]
        print(
            f"{r['model']:14} {r['data']:16} estimate {r['estimate_mib']:8.1f} MiB, measured {r['measured_mib']:8.1f} "
            f"({r['estimate_over_measured_percent']:+.1f} %)  {r['arguments']}",
            flush=True,
        )
    if args.json:
        Path(args.json).write_text(
            json.dumps({"machine": machine(1), "cases": results}, indent=2) + "\n", encoding="utf-8"
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
