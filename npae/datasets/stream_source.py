"""``StreamSource``: samples that a function makes anew in every epoch, such as pictures that are turned at random."""

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from npae.utils.scalars import real_number
from npae.utils.sources import Source, Survey, chunk_bounds
from npae.utils.types import Array
from npae.utils.validation import check_numeric


class StreamSource(Source):
    """Samples of a function that returns an iterator of arrays for the number of an epoch.

    Every epoch must have as many samples as the first, of its shape and dtype; in what arrays they come does not
    matter, and the function may fill one array again and again. The first epoch is read once before training, to learn
    how many there are and what range they have; a value of a later epoch that is not finite is refused when it comes,
    and so is one outside of [0, 1] where the first epoch lies within. In training the rows of at least 32 MiB are
    permuted at a time; what order the arrays have is up to the function. A run is resumed at any step if the function
    gives the same for the same epoch.

    Parameters
    ----------
    function : function of int
        Called with the number of an epoch, from 0; returns an iterable of arrays ``(k, *shape)``.
    divide : float, optional
        Divide all numbers by this one.

    Raises
    ------
    TypeError
        If it is no function, since a generator can be read once only; or if it returns no iterable of arrays.
    ValueError
        If the first epoch has no samples.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.datasets import StreamSource
    >>> source = StreamSource(lambda epoch: (np.full((4, 3), epoch + i, np.uint8) for i in range(5)))
    >>> source.shape, source.read(3, 5).tolist()
    ((20, 3), [[0, 0, 0], [1, 1, 1]])
    """

    is_stream = True
    can_seek = False

    def __init__(self, function: Callable[[int], Iterable[Array]], *, divide: float | None = None) -> None:
        if not callable(function):
            raise TypeError(
                f"function is a {type(function).__name__}, which has one epoch only; give a function that takes the "
                f"number of an epoch and returns an iterable of arrays"
            )
        self.function, self.divide = function, None if divide is None else real_number(divide, "divide", above=0)
        self._epoch, self._place = 0, 0
        self._parts: Iterator[Array] = iter(())
        self._rest: Array | None = None
        n = 0
        low = high = None
        for array in self._arrays(0):
            if n == 0:
                self.shape, self.dtype = array.shape, array.dtype
            self._refuse_another(array, 0)
            _refuse_non_finite(array, 0, n)
            low = array.min() if low is None else min(low, array.min())
            high = array.max() if high is None else max(high, array.max())
            n += len(array)
        if n == 0:
            raise ValueError("function gave no samples for epoch 0; give one whose arrays have some")
        self.shape = n, *self.shape[1:]
        self._survey = Survey(low, high)
        self.begin_epoch(0)

    @cached_property
    def bounds(self) -> Array:
        return chunk_bounds([self.shape[0]], max(1, prod(self.shape[1:]) * self.dtype.itemsize))

    def begin_epoch(self, epoch: int) -> None:
        self._epoch, self._place, self._rest = epoch, 0, None
        self._parts = self._arrays(epoch)

    def read(self, start: int, stop: int) -> Array:
        found = np.empty((stop - start, *self.shape[1:]), self.dtype)
        self.read_into(start, stop, found)
        return found

    def read_into(self, start: int, stop: int, y: Array) -> None:
        if start < self._place:
            self.begin_epoch(self._epoch)
        self._advance(start - self._place)
        self._advance(stop - start, y)
        if self._place == len(self) and (self._rest is not None or next(self._parts, None) is not None):
            raise ValueError(
                f"function gave more samples for epoch {self._epoch} than the {len(self)} of epoch 0; give as many in "
                f"every epoch"
            )

    def place(self, row: int) -> str:
        return f"row {row} of epoch {self._epoch}"

    def fingerprint(self) -> str:
        """Of what a function gives nothing is kept but its shape, dtype and range in epoch 0."""
        survey = self.survey
        return f"stream {self.shape} {self.dtype} {survey.low} {survey.high} {self.divide}"

    def _advance(self, n: int, y: Array | None = None) -> None:
        """Pass over the next ``n`` rows of the epoch, or copy them: at once, since the next array may be the same."""
        end = self._place + n
        while self._place < end:
            array = self._rest if self._rest is not None else self._checked_part()
            part = array[: end - self._place]
            if y is not None:
                y[n - (end - self._place) :][: len(part)] = part
            self._rest = array[len(part) :] if len(array) > len(part) else None
            self._place += len(part)

    def _checked_part(self) -> Array:
        array = next(self._parts, None)
        if array is None:
            raise ValueError(
                f"function gave fewer samples for epoch {self._epoch} than the {len(self)} of epoch 0; give as many in "
                f"every epoch"
            )
        self._refuse_another(array, self._epoch)
        _refuse_non_finite(array, self._epoch, self._place)
        if self._is_unit(self.survey.low, self.survey.high) and not self._is_unit(array.min(), array.max()):
            raise ValueError(
                f"function gave values from {array.min():.9g} to {array.max():.9g} in epoch {self._epoch}, but from 0 "
                f"to {self.divide or 1:g} in epoch 0; give one range in every epoch"
            )
        return array

    def _is_unit(self, low: Any, high: Any) -> bool:
        return bool(low >= 0 and high / (self.divide or 1) <= 1)

    def _refuse_another(self, array: Array, epoch: int) -> None:
        if array.shape[1:] != self.shape[1:] or array.dtype != self.dtype:
            raise ValueError(
                f"function gave an array of shape {array.shape} and dtype {array.dtype} in epoch {epoch}, but its "
                f"first was of shape {self.shape[1:]} a sample and dtype {self.dtype}; give one shape and dtype"
            )

    def _arrays(self, epoch: int) -> Iterator[Array]:
        parts = self.function(epoch)
        if isinstance(parts, np.ndarray) or not isinstance(parts, Iterable):
            raise TypeError(
                f"function gave a {type(parts).__name__} for epoch {epoch}, but an iterable of arrays is expected; "
                f"give [X] for one array X"
            )
        for part in parts:
            array = check_numeric(part, f"what function gave for epoch {epoch}")
            if not isinstance(array, np.ndarray) or array.ndim < 2:
                raise ValueError(
                    f"function gave an array of shape {array.shape} for epoch {epoch}, but arrays of samples, (k, "
                    f"...), are expected"
                )
            if len(array):
                yield array


def _refuse_non_finite(array: Array, epoch: int, start: int) -> None:
    is_bad = ~np.isfinite(array.reshape(len(array), -1)).all(axis=1)
    if is_bad.any():
        raise ValueError(
            f"function gave NaN or infinity in row {start + int(np.argmax(is_bad))} of epoch {epoch}; replace or "
            f"remove such values"
        )
