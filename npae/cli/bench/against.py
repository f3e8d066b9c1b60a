"""Beside an earlier benchmark: by how much each type is faster or slower, by what was measured in the same rounds.

Seconds of two runs cannot be compared, since machines differ, and what else runs on them. So each epoch of npae is
compared with the yardstick and with peers of its own run, and then these ratios with those of the other run.
"""

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from npae.cli.bench.libraries import OURS, YARDSTICK
from npae.cli.bench.table import SUMMARIES, Summary

#: What is said where it is not the same.
TOLD = {"cpu": "the processor", "processors": "the number of processors", "system": "the system", "python": "Python"}


class Row(NamedTuple):
    """How fast npae is beside another side, then and now: the other's seconds by npae's."""

    model: str
    beside: str
    summary: str
    then: float
    now: float

    @property
    def change(self) -> float:
        """Above 1 where npae has become faster, below 1 where slower."""
        return self.now / self.then


def read(path: str, *, images: int, threads: int, inverted: bool = False) -> dict[str, Any]:
    """An earlier result of ``npae bench --json`` that was measured alike.

    Raises
    ------
    ValueError
        If it is none, has no yardstick, or was measured with other images or threads, or without ``inverted`` or with.
    """
    try:
        then: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
        given = {"images": then["images"], "threads": then["machine"]["threads"]}
        has_yardstick = bool(list(_ratios(then)))
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError):
        raise ValueError(f"{path} is no result of npae bench --json; give the file of one") from None
    if not has_yardstick:
        raise ValueError(f"{path} holds no epochs of npae beside a yardstick or a peer; give a newer result")
    for name, option, now in (("images", "--images", images), ("threads", "--threads", threads)):
        if given[name] != now:
            raise ValueError(
                f"{path} was measured with {given[name]} {name}, and {now} are asked for; give {option} {given[name]}"
            )
    if then.get("inverted", False) != inverted:
        with_or_without = "with" if then.get("inverted") else "without"
        raise ValueError(f"{path} was measured {with_or_without} --inverted; measure {with_or_without} it, too")
    return then


def rows(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[Row]:
    """What both results have."""
    before = dict(_ratios(then))
    return [Row(*key, before[key], ratio) for key, ratio in _ratios(now) if key in before]


def _ratios(result: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str, str], float]]:
    for model, entry in result["epochs"].items():
        sides = {**entry["contenders"], YARDSTICK: entry.get("yardstick", {})}
        ours = sides.pop(OURS).get("seconds")
        for side, timing in sides.items():
            if ours and timing.get("seconds"):
                for name, summary in SUMMARIES.items():
                    yield (model, side, name), _ratio(timing["seconds"], ours, summary)


def _ratio(other: list[float], ours: list[float], summary: Summary) -> float:
    ratio = float(summary(other) / summary(ours))
    if not (ratio > 0 and math.isfinite(ratio)):
        raise ValueError("no times")
    return ratio


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """A sentence for each thing that is not the same, since ratios may follow from it."""
    a, b = then["machine"], now["machine"]
    pairs = {said: (a.get(key), b.get(key)) for key, said in TOLD.items()}
    names = {**then["versions"], **now["versions"]}
    pairs |= {name: (then["versions"].get(name), now["versions"].get(name)) for name in names}
    return [
        f"{name} was {before} then and is {after} now"
        for name, (before, after) in pairs.items()
        if before != after and before is not None and after is not None
    ]


def table(path: str, then: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Then, now, and the change, for each type and what it was measured beside."""
    found = rows(then, now)
    lines = [f"beside {path}: the other side's time by npae's; a change below 1 is slower"]
    lines += [f"{path} says of itself: {then['note']}"] if "note" in then else []
    lines += differences(then, now)
    if not found:
        return "\n".join([*lines, "it has none of the types that were measured now, or nothing that they are beside"])
    lines.append(f"{'model':<14}{'beside':<14}{'':8}{'then':>8}{'now':>8}{'change':>8}")
    lines += [
        f"{row.model:<14}{row.beside:<14}{row.summary:<8}{row.then:8.2f}{row.now:8.2f}{row.change:8.2f}"
        for row in found
    ]
    return "\n".join(lines)


def slower(found: list[Row], least: float) -> list[str]:
    """Models that are below ``least`` beside something, by the minimum and by the median."""
    below = {(row.model, row.beside, row.summary) for row in found if row.change < least}
    pairs = {(model, beside) for model, beside, _ in below}
    return sorted({m for m, beside in pairs if all((m, beside, name) in below for name in SUMMARIES)})
