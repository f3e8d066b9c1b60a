"""One batch on several threads: each replica of a network takes a shard of it, and gradients add.

A replica shares θ and has a gradient and activations of its own. The loss of a batch is a mean over its samples, so the
gradient of the batch is the sum of its shards' (Dean et al. 2012, §4; here every step waits for all of them)::

    dθ = Σₛ dθₛ,   dθₛ = ∂/∂θ Σ_{n in shard s} Lₙ / N

The sum is taken in a fixed order and the shards are cut in the same places, so one ``n_jobs`` gives one result, bit for
bit. What each replica does with its shard is recorded once, and then run by a thread of the crew.
"""

import os
from itertools import pairwise
from typing import Any

import numpy as np

from npae.autoencoder import Autoencoder
from npae.crew import Crew, crew_of
from npae.kernels.program import Program, Recorder
from npae.optimizers import parts
from npae.types import Array


def count_jobs(n_jobs: int | None) -> int:
    """How many threads ``n_jobs`` means: None is 1, −1 all processors that this process may use."""
    if n_jobs is None:
        return 1
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if n_jobs == -1:
        return available
    if not isinstance(n_jobs, int | np.integer) or n_jobs < 1:
        raise ValueError(f"n_jobs is {n_jobs!r}; expected a number of threads, -1 for all processors, or None for one")
    return int(n_jobs)


class Replicas:
    """A built network and its replicas.

    Parameters
    ----------
    network : Autoencoder
        Takes the first shard of every batch; the gradient of the whole batch is left in its ``dtheta``.
    n_jobs : int
        Threads, and as many shards.
    """

    def __init__(self, network: Autoencoder, n_jobs: int) -> None:
        self.networks = [network]
        self._n_jobs = n_jobs
        self._replicate()

    @property
    def crew(self) -> Crew:
        """Who does the work; in a forked process, others than in its parent."""
        return crew_of(self._n_jobs)

    def _replicate(self) -> None:
        net = self.networks[0]
        self._settings = self._present_settings()
        self.networks = [net, *(net.replica(shard) for shard in range(1, self._n_jobs))]
        self._sums = self._record_sums()
        self._passes: dict[tuple[int, ...], _Pass] = {}
        self._x: Array | None = None

    def _present_settings(self) -> Any:
        """What the layers are told to do; it does not matter where they are asked anew at every step."""
        net = self.networks[0]
        return net.config() if self._n_jobs > 1 or net.is_recordable else None

    def learn_from(self, x: Array) -> None:
        """Take batches from x (n, *input_shape), which is trusted, until told to forget it.

        What was recorded stays good as long as no layer's settings have changed.
        """
        if self._present_settings() != self._settings:
            self._replicate()
        self._x = x
        for recorded in self._passes.values():
            recorded.take_from(x)

    def forget(self) -> None:
        """Let go of the data, and of what was recorded for buffers that have been moved."""
        generations = {net.arena.generation for net in self.networks}
        self._passes = {key: recorded for key, recorded in self._passes.items() if key[-1] in generations}
        for recorded in self._passes.values():
            recorded.take_from(recorded.batch)
        self._x = None

    def gradient(self, chosen: Array) -> float:
        """The loss of the batch x[chosen], as ``Autoencoder.gradient`` gives it."""
        net, n = self.networks[0], len(chosen)
        n_shards = len(self.networks)
        bounds = [-(-n * i // n_shards) for i in range(n_shards + 1)]  # rounded up: the first shard is never empty
        shards = [(i, start, stop) for i, (start, stop) in enumerate(pairwise(bounds)) if start < stop]
        with net.arena.lock:
            self.crew.run([self._prepared(i, chosen[start:stop], n) for i, start, stop in shards])
            terms = net.shard_terms(n)
            for i, *_ in shards[1:]:
                for name, value in self.networks[i].shard_terms(n).items():
                    terms[name] += value
            self.crew.run(self._sums[len(shards)])
        return net.finish_gradient(terms)

    def _prepared(self, i: int, chosen: Array, n: int) -> Program:
        """The program of replica ``i`` for its part of a batch of ``n``, with all that is new in its place."""
        net = self.networks[i]
        net.run.step = self.networks[0].run.step
        net.arena.resize(len(chosen))
        net.draw()
        key = (i, len(chosen), n, net.arena.generation)
        if key not in self._passes:
            assert self._x is not None
            self._passes[key] = _Pass(net, self._x, len(chosen), n)
        self._passes[key].chosen[...] = chosen
        return self._passes[key].program

    def _record_sums(self) -> list[list[Program]]:
        """For 0, 1, … replicas that had a shard, what each thread adds up: a part of the vectors."""
        net, *others = self.networks
        sums = []
        for n_working in range(len(self.networks) + 1):
            programs = [Program() for _ in self.networks]
            for program, part in zip(programs, parts(net.dtheta, len(programs)), strict=True):
                kernels: Any = Recorder(net.arena.kernels, program)
                for other in others[: max(n_working - 1, 0)]:
                    kernels.add_scaled(other.dtheta[part], 1.0, net.dtheta[part])
            sums.append(programs)
        return sums


class _Pass:
    """A recorded pass of ``size`` rows of x through a network, for a batch of ``n``."""

    def __init__(self, net: Autoencoder, x: Array, size: int, n: int) -> None:
        self.chosen = np.zeros(size, np.int64)
        self.batch = np.empty((size, *x.shape[1:]), x.dtype)
        self.program = Program()
        self.program.add(net.arena.kernels.take_rows, *self._rows_of(x))
        net.record_pass(self.batch, self.batch, n, self.program)

    def take_from(self, x: Array) -> None:
        """Take the rows from another x."""
        self.program.replace(0, *self._rows_of(x))

    def _rows_of(self, x: Array) -> tuple[Array, Array, Array]:
        return x.reshape(len(x), -1), self.chosen, self.batch.reshape(len(self.batch), -1)
