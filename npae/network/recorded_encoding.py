"""The encoding of one batch, recorded as calls of kernels and carried out by several threads."""

import weakref
from typing import Any

import numpy as np

from npae.kernels.execution.program import Program, Recorder
from npae.kernels.execution.thread_team import Plan, shared_team
from npae.network.base import Network
from npae.network.batching import batch_size_for
from npae.utils.types import Array


class RecordedEncoding:
    """The encoding of one block, recorded for a network and its replicas; each takes a range of the samples.

    Parameters
    ----------
    network : Autoencoder
        Built, and recordable.
    n_jobs : int
        Threads.
    """

    def __init__(self, network: Network, n_jobs: int) -> None:
        self.size = batch_size_for(network.arena)
        self._replicas = [network.replica(i) for i in range(1, n_jobs)]
        self._blocks = [_Block(net, self.size) for net in (network, *self._replicas)]
        self._network = weakref.ref(network)  # which holds this recording
        self.recorded_for = self.present()

    @property
    def network(self) -> Network:
        """What was recorded."""
        network = self._network()
        assert network is not None
        return network

    def present(self) -> Any:
        """What the recording depends on: where the buffers are, and what the layers are told to do."""
        return self.network.arena.generation, self.network.config()

    def encode(self, x: Array) -> tuple[Array, bool]:
        """Codes of x (n, *input_shape), which holds at least one block; and whether all of x is finite."""
        n_threads = min(len(self._blocks), len(x) // self.size)
        codes = np.empty((len(x), *self.network.code_shape), x.dtype)
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


class _Block:
    """A recorded round of one replica: fetch a block, look at it, encode it, put its codes in their place, move on.

    The last block of a range begins early enough to be a whole one: what it has in common with the one before it is
    encoded twice, with the same result.
    """

    def __init__(self, network: Network, size: int) -> None:
        shape, dtype = network.input_shape, network.arena.dtype
        self.place = np.zeros(2, np.int64)  # where the block starts, and where the last one does
        self.outside = np.zeros(1, np.int64)  # values that are not finite
        self.x = np.zeros((size, *shape), dtype)
        self.program = Program()
        kernels: Any = Recorder(network.arena.kernels, self.program)
        kernels.take_block(_rows(self.x), self.place, _rows(self.x))
        kernels.count_outside(_rows(self.x), float(np.finfo(dtype).max), self.outside)
        self.codes = network.record_encoding(self.x, self.program)
        kernels.put_block(_rows(self.codes), self.place, _rows(self.codes))

    def begin(self, x: Array, codes: Array, start: int, stop: int) -> None:
        """Set off for the samples from ``start`` to ``stop``."""
        self.place[:] = start, stop - len(self.x)
        self.outside[0] = 0
        self.program.replace(0, _rows(x), self.place, _rows(self.x))
        self.program.replace(len(self.program) - 1, _rows(self.codes), self.place, _rows(codes))

    def end(self) -> None:
        """Let go of the samples and their codes."""
        self.program.replace(0, _rows(self.x), self.place, _rows(self.x))
        self.program.replace(len(self.program) - 1, _rows(self.codes), self.place, _rows(self.codes))


def _rows(a: Array) -> Array:
    return a.reshape(len(a), -1)
