"""Start-up time and peak memory, each measured in a new process."""

import tempfile
import time
from typing import TypedDict

from npae.cli.bench.models import MODELS
from npae.cli.bench.process import WorkerError, WorkerProcess


class Start(TypedDict, total=False):
    """Seconds from process start to the first finished step; ``cold`` has an empty cache of compiled kernels."""

    warm: float
    cold: float
    error: str


class Peak(TypedDict, total=False):
    """Largest resident size, in bytes."""

    bytes: int
    error: str


def first_step(name: str, model: str, threads: int, *, with_cold: bool) -> Start:
    """Measure the seconds from the start of a worker to its first finished step."""
    try:
        start: Start = {}
        if with_cold:
            with tempfile.TemporaryDirectory() as folder:
                cache = {"NUMBA_CACHE_DIR": folder}
                start["cold"] = _seconds_to_first_step(name, model, threads, cache)
        _seconds_to_first_step(name, model, threads, {})  # not counted: fills all caches
        start["warm"] = min(_seconds_to_first_step(name, model, threads, {}) for _ in range(3))
    except WorkerError as error:
        return {"error": str(error)}
    return start


def _seconds_to_first_step(name: str, model: str, threads: int, environment: dict[str, str]) -> float:
    start = time.perf_counter()
    with WorkerProcess(name, threads, environment) as worker:
        worker.ask("prepare", model=model, images=MODELS[model]["batch_size"])
        worker.ask("epoch")
        return time.perf_counter() - start


def peak_memory(name: str, model: str, threads: int, images: int) -> Peak:
    """Train a new worker for one epoch and measure its largest resident size."""
    try:
        with WorkerProcess(name, threads) as worker:
            worker.ask("prepare", model=model, images=images)
            worker.ask("epoch")
            return {"bytes": worker.ask("peak_memory")}
    except WorkerError as error:
        return {"error": str(error)}
