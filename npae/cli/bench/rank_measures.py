"""What ``npae bench --ranks mpi`` measures, on all ranks at once: passes, Adam, exchanges, and steps of training."""

import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

import numpy as np

from npae.cli.bench.machine import machine
from npae.cli.bench.models import MODELS, images_for, new_model
from npae.cli.bench.rank_cost import STRONG_BATCH
from npae.kernels.execution.thread_team import parts
from npae.training.optimizers import Optimizer
from npae.training.ranks.agreement import Ranks
from npae.training.ranks.rank_replicas import RankReplicas
from npae.training.replicas import Replicas, ThreadReplicas
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
        parameters, "batch", "rows" with the median seconds of a "pass" of each, its relative "spread", "adam", and
        "steps": the seconds of the steps of one rank, of as many threads, and of all ranks. Those of passes and of Adam
        are of the processor, so that other work on the machine counts little.
    """
    say("exchanges")
    latency, bandwidth = _exchanges(ranks)
    result: dict[str, Any] = {"machine": machine(ranks.size), "ranks": ranks.size}
    result |= {"latency": latency, "bandwidth": bandwidth, "models": {}}
    for name in models:
        say(name)
        result["models"][name] = _parts_of_step(ranks, name) | {"steps": _steps(ranks, name, rounds, images)}
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
    optimizer = model.partial_fit(x).training_.optimizer
    replicas = ThreadReplicas(model.network_, 1)
    replicas.set_data(x)
    passes, spreads = [], []
    for rows in ROWS:
        chosen = np.arange(rows)
        replicas.gradient(chosen)
        ranks.exchange()  # all ranks pass at once, as in training
        seconds = [_timed(replicas.gradient, chosen, clock=time.thread_time) for _ in range(REPEATS)]
        passes.append(median(seconds))
        spreads.append(float(np.subtract(*np.percentile(seconds, [75, 25]))) / 1.35 / median(seconds))
    replicas.release_data()
    return {
        "bytes": model.network_.theta.nbytes,
        "batch": MODELS[name]["batch_size"],
        "rows": list(ROWS),
        "pass": _means(ranks, passes),
        "spread": median(spreads),
        "adam": _means(ranks, [median(_timed(optimizer.step, clock=time.thread_time) for _ in range(REPEATS))])[0],
    }


def _means(ranks: Ranks, seconds: list[float]) -> list[float]:
    """The mean over the ranks of each."""
    everyone = [np.frombuffer(payload) for payload in ranks.exchange(np.array(seconds).tobytes())]
    means: list[float] = np.mean(everyone, axis=0).tolist()
    return means


def _steps(ranks: Ranks, name: str, rounds: int, images: int) -> dict[str, list[float]]:
    """Seconds of every step: of the first rank alone, of as many threads in it, and of all ranks, in turn."""
    x, n = images_for(name, images), ranks.size
    batches = np.array_split(np.arange(images), -(-images // MODELS[name]["batch_size"]))
    together = f"{n} ranks"
    sides: dict[str, tuple[Replicas, Optimizer]] = {}
    for title in ("1 rank", f"{n} threads", together):
        model = new_model(name).partial_fit(x[: MODELS[name]["batch_size"]])
        net, n_jobs = model.network_, n if title == f"{n} threads" else 1
        replicas: Replicas = RankReplicas(net, 1, ranks) if title == together else ThreadReplicas(net, n_jobs)
        replicas.set_data(x)
        sides[title] = replicas, model.training_.optimizer
    found: dict[str, list[float]] = {title: [] for title in sides}
    for _ in range(rounds):
        for title, (replicas, optimizer) in sides.items():
            ranks.exchange()
            if ranks.is_first or title == together:
                found[title] += [_timed(_step, replicas, optimizer, chosen) for chosen in batches]
    return found


def _step(replicas: Replicas, optimizer: Optimizer, chosen: Array) -> None:
    replicas.gradient(chosen)
    optimizer.step(1.0, replicas.team)


def _timed(work: Callable[..., object], *arguments: object, clock: Callable[[], float] = time.perf_counter) -> float:
    start = clock()
    work(*arguments)
    return clock() - start
