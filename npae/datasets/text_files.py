"""Text files, in UTF-8 unless said otherwise, plain or compressed by gzip, opened for reading."""

import codecs
import gzip
import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import IO, TextIO, cast

from npae.datasets.streams import GZIP_MAGIC, MAX_BYTES, damage_is_reported, open_file
from npae.utils.errors import FileFormatError, one_line, quoted

MOST_TEXTS = 2**26  # in one file
UTF8 = "utf-8-sig"  # with or without a mark at the beginning


@contextmanager
def open_text(path: Path, expected: str, encoding: str | None = None) -> Iterator[TextIO]:
    """Open a text file for reading, with line breaks as they are in it.

    Parameters
    ----------
    path : Path
    expected : str
        What the file should be, for messages, such as "csv or tsv".
    encoding : str, optional
        One that ``check_encoding`` returned. Without it, UTF-8, for a reader that has no option for others.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FileFormatError
        If it is no regular file, is larger than ``MAX_BYTES``, is damaged, or, here or as it is read, is not of this
        encoding.
    """
    with open_file(path) as file:
        if os.fstat(file.fileno()).st_size > MAX_BYTES:
            raise FileFormatError(f"{str(path)!r} is larger than {MAX_BYTES:,} bytes; split it into smaller files")
        first = file.read(2)
        file.seek(0)
        if encoding in (None, UTF8) and first in (b"\xff\xfe", b"\xfe\xff"):
            raise FileFormatError(
                f"{str(path)!r} is UTF-16 text, but {expected} in UTF-8 was expected; {_advice(encoding)}"
            )
        if first != GZIP_MAGIC:
            with _decoded(file, path, expected, encoding) as text:
                yield text
            return
        with (
            damage_is_reported(path, "a text compressed by gzip"),
            gzip.GzipFile(fileobj=file) as stream,
            _decoded(cast(IO[bytes], stream), path, expected, encoding) as text,
        ):
            yield text


@contextmanager
def _decoded(file: IO[bytes], path: Path, expected: str, encoding: str | None) -> Iterator[TextIO]:
    with TextIOWrapper(file, encoding=encoding or UTF8, newline="") as text:
        try:
            yield text
        except UnicodeError as error:
            reason = one_line(getattr(error, "reason", error))
            name = "UTF-8" if encoding in (None, UTF8) else encoding
            raise FileFormatError(
                f"{str(path)!r} is not {name} text ({reason}), but {expected} was expected; {_advice(encoding)}"
            ) from None


def _advice(encoding: str | None) -> str:
    option = "" if encoding is None else ", or name its encoding with --encoding (in Python encoding=)"
    return f"save it as UTF-8{option}"


def check_count(path: Path, n: int) -> None:
    """Refuse the n-th text of a file if that is one too many: a compressed file may have billions of lines."""
    if n > MOST_TEXTS:
        raise FileFormatError(f"{str(path)!r} has more than {MOST_TEXTS:,} texts; split it into smaller files")


def check_encoding(encoding: str) -> str:
    """The name of a text encoding that Python knows.

    >>> check_encoding("Latin 1")
    'iso8859-1'

    Raises
    ------
    ValueError
        If there is none of this name.
    """
    try:
        TextIOWrapper(BytesIO(), encoding=encoding).close()
        name = codecs.lookup(encoding).name
    except (LookupError, ValueError):  # the second of a name with a zero byte
        raise ValueError(
            f"encoding is {quoted(encoding)}, but Python has no such encoding; expected one such as utf-8, latin-1 or "
            f"cp1252"
        ) from None
    return UTF8 if name == "utf-8" else name
