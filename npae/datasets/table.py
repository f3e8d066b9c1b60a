"""Reader for csv and tsv tables of numbers: each line is a sample."""

import csv
import math
import os
from array import array
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

import numpy as np

from npae.datasets.streams import MAX_BYTES, lines, open_file
from npae.utils.errors import FileFormatError, one_line
from npae.utils.types import Array

MAX_LINE = 2**24  # characters; a sample of a million features fits
MAX_COLUMNS = 2**20


def read_table(path: str | os.PathLike[str]) -> Array:
    r"""Read a csv or tsv file of numbers.

    The columns are separated by tabs if the first line contains one, else by semicolons if it contains one, else by
    commas. That line is a header if none of its cells is a number. Blank lines are skipped. Numbers have a
    decimal point. The text is UTF-8.

    The file and the table may have up to 4 GiB each, a line up to 16 Mi characters and 1,048,576 cells, and a cell up
    to csv.field_size_limit() characters. These limits also hold for a row of several lines, with line breaks in its
    cells. No more than a line is read at once.

    Parameters
    ----------
    path : str or PathLike
        The file.

    Returns
    -------
    (n, columns) ndarray of float64
        One row for each line; a table without rows is refused.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FileFormatError
        If a cell is empty, is not a number or not finite, or if a line has fewer or more cells than the first;
        line, column and text are named. Also if the file is too large, is not UTF-8 or has no numbers.
    """
    path = Path(path)
    with open_file(path) as file, TextIOWrapper(file, encoding="utf-8-sig", newline="") as text:
        if os.fstat(file.fileno()).st_size > MAX_BYTES:
            raise FileFormatError(f"{str(path)!r} is larger than {MAX_BYTES:,} bytes; split it into smaller files")
        try:
            return _parse(text, path)
        except UnicodeDecodeError as error:
            raise FileFormatError(
                f"{str(path)!r} is not UTF-8 text ({error.reason}), but csv or tsv was expected; save it as UTF-8"
            ) from None


def _parse(text: TextIO, path: Path) -> Array:
    first = next((line for line in lines(text, path, MAX_LINE) if line.strip(" \r\n")), "")
    text.seek(0)
    delimiter = next((mark for mark in "\t;" if mark in first), ",")
    source = _Rows(text, path, delimiter)
    rows = csv.reader(source, delimiter=delimiter, strict=True)
    values = array("d")
    header: list[str] | None = None
    width = first_line = 0
    try:
        for row in rows:
            source.begin()
            if not row or (len(row) == 1 and not row[0].strip()):
                continue
            if not width:
                width, first_line = len(row), rows.line_num
                if _is_header(row):
                    header = row
                    continue
            if len(row) != width:
                raise FileFormatError(
                    f"{str(path)!r}, line {rows.line_num}: {len(row)} columns, but line {first_line} has {width}; "
                    f"give every line as many"
                )
            try:
                numbers = list(map(float, row))
            except ValueError:
                numbers = [math.nan]
            if not all(map(math.isfinite, numbers)) or "_" in "".join(row):
                raise FileFormatError(f"{str(path)!r}, line {rows.line_num}, {_first_fault(row, header)}")
            values.extend(numbers)
            if len(values) * values.itemsize > MAX_BYTES:
                raise FileFormatError(
                    f"{str(path)!r} has more than {MAX_BYTES // values.itemsize:,} numbers; split it into smaller ones"
                )
    except csv.Error as error:
        raise FileFormatError(f"{str(path)!r}, line {rows.line_num}: {one_line(error)}; correct the line") from None
    if not values:
        raise FileFormatError(f"{str(path)!r} holds no lines of numbers; give at least one")
    return np.frombuffer(values).reshape(-1, width)


class _Rows:
    """Lines for a csv reader, which joins lines at line breaks in quoted cells; limits the length of a row."""

    def __init__(self, text: TextIO, path: Path, delimiter: str) -> None:
        self._lines, self._path, self._delimiter = lines(text, path, MAX_LINE), path, delimiter
        self.begin()

    def begin(self) -> None:
        """Reset the counters: the next line begins a new row."""
        self._length = self._cells = 0

    def __iter__(self) -> "_Rows":
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self._length += len(line)
        self._cells += line.count(self._delimiter) + 1
        if self._length > MAX_LINE or self._cells > MAX_COLUMNS:
            raise FileFormatError(
                f"{str(self._path)!r} has a row of more than {MAX_LINE:,} characters or {MAX_COLUMNS:,} cells; give a "
                f"sample fewer features"
            )
        return line


def _is_header(row: list[str]) -> bool:
    return any(cell.strip() for cell in row) and not any(map(_is_number, row))


def _is_number(cell: str) -> bool:
    if "_" in cell:  # Python accepts 1_000 as a number; in a table it is more likely a name
        return False
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _first_fault(row: list[str], header: list[str] | None) -> str:
    """Message about the first cell that is not a finite number: its place, its content, and what to do."""
    column = next(i for i, cell in enumerate(row) if not (_is_number(cell) and math.isfinite(float(cell))))
    where = f"column {column + 1}" + (f" ({header[column][:40]!r})" if header else "")
    cell = row[column].strip()
    if not cell:
        return f"{where} is empty, but a number is expected; fill the gap or leave out the line"
    if _is_number(cell):
        return f"{where} holds {cell[:40]!r}, which is not a finite number; replace it or leave out the line"
    return f"{where} holds the text {cell[:40]!r}, but a number is expected; encode or leave out the column"
