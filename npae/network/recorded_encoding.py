"""Encoding of many samples on several threads, by replaying the recorded kernel calls of one batch."""

import weakref
from math import prod
from typing import Any

import numpy as np

from npae.kernels.execution.program import Call, Program, Recorder
from npae.kernels.execution.thread_team import Plan, shared_team
from npae.network.base import Network
from npae.network.batching import batch_size_for
from npae.utils.samples import BLOCK_VALUES
from npae.utils.types import Array, Shape


class RecordedEncoding:
    """The recorded encoding of one batch, for a network and its replicas; each replica encodes a range of the samples.

    Parameters
    ----------
    network : Autoencoder
        Built, with ``is_recordable`` True.
    n_jobs : int
        Number of threads.
    """

    def __init__(self, network: Network, n_jobs: int) -> None:
        self.size = batch_size_for(network.arena)
        self._replicas = [network.replica(i) for i in range(1, n_jobs)]
        self._blocks = [_Block(net, self.size) for net in (network, *self._replicas)]
        self._network = weakref.ref(network)  # weak, since the network refers to this object
        self.recorded_for = self.present()

    @property
    def network(self) -> Network:
        """The network whose encoding was recorded."""
        network = self._network()
        assert network is not None
        return network

    def present(self) -> Any:
        """What the recording depends on: the generation of the buffers and the configuration of the layers."""
        return self.network.arena.generation, self.network.settings()

    def encode(self, x: Array) -> tuple[Array, bool]:
        """Codes (n, *code_shape) of x (n, *input_shape), n at least one batch; and whether all of x is finite."""
        codes = np.empty((len(x), *self.network.code_shape), x.dtype)
        n_threads = min(len(self._blocks), len(x) // self.size)
        bounds = [len(x) * i // n_threads for i in range(n_threads + 1)]
        working = self._blocks[:n_threads]
        rounds = max(-(-(bounds[i + 1] - bounds[i]) // self.size) for i in range(n_threads))
        try:
            for i, block in enumerate(working):
                block.begin(x, codes, bounds[i], bounds[i + 1])
            shared_team(len(self._blocks)).carry_out(Plan([block.program.repeated(rounds) for block in working]))
        finally:
            for block in working:
                block.end()
        return codes, all(block.outside[0] == 0 for block in working)


def ends_of_parts(shape: Shape, size: int) -> list[int]:
    """Where the parts of samples end that are encoded as one array each, with the codes that all together have.

    A part has whole batches of ``size`` samples, as many as make a block; the last is no smaller than one batch.
    """
    batches = max(1, BLOCK_VALUES // max(1, prod(shape[1:])) // size)
    return [*range(batches * size, shape[0] - size + 1, batches * size), shape[0]]


class _Block:
    """The recorded calls of one replica for one batch: copy samples, check for non-finite values, encode, copy codes.

    All batches have the same size: the last one of a range overlaps the one before it, and the samples in both are
    encoded twice with the same result.
    """

    def __init__(self, network: Network, size: int) -> None:
        shape, dtype = network.input_shape, network.arena.dtype
        self.place = np.zeros(2, np.int64)  # first sample of the current batch, and of the last one
        self.outside = np.zeros(1, np.int64)  # number of values that are not finite
        self.x = np.zeros((size, *shape), dtype)
        self.program = Program()
        kernels: Any = Recorder(network.arena.kernels, self.program)
        kernels.take_block(_rows(self.x), self.place, _rows(self.x))
        kernels.count_outside(_rows(self.x), float(np.finfo(dtype).max), self.outside)
        self.codes = network.record_encoding(self.x, self.program)
        kernels.put_block(_rows(self.codes), self.place, _rows(self.codes))
        self._own = self.program.calls[0], self.program.calls[-1]

    def begin(self, x: Array, codes: Array, start: int, stop: int) -> None:
        """Set the arrays of the recorded copies to x and codes, and the range to ``start`` ≤ n < ``stop``."""
        self.place[:] = start, stop - len(self.x)
        self.outside[0] = 0
        take, put = (call.kernel for call in self._own)
        self._replace(
            Call(take, (_rows(x), self.place, _rows(self.x))), Call(put, (_rows(self.codes), self.place, _rows(codes)))
        )

    def end(self) -> None:
        """Remove the references to the samples and the codes."""
        self._replace(*self._own)

    def _replace(self, first: Call, last: Call) -> None:
        self.program.replace(0, first)
        self.program.replace(len(self.program) - 1, last)


def _rows(a: Array) -> Array:
    return a.reshape(len(a), -1)
