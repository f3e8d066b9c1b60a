"""Lines of label, tab and text: which of the first are a header, and what each of the others holds."""

from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import TextIO

from npae.datasets.other_formats import refuse_by_content
from npae.datasets.streams import lines
from npae.datasets.text_files import check_count, open_text
from npae.datasets.text_folders import LARGEST_TEXT
from npae.utils.errors import FileFormatError, quoted

#: What the columns are called in a header, in small letters.
LABELS = (
    *("label", "labels", "class", "category", "target", "topic", "subject", "sentiment", "tag", "y"),
    *("genre", "language", "lang", "intent", "rating", "score"),
)
TEXTS = (
    *("text", "texts", "document", "doc", "message", "sentence", "review", "content", "body", "comment"),
    *("article", "news", "title", "headline", "tweet", "email", "sms", "description", "x"),
)
#: Of Orange's files, whose second line has the types of the columns and whose third has their roles.
ORANGE_TEXTS = ("string", "s", "text")
ORANGE_ROLES = ("class", "meta", "multiclass", "weight", "ignore", "i", "instance")

Line = tuple[int, list[str]]  # its number from 1, and its cells


def read_labelled_lines(path: Path, header: bool | None, encoding: str) -> tuple[list[str], list[str]]:
    """The texts and labels of a .tsv or .tab; ``header`` is as for ``read_texts``."""
    texts: list[str] = []
    labels: list[str] = []
    blank: int | None = None  # the first blank line so far
    refuse_by_content(path)
    with open_text(path, "lines of label, tab and text", encoding) as file:
        cells_of_lines = _cells(file, path)
        head = list(islice(cells_of_lines, 3))
        n_headers = _headers(path, [cells for _, cells in head], header)
        for number, cells in chain(head[n_headers:], cells_of_lines):
            if not "".join(cells).strip(" ") and len(cells) == 1:
                blank = blank or (number if texts else None)  # Orange's own files have one below the header
                continue
            _check(path, number, cells, blank)
            labels.append(cells[0])
            texts.append(cells[1])
            check_count(path, len(texts))
    if not texts:
        behind = f" behind the header of {n_headers} line{'s' * (n_headers > 1)}" if n_headers else ""
        raise FileFormatError(f"{str(path)!r} holds no texts{behind}; give lines of label, tab and text")
    if n_headers == 1 and header is None and head[0][1][0] in set(labels):
        _refuse_first_line(path, head[0][1])
    return texts, labels


def _cells(stream: TextIO, path: Path) -> Iterator[Line]:
    for number, line in enumerate(lines(stream, path, LARGEST_TEXT), start=1):
        yield number, line.rstrip("\r\n").split("\t")


def _headers(path: Path, head: list[list[str]], header: bool | None) -> int:
    """How many of the first lines are no samples.

    Raises
    ------
    FileFormatError
        If that is not clear, or if the header says that the text comes first.
    """
    if header is False or not head:
        return 0
    first = head[0]
    if len(first) != 2:  # refused as any such line
        return 0
    if _is_orange(head):
        _check_order(path, is_text_first=head[1][0].strip() in ORANGE_TEXTS and head[1][1].strip() not in ORANGE_TEXTS)
        return 3
    if header:
        return 1
    left, right = (name.strip().lower() for name in first)
    _check_order(path, is_text_first=left in TEXTS and right in LABELS)
    if left not in LABELS or right not in TEXTS:
        _refuse_first_line(path, first)
    return 1


def _is_orange(head: list[list[str]]) -> bool:
    """Whether the second line has types of columns and the third their roles, or options such as a=1."""
    if len(head) < 3 or any(len(cells) != 2 for cells in head):
        return False
    types, roles = ([cell.strip() for cell in cells] for cells in head[1:])
    words = " ".join(roles).replace(";", " ").split()
    are_roles = all(word in ORANGE_ROLES or "=" in word for word in words)
    return all(types) and any(name in ORANGE_TEXTS for name in types) and are_roles and "class" in words


def _check_order(path: Path, *, is_text_first: bool) -> None:
    if is_text_first:
        raise FileFormatError(
            f"{str(path)!r} has the text in its first column, by its header, but label, tab and text are expected; "
            f"swap the columns"
        )


def _refuse_first_line(path: Path, first: list[str]) -> None:
    raise FileFormatError(
        f"{str(path)!r}, line 1 holds {quoted(first[0])} and {quoted(first[1])}, which may be a sample or the names of "
        f"the columns; give --header if it names them, --no-header if it is a sample (in Python header=True or False)"
    )


def _check(path: Path, number: int, cells: list[str], blank: int | None) -> None:
    """Refuse a line that is not a label and a text, or follows a blank one."""
    fault, advice = None, "correct or remove the line"
    if len(cells) != 2:
        fault = f"line {number}: {len(cells)} columns"
        if len(cells) == 1 and any(mark in cells[0] for mark in ",;|"):
            advice = "write a tab between label and text, or remove the line"
        if len(cells) > 2 and path.suffix.lower() == ".tsv":
            advice = "correct the line, or name the columns (text_column, label_column)"
    elif not all(cell.strip() for cell in cells):
        fault = f"line {number} has an empty {'text' if cells[0].strip() else 'label'}"
    elif blank is not None:
        fault = f"line {blank} is empty"
    if fault:
        raise FileFormatError(f"{str(path)!r}, {fault}, but a label and a text were expected; {advice}")
