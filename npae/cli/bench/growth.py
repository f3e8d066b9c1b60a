"""Time of a training step as batch, layer width, image size and number of rows grow, and memory at both ends."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple

from npae.cli.bench import rounds
from npae.cli.bench.cold_start import peak_memory
from npae.cli.bench.libraries import CONTENDERS, OURS
from npae.cli.bench.machine import machine
from npae.cli.bench.process import WorkerError, WorkerProcess
from npae.cli.bench.table import mebibytes
from npae.utils.wording import counted

VISITS = 3  # passes over all sizes, so that slow periods of the machine affect all sizes
VALUES = 2**20  # in an epoch's images, where the size does not say how many images there are
LONG = 100  # steps of an epoch, from which on one epoch warms up


class GrowthAxis(NamedTuple):
    """A size that grows: the model, the sizes, and the arguments of ``BenchWorker.prepare`` for each."""

    title: str
    model: str
    sizes: Sequence[int]
    arguments: Callable[[int], dict[str, Any]]
    batch_size: int | None  # None: it is the size


AXES: dict[str, GrowthAxis] = {
    "batch": GrowthAxis(
        "batch: 784-128-64-32-64-128-784", "deep", (16, 32, 64, 128, 256, 512, 1024), lambda size: {}, None
    ),
    "width": GrowthAxis(
        "width w: 784-w-32-w-784, batch 128",
        "deep",
        (16, 64, 256, 512, 1024, 2048, 4096),
        lambda size: {"hidden": [size]},
        128,
    ),
    "side": GrowthAxis(
        "side of an image: 16-32 filters, batch 32",
        "convolutional",
        (8, 16, 32, 64, 96, 128, 256),
        lambda size: {"side": size},
        32,
    ),
    "rows": GrowthAxis(
        "rows: 256-32-256, batch 256",
        "vanilla",
        (1_000, 10_000, 100_000, 1_000_000),
        lambda size: {"images": size, "side": 16},
        256,
    ),
}


def grow(
    peers: Sequence[str],
    *,
    limit: rounds.Limit,
    threads: int,
    say: rounds.Say,
    axes: Mapping[str, GrowthAxis] = AXES,
    with_memory: bool = True,
    inverted: bool = False,
    environment: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Measure npae and its peers at every size.

    Returns
    -------
    dict
        "machine", "versions", and "growth": for each axis the points {"size", "batch", "steps", "arguments",
        "contenders"}, with the seconds that all steps of a point took. "memory", unless left out: for each axis and its
        smallest and largest size the peak of a new process of each side.
    """
    result: dict[str, Any] = {"machine": machine(threads), "inverted": inverted, "versions": {}}
    result["growth"] = {axis.title: [_point(axis, size, inverted) for size in axis.sizes] for axis in axes.values()}
    with ExitStack() as stack:
        workers = [stack.enter_context(WorkerProcess(name, threads, environment)) for name in (OURS, *peers)]
        for worker in workers:
            try:
                result["versions"] |= worker.ask("versions")
            except WorkerError:
                continue  # its error is in the table
        for visit in range(VISITS):
            for title, points in result["growth"].items():
                say(f"visit {visit + 1} of {VISITS}: {title}")
                for point in points:
                    _add(point["contenders"], _measured(workers, point, limit))
    if with_memory:
        say("memory")
        result["memory"] = {
            title: {
                str(point["size"]): {
                    name: peak_memory(name, threads, environment, **point["arguments"])
                    for name in (OURS, *peers)
                    if CONTENDERS[name].encodes
                }
                for point in (points[0], points[-1])
            }
            for title, points in result["growth"].items()
        }
    return result


def _point(axis: GrowthAxis, size: int, inverted: bool) -> dict[str, Any]:
    batch, changes = axis.batch_size or size, axis.arguments(size)
    most = VALUES // (batch * changes.get("side", 28) ** 2)
    steps = max(2, min(max(4, min(16, 1024 // batch)), most))
    arguments = {"model": axis.model, "images": batch * steps, "batch_size": batch, "inverted": inverted} | changes
    return {
        "size": size,
        "batch": batch,
        "steps": -(-arguments["images"] // batch),
        "arguments": arguments,
        "contenders": {},
    }


def _measured(
    workers: Sequence[WorkerProcess], point: Mapping[str, Any], limit: rounds.Limit
) -> dict[str, rounds.Timing]:
    return rounds.interleaved(
        workers,
        limit,
        lambda worker: worker.ask("prepare", **point["arguments"]),
        lambda worker: worker.ask("epoch"),
        warm_up=1 if point["steps"] >= LONG else rounds.WARM_UP,
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
    """The curves as a table: a row for each contender, with its times or its error; then the memory."""
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
    return "\n".join([*lines, *_memory(result.get("memory", {}))])


def _memory(memory: Mapping[str, Any]) -> list[str]:
    """Peak memory of a new process at the smallest and the largest size."""
    lines = ["", "peak memory of a new process that trains an epoch; MiB"] if memory else []
    for title, by_size in memory.items():
        lines.append(title)
        lines += [f"{size:>9}  {mebibytes(peaks)}" for size, peaks in by_size.items()]
    return lines
