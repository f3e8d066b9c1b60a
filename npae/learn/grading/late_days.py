"""Late days of learners from a CSV file, as spreadsheets of any country write it."""

import csv
import re
from collections.abc import Sequence
from pathlib import Path

NUMBER = re.compile(r"[0-9]{1,4}(?:\.[0-9]+)?")
COLUMNS = ("learner", "days")


class LateDaysError(ValueError):
    """A list of late days that cannot be used; the message says what is wrong in which file."""


def read_late_days(path: str | Path) -> dict[str, float]:
    """Late days by learner, from a CSV file with the columns learner and days.

    It is UTF-8, with or without BOM. Cells are separated by commas, or, as Excel does where the decimal mark is a
    comma, by semicolons.

    Raises
    ------
    LateDaysError
        Where a column is missing, a number of days is none, or a learner is there twice.
    """
    name = Path(path).name
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            separator = ";" if ";" in first and "," not in first else ","
            file.seek(0)
            lines = [line for line in csv.reader(file, delimiter=separator) if any(line)]
    except UnicodeDecodeError:
        raise LateDaysError(f"{name} is no UTF-8 text; save it as CSV UTF-8") from None
    except csv.Error as error:
        raise LateDaysError(f"{name} is no CSV file ({error})") from None
    at = _columns(lines[0] if lines else (), name)
    days: dict[str, float] = {}
    for cells in lines[1:]:
        if len(cells) <= max(at):
            raise LateDaysError(f"{name} has a line without {' and '.join(COLUMNS)}: {separator.join(cells)[:60]!r}")
        learner, text = (cells[i].strip() for i in at)
        number = text.replace(",", ".") if separator == ";" else text
        if not NUMBER.fullmatch(number):
            raise LateDaysError(f"{name} gives {learner} {text!r} days; expected a number from 0 up, below 10,000")
        if learner in days:
            raise LateDaysError(f"{name} has {learner} twice; keep one line")
        days[learner] = float(number)
    return days


def _columns(titles: Sequence[str], name: str) -> tuple[int, int]:
    """Positions of the two columns in the first line, whatever their case."""
    found = [title.strip().lower() for title in titles]
    if any(found.count(column) != 1 for column in COLUMNS):
        told = ", ".join(title.strip() for title in titles)[:60] or "nothing"
        raise LateDaysError(f"the first line of {name} has {told}; expected the columns learner and days, once each")
    return found.index(COLUMNS[0]), found.index(COLUMNS[1])
