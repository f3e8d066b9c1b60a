"""Reader for labelled texts: each line is a label, a tab and a text."""

import os
from io import TextIOWrapper
from pathlib import Path

from npae.datasets.streams import MAX_BYTES, lines, open_file
from npae.utils.errors import FileFormatError

#: Number of header lines; files of Orange (.tab) also have the type and the role of each column.
HEADERS = {".tsv": 1, ".tab": 3}
LARGEST_TEXT = 2**24  # characters


def read_texts(path: str | os.PathLike[str]) -> tuple[list[str], list[str]]:
    """Read labelled texts from a .tsv file with a header, or from a .tab file of Orange.

    Quotation marks are ordinary characters. The file may have up to 4 GiB, and a line, label included, up to 16 Mi
    characters; no more than a line is read at once.

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
        If the suffix is neither, if a line does not have two columns, or if there are no texts.
    """
    path = Path(path)
    headers = HEADERS.get(path.suffix.lower())
    if headers is None:
        raise FileFormatError(f"{str(path)!r} is no .tsv or .tab file; give lines of label, tab and text as .tsv")
    texts: list[str] = []
    labels: list[str] = []
    with open_file(path) as file, TextIOWrapper(file, encoding="utf-8-sig", newline="") as stream:
        if os.fstat(file.fileno()).st_size > MAX_BYTES:
            raise FileFormatError(f"{str(path)!r} is larger than {MAX_BYTES:,} bytes; split it into smaller files")
        try:
            for number, line in enumerate(lines(stream, path, LARGEST_TEXT), start=1):
                cells = line.rstrip("\r\n").split("\t")
                if number <= headers or cells == [""]:
                    continue
                if len(cells) != 2:
                    raise FileFormatError(
                        f"{str(path)!r}, line {number}: {len(cells)} columns, but a label and a text were expected; "
                        f"correct the line"
                    )
                labels.append(cells[0])
                texts.append(cells[1])
        except UnicodeDecodeError as error:
            raise FileFormatError(f"{str(path)!r} is not UTF-8 text ({error.reason}); save it as UTF-8") from None
    if not texts:
        raise FileFormatError(f"{str(path)!r} holds no texts behind its {headers} header lines; give at least one")
    return texts, labels
