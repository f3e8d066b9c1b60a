"""The columns of a table: which line names them, which are read, and signs that a line or column is no data.

Pandas writes an index before the data and names without quotation marks, both of which can be numbers. Nothing of it is
guessed: a table that may have such a header or index is refused until the caller says what it is.
"""

import math
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from npae.utils.errors import FileFormatError, quoted
from npae.utils.types import Array
from npae.utils.wording import counted

IF_HEADER = "give --header if this line names the columns (in Python header=True)"
SAY_HEADER = "give --header if it names the columns, --no-header if it is data (in Python header=True or False)"
DROP_INDEX = "leave it out with --drop index (in Python drop=['index'])"
KEEP_ALL = "keep it with --drop and no name (in Python drop=[])"
RENAME = "give it another name in the header"  # to keep it while other columns are dropped
DECIMAL_COMMA = re.compile(r"[+-]?\d[\d.' ]*(,\d+)+(\.\d+)?([eE][+-]?\d+)?")
VALUES = ("?", "-", ".", "n/a", "na", "none", "null", "true", "false")  # texts that stand for values and not for names
INDEX_NAMES = ("#", "id", "idx", "index", "level_0", "no", "nr", "row")  # if the column counts the rows
COUNTED = 10  # rows without a header from which on a first column that counts them is no coincidence
BLOCK = 2**18  # numbers that are compared at once
LONG = 8  # cells that rise or fall all along by chance once in 20,000 rows

Drop = Sequence[str | int]


def is_number(cell: str) -> bool:
    """Whether a cell is a number as a table writes it."""
    if "_" in cell:  # Python reads 1_000 as a number; in a table it is rather a name
        return False
    try:
        float(cell)
    except ValueError:
        return False
    return True


def has_decimal_comma(cell: str) -> bool:
    """Whether a cell is a number with a comma in it, before decimals or between thousands."""
    return DECIMAL_COMMA.fullmatch(cell.strip()) is not None


def is_header(row: list[str], drop: Drop | None) -> bool:
    """Whether the first row names the columns for certain: by its text, or since ``drop`` takes up a name of it."""
    names = [cell.strip() for cell in row]
    is_text = not any(is_number(name) or has_decimal_comma(name) or _is_number_and_more(name) for name in names)
    if is_text and any(name and name.lower() not in VALUES for name in names):
        return True
    if any(column in names and not is_number(column) for column in drop or () if isinstance(column, str)):
        return True
    return begins_with_gap(row) and any(str(column).lower() == "index" for column in drop or ())


def _is_number_and_more(cell: str) -> bool:
    """Whether a cell is several numbers with spaces between them, as a line without commas is."""
    words = cell.split()
    return len(words) > 1 and all(map(is_number, words))


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
            listing = ", ".join(map(quoted, stripped[:20])) + (" and more" if len(stripped) > 20 else "")
            known = f"name one of: {listing}" if names else "it has no header, so give the number of the column, from 1"
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


def check_first_row(path: Path, line: int, values: Array, first: list[str], is_fraction: bool) -> None:
    """Refuse a first row of numbers that may be names: 0, 1, 2, … or wavelengths.

    A row that rises or falls all along may be names if not all others do, and if it counts the columns, has whole
    numbers above fractions, is further from all others than they are from one another, or is long while most others
    neither rise nor fall.

    Parameters
    ----------
    path : Path
    line : int
        Its number, for messages.
    values : (n, columns) ndarray
        All rows, the first included.
    first : list of str
        The cells of the first.
    is_fraction : bool
        Whether the other rows hold numbers with a point or an exponent alone.
    """
    row, rest = values[0], values[1:]
    if not len(rest):
        return
    columns = len(row)
    is_whole = all(cell.strip().isdecimal() for cell in first)
    counts = is_whole and row[0] in (0, 1) and np.array_equal(row, np.arange(row[0], row[0] + columns))
    low, high = rest.min(), rest.max()
    gap = max(low - row.max(), row.min() - high)
    is_apart = gap > high - low and (columns > 2 or len(rest) > 2)
    if columns == 1:
        if not is_fraction:  # labels, for example, of which the first may be any
            return
        if counts and row[0] == 0:
            _refuse_first_row(path, line, "counts the columns from 0, as pandas names them")
        if is_apart:
            _refuse_first_row(
                path, line, f"holds {row[0]:.9g}, far from the numbers of all other lines, so it may be a name"
            )
        return
    direction = np.sign(row[1] - row[0])
    if not _count_monotonic(row[None], direction):
        return
    alike = _count_monotonic(rest, direction)
    if alike == len(rest):
        return
    if counts and (columns > 2 or low < 0 or high > 1 or is_fraction):
        _refuse_first_row(path, line, f"counts the columns from {row[0]:.0f} to {row[-1]:.0f}, as pandas names them")
    is_long = columns >= LONG and 2 * alike < len(rest)
    if is_apart or is_long or (is_whole and is_fraction):
        way = "rises" if direction > 0 else "falls"
        what = f"{way} from {row[0]:.9g} to {row[-1]:.9g}, unlike other lines, as a header of wavelengths or times does"
        _refuse_first_row(path, line, what)


def _refuse_first_row(path: Path, line: int, what: str) -> None:
    raise FileFormatError(f"{str(path)!r}, line {line} {what}; {SAY_HEADER}")


def _count_monotonic(rows: Array, direction: float) -> int:
    """How many rows rise (1) or fall (-1) all along; block by block, so that no copy of a large table is made."""
    if direction == 0:
        return 0
    block = max(1, BLOCK // rows.shape[1])
    return sum(
        int((np.diff(rows[i : i + block], axis=1) * direction > 0).all(axis=1).sum())
        for i in range(0, len(rows), block)
    )


def drop_option(column: int, names: list[str] | None) -> str:
    """The option that leaves out a column, as it is typed."""
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
        return f"--drop {name}" if " " not in name else f'--drop "{name}"'
    return "--drop and its name" if names and number in names else f"--drop {number}"


def is_finite_number(cell: str) -> bool:
    """Whether a cell is a number that is neither NaN nor infinite."""
    return is_number(cell) and math.isfinite(float(cell))
