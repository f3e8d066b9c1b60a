"""Start-up time and peak memory, each measured in a new process."""

import tempfile
import time
from collections.abc import Mapping
from typing import Any, TypedDict

from npae.cli.bench.models import MODELS
from npae.cli.bench.process import WorkerError, WorkerProcess

#: Environment variables that name the folder in which a library keeps what it has compiled.
CACHES = ("NUMBA_CACHE_DIR", "TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR")


class Start(TypedDict, total=False):
    """Seconds from process start to the first finished step; ``cold`` has an empty cache of compiled kernels."""

    warm: float
    cold: float
    error: str


class Peak(TypedDict, total=False):
    """Largest resident size, in bytes."""

    bytes: int
    error: str


def first_step(
    name: str, model: str, threads: int, *, with_cold: bool, environment: Mapping[str, str] | None = None
) -> Start:
    """Measure the seconds from the start of a worker to its first finished step."""
    given = dict(environment or {})
    try:
        start: Start = {}
        if with_cold:
            with tempfile.TemporaryDirectory() as folder:
                start["cold"] = seconds_to_first_step(name, model, threads, given | kept_in(folder))
        seconds_to_first_step(name, model, threads, given)  # not counted: fills all caches
        start["warm"] = min(seconds_to_first_step(name, model, threads, given) for _ in range(3))
    except WorkerError as error:
        return {"error": str(error)}
    return start


def kept_in(folder: str) -> dict[str, str]:
    """Environment variables with which every library keeps what it compiles in a folder, and nowhere else."""
    return dict.fromkeys(CACHES, folder)


def seconds_to_first_step(name: str, model: str, threads: int, environment: Mapping[str, str]) -> float:
    """Start a worker and train a batch of the model; the seconds that both took.

    Raises
    ------
    WorkerError
        If the library fails.
    """
    start = time.perf_counter()
    with WorkerProcess(name, threads, environment) as worker:
        worker.ask("prepare", model=model, images=MODELS[model]["batch_size"])
        worker.ask("epoch")
        return time.perf_counter() - start


def peak_memory(name: str, threads: int, environment: Mapping[str, str] | None = None, **prepared: Any) -> Peak:
    """Train a new worker for one epoch and measure its largest resident size; ``prepared`` as BenchWorker.prepare."""
    try:
        with WorkerProcess(name, threads, environment) as worker:
            worker.ask("prepare", **prepared)
            worker.ask("epoch")
            return {"bytes": worker.ask("peak_memory")}
    except WorkerError as error:
        return {"error": str(error)}
