"""Texts in the columns of a csv or tsv."""

from collections.abc import Sequence
from pathlib import Path

from npae.datasets.table_rows import read_rows
from npae.datasets.text_files import UTF8, check_count, open_text
from npae.utils.errors import FileFormatError, listed, quoted


def read_columns(
    path: Path, columns: Sequence[str | int], *, header: bool = True, encoding: str = UTF8
) -> list[list[str]]:
    """Columns of texts of a csv or tsv, plain or compressed by gzip.

    Parameters
    ----------
    path : Path
    columns : sequence of str or int
        Each by its name, or by its number from 1.
    header : bool, default True
        Whether the first line names the columns.
    encoding : str, default UTF-8

    Returns
    -------
    list of list of str
        The cells of each column, which may be empty.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FileFormatError
        If there is no such column, or several of its name, or two columns are one; if a line has fewer or more cells
        than the first; if there are no lines; or as the reader of csv says.
    """
    places: list[int] | None = None
    found: list[list[str]] = [[] for _ in columns]
    width = 0
    with open_text(path, "csv or tsv", encoding) as text:
        for line, row in read_rows(text, path):
            if not row:  # a blank line
                continue
            if places is None:
                width = len(row)
                places = [_place(path, column, row if header else None, width) for column in columns]
                if len(set(places)) < len(places):
                    raise FileFormatError(
                        f"column {places[0] + 1} of {str(path)!r} was given as text_column and as label_column; give "
                        f"another for one of the two"
                    )
                if header:
                    continue
            if len(row) != width:
                raise FileFormatError(
                    f"{str(path)!r}, line {line}: {len(row)} columns, but the first line has {width}; give every line "
                    f"as many, and put texts that hold the separator in quotation marks"
                )
            for cells, place in zip(found, places, strict=True):
                cells.append(row[place])
            check_count(path, len(found[0]))
    if not found[0]:
        raise FileFormatError(f"{str(path)!r} holds no texts{' below its header' if header else ''}; give at least one")
    return found


def _place(path: Path, column: str | int, names: list[str] | None, width: int) -> int:
    """The place of a column, from 0."""
    stripped = [name.strip() for name in names or ()]
    if isinstance(column, str):
        count = stripped.count(column.strip())
        if count == 1:
            return stripped.index(column.strip())
        if count > 1:
            raise FileFormatError(
                f"{str(path)!r} has {count} columns of the name {quoted(column)}; give the number of one, from 1"
            )
        if not column.strip().isdecimal():
            known = (
                f"give one of: {listed(stripped)}" if names else "its columns have no names, so give a number, from 1"
            )
            raise FileFormatError(f"{str(path)!r} has no column {quoted(column)}; {known}")
    number = int(column)
    if not 1 <= number <= width:
        raise FileFormatError(f"{str(path)!r} has no column {number}; give a number from 1 to {width}")
    return number - 1
