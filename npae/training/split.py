"""Samples set aside for validation: row numbers, never a copy.

Of samples that are shuffled as a whole they are drawn from all rows. Of a source that is read in chunks a share of
each chunk is drawn, so that both parts can be read chunk by chunk and no list of all rows is kept.
"""

from functools import cached_property

import numpy as np

from npae.training.order import is_by_window
from npae.utils.randomness import generator
from npae.utils.samples import Samples
from npae.utils.scalars import real_number
from npae.utils.source_rows import SourceRows
from npae.utils.sources import ArraySource, Source, Survey
from npae.utils.types import Array
from npae.utils.wording import counted


def split_off(
    x: Samples, labels: Array | None, fraction: float, seed: int, shuffle: str
) -> tuple[Samples, Array | None, Samples | None, Array | None]:
    """Samples and their labels to train on, and those set aside, drawn by ``seed``; without any, None and None."""
    fraction = real_number(fraction, "validation_fraction", least=0, below=1)
    if fraction == 0:
        return x, labels, None, None
    n = len(x)
    n_aside = round(n * fraction)
    if not 0 < n_aside < n:
        raise ValueError(
            f"validation_fraction={fraction} of {counted(n, 'sample')} leaves {n_aside} for validation and "
            f"{n - n_aside} to train on; give more samples or another fraction"
        )
    if is_by_window(x, shuffle):
        return _by_chunk(x, labels, fraction, seed)
    order = generator(seed, "validation split").permutation(n)
    return split_at(x, labels, order[n_aside:], order[:n_aside])


def split_at(
    x: Samples, labels: Array | None, kept: Array, aside: Array
) -> tuple[Samples, Array | None, Samples, Array | None]:
    """The samples and labels of the rows ``kept``, and those of the rows ``aside``."""
    rows = SourceRows(ArraySource(x)) if isinstance(x, np.ndarray) else x
    of = [None if labels is None else labels[part] for part in (kept, aside)]
    return rows[kept], of[0], rows[aside], of[1]


def _by_chunk(
    x: Samples, labels: Array | None, fraction: float, seed: int
) -> tuple[Samples, Array | None, Samples, Array | None]:
    rows = x if isinstance(x, SourceRows) else SourceRows(ArraySource(np.asarray(x)))
    if rows.source.is_stream:
        raise ValueError(
            f"validation_fraction={fraction} of a stream, which cannot be divided; give validation=, samples or a "
            f"source of their own, and validation_fraction=0"
        )
    parts = [SourcePart(rows.source, fraction, seed, is_aside) for is_aside in (False, True)]
    of = [None if labels is None else labels[part.rows] for part in parts]
    kept, aside = (SourceRows(part, dtype=rows.dtype) for part in parts)
    return kept, of[0], aside, of[1]


class SourcePart(Source):
    """The samples of each chunk of a source that are set aside, or the others.

    Parameters
    ----------
    whole : Source
    fraction : float
        That is set aside.
    seed : int
    is_aside : bool
        Whether this is the part set aside.
    """

    def __init__(self, whole: Source, fraction: float, seed: int, is_aside: bool) -> None:
        self.whole, self._fraction, self._seed, self._is_aside = whole, fraction, seed, is_aside
        self.dtype, self.divide = whole.dtype, whole.divide
        self.is_in_memory, self.can_seek = whole.is_in_memory, whole.can_seek
        self.shape = int(self.bounds[-1]), *whole.shape[1:]
        self._last: tuple[int, Array] | None = None

    @cached_property
    def bounds(self) -> Array:
        aside = np.rint(self.whole.bounds * self._fraction).astype(np.int64)
        return aside if self._is_aside else self.whole.bounds - aside

    def _surveyed(self) -> Survey:
        return self.whole.survey

    def rows_of(self, chunk: int) -> Array:
        """The rows of the whole source that are this part of a chunk, in their order."""
        start, stop = self.whole.bounds[chunk : chunk + 2]
        order = generator(self._seed, "validation split", chunk).permutation(stop - start)
        first, last = self.bounds[chunk : chunk + 2]
        n = int(last - first)
        rows: Array = start + np.sort(order[:n] if self._is_aside else order[len(order) - n :])
        return rows

    @property
    def rows(self) -> Array:
        """The rows of the whole source that are this part."""
        return np.concatenate([self.rows_of(chunk) for chunk in range(len(self.bounds) - 1)])

    def read(self, start: int, stop: int) -> Array:
        if start == stop:  # a chunk that has no rows of this part
            return np.empty((0, *self.shape[1:]), self.dtype)
        first, last = np.searchsorted(self.bounds, [start, stop - 1], side="right") - 1
        parts = []
        for chunk in range(int(first), int(last) + 1):
            own = int(self.bounds[chunk])
            parts.append(self._chunk(chunk)[max(start - own, 0) : stop - own])
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def take(self, rows: Array) -> Array:
        chunks = np.searchsorted(self.bounds, rows, side="right") - 1
        of_whole = np.empty(len(rows), np.int64)
        for chunk in np.unique(chunks):
            here = chunks == chunk
            of_whole[here] = self.rows_of(int(chunk))[rows[here] - self.bounds[chunk]]
        return self.whole.take(of_whole)

    def _chunk(self, chunk: int) -> Array:
        if self._last is None or self._last[0] != chunk:
            start, stop = (int(bound) for bound in self.whole.bounds[chunk : chunk + 2])
            self._last = chunk, self.whole.read(start, stop)[self.rows_of(chunk) - start]
        return self._last[1]

    def place(self, row: int) -> str:
        chunk = int(np.searchsorted(self.bounds, row, side="right")) - 1
        return self.whole.place(int(self.rows_of(chunk)[row - self.bounds[chunk]]))

    def fingerprint(self) -> str | None:
        whole = self.whole.fingerprint()
        return whole and f"{whole} {'validation' if self._is_aside else 'training'} part {self._fraction}"

    def begin_epoch(self, epoch: int) -> None:
        self.whole.begin_epoch(epoch)
