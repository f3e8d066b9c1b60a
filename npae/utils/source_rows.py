"""Samples of a source as numbers of a network: converted batch by batch, where rows are gathered."""

from typing import Any

import numpy as np

from npae.utils.samples import Rows
from npae.utils.sources import ArraySource, Source
from npae.utils.types import Array, Shape

MOST_HELD = 2  # windows: a batch may begin in one and end in the next


class SourceRows(Rows):
    """Samples ``(n, *shape)`` of a source, or some of them.

    Parameters
    ----------
    source : Source
    rows : ndarray of int, shape (n,), optional
        Which of the source's samples; all by default.
    dtype : dtype, optional
        Of the arrays that samples become; by default float32 where the numbers are divided and float32 holds them
        before, otherwise that of the source.
    """

    def __init__(self, source: Source, rows: Array | None = None, dtype: Any = None) -> None:
        self.source, self.rows = source, rows
        self.quotient = np.promote_types(source.dtype, np.float32) if source.divide is not None else source.dtype
        self.quotient = self.quotient if self.quotient.itemsize <= 8 else np.dtype(np.float64)
        self.dtype = np.dtype(self.quotient if dtype is None else dtype)
        self._windows: list[_Window] = []
        self._taken: Array | None = None  # where ``fill`` gathers the rows of a batch

    @property
    def shape(self) -> Shape:
        return len(self.source) if self.rows is None else len(self.rows), *self.source.shape[1:]

    @property
    def nbytes(self) -> int:
        return self.source.nbytes if self.rows is None else self.size * self.source.dtype.itemsize

    def __getitem__(self, rows: slice | Array) -> "SourceRows":
        if isinstance(rows, slice):
            chosen = range(*rows.indices(len(self)))
            if self.rows is None and chosen.step == 1:
                return _Range(self.source, chosen.start, chosen.stop, self.dtype)
            rows = np.arange(chosen.start, chosen.stop, chosen.step)
        return SourceRows(self.source, np.asarray(rows) if self.rows is None else self.rows[rows], self.dtype)

    def astype(self, dtype: Any) -> "SourceRows":
        return SourceRows(self.source, self.rows, dtype)

    def toarray(self) -> Array:
        stored = self.source.read(0, len(self.source)) if self.rows is None else self.source.take(self.rows)
        return self._converted(stored)

    def fill(self, chosen: Array, y: Array) -> None:
        rows = chosen if self.rows is None else self.rows[chosen]
        if self._taken is None or len(self._taken) < len(rows):
            self._taken = np.empty((len(rows), *self.source.shape[1:]), self.source.dtype)
        taken = self._taken[: len(rows)]
        self._gather(rows, taken)
        self._convert(taken, y)

    def found_in_memory(self, chosen: Array) -> tuple[Array, Array] | None:
        """The array in memory that has the samples ``chosen`` (m,) as they are stored, and their row numbers in it.

        None where they have to be read, or do not lie in one C-contiguous array.
        """
        array = self.source.array if isinstance(self.source, ArraySource) and self.source.is_in_memory else None
        array = array if array is not None and array.flags.c_contiguous else None
        if array is None and not self._windows:
            return None
        rows = chosen if self.rows is None else self.rows[chosen]
        for window in self._windows:
            places = window.places_of(rows)
            if (places >= 0).all():
                return window.stored, places
        return None if array is None else (array, rows)

    @property
    def divisor(self) -> Array:
        """By what stored numbers are divided, (1,), in the type in which they are; (0,) where they are not."""
        return np.asarray([] if self.source.divide is None else [self.source.divide], self.quotient)

    def hold(self, chunks: Array) -> None:
        """Read chunks of the source whole; their samples, and those of the call before, are gathered in memory."""
        spare = self._windows.pop().stored if len(self._windows) == MOST_HELD else None
        self._windows.insert(0, _Window(self.source, chunks, spare))

    def hold_all(self) -> None:
        """``hold`` every chunk, unless that has been done."""
        if not self._windows:
            self.hold(np.arange(len(self.source.bounds) - 1))

    def release(self) -> None:
        """Forget the chunks that are held; a source whose epochs differ is that of the first again."""
        self._windows, self._taken = [], None
        self.source.begin_epoch(0)

    def extremes(self) -> tuple[Any, Any]:
        """The least and the greatest value as this dtype; NaN where a value of the source is not finite."""
        if self.rows is not None:
            return super().extremes()
        survey = self.source.survey
        if survey.bad is not None:
            return np.nan, np.nan
        low, high = self._converted(np.asarray([survey.low, survey.high], self.source.dtype))
        return low, high

    def is_within(self, low: float, high: float) -> bool:
        """Whether all values lie in [low, high]; of some of a source's samples only they are read, if all do not."""
        least, greatest = SourceRows(self.source, dtype=self.dtype).extremes()
        if low <= least and greatest <= high:
            return True
        return self.rows is not None and all(low <= b.min() and b.max() <= high for b in self.blocks())

    def first_non_finite(self) -> int | None:
        """The first of these samples with a value that is not finite as this dtype."""
        first = 0
        for block in self.blocks():
            is_bad = ~np.isfinite(block.reshape(len(block), -1)).all(axis=1)
            if is_bad.any():
                return first + int(np.argmax(is_bad))
            first += len(block)
        return None

    def place(self, row: int) -> str:
        """Where the source has one of these samples, for messages."""
        return self.source.place(row if self.rows is None else int(self.rows[row]))

    @property
    def array(self) -> Array | None:
        """The array of which these samples are rows as they are, or None where they have to be read or converted."""
        array = self.source.array if isinstance(self.source, ArraySource) else None
        if array is None or self.source.divide is not None or not self.source.is_in_memory:
            return None
        return array if array.dtype == self.dtype and array.flags.c_contiguous else None

    def _gather(self, rows: Array, y: Array) -> None:
        """Write rows of the source, as they are stored, into y: those that are held from memory, others at random."""
        missing = None
        for window in self._windows:
            places = window.places_of(rows if missing is None else rows[missing])
            here = places >= 0
            if missing is None and here.all():
                np.take(window.stored, places, axis=0, out=y, mode="clip")  # which does not look at the places again
                return
            wanted = np.arange(len(rows)) if missing is None else missing
            y[wanted[here]] = window.stored[places[here]]
            missing = wanted[~here]
        if missing is None:
            y[...] = self.source.take(rows)
        elif len(missing):
            y[missing] = self.source.take(rows[missing])

    def _converted(self, stored: Array) -> Array:
        y = np.empty(stored.shape, self.dtype)
        self._convert(stored, y)
        return y

    def _convert(self, stored: Array, y: Array) -> None:
        """Write stored numbers into y: divided in the least type of float that holds them, then rounded to y's."""
        with np.errstate(all="ignore"):  # what float32 cannot hold becomes infinite, which the gate refuses
            if self.source.divide is None:
                np.copyto(y, stored, casting="unsafe")
                return
            if self.quotient == y.dtype:
                np.divide(stored, self.divisor, out=y, dtype=y.dtype, casting="unsafe")
            else:
                np.copyto(y, stored.astype(self.quotient) / self.divisor, casting="unsafe")


class _Range(SourceRows):
    """The samples ``start`` ≤ i < ``stop`` of a source, which are read in sequence."""

    def __init__(self, source: Source, start: int, stop: int, dtype: Any) -> None:
        super().__init__(source, np.arange(start, stop), dtype)
        self._bounds = start, stop

    def toarray(self) -> Array:
        return self._converted(self.source.read(*self._bounds))


class _Window:
    """Chunks of a source, read whole into one array; ``spare`` is one that is used again where it is long enough."""

    def __init__(self, source: Source, chunks: Array, spare: Array | None) -> None:
        starts, stops = source.bounds[:-1][chunks], source.bounds[1:][chunks]
        lengths = stops - starts
        n = int(lengths.sum())
        if spare is None or len(spare) < n:
            spare = np.empty((n + n // 16, *source.shape[1:]), source.dtype)  # so that it holds later ones, too
        self.stored = spare
        firsts = np.cumsum(lengths) - lengths
        for start, stop, first in zip(starts.tolist(), stops.tolist(), firsts.tolist(), strict=True):
            source.read_into(start, stop, self.stored[first : first + stop - start])
        in_order = np.lexsort((stops, starts))  # a chunk without rows before one that begins at the same row
        self._starts = starts[in_order]
        # Of the chunk that begins before a row; the first of these is that of no chunk, which ends at 0.
        self._stops = np.append(0, stops[in_order])
        self._shifts = np.append(0, firsts[in_order] - self._starts)

    def places_of(self, rows: Array) -> Array:
        """Where rows of the source lie in ``stored``; −1 for those that do not."""
        chunks = self._starts.searchsorted(rows, side="right")
        places: Array = rows + self._shifts[chunks]
        places[rows >= self._stops[chunks]] = -1
        return places
