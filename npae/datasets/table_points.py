"""Points in a table that may stand between thousands: 1.234 is more than a thousand where semicolons separate cells."""

import re
import warnings
from collections.abc import Sequence
from pathlib import Path

from npae.utils.errors import Hint

#: A number that may be written with points between thousands: 1.234, or a whole number below a thousand.
GROUPED = re.compile(r"\s*[+-]?(?:[1-9]\d{0,2}\.\d{3}|\d{1,3})\s*")


class Points:
    """Whether all points of the rows so far may stand between thousands, and one that may.

    Parameters
    ----------
    separator : str
        Of the cells: a semicolon is that of the languages that write a decimal comma, and a point between thousands.
    """

    def __init__(self, separator: str) -> None:
        self._are_doubtful = separator == ";"
        self._example: str | None = None

    def add(self, cells: Sequence[str]) -> None:
        """Take the numbers of a row as they are written."""
        if not self._are_doubtful:
            return
        self._are_doubtful = all(map(GROUPED.fullmatch, cells))
        if self._example is None:
            self._example = next((cell.strip() for cell in cells if "." in cell), None)

    def warn(self, path: Path, stacklevel: int) -> None:
        """Say how the points were read, where the table does not show it."""
        if self._are_doubtful and self._example is not None:
            whole = self._example.replace(".", "")
            warnings.warn(
                f"{str(path)!r} is read with decimal points: {self._example} is not {whole}; if its points stand "
                f"between thousands, write {whole}",
                Hint,
                stacklevel=stacklevel + 1,
            )
