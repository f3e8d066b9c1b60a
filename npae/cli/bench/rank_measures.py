"""What ``npae bench --ranks mpi`` measures, on all ranks at once: passes, Adam, exchanges, and epochs of training."""

import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

import numpy as np

from npae.cli.bench.machine import machine
from npae.cli.bench.models import MODELS, images_for, new_model
from npae.cli.bench.rank_cost import STRONG_BATCH
from npae.kernels.execution.thread_team import parts
from npae.training.ranks.agreement import Ranks
from npae.training.replicas import ThreadReplicas
from npae.training.state import Data
from npae.training.trainer import Training
from npae.utils.types import Array

ROWS = (16, 32, 64, 128, 256, 512, STRONG_BATCH)
BYTES = 2**22  # of the vector whose sum gives the bandwidth
REPEATS = 25
OFTEN = 40  # exchanges that are timed together


def measure(
    ranks: Ranks, models: Sequence[str], *, rounds: int, images: int, say: Callable[[str], None]
) -> dict[str, Any]:
    """Measure exchanges and models on all ranks.

    Returns
    -------
    dict
        "machine", "ranks", "latency" in seconds, "bandwidth" in bytes a second, and "models": for each "bytes" of its
        parameters, "batch", "rows" with the least seconds of a "pass" of each, its relative "spread", "adam", and
        "epochs": the seconds of a step of one rank, of as many threads, and of all ranks, of every round.
    """
    say("exchanges")
    latency, bandwidth = _exchanges(ranks)
    result: dict[str, Any] = {"machine": machine(ranks.size), "ranks": ranks.size}
    result |= {"latency": latency, "bandwidth": bandwidth, "models": {}}
    for name in models:
        say(name)
        result["models"][name] = _parts_of_step(ranks, name) | {"epochs": _epochs(ranks, name, rounds, images)}
    return result


def _exchanges(ranks: Ranks) -> tuple[float, float]:
    """Latency of a small exchange over log₂ R, and bandwidth of a sum, from which the latency is subtracted."""
    steps = np.log2(ranks.size)
    small = min(_timed(_exchange_often, ranks) for _ in range(REPEATS)) / OFTEN
    latency = small / steps
    vector = np.zeros(BYTES // 4, np.float32)
    own = parts(vector, ranks.size)
    received = np.empty((ranks.size, own[ranks.rank].stop - own[ranks.rank].start), np.float32)

    def total() -> None:
        ranks.communicator.exchange_parts(vector, own, received)
        np.add.reduce(received, axis=0, out=vector[own[ranks.rank]])
        ranks.communicator.gather_parts(vector, own)

    seconds = min(_timed(total) for _ in range(2 * REPEATS)) - 2 * latency * steps
    return float(latency), float(2 * (ranks.size - 1) / ranks.size * BYTES / max(seconds, 1e-9))


def _exchange_often(ranks: Ranks) -> None:
    for _ in range(OFTEN):
        ranks.exchange()


def _parts_of_step(ranks: Ranks, name: str) -> dict[str, Any]:
    model = new_model(name)
    x = images_for(name, STRONG_BATCH)
    training = model.partial_fit(x).training_
    replicas = ThreadReplicas(model.network_, 1)
    replicas.set_data(x)
    passes, spreads = [], []
    for rows in ROWS:
        chosen = np.arange(rows)
        replicas.gradient(chosen)
        ranks.exchange()  # all ranks pass at once, as in training
        seconds = [_timed(replicas.gradient, chosen) for _ in range(REPEATS)]
        passes.append(min(seconds))
        spreads.append(float(np.subtract(*np.percentile(seconds, [75, 25]))) / 1.35 / median(seconds))
    replicas.release_data()
    return {
        "bytes": model.network_.theta.nbytes,
        "batch": MODELS[name]["batch_size"],
        "rows": list(ROWS),
        "pass": _means(ranks, passes),
        "spread": median(spreads),
        "adam": _means(ranks, [min(_timed(training.optimizer.step) for _ in range(REPEATS))])[0],
    }


def _means(ranks: Ranks, seconds: list[float]) -> list[float]:
    """The mean over the ranks of each."""
    everyone = [np.frombuffer(payload) for payload in ranks.exchange(np.array(seconds).tobytes())]
    means: list[float] = np.mean(everyone, axis=0).tolist()
    return means


def _epochs(ranks: Ranks, name: str, rounds: int, images: int) -> dict[str, list[float]]:
    """Seconds of a step: of the first rank alone, of as many threads in it, and of all ranks, in turn."""
    x = images_for(name, images)
    n_steps = -(-images // MODELS[name]["batch_size"])
    alone, threads, together = (_training(name, n_jobs, x) for n_jobs in (1, ranks.size, 1))
    together.join_ranks(ranks)
    found: dict[str, list[float]] = {"1 rank": [], f"{ranks.size} threads": [], f"{ranks.size} ranks": []}
    for _ in range(rounds):
        for title, training in zip(found, (alone, threads, together), strict=True):
            ranks.exchange()
            if ranks.is_first or training is together:
                training.run(Data(x), 1)
                found[title].append(training.history["seconds"][-1] / n_steps)
    together.leave_ranks()
    return found


def _training(name: str, n_jobs: int, x: Array) -> Training:
    return new_model(name, n_jobs).partial_fit(x).training_


def _timed(work: Callable[..., object], *arguments: object) -> float:
    start = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - start
