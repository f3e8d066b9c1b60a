"""Write results as files: arrays as .npy or .csv, images as one .png; format tables as text."""

import io
import shutil
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from pathlib import Path

import numpy as np

from npae.utils.console import shown
from npae.utils.files import atomic_write
from npae.utils.types import Array

SUFFIXES = (".npy", ".csv", ".png")


def write_array(path: str, array: Array, *, columns: int | None = None) -> None:
    """Write ``array`` in the format of the suffix; the write is atomic.

    Parameters
    ----------
    path : str
        Ends in .npy (any array), .csv (one row for each sample) or .png (images, laid out in a grid).
    array : ndarray of shape (n, ...)
    columns : int, optional
        Number of images in a row of a .png.
    """
    suffix = Path(path).suffix.lower()
    assert suffix in SUFFIXES
    if suffix == ".npy":
        buffer = io.BytesIO()
        np.save(buffer, array, allow_pickle=False)
    elif suffix == ".csv":
        buffer = io.BytesIO()
        np.savetxt(buffer, array.reshape(len(array), -1), delimiter=",", fmt="%.9g")
    else:
        from npae.utils.pictures import grid, png

        buffer = io.BytesIO(png(grid(array, columns)))
    write_bytes(path, buffer.getvalue())


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table as text: the first column is aligned to the left, the others to the right.

    It is no wider than the terminal, or than 80 characters where there is none: texts are wrapped at spaces, where that
    is not enough within words, and then aligned to the left. Numbers and the words of the header are never broken, so
    a table of many columns may be wider.
    """
    lines = [tuple(header), *(tuple(map(_cell, row)) for row in rows)]
    columns = list(zip(*lines, strict=True))
    room = shutil.get_terminal_size().columns - 2 * (len(header) - 1)
    widths = [max(map(len, column)) for column in columns]
    widths = _narrowed(widths, [max(map(_longest_word, column)) for column in columns], room)
    numbers = [[cell for cell in column if _is_number(cell)] for column in columns]
    widths = _narrowed(
        widths, [max(map(_longest_word, [h, *some])) for h, some in zip(header, numbers, strict=True)], room
    )
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
    text = f"{value:,}" if isinstance(value, int) else shown(str(value))
    return text.replace("\n", "\\n").replace("\t", "\\t")


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write a file atomically."""
    with atomic_write(path) as file:
        file.write(content)
