"""The comparison of training, transform, latency, start-up and memory, as plain JSON values."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from npae.cli.bench import cold_start, rounds
from npae.cli.bench.arithmetic import gflop_of_an_epoch
from npae.cli.bench.libraries import CONTENDERS, OURS, YARDSTICK
from npae.cli.bench.machine import machine
from npae.cli.bench.models import MODELS, is_convolutional, new_model, steps_of
from npae.cli.bench.process import WorkerError, WorkerProcess
from npae.utils.wording import counted

MANY_IMAGES = 60_000  # the size of MNIST's training set


def compare(
    peers: Sequence[str],
    models: Sequence[str],
    *,
    limit: rounds.Limit,
    images: int,
    threads: int,
    epochs_only: bool,
    inverted: bool = False,
    environment: Mapping[str, str] | None = None,
    say: rounds.Say,
) -> dict[str, Any]:
    """Measure npae and its peers.

    Parameters
    ----------
    peers, models : sequence of str
    limit : Limit
        Of the rounds of each model after the warm-up.
    images : int
        Number of images in an epoch.
    threads : int
    epochs_only : bool
        Whether to leave out transform, latency, start and memory.
    inverted : bool, default False
        Whether the images have no zeros.
    environment : mapping of str to str, optional
        Further environment variables of all sides.
    say : callable
        Called with a line of text for each step.

    Returns
    -------
    dict
        "machine", "versions", "epochs" and, unless left out, "transform", "latency", "start" and "memory". Each entry
        of "epochs" has the yardstick beside the contenders, and the "gflop" of an epoch.
    """
    result: dict[str, Any] = {"machine": machine(threads), "images": images, "inverted": inverted, "versions": {}}
    with ExitStack() as stack:
        workers = [stack.enter_context(WorkerProcess(name, threads, environment)) for name in (OURS, *peers)]
        yardstick = stack.enter_context(WorkerProcess(YARDSTICK, threads, environment))
        for worker in workers:
            try:
                result["versions"] |= worker.ask("versions")
            except WorkerError:
                continue  # its error is in the tables
        result["epochs"] = {}
        for model in models:
            say(f"{model}: {counted(limit.rounds, 'round')}" + (f", {limit.seconds:g} s" if limit.seconds else ""))
            contenders = rounds.epochs([*workers, yardstick], model, images, limit, inverted=inverted)
            result["epochs"][model] = {
                "batch": MODELS[model]["batch_size"],
                "steps": steps_of(model, images),
                "gflop": gflop_of_an_epoch(model, images),
                "yardstick": contenders.pop(YARDSTICK),
                "contenders": contenders,
            }
        if epochs_only:
            return result
        encoding = [worker for worker in workers if CONTENDERS[worker.name].encodes]
        say("transform and latency")
        few = rounds.Limit(min(limit.rounds, 3))
        result["transform"] = {
            model: rounds.transforms(encoding, model, MANY_IMAGES, few, inverted=inverted) for model in models
        }
        result["latency"] = {
            model: rounds.latencies(encoding, model, limit, inverted=inverted)
            for model in models
            if not is_convolutional(new_model(model))
        }
    say("start and memory")
    result["start"], result["memory"] = {}, {}
    for model in _one_of_each_sort(models):
        result["start"][model] = {
            name: cold_start.first_step(name, model, threads, with_cold=name == OURS, environment=environment)
            for name in (OURS, *peers)
            if CONTENDERS[name].starts
        }
        result["memory"][model] = {
            name: cold_start.peak_memory(name, threads, environment, model=model, images=MANY_IMAGES)
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
