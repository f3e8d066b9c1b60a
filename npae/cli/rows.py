"""Results with one row a sample, written as .csv or .json."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from npae.cli.output import write_bytes
from npae.datasets.image_files import find_images
from npae.datasets.music.music_files import is_music
from npae.datasets.open_source import is_source

ROW_SUFFIXES = (".csv", ".json")


def write_rows(path: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table in the format of the suffix; the write is atomic.

    Parameters
    ----------
    path : str
        Ends in .csv (the header, then a line for each row) or .json (a list of objects, whose keys are the header).
    header : sequence of str
    rows : iterable of sequences of str, bool, int, float or None
        Booleans are 0 and 1 in a .csv, None is an empty cell there and ``null`` in a .json. Floats are written with the
        digits that give the same number again; one that is not finite is refused in a .json, which has none.
    """
    if Path(path).suffix.lower() == ".json":
        records = [dict(zip(header, map(as_python, row), strict=True)) for row in rows]
        text = json.dumps(records, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
        errors = "backslashreplace"  # of a name that is not UTF-8: JSON's own escape
    else:
        lines = io.StringIO(newline="")
        writer = csv.writer(lines, lineterminator="\n")
        writer.writerow(header)
        for row in rows:
            cells = [as_python(value) for value in row]
            assert len(cells) == len(header)
            writer.writerow([int(cell) if isinstance(cell, bool) else cell for cell in cells])
        text = lines.getvalue()
        errors = "surrogateescape"  # such a name keeps its bytes
    write_bytes(path, text.encode("utf-8", errors))


def as_python(value: Any) -> Any:
    """A number of NumPy as one of Python."""
    return value.item() if hasattr(value, "item") else value


def sample_names(source: str | list[str]) -> list[str] | None:
    """The file of each sample of a folder of images, below that folder and with "/"; None for other data."""
    if not isinstance(source, str) or source == "digits" or is_source(source):
        return None
    folder = Path(source)
    if not folder.is_dir() or is_music(folder):
        return None
    return [path.relative_to(folder).as_posix() for path in find_images(folder).paths]
