"""The order in which an epoch goes through the samples: a permutation of all, or windows of chunks of a source.

A source that is larger than memory cannot be read row by row at random: from disk, rows of 3 KB came at 15 MiB/s in
random order and at 1 GiB/s in sequence. So its chunks are read whole, in an order drawn from (seed, epoch), some at a
time, which are a window, and the rows of a window are permuted, drawn from (seed, epoch, window). Every row comes once
an epoch; the order depends on seed, epoch and the bounds of the chunks alone, so a run can be resumed at any batch.
"""

import hashlib
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from npae.utils.randomness import generator, permutation
from npae.utils.samples import Samples
from npae.utils.source_rows import SourceRows
from npae.utils.sources import IN_MEMORY, ArraySource
from npae.utils.types import Array

SHUFFLES = ("auto", "global", "window")
#: A window has at least so many chunks, and at least so many bytes.
CHUNKS, WINDOW_BYTES = 8, 2**25


class Order(Protocol):
    """An order of the samples of each epoch, in batches."""

    @property
    def x(self) -> Samples:
        """The samples from which the batches are gathered."""

    def batches(self, epoch: int, done: int) -> Iterator[Array]:
        """Yield the row numbers of an epoch's batches, except for the first ``done``: some of one length n, (k, n)."""

    def description(self) -> dict[str, Any]:
        """What a checkpoint says of it; nothing of a permutation."""


def order_of(x: Samples, seed: int, batch_size: int, shuffle: str) -> Order:
    """The order of samples x.

    Parameters
    ----------
    x : ndarray of shape ``(n, *shape)``, or rows of a sparse matrix or of a source
    seed, batch_size : int
    shuffle : {"auto", "global", "window"}
        "auto" takes windows for what lies outside of memory and has more than 128 MiB, else a permutation of all.
    """
    if is_by_window(x, shuffle):
        rows = x if isinstance(x, SourceRows) else SourceRows(ArraySource(np.asarray(x)))
        return WindowOrder(rows, seed, batch_size)
    return GlobalOrder(x, seed, batch_size)


def is_by_window(x: Samples, shuffle: str) -> bool:
    """Whether samples are shuffled in windows; a choice that x does not allow is refused."""
    if shuffle not in SHUFFLES:
        raise ValueError(f"shuffle is {shuffle!r}; expected one of {', '.join(SHUFFLES)}")
    if not isinstance(x, SourceRows):
        if shuffle == "window" and not isinstance(x, np.ndarray):
            raise ValueError('shuffle is "window", which is for arrays and sources, but X is sparse; give "global"')
        return shuffle == "window"
    if x.rows is not None:  # some of its rows, which are no whole chunks
        return False
    is_large = not x.source.is_in_memory and x.nbytes > IN_MEMORY
    if shuffle == "global" and not x.source.can_seek and (is_large or x.source.is_stream):
        raise ValueError(
            f'shuffle is "global", but {type(x.source).__name__} cannot be read row by row at random; give "window"'
        )
    return shuffle == "window" or x.source.is_stream or (shuffle == "auto" and is_large)


class GlobalOrder:
    """A permutation of all samples, drawn from (seed, epoch)."""

    def __init__(self, x: Samples, seed: int, batch_size: int) -> None:
        self.x, self.seed, self.batch_size = x, seed, batch_size

    def batches(self, epoch: int, done: int) -> Iterator[Array]:
        """Batches of a permutation; a source of at most 128 MiB is read whole."""
        if isinstance(self.x, SourceRows) and not self.x.source.is_in_memory and self.x.source.nbytes <= IN_MEMORY:
            self.x.hold_all()
        n = len(self.x)
        order = permutation(n, self.seed, "shuffle", epoch)[done * self.batch_size :]
        whole = len(order) // self.batch_size * self.batch_size
        if whole:
            yield order[:whole].reshape(-1, self.batch_size)
        if whole < len(order):
            yield order[None, whole:]

    def description(self) -> dict[str, Any]:
        """Nothing, since a permutation depends on the number of samples alone."""
        return {}


class WindowOrder:
    """Windows of chunks of a source."""

    def __init__(self, x: SourceRows, seed: int, batch_size: int) -> None:
        self.x, self.seed, self.batch_size = x, seed, batch_size
        n_chunks, mean = len(x.source.bounds) - 1, x.source.nbytes / max(len(x.source.bounds) - 1, 1)
        self.n_windows = max(1, n_chunks // max(CHUNKS, int(-(-WINDOW_BYTES // max(mean, 1)))))

    def windows(self, epoch: int) -> list[Array]:
        """The chunks of each window; a stream has them in its own order."""
        n_chunks = len(self.x.source.bounds) - 1
        if self.x.source.is_stream:
            return np.array_split(np.arange(n_chunks), self.n_windows)
        return np.array_split(generator(self.seed, "chunks", epoch).permutation(n_chunks), self.n_windows)

    def batches(self, epoch: int, done: int) -> Iterator[Array]:
        """Batches of the windows, one after the other; a batch may begin in one and end in the next."""
        source, skipped = self.x.source, done * self.batch_size
        source.begin_epoch(epoch)
        starts, lengths = source.bounds[:-1], np.diff(source.bounds)
        rows = np.empty(0, np.int64)
        for i, chunks in enumerate(self.windows(epoch)):
            n = int(lengths[chunks].sum())
            if skipped >= n:
                skipped -= n
                continue
            self.x.hold(chunks)
            own = np.concatenate([np.arange(starts[c], starts[c] + lengths[c]) for c in chunks])
            own = generator(self.seed, "window", epoch, i).permutation(own)[skipped:]
            rows, skipped = np.concatenate([rows, own]), 0
            whole = len(rows) // self.batch_size * self.batch_size
            if whole:
                yield rows[:whole].reshape(-1, self.batch_size)
            rows = rows[whole:]
        if len(rows):
            yield rows[None]

    def description(self) -> dict[str, Any]:
        """The bounds of the chunks, as a digest, and the number of windows."""
        bounds = hashlib.blake2b(self.x.source.bounds.astype("<i8").tobytes(), digest_size=16).hexdigest()
        return {"order": {"windows": self.n_windows, "chunks": f"blake2b:{bounds}"}}
