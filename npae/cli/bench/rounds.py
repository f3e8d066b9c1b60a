"""Interleaved rounds: in each round every contender is measured once, in random order.

A machine's speed varies within minutes, so measurements that are compared must alternate and be repeated.
"""

import random
import time
from collections.abc import Callable, Iterable
from typing import Any, TypedDict

from npae.cli.bench.process import WorkerError, WorkerProcess

WARM_UP = 2  # rounds that are not counted, in which libraries compile and fill their caches
REST = 0.05  # seconds between measurements, until idle threads of the last one have stopped spinning

Say = Callable[[str], None]


class Timing(TypedDict, total=False):
    """The measurements of one contender: the seconds of each round, or an error."""

    seconds: list[float]
    error: str


def epochs(workers: Iterable[WorkerProcess], model: str, images: int, rounds: int) -> dict[str, Timing]:
    """Time one epoch of training of ``model`` in every worker and round."""
    return interleaved(
        workers,
        rounds,
        lambda worker: worker.ask("prepare", model=model, images=images),
        lambda worker: worker.ask("epoch"),
    )


def transforms(workers: Iterable[WorkerProcess], model: str, images: int, rounds: int) -> dict[str, Timing]:
    """Time the encoding of ``images`` images in every worker and round."""
    return interleaved(
        workers,
        rounds,
        lambda worker: worker.ask("prepare", model=model, images=256) or worker.ask("epoch"),
        lambda worker: worker.ask("transform", images=images)[0],
    )


def latencies(workers: Iterable[WorkerProcess], model: str, rounds: int, calls: int = 200) -> dict[str, Timing]:
    """Time the encoding of one image in every worker and round: the minimum of ``calls`` calls."""
    return interleaved(
        workers,
        rounds,
        lambda worker: worker.ask("prepare", model=model, images=256) or worker.ask("epoch"),
        lambda worker: min(worker.ask("transform", images=1, repeats=calls)),
    )


def interleaved(
    workers: Iterable[WorkerProcess],
    rounds: int,
    prepare: Callable[[WorkerProcess], Any],
    measure: Callable[[WorkerProcess], float],
) -> dict[str, Timing]:
    """Prepare all workers, then ``measure`` each once a round, in a new random order each time.

    Returns
    -------
    dict of str to Timing
        By contender, in the order given.
    """
    timings: dict[str, Timing] = {}
    running: list[WorkerProcess] = []
    for worker in workers:
        timings[worker.name] = {"seconds": []}
        try:
            prepare(worker)
            running.append(worker)
        except WorkerError as error:
            timings[worker.name] = {"error": str(error)}
    order = random.Random(0)
    for turn in range(WARM_UP + rounds):
        for worker in order.sample(running, len(running)):
            time.sleep(REST)
            try:
                seconds = measure(worker)
            except WorkerError as error:
                timings[worker.name] = {"error": str(error)}
                running.remove(worker)
                continue
            if turn >= WARM_UP:
                timings[worker.name]["seconds"].append(seconds)
    return timings
