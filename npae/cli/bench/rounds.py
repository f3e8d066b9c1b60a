"""Interleaved rounds: in each round every contender is measured once, in random order.

A machine's speed varies within minutes, so measurements that are compared must alternate and be repeated.
"""

import random
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from typing import Any, NamedTuple, TypedDict

from npae.cli.bench.process import WorkerError, WorkerProcess

WARM_UP = 2  # rounds that are not counted, in which libraries compile and fill their caches
REST = 0.3  # seconds between measurements, until idle threads of the last one have stopped spinning: OpenBLAS takes 0.1

Say = Callable[[str], None]


class Limit(NamedTuple):
    """When rounds end: after ``rounds`` of them, and not before ``seconds`` have passed since the first that counts.

    So a short epoch gets many rounds in the time of a few of a long one.
    """

    rounds: int
    seconds: float = 0.0


class Timing(TypedDict, total=False):
    """The measurements of one contender: the seconds of each round, or an error."""

    seconds: list[float]
    error: str


def epochs(
    workers: Iterable[WorkerProcess], model: str, images: int, limit: Limit, *, inverted: bool
) -> dict[str, Timing]:
    """Time one epoch of training of ``model`` in every worker and round."""
    return interleaved(
        workers,
        limit,
        lambda worker: worker.ask("prepare", model=model, images=images, inverted=inverted),
        lambda worker: worker.ask("epoch"),
    )


def transforms(
    workers: Iterable[WorkerProcess], model: str, images: int, limit: Limit, *, inverted: bool
) -> dict[str, Timing]:
    """Time the encoding of ``images`` images in every worker and round."""
    return interleaved(
        workers,
        limit,
        lambda worker: worker.ask("prepare", model=model, images=256, inverted=inverted) or worker.ask("epoch"),
        lambda worker: worker.ask("transform", images=images)[0],
    )


def latencies(
    workers: Iterable[WorkerProcess], model: str, limit: Limit, *, inverted: bool, calls: int = 200
) -> dict[str, Timing]:
    """Time the encoding of one image in every worker and round: the minimum of ``calls`` calls."""
    return interleaved(
        workers,
        limit,
        lambda worker: worker.ask("prepare", model=model, images=256, inverted=inverted) or worker.ask("epoch"),
        lambda worker: min(worker.ask("transform", images=1, repeats=calls)),
    )


def interleaved(
    workers: Iterable[WorkerProcess],
    limit: Limit,
    prepare: Callable[[WorkerProcess], Any],
    measure: Callable[[WorkerProcess], float],
    *,
    warm_up: int = WARM_UP,
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
    for counts in _turns(warm_up, limit):
        if not running:
            break
        for worker in order.sample(running, len(running)):
            time.sleep(REST)
            try:
                seconds = measure(worker)
            except WorkerError as error:
                timings[worker.name] = {"error": str(error)}
                running.remove(worker)
                continue
            if counts:
                timings[worker.name]["seconds"].append(seconds)
    return timings


def _turns(warm_up: int, limit: Limit) -> Iterator[bool]:
    """For each round whether it counts: those of the warm-up do not."""
    yield from (False for _ in range(warm_up))
    start = time.perf_counter()
    for turn in count():
        if turn >= limit.rounds and time.perf_counter() - start >= limit.seconds:
            return
        yield True
