"""The marks of a class as CSV, JSON and tables, with the most frequent mistakes."""

import csv
import io
import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from npae.learn.grading.copies import HEADER as COPIES
from npae.learn.grading.copies import Copies
from npae.learn.grading.grade import Row
from npae.learn.grading.journal import Key
from npae.learn.grading.points import Points, number
from npae.learn.judging.outcome import STATUSES
from npae.utils.files import atomic_write
from npae.utils.version import __version__

COLUMNS = ("learner", "exercise", "status", "bug", "block", "index", "yours", "true", "seconds", "text")
#: Characters that a spreadsheet may read as the start of a formula: at the start of a cell, or after a semicolon, which
#: separates cells where the decimal mark is a comma. Some spreadsheets accept the full-width signs too.
FORMULA = re.compile(r"(?:^|(?<=;))(?=\s*[\"']?[=+\-@＝＋－＠\t\r\n])")
WIDEST_BAR = 30
POINTS = ("points", "of", "reasons")  # further columns, where there is a scheme
BOM = "\ufeff"  # by which spreadsheets know that a file is UTF-8


def write_csv(
    path: str | Path, rows: Sequence[Row], points: Mapping[Key, Points] | None = None, bom: bool = False
) -> None:
    """Write the rows as CSV, with their points where there are any.

    Text that a spreadsheet would read as a formula is prefixed with an apostrophe. With ``bom`` the file begins with
    the mark by which Excel knows UTF-8.
    """
    lines: list[Sequence[Any]] = [(*COLUMNS, *(POINTS if points is not None else ()))]
    for row in rows:
        cells = [getattr(row, name) for name in COLUMNS]
        if points is not None:
            p = points[row.key]
            cells += [number(p.points), number(p.most), p.reasons]
        lines.append(cells)
    _write_table(path, lines, bom)


def write_gradebook(path: str | Path, points: Mapping[Key, Points], bom: bool = False) -> None:
    """Write a table with a row for each learner, a column for each exercise, and the total.

    The first line has the names, the second the points that can be had. A file that ends in .json has the parts and
    reasons as well.
    """
    learners = list(dict.fromkeys(learner for learner, _ in points))
    exercises = list(dict.fromkeys(exercise for _, exercise in points))
    most = {e: next(p.most for (_, name), p in points.items() if name == e) for e in exercises}
    if Path(path).suffix.lower() == ".json":
        content = {
            "npae": __version__,
            "of": {**most, "total": round(sum(most.values()), 6)},
            "learners": [
                {
                    "learner": learner,
                    "total": round(sum(points[learner, e].points for e in exercises), 6),
                    "exercises": {e: {**asdict(points[learner, e])} for e in exercises},
                }
                for learner in learners
            ],
        }
        _write_json(path, content)
        return
    lines: list[Sequence[Any]] = [["learner", *exercises, "total"]]
    lines.append(["points that can be had", *(number(most[e]) for e in exercises), number(sum(most.values()))])
    for learner in learners:
        given = [points[learner, e].points for e in exercises]
        lines.append([learner, *map(number, given), number(sum(given))])
    _write_table(path, lines, bom)


def write_copies(path: str | Path, copies: Sequence[Copies], bom: bool = False) -> None:
    """Write a table of submissions that are alike."""
    lines = [(c.exercise, ", ".join(c.learners), c.how, c.similarity, c.size, len(c.learners)) for c in copies]
    _write_table(path, [COPIES, *lines], bom)


def _write_table(path: str | Path, lines: Sequence[Sequence[Any]], bom: bool) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([_cell(value) for value in line] for line in lines)
    with atomic_write(path) as file:
        file.write((BOM * bom + text.getvalue()).encode("utf-8", "replace"))


def write_json(path: str | Path, rows: Sequence[Row], points: Mapping[Key, Points] | None = None) -> None:
    """Write all fields of the rows, their points, and the frequencies of the known mistakes, as JSON."""
    told = [{name: _plain(value) for name, value in asdict(row).items()} for row in rows]
    if points is not None:
        told = [one | {"points": asdict(points[row.key])} for one, row in zip(told, rows, strict=True)]
    bugs_told = [{"exercise": e, "bug": b, "learners": n} for (e, b), n in bugs(rows)]
    _write_json(path, {"npae": __version__, "rows": told, "bugs": bugs_told})


def _write_json(path: str | Path, content: Any) -> None:
    with atomic_write(path) as file:
        file.write((json.dumps(content, indent=1, allow_nan=False) + "\n").encode())


def is_gradebook(path: Path) -> bool:
    """Whether this module wrote a file; an empty one holds nothing that could be lost."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        head = file.read(1000)
    is_table = bool(re.match(r"learner,([^,\r\n]+,)+total\r\npoints that can be had,", head))
    return not head or is_table or head.startswith((",".join(COLUMNS), '{\n "npae": '))


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return f"{value:.9g}"
    return FORMULA.sub("'", value) if isinstance(value, str) else value


def _plain(value: Any) -> Any:
    """The value, or a string for NaN and infinity, which JSON does not have."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def bugs(rows: Sequence[Row]) -> list[tuple[tuple[str, str], int]]:
    """((exercise, bug), number of learners) for each known mistake, the most frequent first."""
    counted = Counter((row.exercise, row.bug) for row in rows if row.bug)
    return sorted(counted.items(), key=lambda item: (-item[1], item[0]))


def histogram(rows: Sequence[Row]) -> list[tuple[str, str, int, str]]:
    """Table rows: mistake, exercise, number of learners, and a bar of that length."""
    counted = bugs(rows)
    most = max((n for _, n in counted), default=1)
    bars = ["#" * math.ceil(n * WIDEST_BAR / most) for _, n in counted]
    return [(b, e, n, bar.ljust(WIDEST_BAR)) for ((e, b), n), bar in zip(counted, bars, strict=True)]


def averages(points: Mapping[Key, Points]) -> tuple[list[str], list[list[Any]]]:
    """Header and rows of a table with the mean, the smallest and the largest number of points of each exercise."""
    lines: list[list[Any]] = []
    for exercise in dict.fromkeys(exercise for _, exercise in points):
        given = [p.points for (_, name), p in points.items() if name == exercise]
        most = next(p.most for (_, name), p in points.items() if name == exercise)
        lines.append([exercise, number(most), number(sum(given) / len(given)), number(min(given)), number(max(given))])
    return ["exercise", "points", "mean", "least", "most"], lines


def statuses(rows: Sequence[Row]) -> tuple[list[str], list[list[Any]]]:
    """Header and rows of a table with the number of learners for each exercise and status."""
    counted = Counter((row.exercise, row.status) for row in rows)
    used = [status for status in STATUSES if status == "pass" or any((row.status == status) for row in rows)]
    exercises = list(dict.fromkeys(row.exercise for row in rows))
    return ["exercise", *used], [[e, *(counted[e, status] for status in used)] for e in exercises]
