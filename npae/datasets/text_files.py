"""Text files in UTF-8, plain or compressed by gzip, opened for reading."""

import gzip
import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import IO, TextIO, cast

from npae.datasets.streams import GZIP_MAGIC, MAX_BYTES, damage_is_reported, open_file
from npae.utils.errors import FileFormatError


@contextmanager
def open_text(path: Path, expected: str) -> Iterator[TextIO]:
    """Open a text file for reading, with line breaks as they are in it.

    Parameters
    ----------
    path : Path
    expected : str
        What the file should be, for messages, such as "csv or tsv".

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FileFormatError
        If it is no regular file, is larger than ``MAX_BYTES``, is damaged, or, here or as it is read, is not UTF-8.
    """
    with open_file(path) as file:
        if os.fstat(file.fileno()).st_size > MAX_BYTES:
            raise FileFormatError(f"{str(path)!r} is larger than {MAX_BYTES:,} bytes; split it into smaller files")
        first = file.read(2)
        file.seek(0)
        if first in (b"\xff\xfe", b"\xfe\xff"):
            raise FileFormatError(
                f"{str(path)!r} is UTF-16 text, but {expected} in UTF-8 was expected; save it as UTF-8"
            )
        if first != GZIP_MAGIC:
            with _decoded(file, path, expected) as text:
                yield text
            return
        with (
            damage_is_reported(path, "a text compressed by gzip"),
            gzip.GzipFile(fileobj=file) as stream,
            _decoded(cast(IO[bytes], stream), path, expected) as text,
        ):
            yield text


@contextmanager
def _decoded(file: IO[bytes], path: Path, expected: str) -> Iterator[TextIO]:
    with TextIOWrapper(file, encoding="utf-8-sig", newline="") as text:
        try:
            yield text
        except UnicodeDecodeError as error:
            raise FileFormatError(
                f"{str(path)!r} is not UTF-8 text ({error.reason}), but {expected} was expected; save it as UTF-8"
            ) from None
