"""Tables: as text no wider than the terminal, or, with --json, as JSON on standard output."""

import argparse
import json
import math
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import zip_longest
from typing import Any

from npae.cli.rows import as_python
from npae.utils.console import renamed, say, say_result, shown

#: The tables of this command by name, while they are kept for --json.
_kept: dict[str, list[dict[str, object]]] | None = None

#: Whether this command has printed JSON.
_is_printed = False


def add_json(parser: argparse.ArgumentParser, help: str = "print the tables as JSON, and sentences as errors") -> None:
    """Add the option --json."""
    parser.add_argument("--json", action="store_true", help=help)


def say_table(
    name: str, header: Sequence[str], rows: Iterable[Sequence[object]], *, formats: Mapping[str, str] | None = None
) -> None:
    """Print a table, or keep it for ``as_json``.

    Parameters
    ----------
    name : str
        What the table is of, in JSON that holds several.
    header : sequence of str
    rows : iterable of sequences of str, bool, int, float or None
    formats : mapping of str to str, optional
        Format specifications of columns by their header, for the text: "" for whole numbers as they are typed, in place
        of commas at the thousands; ".1f" in place of four decimals.
    """
    if _kept is not None:
        _kept[name] = [dict(zip(header, map(plain, row), strict=True)) for row in rows]
        return
    say(table(header, (texts(header, row, formats) for row in rows)))


def texts(header: Sequence[str], row: Sequence[object], formats: Mapping[str, str] | None = None) -> list[str]:
    """The cells of a row as ``say_table`` prints them."""
    formats = formats or {}
    return [
        format(cell, formats[title]) if title in formats and cell is not None else _cell(cell)
        for title, cell in zip(header, row, strict=True)
    ]


@contextmanager
def as_json() -> Iterator[None]:
    """Within, tables are kept, and at the end printed as JSON.

    One table is a list with an object for each row, whose keys are the header; of several there is an object with such
    a list for each. Where there is no table, as where all results go to a file, and no other JSON, the list is empty.
    """
    global _kept, _is_printed
    _kept, _is_printed = {}, False
    try:
        yield
        if _kept or not _is_printed:
            say_json(_kept if len(_kept) > 1 else next(iter(_kept.values()), []))
    finally:
        _kept = None


def say_json(value: Any) -> None:
    """Print a value as JSON; characters beyond ASCII are escaped, so that every encoding can hold it.

    Numbers that are not finite, which JSON has not, are null.
    """
    global _is_printed
    _is_printed = True
    say_result(json.dumps(_finite(value), indent=1, allow_nan=False))


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return plain(value)


def plain(value: Any) -> object:
    """A number of NumPy as one of Python; None for one that is not finite, which JSON has not; a text as printed."""
    if isinstance(value, str):
        return renamed(value)
    number = as_python(value)
    return None if isinstance(number, float) and not math.isfinite(number) else number


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table as text: the first column is aligned to the left, the others to the right.

    It is no wider than the terminal, or than 80 characters where there is none: texts are wrapped at spaces, where that
    is not enough within words, and then aligned to the left; where not even that is enough, the header's words are
    broken, too. Numbers are never broken, so a table of very many columns may be wider.
    """
    lines = [tuple(header), *(tuple(map(_cell, row)) for row in rows)]
    columns = list(zip(*lines, strict=True))
    room = shutil.get_terminal_size().columns - 2 * (len(header) - 1)
    widths = [max(map(len, column)) for column in columns]
    widths = _narrowed(widths, [max(map(_longest_word, column)) for column in columns], room)
    numbers = [max(map(len, filter(_is_number, column)), default=1) for column in columns]
    words = [max(_longest_word(title), width) for title, width in zip(header, numbers, strict=True)]
    widths = _narrowed(_narrowed(widths, words, room), numbers, room)
    is_left = [j == 0 or any(len(cell) > width for cell in columns[j][1:]) for j, width in enumerate(widths)]
    return "\n".join(
        "  ".join(
            part.ljust(width) if left else part.rjust(width)
            for part, width, left in zip(parts, widths, is_left, strict=True)
        )
        for line in lines
        for parts in zip_longest(*map(_wrapped, line, widths), fillvalue="")
    )


def _narrowed(widths: Sequence[int], least: Sequence[int], room: int) -> list[int]:
    """Widths that sum to at most ``room`` if they can: always the widest is narrowed, none below its least."""
    widths = list(widths)
    while sum(widths) > room and (wider := [j for j, width in enumerate(widths) if width > least[j]]):
        widths[max(wider, key=lambda j: widths[j])] -= 1
    return widths


def _longest_word(text: str) -> int:
    return max(1, *map(len, text.split(" ")))


def _is_number(cell: str) -> bool:
    return cell.lstrip("-").replace(",", "").replace(".", "").isdecimal()


def _wrapped(text: str, width: int) -> list[str]:
    """The text in lines of at most ``width`` characters; only a space at which a line ends is left out."""
    lines = []
    while len(text) > width:
        space = text.rfind(" ", 1, width + 1)
        lines.append(text[:space] if space > 0 else text[:width])
        text = text[space + 1 :] if space > 0 else text[width:]
    return [*lines, text]


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4f}"
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = f"{value:,}" if isinstance(value, int) else shown(renamed(str(value)))
    return text.replace("\n", "\\n").replace("\t", "\\t")
