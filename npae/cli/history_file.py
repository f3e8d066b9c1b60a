"""history.csv of a training run: one row an epoch, written as soon as the epoch is over."""

import csv
import io
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

from npae.cli.output import write_bytes


class HistoryFile:
    """The file, which the first row of a run replaces and each later one makes longer.

    A disk that takes no more does not end the training: a warning says so once, and each later epoch tries again.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.is_complete = False
        self._columns: list[str] = []
        self._rows = self._size = 0  # of the file, as this object has left it
        self._has_warned = False

    def write(self, history: Mapping[str, Sequence[float]]) -> None:
        """Write the rows that the file has not; ``history`` has one entry an epoch in each column."""
        n_rows = min(map(len, history.values()), default=0)
        try:
            if self._columns == list(history) and self._is_as_left():
                self._append(_rows(history, self._rows, n_rows))
            else:  # the first time, which drops what a run that was killed did after its checkpoint
                self._replace(_header(history) + _rows(history, 0, n_rows))
            self._columns, self._rows, self.is_complete = list(history), n_rows, True
        except OSError as error:
            self.is_complete = False
            if not self._has_warned:
                warnings.warn(
                    f"{self.path} lacks epoch {n_rows} ({error.strerror or error}); training goes on, and each later "
                    f"epoch tries again",
                    stacklevel=2,
                )
                self._has_warned = True

    def _is_as_left(self) -> bool:
        return self.path.is_file() and self.path.stat().st_size == self._size

    def _replace(self, content: bytes) -> None:
        self._columns = []
        write_bytes(self.path, content)
        self._size = len(content)

    def _append(self, content: bytes) -> None:
        # Without a buffer a row is written at once: who is killed leaves no half of one.
        with open(self.path, "r+b", buffering=0) as file:
            file.seek(self._size)
            try:
                written = file.write(content)
                if written < len(content):
                    raise OSError("the disk is full")
            except OSError:
                file.truncate(self._size)
                raise
        self._size += len(content)


def _header(history: Mapping[str, Sequence[float]]) -> bytes:
    return _as_csv([["epoch", *history]])


def _rows(history: Mapping[str, Sequence[float]], start: int, stop: int) -> bytes:
    return _as_csv([[epoch + 1, *(values[epoch] for values in history.values())] for epoch in range(start, stop)])


def _as_csv(rows: Sequence[Sequence[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
