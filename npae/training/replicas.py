"""One batch on several threads: each replica of a network takes a shard of it, and gradients add.

A replica shares θ and has a gradient and activations of its own. The loss of a batch is a mean over its samples, so the
gradient of the batch is the sum of its shards' (Dean et al. 2012, §4; here every step waits for all of them)::

    dθ = Σₛ dθₛ,   dθₛ = ∂/∂θ Σ_{n in shard s} Lₙ / N

The sum is taken in a fixed order and the shards are cut in the same places, so one ``n_jobs`` gives one result, bit for
bit. What each replica does with its shard is recorded once, and then run by a thread of the team.
"""

from itertools import pairwise
from typing import Any

import numpy as np

from npae.kernels.execution.processors import usable_processors
from npae.kernels.execution.program import Program, Recorder
from npae.kernels.execution.thread_team import Plan, ThreadTeam, parts, shared_team
from npae.network.autoencoder import Autoencoder
from npae.utils.types import Array


def effective_n_jobs(n_jobs: int | None) -> int:
    """Number of threads: None is 1, −1 all processors that this process may use."""
    if n_jobs is None:
        return 1
    if n_jobs == -1:
        return usable_processors()
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
        self.n_jobs = n_jobs
        self._replicate()

    @property
    def team(self) -> ThreadTeam:
        """The thread team that runs the programs; a forked process has its own."""
        return shared_team(self.n_jobs)

    def _replicate(self) -> None:
        net = self.networks[0]
        self._settings = self._present_settings()
        self.networks = [net, *(net.replica(shard) for shard in range(1, self.n_jobs))]
        self._batches: dict[int, _Batch] = {}
        self._x: Array | None = None

    def _present_settings(self) -> Any:
        """The configuration that replicas and recordings depend on; None where there are neither."""
        net = self.networks[0]
        return net.config() if self.n_jobs > 1 or net.is_recordable else None

    def learn_from(self, x: Array) -> None:
        """Take batches from x ``(n, *input_shape)``, which is trusted, until told to forget it.

        What was recorded stays good as long as no layer's settings have changed.
        """
        if self._present_settings() != self._settings:
            self._replicate()
        self._x = x
        for batch in self._batches.values():
            batch.take_from(x)

    def forget(self) -> None:
        """Drop the reference to the data."""
        for batch in self._batches.values():
            batch.take_from(None)
        self._x = None

    def gradient(self, chosen: Array) -> float:
        """The loss of the batch x[chosen], as ``Autoencoder.gradient`` gives it."""
        net, n = self.networks[0], len(chosen)
        with net.arena.lock:
            batch = self._batches.get(n)
            if batch is None or batch.generations != [other.arena.generation for other in self.networks]:
                assert self._x is not None
                batch = self._batches[n] = _Batch(self.networks, self._x, n)
            batch.choose(chosen)
            self.team.carry_out(batch.plan)
            terms = batch.terms()
        return net.finish_gradient(terms)


class _Batch:
    """What is recorded for batches of ``n``: a pass of each replica that has a shard, then the sum of the gradients."""

    def __init__(self, networks: list[Autoencoder], x: Array, n: int) -> None:
        n_shards = len(networks)
        bounds = [-(-n * i // n_shards) for i in range(n_shards + 1)]  # rounded up: the first shard is never empty
        self.passes = [
            _Pass(net, x, start, stop, n)
            for net, (start, stop) in zip(networks, pairwise(bounds), strict=True)
            if start < stop
        ]
        self.n = n
        self.generations = [net.arena.generation for net in networks]
        self.plan = Plan([recorded.program for recorded in self.passes], self._sums(n_shards))

    def _sums(self, n_threads: int) -> list[Program]:
        """Each thread adds up a part of the vectors."""
        net, *others = (recorded.net for recorded in self.passes)
        programs = [Program() for _ in range(n_threads)]
        for program, part in zip(programs, parts(net.dtheta, n_threads), strict=True):
            kernels: Any = Recorder(net.arena.kernels, program)
            for other in others:
                kernels.add_scaled(other.dtheta[part], 1.0, net.dtheta[part])
        return programs

    def take_from(self, x: Array | None) -> None:
        """Take the rows from another x, or from none."""
        for recorded in self.passes:
            recorded.take_from(recorded.batch if x is None else x)

    def choose(self, chosen: Array) -> None:
        """Set what changes from step to step: the rows of x, and the noise that layers draw."""
        step = self.passes[0].net.run.step
        for recorded in self.passes:
            recorded.net.run.step = step
            recorded.net.arena.resize(recorded.stop - recorded.start)  # whoever looks at a layer sees this batch
            recorded.net.draw()
            recorded.chosen[:] = chosen[recorded.start : recorded.stop]

    def terms(self) -> dict[str, float]:
        """The terms of the loss, added up over the shards in their order."""
        return self.passes[0].net.terms_of((recorded.totals for recorded in self.passes), self.n)


class _Pass:
    """A recorded pass of rows of x through a network: the shard from ``start`` to ``stop`` of a batch of ``n``."""

    def __init__(self, net: Autoencoder, x: Array, start: int, stop: int, n: int) -> None:
        self.net, self.start, self.stop = net, start, stop
        self.chosen = np.zeros(stop - start, np.int64)
        self.batch = np.empty((stop - start, *x.shape[1:]), x.dtype)
        self.totals = np.zeros(len(net.term_names))
        self.program = Program()
        self.program.add(net.arena.kernels.take_rows, *self._rows_of(x))
        net.record_pass(self.batch, self.batch, n, self.totals, self.program)

    def take_from(self, x: Array) -> None:
        """Take the rows from another x."""
        self.program.replace(0, *self._rows_of(x))

    def _rows_of(self, x: Array) -> tuple[Array, Array, Array]:
        return x.reshape(len(x), -1), self.chosen, self.batch.reshape(len(self.batch), -1)
