"""The rows of a csv or tsv text: which mark separates the cells, and no more than a row in memory at once."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from npae.datasets.streams import lines
from npae.utils.errors import FileFormatError, one_line

MAX_LINE = 2**24  # characters; a sample of a million features fits
MAX_COLUMNS = 2**20
DELIMITERS = "\t;,"

Row = tuple[int, list[str]]  # the number of the line that the row ends in, and its cells


def read_rows(text: TextIO, path: Path, separator: str | None = None) -> Iterator[Row]:
    r"""Yield the rows of a csv text; a blank line is a row without cells.

    Parameters
    ----------
    text : TextIO
        At its beginning, opened with ``newline=""``; it must be possible to go back there.
    path : Path
        For messages.
    separator : str, optional
        By default that which ``separator_of`` finds. Within quotation marks it is none.

    Raises
    ------
    FileFormatError
        If a row, with the blank lines before it, is longer than ``MAX_LINE`` or has more than ``MAX_COLUMNS`` cells, or
        if its quotation marks are wrong.
    """
    reader = _Reader(text, path, separator or separator_of(text, path))
    try:
        yield from reader
    except csv.Error as error:
        raise FileFormatError(f"{str(path)!r}, line {reader.line}: {one_line(error)}; correct the line") from None


def separator_of(text: TextIO, path: Path) -> str:
    """The first of tab, semicolon and comma that makes equally many cells of the first two rows, more than one.

    Else it is the first that makes more than one of the first row.
    """
    widths = {mark: _first_widths(text, path, mark) for mark in DELIMITERS}
    present = [mark for mark in DELIMITERS if widths[mark] and widths[mark][0] > 1]
    agreeing = [mark for mark in present if widths[mark][0] == widths[mark][-1]]
    below = [mark for mark in DELIMITERS if widths[mark] and widths[mark][-1] > 1]  # a title has none
    return (agreeing or present or below or [","])[0]


def _first_widths(text: TextIO, path: Path, delimiter: str) -> list[int]:
    """Cells of the first two rows that are not blank, by this separator; none if it cannot be it."""
    widths = []
    text.seek(0)
    try:
        for _, row in _Reader(text, path, delimiter):
            if row:
                widths.append(len(row))
            if len(widths) == 2:
                break
    except csv.Error:
        widths = []
    text.seek(0)
    return widths


class _Reader:
    """The rows by one separator: a csv reader joins lines where a cell has line breaks, but not endlessly many."""

    def __init__(self, text: TextIO, path: Path, delimiter: str) -> None:
        self._lines, self._path, self._delimiter = lines(text, path, MAX_LINE), path, delimiter
        self._rows = csv.reader(self._limited(), delimiter=delimiter, strict=True)

    @property
    def line(self) -> int:
        """The number of the last line that was read."""
        return self._rows.line_num

    def __iter__(self) -> Iterator[Row]:
        self._length = self._cells = 0
        for row in self._rows:
            is_blank = not row or (len(row) == 1 and row[0].isspace())
            yield self.line, [] if is_blank else row
            self._cells = 0
            if not is_blank:  # blank lines count as part of the next row: a compressed file may have billions
                self._length = 0

    def _limited(self) -> Iterator[str]:
        for line in self._lines:
            self._length += len(line)
            self._cells += line.count(self._delimiter) + 1
            if self._length > MAX_LINE or self._cells > MAX_COLUMNS:
                raise FileFormatError(
                    f"{str(self._path)!r} has a row of more than {MAX_LINE:,} characters or {MAX_COLUMNS:,} cells; "
                    f"give a sample fewer features, or remove blank lines"
                )
            yield line
