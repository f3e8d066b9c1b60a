"""Encoding of a few rows in one native call: the look at their values and all kernels of the encoder.

A service encodes a few rows at a time. The kernels take a few microseconds then, as long as Python takes to call two of
them, so that the calls are recorded once for each number of rows.
"""

from math import prod
from typing import Any, TypeGuard

import numpy as np

from npae.kernels.execution.program import Program, Recorder
from npae.network.base import Network
from npae.utils.types import Array

#: Rows, and their values, up to which the calls take long beside the arithmetic.
MOST_ROWS, MOST_VALUES = 64, 2**16


def are_few(x: Any, network: Network) -> TypeGuard[Array]:
    """Whether x is an array as the network's kernels read it, of a few rows that ``FewRows`` encodes."""
    return (
        type(x) is np.ndarray
        and x.shape[1:] == network.input_shape
        and x.dtype == network.arena.dtype
        and 0 < len(x) <= MOST_ROWS
        and x.size <= MOST_VALUES
        and network.is_recordable
        and not network.run.training  # in which codes are drawn
    )


class FewRows:
    """The recorded encodings of a network for numbers of rows; its caller holds the network's lock.

    Parameters
    ----------
    network : Autoencoder
        Built, with ``is_recordable`` True.
    low, high : float
        What values are usually between.
    """

    def __init__(self, network: Network, low: float, high: float) -> None:
        n = min(MOST_ROWS, MOST_VALUES // prod(network.input_shape))
        self._x = np.zeros((n, *network.input_shape), network.arena.dtype)
        self._n_within = np.zeros(1, np.int64)
        self._low, self._high = low, high
        self._met: set[int] = set()  # numbers of rows
        self._recorded: dict[int, tuple[Program, Program, Array]] = {}
        self._recorded_for: Any = None

    def codes(self, network: Network, x: Array) -> Array | None:
        """The codes ``(n, *code_shape)`` of x ``(n, *input_shape)``; None at the first call with n rows.

        Another call with as many may never come, and to prepare a recording takes longer than to encode a few rows.
        """
        recording = self._recording(network, len(x))
        if recording is None:
            return None
        encode, _, codes = recording
        self._x[: len(x)] = x
        encode.run()
        return codes.copy()

    def codes_if_usual(self, network: Network, x: Array) -> Array | None:
        """As ``codes``; None also where some value is not between ``low`` and ``high``, or is NaN."""
        recording = self._recording(network, len(x))
        if recording is None:
            return None
        _, look_and_encode, codes = recording
        self._x[: len(x)] = x
        look_and_encode.run()
        return codes.copy() if self._n_within[0] == x.size else None

    def _recording(self, network: Network, n: int) -> tuple[Program, Program, Array] | None:
        """Programs that encode the first ``n`` rows of the buffer, the second after a look at them, and their codes."""
        if n not in self._met:
            self._met.add(n)
            return None
        network.arena.resize(n)  # before the look at the generation, since it may allocate new buffers
        present = network.arena.generation, network.settings()
        if present != self._recorded_for:
            self._recorded, self._recorded_for = {}, present
        if n not in self._recorded:
            encode, look_and_encode, x = Program(), Program(), self._x[:n]
            codes = network.record_encoding(x, encode)
            kernels: Any = Recorder(network.arena.kernels, look_and_encode)
            kernels.count_within(x.reshape(n, -1), self._low, self._high, self._n_within)
            for call in encode.calls:
                look_and_encode.add(call.kernel, *call.arguments)
            self._recorded[n] = encode, look_and_encode, codes
        return self._recorded[n]
