"""The marks of a class as CSV, JSON and tables, with the most frequent mistakes."""

import csv
import io
import json
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from npae.learn.grading.grade import Row
from npae.learn.judging.outcome import STATUSES
from npae.utils.files import atomic_write
from npae.utils.version import __version__

COLUMNS = ("learner", "exercise", "status", "bug", "block", "index", "yours", "true", "seconds", "text")
#: Characters that a spreadsheet may read as the start of a formula: at the start of a cell, or after a semicolon, which
#: separates cells where the decimal mark is a comma. Some spreadsheets accept the full-width signs too.
FORMULA = re.compile(r"(?:^|(?<=;))(?=\s*[\"']?[=+\-@＝＋－＠\t\r\n])")
WIDEST_BAR = 30


def write_csv(path: str | Path, rows: Sequence[Row]) -> None:
    """Write the rows as CSV; text that a spreadsheet would read as a formula is prefixed with an apostrophe."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows([_cell(getattr(row, name)) for name in COLUMNS] for row in rows)
    with atomic_write(path) as file:
        file.write(text.getvalue().encode("utf-8", "replace"))


def write_json(path: str | Path, rows: Sequence[Row]) -> None:
    """Write all fields of the rows, and the frequencies of the known mistakes, as JSON."""
    content = {
        "npae": __version__,
        "rows": [{name: _plain(value) for name, value in asdict(row).items()} for row in rows],
        "bugs": [{"exercise": e, "bug": b, "learners": n} for (e, b), n in bugs(rows)],
    }
    with atomic_write(path) as file:
        file.write((json.dumps(content, indent=1, allow_nan=False) + "\n").encode())


def is_gradebook(path: Path) -> bool:
    """Whether ``write_csv`` or ``write_json`` made a file; an empty one holds nothing that could be lost."""
    with path.open(encoding="utf-8", errors="replace") as file:
        head = file.read(1000)
    return not head or head.startswith((",".join(COLUMNS), '{\n "npae": '))


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


def statuses(rows: Sequence[Row]) -> tuple[list[str], list[list[Any]]]:
    """Header and rows of a table with the number of learners for each exercise and status."""
    counted = Counter((row.exercise, row.status) for row in rows)
    used = [status for status in STATUSES if status == "pass" or any((row.status == status) for row in rows)]
    exercises = list(dict.fromkeys(row.exercise for row in rows))
    return ["exercise", *used], [[e, *(counted[e, status] for status in used)] for e in exercises]
