"""Time of a training step as batch, layer width and image size grow."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple

from npae.cli.bench import rounds
from npae.cli.bench.libraries import OURS
from npae.cli.bench.machine import machine
from npae.cli.bench.process import WorkerError, WorkerProcess
from npae.utils.wording import counted

VISITS = 3  # passes over all sizes, so that slow periods of the machine affect all sizes


class GrowthAxis(NamedTuple):
    """A size that grows: the model, the sizes, and the arguments of ``BenchWorker.prepare`` for each."""

    model: str
    sizes: Sequence[int]
    arguments: Callable[[int], dict[str, Any]]
    batch_size: int | None  # None: it is the size


AXES: dict[str, GrowthAxis] = {
    "batch: 784-128-64-32-64-128-784": GrowthAxis("deep", (16, 32, 64, 128, 256, 512, 1024), lambda size: {}, None),
    "width w: 784-w-32-w-784, batch 128": GrowthAxis(
        "deep", (16, 32, 64, 128, 256, 512, 1024), lambda size: {"hidden": [size]}, 128
    ),
    "side of an image: 16-32 filters, batch 32": GrowthAxis(
        "convolutional", (8, 16, 24, 32, 48, 64, 96), lambda size: {"side": size}, 32
    ),
}


def grow(
    peers: Sequence[str],
    *,
    n_rounds: int,
    threads: int,
    say: rounds.Say,
    axes: Mapping[str, GrowthAxis] = AXES,
) -> dict[str, Any]:
    """Measure npae and its peers at every size.

    Returns
    -------
    dict
        "machine", "versions", and "growth": for each axis the points {"size", "batch", "steps", "contenders"}, with
        the seconds that all steps of a point took.
    """
    result: dict[str, Any] = {"machine": machine(threads), "rounds": n_rounds, "versions": {}, "growth": {}}
    with ExitStack() as stack:
        workers = [stack.enter_context(WorkerProcess(name, threads)) for name in (OURS, *peers)]
        for worker in workers:
            try:
                result["versions"] |= worker.ask("versions")
            except WorkerError:
                continue  # its error is in the table
        for visit in range(VISITS):
            for title, axis in axes.items():
                say(f"visit {visit + 1} of {VISITS}: {title}")
                points = result["growth"].setdefault(title, [_point(axis, size) for size in axis.sizes])
                for point in points:
                    _add(point["contenders"], _measured(workers, axis, point, n_rounds))
    return result


def _point(axis: GrowthAxis, size: int) -> dict[str, Any]:
    batch = axis.batch_size or size
    return {"size": size, "batch": batch, "steps": max(4, min(16, 1024 // batch)), "contenders": {}}


def _measured(
    workers: Sequence[WorkerProcess], axis: GrowthAxis, point: Mapping[str, Any], n_rounds: int
) -> dict[str, rounds.Timing]:
    arguments = {"images": point["batch"] * point["steps"], "batch_size": point["batch"]}
    arguments |= axis.arguments(point["size"])
    return rounds.interleaved(
        workers,
        n_rounds,
        lambda worker: worker.ask("prepare", model=axis.model, **arguments),
        lambda worker: worker.ask("epoch"),
    )


def _add(known: dict[str, rounds.Timing], timings: Mapping[str, rounds.Timing]) -> None:
    for name, timing in timings.items():
        if "seconds" in known.get(name, {}) and "seconds" in timing:
            known[name]["seconds"] += timing["seconds"]
        else:
            known[name] = timing


def curves(result: Mapping[str, Any]) -> dict[str, dict[str, tuple[list[int], list[float]]]]:
    """For each axis and contender the sizes that were measured, and the minimum milliseconds of a step."""
    found: dict[str, dict[str, tuple[list[int], list[float]]]] = {}
    for title, points in result["growth"].items():
        panel = found.setdefault(title, {})
        for point in points:
            for name, timing in point["contenders"].items():
                sizes, times = panel.setdefault(name, ([], []))
                if "seconds" in timing:
                    sizes.append(point["size"])
                    times.append(1e3 * min(timing["seconds"]) / point["steps"])
    return found


def table(result: Mapping[str, Any]) -> str:
    """The curves as a table: a row for each contender, with its times or its error."""
    lines = [f"least time of a step, {counted(result['machine']['threads'], 'thread')}; ms"]
    for title, panel in curves(result).items():
        points = result["growth"][title]
        lines += ["", f"{title:<14}", " " * 14 + "".join(f"{point['size']:>9}" for point in points)]
        for name, (sizes, times) in panel.items():
            known = dict(zip(sizes, times, strict=True))
            if known:
                cells = [f"{known[p['size']]:9.3f}" if p["size"] in known else f"{'–':>9}" for p in points]
                lines.append(f"{name:<14}" + "".join(cells))
            else:
                lines.append(f"{name:<14}{points[0]['contenders'][name]['error']}")
    return "\n".join(lines)
