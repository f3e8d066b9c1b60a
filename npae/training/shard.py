"""A shard: the part of each batch that one replica of a network processes, as a recorded pass.

The pass begins with the rows of its batch, which it copies from an array, or converts from the numbers that a source
has in memory. Which rows these are stands in ``order``, for some steps one after the other: each pass takes the next.
Rows that have to be read are written before the pass.
"""

from collections.abc import Callable

import numpy as np

from npae.kernels.execution.program import Call, Program
from npae.network.autoencoder import Autoencoder
from npae.utils.samples import Rows, Samples
from npae.utils.source_rows import SourceRows
from npae.utils.types import Array

#: Types of stored numbers that the pass itself converts; NumPy converts others, such as float16, before it.
CONVERTED = frozenset(np.dtype(name) for name in ("bool", "u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f4", "f8"))
MOST_NUMBERS = 2**13  # of rows in an order: 64 KiB
ROWS = 1  # the call of the program that writes the rows


class Shard:
    """The recorded forward and backward pass of one shard, ``start`` to ``stop``, of a batch of ``n``.

    Parameters
    ----------
    net : Autoencoder
        The network or a replica of it.
    x : array or Rows
        The data, of ``(n_samples, *input_shape)``.
    start, stop, n : int
        The shard's rows within a batch, and the length of the batch.
    totals : ndarray of float64, shape (terms,)
        Takes the totals of the terms of the loss.
    """

    def __init__(self, net: Autoencoder, x: Samples, start: int, stop: int, n: int, totals: Array) -> None:
        self.net, self.start, self.stop = net, start, stop
        length = stop - start
        self.most_steps = max(1, MOST_NUMBERS // length)
        self.order, self.place = np.zeros(self.most_steps * length, np.int64), np.zeros(1, np.int64)
        self.chosen = np.zeros(length, np.int64)
        self.batch = np.empty((length, *x.shape[1:]), x.dtype)
        self.rows: Rows | None
        self.numbers: Array | None
        self.stored: Array | None  # what the second call reads; None where it has nothing to do
        self.program, kernels = Program(), net.arena.kernels
        self.program.add(kernels.take_next, self.order, self.place, self.chosen)
        self._flat = self.batch.reshape(length, -1)
        self._reading: Call | None = None  # the call that reads the rows; between two runs without its array
        self._nothing = Call(kernels.take_rows, (self._flat, self.chosen[:0], self._flat[:0]))
        self.program.add(self._nothing.kernel, *self._nothing.arguments)
        self.take_from(x)
        net.arena.resize(length)
        if net.condition.labels is not None:
            self.labels, self.label_place = np.zeros_like(self.order), np.zeros(1, np.int64)
            self.program.add(kernels.take_next, self.labels, self.label_place, net.condition.labels)
        net.record_pass(self.batch, self.batch, n, totals, self.program)

    def take_from(self, x: Samples | None) -> None:
        """Change the data from which rows are taken; None removes the reference to it."""
        self.rows, self.numbers = None, None
        if isinstance(x, SourceRows) and x.array is not None:
            self.numbers, x = x.rows, x.array
        if isinstance(x, Rows):
            self.rows, x = x, None
        self._read(x, self.net.arena.kernels.take_rows)

    def has_in_memory(self, batches: Array) -> bool:
        """Whether the pass itself takes the shard's rows of these batches (k, N), so that none has to be read."""
        return self.rows is None or self._found(batches[:, self.start : self.stop]) is not None

    def choose(self, batches: Array, labels: Array | None) -> None:
        """Take the shard's rows of these batches (k, N) next, with their labels.

        Rows that are not in memory, which must be those of one batch, are read and converted here.
        """
        rows = batches[:, self.start : self.stop]
        order = self._order_of(rows)
        self.order[: order.size], self.place[0] = order.reshape(-1), 0
        if labels is not None:
            self.labels[: rows.size], self.label_place[0] = labels[rows].reshape(-1), 0

    def _order_of(self, rows: Array) -> Array:
        """The numbers of these rows (k, length) in what the pass reads."""
        if self.rows is None:
            return rows if self.numbers is None else self.numbers[rows]
        stored, order = self._found(rows) or (None, rows)
        if stored is None:
            self.rows.fill(rows[0], self.batch)
        if stored is not self.stored:
            assert isinstance(self.rows, SourceRows)
            self._read(stored, self.net.arena.kernels.take_converted, self.rows.divisor)
        return order

    def _found(self, rows: Array) -> tuple[Array, Array] | None:
        """The array of stored numbers that has these rows (k, length), and their numbers in it; None without one."""
        if not isinstance(self.rows, SourceRows) or self.rows.source.dtype not in CONVERTED:
            return None
        return self.rows.found_in_memory(rows.reshape(-1))

    def _read(self, stored: Array | None, kernel: Callable[..., None], *between: Array) -> None:
        """Let the pass read its rows from an array by a kernel, with arguments before the batch; None for no rows."""
        self.stored, call = stored, self._nothing
        if stored is None:
            if self._reading is not None:
                self._reading.release()
        else:
            rows = stored.reshape(len(stored), -1)
            # A divisor, which may be another one, stands in a call that is made anew.
            if self._reading is not None and self._reading.kernel is kernel and not between:
                call = self._reading.reading(rows)
            else:
                call = Call(kernel, (rows, self.chosen, *between, self._flat))
            self._reading = call
        self.program.replace(ROWS, call)
