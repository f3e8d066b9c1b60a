"""Reader for texts with labels, from a table or a folder, and for new ones without."""

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from npae.datasets.streams import lines
from npae.datasets.text_files import UTF8, check_count, check_encoding, open_text
from npae.datasets.text_folders import LARGEST_TEXT, find_texts, read_text_files
from npae.datasets.text_lines import read_labelled_lines
from npae.datasets.text_tables import read_columns
from npae.utils.errors import FileFormatError, Hint, quoted
from npae.utils.wording import counted

LABELLED_LINES = (".tsv", ".tab")
TABLES = (".csv", ".csv.gz", ".tsv.gz")
TEXT_COLUMN, LABEL_COLUMN = "text", "label"
LABELLED = "a .csv, .tsv or .tab file, or a folder with one folder of .txt files for each label"
NEW = "a .txt with one text a line, a .csv, .tsv or .tab file, or a folder of .txt files"


def read_texts(
    path: str | os.PathLike[str],
    *,
    text_column: str | int | None = None,
    label_column: str | int | None = None,
    header: bool | None = None,
    encoding: str | None = None,
) -> tuple[list[str], list[str]]:
    r"""Read texts with labels.

    From a folder of folders of files, each file is a text, and its folder the label; the files end in .txt, or have no
    suffix in a folder without such. From a .csv, plain or compressed by gzip, a column each is read. Of a .tsv with a
    header, or a .tab of Orange, each line is a label, a tab and a text; quotation marks have no meaning in it, and
    blank lines may stand below its header and at its end. With ``text_column`` or ``label_column`` a .tsv is read as a
    .csv is.

    A file may have up to 4 GiB, and a line, or a file of a folder, up to 16 Mi characters.

    Parameters
    ----------
    path : str or PathLike
    text_column, label_column : str or int, optional
        Columns of a .csv or .tsv, by name or by number from 1; by default "text" and "label".
    header : bool, optional
        Whether the first line names the columns. By default that of a .csv does; that of a .tsv or .tab is seen where
        its names are usual ones, such as label and text, or where it is Orange's header, and refused elsewhere.
    encoding : str, optional
        As Python calls it; by default UTF-8.

    Returns
    -------
    texts, labels : list of str
        A text may be empty if it is in a folder or a .csv; a hint says so.

    Raises
    ------
    FileNotFoundError
        If there is no such file or folder.
    FileFormatError
        If the suffix is another, if a label is empty, if a file is not of the encoding, or if there are no texts. Of a
        .csv, if there is no such column, or a line of another number of columns. Of a .tsv or .tab, if a line is empty
        or has not two columns, if a text is empty, or if it is not clear whether the first line is a header.
    ValueError
        If an option is given for a source that has no use for it.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from npae.datasets import read_texts
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "mails.csv"
    >>> _ = path.write_text('kind,words\nspam,"Win, win!"\nham,See you\n', encoding="utf-8")
    >>> read_texts(path, text_column="words", label_column="kind")
    (['Win, win!', 'See you'], ['spam', 'ham'])
    """
    path = Path(path)
    code = UTF8 if encoding is None else check_encoding(encoding)
    options = {"text_column": text_column, "label_column": label_column, "header": header}
    if path.is_dir():
        _refuse_options(path, options)
        paths, labels = find_texts(path)
        if labels is None:
            raise FileFormatError(
                f"{str(path)!r} holds texts itself, so they have no labels; put those of each label into a sub-folder"
            )
        texts = read_text_files(paths, code)
        _hint_at_empty(texts, lambda i: str(paths[i]))
        return texts, labels
    suffix = _suffix(path)
    if suffix in TABLES or (suffix == ".tsv" and (text_column is not None or label_column is not None)):
        columns = [
            TEXT_COLUMN if text_column is None else text_column,
            LABEL_COLUMN if label_column is None else label_column,
        ]
        texts, labels = read_columns(path, columns, header=header is not False, encoding=code)
        for i, label in enumerate(labels):
            if not label.strip():
                raise FileFormatError(
                    f"{str(path)!r} has an empty label at index {i} ({quoted(texts[i])}); fill it or leave out the line"
                )
        _hint_at_empty(texts, lambda i: f"index {i} of {path}")
        return texts, [label.strip() for label in labels]
    _refuse_options(path, options | ({"header": None} if suffix in LABELLED_LINES else {}))
    if suffix not in LABELLED_LINES:
        raise FileFormatError(f"{str(path)!r} is of no format of texts with labels; give {LABELLED}")
    return read_labelled_lines(path, header, code)


def read_new_texts(
    path: str | os.PathLike[str],
    *,
    text_column: str | int | None = None,
    header: bool | None = None,
    encoding: str | None = None,
) -> tuple[list[str], list[str] | None]:
    r"""Read texts without labels.

    Each line of a .txt is a text, blank ones too. Of a .csv a column is read, and so of a .tsv, if ``text_column`` is
    given; labels of a .tsv or .tab that :func:`read_texts` reads are passed over. Of a folder, files are read as there;
    sub-folders are no labels.

    Parameters
    ----------
    path : str or PathLike
    text_column : str or int, optional
        Column of a .csv or .tsv, by name or by number from 1; by default "text".
    header, encoding : optional
        As for :func:`read_texts`.

    Returns
    -------
    texts : list of str
        Where some are empty, a hint says so.
    names : list of str, or None
        The file of each, below the folder and with "/"; None for texts of one file.

    Raises
    ------
    FileNotFoundError, FileFormatError, ValueError
        As :func:`read_texts`.

    Examples
    --------
    >>> from pathlib import Path
    >>> from npae.datasets import read_new_texts
    >>> _ = Path("lines.txt").write_text("first text\nsecond text\n", encoding="utf-8")
    >>> read_new_texts("lines.txt")
    (['first text', 'second text'], None)
    """
    path = Path(path)
    code = UTF8 if encoding is None else check_encoding(encoding)
    options = {"text_column": text_column, "header": header}
    if path.is_dir():
        _refuse_options(path, options)
        paths = find_texts(path).paths
        texts = read_text_files(paths, code)
        names = [file.relative_to(path).as_posix() for file in paths]
        _hint_at_empty(texts, names.__getitem__)
        return texts, names
    suffix = _suffix(path)
    if suffix in TABLES or (suffix == ".tsv" and text_column is not None):
        column = TEXT_COLUMN if text_column is None else text_column
        (texts,) = read_columns(path, [column], header=header is not False, encoding=code)
    else:
        _refuse_options(path, options | ({"header": None} if suffix in LABELLED_LINES else {}))
        if suffix in LABELLED_LINES:
            texts, _ = read_labelled_lines(path, header, code)
        elif suffix == ".txt":
            texts = _lines(path, code)
        else:
            raise FileFormatError(f"{str(path)!r} is of no format of texts; give {NEW}")
    _hint_at_empty(texts, lambda i: f"index {i} of {path}")
    return texts, None


def is_table(path: str | os.PathLike[str]) -> bool:
    """Whether a file has columns that may be named."""
    path = Path(path)
    return not path.is_dir() and _suffix(path) in (*TABLES, ".tsv")


def has_first_line(path: str | os.PathLike[str]) -> bool:
    """Whether a file has a first line that may name columns."""
    path = Path(path)
    return is_table(path) or (not path.is_dir() and _suffix(path) in LABELLED_LINES)


def _suffix(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    return "".join(suffixes[-2:] if suffixes[-1:] == [".gz"] else suffixes[-1:])


def _refuse_options(path: Path, options: dict[str, Any]) -> None:
    """Raise ValueError for an option that is given and of no use."""
    for name, value in options.items():
        if value is not None:
            raise ValueError(
                f"{name}={value!r} was given with {str(path)!r}, but is for named columns of a .csv or .tsv; "
                f"leave it out"
            )


def _hint_at_empty(texts: list[str], place: Callable[[int], str]) -> None:
    empty = [i for i, text in enumerate(texts) if not text.strip()]
    if empty:
        warnings.warn(
            f"{counted(len(empty), 'empty text')} of {len(texts):,} kept, the first {place(empty[0])}; remove what is "
            f"no text",
            Hint,
            stacklevel=3,
        )


def _lines(path: Path, encoding: str) -> list[str]:
    texts: list[str] = []
    with open_text(path, "one text a line", encoding) as file:
        for line in lines(file, path, LARGEST_TEXT):
            texts.append(line.rstrip("\r\n"))
            check_count(path, len(texts))
    if not texts:
        raise FileFormatError(f"{str(path)!r} is empty; give at least one text, one a line")
    return texts
