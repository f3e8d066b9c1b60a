"""The comparison of training, transform, latency, start-up and memory, as plain JSON values."""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from npae.cli.bench import cold_start, rounds
from npae.cli.bench.libraries import CONTENDERS, OURS, YARDSTICK
from npae.cli.bench.machine import machine
from npae.cli.bench.models import MODELS, is_convolutional, new_model, steps_of
from npae.cli.bench.process import WorkerError, WorkerProcess

MANY_IMAGES = 60_000  # the size of MNIST's training set


def compare(
    peers: Sequence[str],
    models: Sequence[str],
    *,
    n_rounds: int,
    images: int,
    threads: int,
    epochs_only: bool,
    say: rounds.Say,
) -> dict[str, Any]:
    """Measure npae and its peers.

    Parameters
    ----------
    peers, models : sequence of str
    n_rounds : int
        Number of rounds after the warm-up.
    images : int
        Number of images in an epoch.
    threads : int
    epochs_only : bool
        Whether to leave out transform, latency, start and memory.
    say : callable
        Called with a line of text for each step.

    Returns
    -------
    dict
        "machine", "versions", "epochs" and, unless left out, "transform", "latency", "start" and "memory". Each entry
        of "epochs" has the yardstick beside the contenders.
    """
    result: dict[str, Any] = {"machine": machine(threads), "images": images, "rounds": n_rounds, "versions": {}}
    with ExitStack() as stack:
        workers = [stack.enter_context(WorkerProcess(name, threads)) for name in (OURS, *peers)]
        yardstick = stack.enter_context(WorkerProcess(YARDSTICK, threads))
        for worker in workers:
            try:
                result["versions"] |= worker.ask("versions")
            except WorkerError:
                continue  # its error is in the tables
        result["epochs"] = {}
        for model in models:
            say(f"{model}: {n_rounds} rounds")
            contenders = rounds.epochs([*workers, yardstick], model, images, n_rounds)
            result["epochs"][model] = {
                "batch": MODELS[model]["batch_size"],
                "steps": steps_of(model, images),
                "yardstick": contenders.pop(YARDSTICK),
                "contenders": contenders,
            }
        if epochs_only:
            return result
        encoding = [worker for worker in workers if CONTENDERS[worker.name].encodes]
        say("transform and latency")
        result["transform"] = {
            model: rounds.transforms(encoding, model, MANY_IMAGES, min(n_rounds, 3)) for model in models
        }
        result["latency"] = {
            model: rounds.latencies(encoding, model, n_rounds)
            for model in models
            if not is_convolutional(new_model(model))
        }
    say("start and memory")
    result["start"], result["memory"] = {}, {}
    for model in _one_of_each_sort(models):
        result["start"][model] = {
            name: cold_start.first_step(name, model, threads, with_cold=name == OURS)
            for name in (OURS, *peers)
            if CONTENDERS[name].starts
        }
        result["memory"][model] = {
            name: cold_start.peak_memory(name, model, threads, MANY_IMAGES)
            for name in (OURS, *peers)
            if CONTENDERS[name].encodes
        }
    return result


def _one_of_each_sort(models: Sequence[str]) -> list[str]:
    """The first dense and the first convolutional model."""
    sorts: dict[bool, str] = {}
    for model in models:
        sorts.setdefault(is_convolutional(new_model(model)), model)
    return list(sorts.values())
