"""Interleaved rounds: all contenders do the same thing in turn, again and again.

Machines get faster and slower by the minute. What is compared must therefore be measured side by side, and often.
"""

import random
import time
from collections.abc import Callable, Iterable
from typing import Any, TypedDict

from npae.cli.bench.process import WorkerError, WorkerProcess

WARM_UP = 2  # rounds that are not counted: in them libraries compile and fill their caches
REST = 0.05  # seconds between two measurements: threads that wait, spin before they sleep, and would disturb the next

Say = Callable[[str], None]


class Timing(TypedDict, total=False):
    """What one contender did in one discipline: the seconds of each round, or why there are none."""

    seconds: list[float]
    error: str


def epochs(workers: Iterable[WorkerProcess], model: str, images: int, rounds: int) -> dict[str, Timing]:
    """Train ``model`` in every worker, an epoch a round."""
    return interleaved(
        workers,
        rounds,
        lambda worker: worker.ask("prepare", model=model, images=images),
        lambda worker: worker.ask("epoch"),
    )


def transforms(workers: Iterable[WorkerProcess], model: str, images: int, rounds: int) -> dict[str, Timing]:
    """Encode so many images in every worker, all of them a round."""
    return interleaved(
        workers,
        rounds,
        lambda worker: worker.ask("prepare", model=model, images=256) or worker.ask("epoch"),
        lambda worker: worker.ask("transform", images=images)[0],
    )


def latencies(workers: Iterable[WorkerProcess], model: str, rounds: int, calls: int = 200) -> dict[str, Timing]:
    """Encode one image in every worker; a round is the fastest of ``calls``."""
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
    """Prepare all, then ``measure`` each in turn, in an order drawn anew for each round.

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
