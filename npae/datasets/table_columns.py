"""The columns of a table: which line names them, which are read, and signs that a column is an index.

Pandas writes an index before the data, which can be numbers. Nothing of it is guessed: a table that may have an index
is refused until the caller says what it is.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from npae.datasets.table_cells import (
    TRUTH,
    is_missing,
    is_number,
    is_number_and_more,
    is_written_as_number,
    number_otherwise,
)
from npae.utils.errors import FileFormatError, listed, quoted
from npae.utils.types import Array
from npae.utils.wording import counted

IF_HEADER = "give --header if this line names the columns (in Python header=True)"
DROP_INDEX = "leave it out with --drop index (in Python drop=['index'])"
KEEP_ALL = "keep it with --drop and no name (in Python drop=[])"
RENAME = "give it another name in the header"  # to keep it while other columns are dropped
INDEX_NAMES = ("#", "id", "idx", "index", "level_0", "no", "nr", "row")  # if the column counts the rows
COUNTED = 10  # rows without a header from which on a first column that counts them is no coincidence

Drop = Sequence[str | int]


def is_header(row: list[str], drop: Drop | None) -> bool:
    """Whether the first row names the columns for certain: by its text, or since ``drop`` takes up a name of it."""
    names = [cell.strip() for cell in row]
    if not any(map(_may_be_value, names)) and any(name and not _is_value(name) for name in names):
        return True
    if any(column in names and not is_number(column) for column in drop or () if isinstance(column, str)):
        return True
    return begins_with_gap(row) and any(str(column).lower() == "index" for column in drop or ())


def _may_be_value(name: str) -> bool:
    """Whether one such cell is enough for the row to be none of names."""
    return is_number(name) or is_written_as_number(name) or is_number_and_more(name)


def _is_value(name: str) -> bool:
    """Whether it is rather a value than a name, if all are such: 5 % is a name beside others that are text."""
    return is_missing(name) or name.lower() in TRUTH or number_otherwise(name) is not None


def begins_with_gap(row: list[str]) -> bool:
    """Whether the first cells alone are empty, as those above an index of pandas are."""
    filled = [bool(cell.strip()) for cell in row]
    return not filled[0] and any(filled) and all(filled[filled.index(True) :])


def unnamed_index(names: list[str]) -> int:
    """How many columns at the beginning have no name, or one that pandas gives to a column without a name."""
    has_name = [bool(name.strip()) and name.strip() != f"Unnamed: {i}" for i, name in enumerate(names)]
    return has_name.index(True) if any(has_name) else 0


def kept_columns(path: Path, width: int, names: list[str] | None, drop: Drop | None) -> list[int]:
    """Places of the columns that are read, from 0.

    Raises
    ------
    FileFormatError
        If there is no column that ``drop`` names, if the name is that of several, if none is left, or if the first is
        an index without a name and ``drop`` is None or does not name it.
    """
    dropped = {place for column in drop or () for place in _places(path, column, width, names)}
    keeps_all = drop is not None and not drop
    unnamed = unnamed_index(names) if names and not keeps_all else 0
    if not dropped.issuperset(range(unnamed)):
        place = min(set(range(unnamed)) - dropped) + 1
        raise FileFormatError(
            f"{str(path)!r}, column {place} has no name in the header, as the index that pandas writes; {DROP_INDEX}, "
            f"or {RENAME if drop else KEEP_ALL}"
        )
    kept = [place for place in range(width) if place not in dropped]
    if not kept:
        raise FileFormatError(f"{str(path)!r} has {counted(width, 'column')}, of which none is left; drop fewer")
    return kept


def _places(path: Path, column: str | int, width: int, names: list[str] | None) -> range:
    stripped = [name.strip() for name in names or ()]
    if isinstance(column, str):
        count = stripped.count(column.strip())
        if count == 1:
            place = stripped.index(column.strip())
            return range(place, place + 1)
        if count > 1:
            raise FileFormatError(
                f"{str(path)!r} has {count} columns of the name {quoted(column)}; drop them by their numbers, from 1"
            )
        if column.strip().lower() == "index" and (names is None or unnamed_index(names)):
            return range(1 if names is None else unnamed_index(names))
        if not column.strip().isdecimal():
            missing = "it has no header, so give the number of the column, from 1"
            known = f"name one of: {listed(stripped)}" if names else missing
            raise FileFormatError(f"{str(path)!r} has no column {quoted(column)} to drop; {known}")
    number = int(column)
    if not 1 <= number <= width:
        raise FileFormatError(f"{str(path)!r} has no column {number} to drop; give a number from 1 to {width}")
    return range(number - 1, number)


def check_index(path: Path, values: Array, names: list[str] | None, drop: Drop | None) -> None:
    """Refuse a first column that counts the rows and is called like an index, or has no name at all.

    ``drop`` is for the advice: where it is None, the column can be kept by an empty one.
    """
    name = names[0].strip() if names else None
    rows, columns = values.shape
    if (
        columns == 1
        or rows < (COUNTED if name is None else 2)
        or (name is not None and name.lower() not in INDEX_NAMES)
    ):
        return
    start = values[0, 0]
    if start not in (0, 1) or not np.array_equal(values[:, 0], np.arange(start, start + rows)):
        return
    column = "column 1" if name is None else f"column 1 ({name!r})"
    leave_out = DROP_INDEX if name is None else f"leave it out with --drop {name} (in Python drop=[{name!r}])"
    raise FileFormatError(
        f"{str(path)!r}, {column} counts the rows from {start:.0f} to {start + rows - 1:.0f}, as an index does; "
        f"{leave_out}, or {RENAME if drop else KEEP_ALL}"
    )


def drop_option(column: int, names: list[str] | None) -> str:
    """The option that leaves out a column, as it is typed, and as Python has it."""
    return f"--drop {_typed(column, names)} (in Python drop=[{column + 1}])"


def _typed(column: int, names: list[str] | None) -> str:
    """What is typed after the option."""
    name = names[column].strip() if names else ""
    number = str(column + 1)
    if (
        names
        and names.count(names[column]) == 1
        and name
        and len(name) <= 40
        and name.isprintable()
        and '"' not in name
    ):
        return name if " " not in name else f'"{name}"'
    return "and its name" if names and number in names else number
