"""Reader for csv and tsv tables of numbers: each line is a sample."""

import math
import os
from array import array
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from npae.datasets.named_columns import NamedColumns
from npae.datasets.streams import MAX_BYTES
from npae.datasets.table_cells import (
    TRUTH,
    is_failed,
    is_finite_number,
    is_missing,
    is_number,
    is_rounded,
    number_otherwise,
)
from npae.datasets.table_columns import (
    DROP_INDEX,
    IF_HEADER,
    Drop,
    begins_with_gap,
    check_index,
    drop_option,
    is_header,
    kept_columns,
)
from npae.datasets.table_headers import check_first_row
from npae.datasets.table_points import Points
from npae.datasets.table_rows import read_rows, separator_of
from npae.datasets.text_files import open_text
from npae.utils.errors import FileFormatError
from npae.utils.types import Array
from npae.utils.wording import counted

WHOLE = 2**53  # whole numbers up to here are floating-point numbers, too


def read_table(path: str | os.PathLike[str], *, header: bool | None = None, drop: Drop | None = None) -> Array:
    r"""Read a csv or tsv file of numbers, plain or compressed by gzip.

    The columns are separated by tabs, semicolons or commas, whichever separates the first two lines into equally many;
    separators in quotation marks are none. The first line is a header if none of its cells is a number. Blank lines are
    skipped. Numbers have a decimal point. The text is UTF-8.

    A header of numbers (0, 1, 2, …, years or wavelengths) and the index that pandas writes as a column are not guessed:
    a table that seems to have them is refused until ``header`` or ``drop`` says what they are. Names that could as well
    be a row of the table, such as 3, 17 and 22 above whole numbers, cannot be told from one.

    The file may have up to 4 GiB, expanded too, and the table too, a line up to 16 Mi characters and 1,048,576 cells,
    and a cell as many characters as csv.field_size_limit() says. No more than a line is read at once, and a line break
    in a cell does not make it longer.

    Parameters
    ----------
    path : str or PathLike
        The file.
    header : bool, optional
        Whether the first line names the columns. By default that is seen from its text.
    drop : sequence of str or int, optional
        Columns to leave out: names of the header, or numbers from 1. "index" also stands for a first column without a
        name. An empty sequence keeps every column, one that looks like an index too.

    Returns
    -------
    (n, columns) ndarray of float64
        One row for each line; a table without rows is refused.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FileFormatError
        If a cell is empty, is not a number or not finite, or a whole number that would be rounded, or if a line has
        fewer or more cells than the first; line, column and text are named. Also if the file is too large, is not
        UTF-8, has no numbers or no column that is to be dropped, or if it is not clear whether it has a header or an
        index.
    ValueError
        If ``header`` is neither True nor False, or ``drop`` is no sequence of names and numbers.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "iris.csv"
    >>> _ = path.write_text(",width,species\n0,3.5,setosa\n1,3.1,virginica\n", encoding="utf-8")
    >>> read_table(path, drop=["index", "species"])
    array([[3.5],
           [3.1]])
    """
    return np.asarray(read_named_table(path, header=header, drop=drop))


def read_named_table(path: str | os.PathLike[str], *, header: bool | None = None, drop: Drop | None = None) -> Array:
    """``read_table``; where the file has a header, the array also has ``columns``, the names as they are written."""
    path = Path(path)
    if header is not None and not isinstance(header, bool | np.bool_):
        raise ValueError(f"header is {header!r}, but whether there is one is expected; give True or False")
    columns = None if drop is None else _columns(drop)
    with open_text(path, "csv or tsv") as text:
        return _parse(text, path, header, columns)


def _columns(drop: object) -> list[str | int]:
    columns: list[Any] = list(drop) if isinstance(drop, Iterable) and not isinstance(drop, str) else [None]
    if not all(isinstance(column, str | int | np.integer) for column in columns):
        raise ValueError(f"drop is {drop!r}, but a list of names or numbers is expected; give e.g. ['index', 3]")
    return columns


def _parse(text: TextIO, path: Path, header: bool | None, drop: Drop | None) -> Array:
    separator = separator_of(text, path)
    table = _Table(path, header, drop, Points(separator))
    for line, row in read_rows(text, path, separator):
        table.add(line, row)
    return table.finished()


class _Table:
    """The numbers of the rows so far, and what the first row is."""

    def __init__(self, path: Path, header: bool | None, drop: Drop | None, points: Points) -> None:
        self._path, self._header, self._drop, self._points = path, header, drop, points
        self._values = array("d")
        self._names: list[str] | None = None
        self._begun_with: list[str] = []  # cells of the first row
        self._first: list[str] = []  # of these, those that are read, if the row is data
        self._width = self._first_line = 0
        self._blank_line: int | None = None
        self._is_fraction = True  # of all rows below the first

    def add(self, line: int, row: list[str]) -> None:
        """Take a row that ends in this line."""
        if not row:
            if self._blank_line is None and self._width:
                self._blank_line = line
            return
        if not self._width:
            self._begin(line, row)
            if self._names:
                return
        self._check_shape(line, row)
        cells = [row[place] for place in self._kept]
        try:
            numbers = list(map(float, cells))
        except ValueError:
            numbers = [math.nan]
        if not all(map(math.isfinite, numbers)) or "_" in "".join(cells):
            raise FileFormatError(f"{str(self._path)!r}, line {line}, {self._fault(row)}")
        if (max(numbers) >= WHOLE or min(numbers) <= -WHOLE) and any(map(is_rounded, cells)):
            raise FileFormatError(f"{str(self._path)!r}, line {line}, {self._rounding(row)}")
        if not self._values:
            self._first = cells
        elif self._is_fraction:
            self._is_fraction = all("." in cell or "e" in cell.lower() for cell in cells)
        self._points.add(cells)
        self._values.extend(numbers)
        if len(self._values) * self._values.itemsize > MAX_BYTES:
            raise FileFormatError(
                f"{str(self._path)!r} has more than {MAX_BYTES // self._values.itemsize:,} numbers; split it into "
                f"smaller ones"
            )

    def finished(self) -> Array:
        """The table, if it is certain that all of it is data."""
        if not self._values:
            raise FileFormatError(f"{str(self._path)!r} holds no lines of numbers; give at least one")
        values = np.frombuffer(self._values).reshape(-1, len(self._kept))
        keeps_all = self._drop is not None and not self._drop
        if self._kept[0] == 0 and not keeps_all:
            check_index(self._path, values, self._names, self._drop)
        if self._names is None and self._header is None:
            check_first_row(self._path, self._first_line, values, self._first, self._is_fraction)
        self._points.warn(self._path, stacklevel=7)
        if self._names is None:
            return values
        return NamedColumns.of(values, [self._names[place] for place in self._kept])

    def _begin(self, line: int, row: list[str]) -> None:
        self._width, self._first_line, self._begun_with = len(row), line, row
        if self._header or (self._header is None and is_header(row, self._drop)):
            self._names = row
        elif self._header is None and begins_with_gap(row):
            raise FileFormatError(
                f"{str(self._path)!r}, line {line}, column 1 is empty, as in the header that pandas writes above an "
                f"index; {DROP_INDEX}, or fill the gap"
            )
        self._kept = kept_columns(self._path, self._width, self._names, self._drop)

    def _check_shape(self, line: int, row: list[str]) -> None:
        if len(row) == self._width == 1 and self._blank_line is not None and (self._values or self._names):
            raise FileFormatError(
                f"{str(self._path)!r}, line {self._blank_line} is empty between others, but the table has one column, "
                f"where that may be a missing number; fill the gap or remove the line"
            )
        if len(row) != self._width:
            raise FileFormatError(
                f"{str(self._path)!r}, line {line}: {counted(len(row), 'column')}, but line {self._first_line} has "
                f"{self._width}; {self._advice_on_width(row)}"
            )

    def _advice_on_width(self, row: list[str]) -> str:
        has_index = bool(self._names) and not self._values and len(row) == self._width + 1
        if has_index and any(map(is_number, row)):
            return "give every line as many, or the index, if the first column is one, a name in the header"
        if not self._values and (reason := self._no_header()):
            return f"remove line {self._first_line}{reason}"
        if row[0].lstrip().startswith("#"):
            return "remove the line if it is a comment"
        if self._values and len(row) == 1 and not is_number(row[0]):
            return "remove the line if it is no sample, such as a total or a note"
        if len(row) == 2 * self._width and all(cell.strip().lstrip("+-").isdecimal() for cell in row):
            return "write decimal points if these are decimal commas, else give every line as many"
        return "give every line as many"

    def _no_header(self) -> str:
        """Why the first line is probably not the one that names the columns, as the end of a phrase; or nothing."""
        filled = [cell.strip() for cell in self._begun_with if cell.strip()]
        if filled and filled[0].lower().startswith("sep="):
            return ", in which Excel names the separator"
        if filled and filled[0].startswith("#"):
            return " if it is a comment"
        if len(filled) == 1 and not is_number(filled[0]):
            return " if it is a title"
        return ""

    def _rounding(self, row: list[str]) -> str:
        """The first cell that would be rounded: where it is, what it holds, and what to do."""
        column = next(place for place in self._kept if is_rounded(row[place]))
        return (
            f"{self._place(column)} holds the whole number {row[column].strip()[:40]}, beyond 2**53, of which "
            f"floating-point numbers do not hold all; leave the column out with {drop_option(column, self._names)} if "
            f"it only names the samples, else write it as {float(row[column])!r}"
        )

    def _place(self, column: int) -> str:
        return f"column {column + 1}" + (f" ({self._names[column][:40]!r})" if self._names else "")

    def _fault(self, row: list[str]) -> str:
        """The first cell that is no finite number: where it is, what it holds, and what to do."""
        column = next(place for place in self._kept if not is_finite_number(row[place]))
        where = self._place(column)
        cell = row[column].strip()
        is_first = not self._names and not self._values and self._header is None
        header = f"{IF_HEADER}, else " if is_first else ""
        if not cell:
            header = header if any(cell.strip() for cell in row) else ""
            advice = "fill the gap or leave out the line"
            if column == len(row) - 1 and len(row) > 1:
                option = drop_option(column, self._names)
                advice += f", or where every line ends in a separator leave out the column with {option}"
            return f"{where} is empty, but a number is expected; {header}{advice}"
        if is_missing(cell):
            return (
                f"{where} holds the text {cell!r}, which usually stands for a missing value; {header}fill it or leave "
                f"out the line"
            )
        if "\0" in cell:
            return f"{where} holds {cell[:40]!r}, with zero bytes, as UTF-16 text has them; save the file as UTF-8"
        if is_number(cell) or is_failed(cell):
            return f"{where} holds {cell[:40]!r}, which is not a finite number; replace it or leave out the line"
        return f"{where} holds the text {cell[:40]!r}, {self._advice_on_text(row, column, is_first)}"

    def _advice_on_text(self, row: list[str], column: int, is_first: bool) -> str:
        cell, option = row[column].strip(), drop_option(column, self._names)
        expected = "but a number is expected"
        if row[0].lstrip().startswith("#"):
            return f"{expected}; remove the line if it is a comment"
        is_below_first = bool(self._names) and not self._values and len(row) > 1 and not any(map(is_number, row))
        if is_below_first and (reason := self._no_header()):
            return f"{expected}; remove line {self._first_line}{reason}"
        for mark, name in ((None, "spaces"), ("|", "|"), (":", "colons")):
            if len(row) == 1 and cell.count(mark or " ") and is_number(cell.split(mark)[0]):
                return f"{expected}; write commas between the numbers instead of {name}"
        if otherwise := number_otherwise(cell):
            what, advice = otherwise
            return f"{what}; {IF_HEADER}, else {advice}" if is_first else f"{what}; {advice}"
        if cell.lower() in TRUTH:
            return f"{expected}; write 1 and 0 for true and false"
        if is_first:
            return f"{expected}; {IF_HEADER}, or leave the column out with {option}"
        if self._values:  # lines above have numbers there
            return (
                f"{expected}; correct it, remove the line if it is no sample, such as a total or a note, or leave the "
                f"column out with {option}"
            )
        if is_below_first:
            return f"{expected}; remove the line if it is a second header, or leave the column out with {option}"
        if column == 0:
            return f"{expected}; encode the column, or if it is an index leave it out with {option}"
        return f"{expected}; encode the column, or leave it out with {option}"
