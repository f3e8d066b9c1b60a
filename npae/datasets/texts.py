"""Reader for labelled texts: each line is a label, a tab and a text."""

import os
from io import TextIOWrapper
from pathlib import Path

from npae.datasets.streams import MAX_BYTES, lines, open_file
from npae.utils.errors import FileFormatError, quoted

#: Number of header lines; files of Orange (.tab) also have the type and the role of each column.
HEADERS = {".tsv": 1, ".tab": 3}
LARGEST_TEXT = 2**24  # characters


def read_texts(path: str | os.PathLike[str]) -> tuple[list[str], list[str]]:
    """Read labelled texts from a .tsv file with a header, or from a .tab file of Orange.

    Quotation marks have no meaning in it, and blank lines may stand at its end. The file may have up to 4 GiB, and a
    line, label included, up to 16 Mi characters; no more than a line is read at once.

    Parameters
    ----------
    path : str or PathLike
        UTF-8 text, each line a label, a tab and a text.

    Returns
    -------
    texts, labels : list of str

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FileFormatError
        If the suffix is another, if a line is empty or has not two columns, if a label or text is empty, if the header
        of a .tsv begins with a label that further lines have, too, or if there are no texts.
    """
    path = Path(path)
    headers = HEADERS.get(path.suffix.lower())
    if headers is None:
        raise FileFormatError(f"{str(path)!r} is no .tsv or .tab file; give lines of label, tab and text as .tsv")
    texts: list[str] = []
    labels: list[str] = []
    first: list[str] = []  # the cells of the header of a .tsv
    blank: int | None = None  # the first blank line so far
    with open_file(path) as file, TextIOWrapper(file, encoding="utf-8-sig", newline="") as stream:
        if os.fstat(file.fileno()).st_size > MAX_BYTES:
            raise FileFormatError(f"{str(path)!r} is larger than {MAX_BYTES:,} bytes; split it into smaller files")
        try:
            for number, line in enumerate(lines(stream, path, LARGEST_TEXT), start=1):
                cells = line.rstrip("\r\n").split("\t")
                if number <= headers:
                    first = first or cells
                elif not line.strip(" \r\n"):
                    blank = blank or number
                else:
                    _check(path, number, cells, blank)
                    labels.append(cells[0])
                    texts.append(cells[1])
        except UnicodeDecodeError as error:
            raise FileFormatError(f"{str(path)!r} is not UTF-8 text ({error.reason}); save it as UTF-8") from None
    if not texts:
        raise FileFormatError(f"{str(path)!r} holds no texts behind its {headers} header lines; give at least one")
    if headers == 1 and len(first) == 2 and first[0] in set(labels):
        raise FileFormatError(
            f"{str(path)!r}, line 1 has the label {quoted(first[0])} that further lines have, too, but would be left "
            f"out as a header; put a header above it, such as label, tab, text"
        )
    return texts, labels


def _check(path: Path, number: int, cells: list[str], blank: int | None) -> None:
    """Refuse a line that is not a label and a text, or follows a blank one."""
    fault = None
    if len(cells) != 2:
        fault = f"line {number}: {len(cells)} columns"
    elif not all(cell.strip() for cell in cells):
        fault = f"line {number} has an empty {'text' if cells[0].strip() else 'label'}"
    elif blank is not None:
        fault = f"line {blank} is empty"
    if fault:
        raise FileFormatError(
            f"{str(path)!r}, {fault}, but a label and a text were expected; correct or remove the line"
        )
