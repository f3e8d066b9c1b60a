"""Reader for labels: one for each sample, from a file, or from the folders that images are in."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from npae.datasets.arrays import read_npy
from npae.datasets.digits import load_digits
from npae.datasets.formats import Reader, find_reader, read_digits, read_music
from npae.datasets.image_files import find_images
from npae.datasets.images import read_images
from npae.datasets.other_formats import refuse_by_content
from npae.datasets.streams import MAX_BYTES
from npae.datasets.table import read_named_table
from npae.datasets.table_cells import is_number
from npae.datasets.table_rows import read_rows
from npae.datasets.text_files import open_text
from npae.utils.errors import FileFormatError, quoted
from npae.utils.types import Array

MOST_LABELS = 2**24  # in a text
LONGEST_LABEL = 200  # characters
WHOLE = 2**53  # whole numbers below are floating-point numbers, too


def read_labels(source: str | os.PathLike[str], *, header: bool | None = None) -> Array:
    r"""Read labels from a file, or from a folder of folders of images, whose names are the labels.

    A text (.csv, .tsv, .txt, .csv.gz or .tsv.gz, in UTF-8) has one label a line, without the spaces around it; one that
    holds a separator stands in quotation marks. Whole numbers, such as -1, +1 or 3.0, become numbers if all labels are
    such and none is written with zeros before it; else all are names. A .npy may hold numbers or texts, and .npz and
    idx numbers.

    A text may hold 16 Mi labels of up to 200 characters, and the result may take up to 4 GiB.

    Parameters
    ----------
    source : str or PathLike
        A file; a folder of folders of images, as ``pets`` with ``pets/cat/1.png`` and ``pets/dog/1.png``; or "digits"
        for the labels of the training images of :func:`load_digits`.
    header : bool, optional
        Whether the first line of a text names the column. By default it does if it is a name and all others are
        numbers.

    Returns
    -------
    (n,) ndarray of int64 or str
        In the order of the samples. ``numpy.unique(labels, return_inverse=True)`` numbers them. Those of folders are
        str.

    Raises
    ------
    FileNotFoundError
        If there is no such file or folder.
    FileFormatError
        If a line holds no label or several, if a label is a number that is not whole, or NaN; if the images are not in
        sub-folders, or if some would be left out; or if the file is of another format.
    ValueError
        If ``header`` is given for what is no text.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from npae.datasets import read_labels
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "labels.csv"
    >>> _ = path.write_text("tabby cat\ndog\n", encoding="utf-8")
    >>> read_labels(path).tolist()
    ['tabby cat', 'dog']
    """
    path = Path(source)
    reader: Reader = read_named_table if path.suffix.lower() == ".txt" else find_reader(source)
    if header is not None and reader is not read_named_table:
        raise ValueError(f"header={header!r} was given with {str(path)!r}, but is for a text of labels; leave it out")
    if reader is read_digits:
        return load_digits().train_labels.astype(np.int64)
    if reader is read_images:
        return _of_folder(path)
    if reader is read_named_table:
        return _of_text(path, header)
    if reader is read_music:
        raise FileFormatError(f"{str(path)!r} is music, which has no labels; give a text with one label a line")
    if reader is not read_npy:
        values = reader(path)
        assert isinstance(values, np.ndarray)  # the reader of music alone says more
        return _whole_of(values, path)
    labels = read_npy(path, texts=True)
    return _texts_of(labels, path) if labels.dtype.kind == "U" else _whole_of(labels, path)


def numbers_or_names(texts: Sequence[str]) -> Array:
    """Labels (n,) as int64 if all are whole numbers, none with zeros before it; else as str."""
    if all(is_number(text) and not _has_zeros_before(text) for text in texts):
        values = np.array([float(text) for text in texts])
        if _are_whole(values).all():
            return values.astype(np.int64)
    return np.array(texts, dtype=str)


def _of_folder(folder: Path) -> Array:
    labels = find_images(folder).labels
    if labels is None:
        raise FileFormatError(
            f"{str(folder)!r} holds images itself, so they have no labels; put those of each label into a sub-folder"
        )
    return np.array(labels)


def _of_text(path: Path, header: bool | None) -> Array:
    refuse_by_content(path)
    texts, lines = _lines(path)
    has_name = len(texts) > 1 and not is_number(texts[0]) and all(map(is_number, texts[1:]))
    if header or (header is None and has_name):
        del texts[0], lines[0]
    if not texts:
        raise FileFormatError(f"{str(path)!r} holds no labels; give one a line")
    if len(texts) * max(map(len, texts)) * 4 > MAX_BYTES:
        raise FileFormatError(
            f"{str(path)!r} holds {len(texts):,} labels of up to {max(map(len, texts))} characters, which take more "
            f"than {MAX_BYTES:,} bytes; give shorter ones, or numbers"
        )
    labels = numbers_or_names(texts)
    if labels.dtype.kind == "U" and all(map(is_number, texts)):
        for text, line in zip(texts, lines, strict=True):
            if not _are_whole(np.array(float(text))):
                raise FileFormatError(
                    f"{str(path)!r}, line {line} holds {quoted(text)}, but a label is a whole number or a name; write "
                    f"whole numbers"
                )
    return labels


def _lines(path: Path) -> tuple[list[str], list[int]]:
    """The text of each line that is not blank, and its number."""
    texts: list[str] = []
    lines: list[int] = []
    known: dict[str, str] = {}  # so that equal labels are one object
    blank: int | None = None
    with open_text(path, "a text of labels") as text:
        for line, row in read_rows(text, path):
            if not row:
                blank = blank if blank is not None or not texts else line
                continue
            where = f"{str(path)!r}, line {line}"
            if blank is not None:
                raise FileFormatError(
                    f"{str(path)!r}, line {blank} is empty between others, where a label may be missing; fill the gap "
                    f"or remove the line"
                )
            if len(row) != 1:
                raise FileFormatError(
                    f"{where} has {len(row)} columns, but a file of labels has one; leave out the others, such as an "
                    f"index, and put a label that holds a separator in quotation marks"
                )
            label = row[0].strip()
            if not label:
                raise FileFormatError(f"{where} is empty, but a label is expected; fill the gap or leave out the line")
            if len(label) > LONGEST_LABEL:
                raise FileFormatError(
                    f"{where} has {len(label):,} characters, but a label may have {LONGEST_LABEL}; shorten it"
                )
            if len(texts) == MOST_LABELS:
                raise FileFormatError(
                    f"{str(path)!r} has more than {MOST_LABELS:,} labels; save them as numbers with numpy.save"
                )
            texts.append(known.setdefault(label, label))
            lines.append(line)
    return texts, lines


def _has_zeros_before(text: str) -> bool:
    """Whether a text of digits begins with a zero, as 007 does, which is rather a name."""
    digits = text.lstrip("+-")
    return len(digits) > 1 and digits.isdecimal() and digits[0] == "0"


def _are_whole(values: Array) -> Array:
    are_whole: Array = np.isfinite(values) & (np.abs(values) < WHOLE) & (values == np.rint(values))
    return are_whole


def _whole_of(values: Array, path: Path) -> Array:
    """Labels (n,) of an array of numbers, which may have further axes of one."""
    labels = values.reshape(-1)
    if len(values.shape) and len(labels) != len(values) and len(labels) != max(values.shape):
        raise FileFormatError(
            f"{str(path)!r} holds an array of shape {values.shape}, but labels have one value a sample; give the "
            f"number of each sample's label, such as .argmax(axis=1) of one-hot vectors"
        )
    is_bad = ~_are_whole(labels.astype(np.float64))
    if is_bad.any():
        place = int(is_bad.argmax())
        raise FileFormatError(
            f"{str(path)!r} holds {labels[place]} at index {place}, but a label is a whole number or a name; give "
            f"whole numbers below 2**53, or names"
        )
    return labels.astype(np.int64)


def _texts_of(labels: Array, path: Path) -> Array:
    """Labels (n,) of an array of texts."""
    try:
        texts = [text.strip() for text in labels.reshape(-1).tolist()]
        "".join(texts).encode("utf-8")
    except (ValueError, SystemError):  # NumPy's, of numbers that are no characters; ValueError of halves of pairs too
        raise FileFormatError(f"{str(path)!r} holds texts with what is no character; write it again") from None
    if not all(texts):
        raise FileFormatError(
            f"{str(path)!r} holds an empty text at index {texts.index('')}, but a label is expected; fill the gap"
        )
    return np.array(texts, dtype=str)
