"""A first line of numbers that may be names, which pandas writes without quotation marks.

Whether it names the columns is not guessed: where it looks as if, the table is refused until the caller says what it
is. Names that look like any sample of the table cannot be told from one.
"""

from pathlib import Path

import numpy as np

from npae.utils.errors import FileFormatError
from npae.utils.types import Array

SAY_HEADER = "give --header if it names the columns, --no-header if it is data (in Python header=True or False)"
BLOCK = 2**18  # numbers that are compared at once
LONG = 8  # cells that rise or fall all along by chance once in 20,000 rows
CHANCE = 1e-4  # a first row of samples that is evenly spaced more rarely than that is asked about
FEWEST_ROWS = 3  # below the first, to tell what is rare
LOOKED_AT = 1000  # rows, to tell what is rare
FINER = 20  # times, than the step, is what the numbers of an evenly spaced row are rounded to
FINEST = 12  # decimals
ROUND_STEPS = (1.0, 2.0, 2.5, 5.0)  # times a power of ten


def check_first_row(path: Path, line: int, values: Array, first: list[str], is_fraction: bool) -> None:
    """Refuse a first row of numbers that may be names: 0, 1, 2, …, years or wavelengths.

    A row that rises or falls all along may be names if no other does so evenly, and if it is evenly spaced as it would
    be by chance once in 10,000 tables. It also may if not all others rise or fall, and if it counts the columns, has
    whole numbers above fractions, is further from all others than they are from one another, or is long while most
    others neither rise nor fall.

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
    if is_evenly_spaced_against_chance(row, rest, first):
        way = "rises" if direction > 0 else "falls"
        _refuse_first_row(
            path,
            line,
            f"{way} evenly from {row[0]:.9g} to {row[-1]:.9g}, as no other line does, but as a header of years, "
            f"times or wavelengths may",
        )
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


def is_evenly_spaced_against_chance(row: Array, rest: Array, cells: list[str]) -> bool:
    """Whether a row is evenly spaced, no other is, and a sample of the table hardly would be.

    The chance is that of each second difference to be 0 by the differences in the other rows, and that of the first
    step to be what it is, if it is round (1, 2, 2.5 or 5, times a power of ten).

    Parameters
    ----------
    row : (columns,) ndarray
        Rising or falling all along.
    rest : (n, columns) ndarray
        All other rows.
    cells : list of str
        The row as it is written.
    """
    columns = len(row)
    with np.errstate(all="ignore"):  # differences of large numbers may be infinite, which no row of names has
        step = (row[-1] - row[0]) / (columns - 1)
        tolerance = _tolerance(row, step, cells)
        if columns < 3 or len(rest) < FEWEST_ROWS or not _count_even(row[None], tolerance):
            return False
        if _count_even(rest, tolerance):
            return False
        some = rest[:: -(-len(rest) // min(LOOKED_AT, max(FEWEST_ROWS, BLOCK // columns)))]
        grain = 2 * tolerance + _resolution(some)
        bends = np.median(np.abs(np.diff(some, 2, axis=1)), axis=0)  # (columns - 2,)
        chance = float(np.prod(_density(grain, bends)))
        if _is_round(step):
            steps = np.median(np.abs(np.diff(some, axis=1)))
            chance *= min(1.0, len(ROUND_STEPS) * float(_density(grain, steps)))
    return bool(chance < CHANCE)


def _tolerance(row: Array, step: float, cells: list[str]) -> float:
    """How far from its place a number of an evenly spaced row may be: by rounding to its last decimal, if at all."""
    exact = 1e-9 * float(np.abs(row).max())
    rounding = 1.001 * 10.0 ** -max(map(_decimals, cells))  # of the number, and of the ends of the row
    is_rounded = not _count_even(row[None], exact) and FINER * rounding <= abs(step)
    return max(exact, rounding) if is_rounded else exact


def _decimals(cell: str) -> float:
    """Decimals of a number, as it is written."""
    mantissa, _, exponent = cell.strip().lower().partition("e")
    decimals = len(mantissa.partition(".")[2]) - float(exponent or 0)
    return min(max(decimals, -300.0), 300.0)


def _resolution(values: Array) -> float:
    """The power of ten of which all values are multiples, 1 at most; 0 if there is none."""
    for decimals in range(FINEST + 1):
        scaled = values * 10.0**decimals
        if (np.abs(scaled - np.rint(scaled)) <= 1e-9 * np.maximum(1, np.abs(scaled))).all():
            return float(10.0**-decimals)
    return 0.0


def _density(grain: float, median: Array) -> Array:
    """Chance of a difference to be within half a grain of a number, if half of all are up to the median from 0."""
    return np.where(grain < 2 * median, 0.5 * grain / (2 * median), 1.0)


def _is_round(step: float) -> bool:
    digits = abs(step) / 10.0 ** np.floor(np.log10(abs(step)))
    return any(abs(digits - nice) < 1e-6 * nice for nice in (*ROUND_STEPS, 10.0))


def _count_even(rows: Array, tolerance: float) -> int:
    """How many rows are evenly spaced and not constant; block by block, as ``_count_monotonic``."""
    columns = rows.shape[1]
    places = np.linspace(0, 1, columns)
    block = max(1, BLOCK // columns)
    count = 0
    for i in range(0, len(rows), block):
        some = rows[i : i + block]
        first, last = some[:, :1], some[:, -1:]
        is_even = (np.abs(some - (first + (last - first) * places)) <= tolerance).all(axis=1)
        count += int((is_even & (np.abs(last - first)[:, 0] > tolerance)).sum())
    return count
