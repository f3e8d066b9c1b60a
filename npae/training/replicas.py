"""Data-parallel training on threads: each replica processes a shard of the batch, and gradients are summed.

A replica shares θ and has its own gradient and activations. The loss of a batch is a mean over its samples, so the
gradient of the batch is the sum of those of its shards (as in Dean et al. 2012, §4, but synchronous)::

    dθ = Σₛ dθₛ,   dθₛ = ∂/∂θ Σ_{n in shard s} Lₙ / N

The order of the sum and the bounds of the shards are fixed, so results are the same bits for the same ``n_jobs``. The
kernel calls of each replica are recorded once, and replayed by a thread of the team.
"""

from itertools import pairwise
from typing import Any

import numpy as np

from npae.kernels.execution.processors import usable_processors
from npae.kernels.execution.program import Program, Recorder
from npae.kernels.execution.thread_team import MOST_THREADS, Plan, ThreadTeam, parts, shared_team
from npae.network.autoencoder import Autoencoder
from npae.utils.sparse import Samples, SparseRows
from npae.utils.types import Array


def effective_n_jobs(n_jobs: int | None) -> int:
    """Number of threads: None is 1, −1 all processors that this process may use; at most 256.

    More than there are processors are allowed, since the result depends on the number.
    """
    if n_jobs is None:
        return 1
    if isinstance(n_jobs, bool) or not isinstance(n_jobs, int | np.integer) or (n_jobs < 1 and n_jobs != -1):
        raise ValueError(f"n_jobs is {n_jobs!r}; expected a number of threads, -1 for all processors, or None for one")
    if n_jobs == -1:
        return min(usable_processors(), MOST_THREADS)
    if n_jobs > MOST_THREADS:
        raise ValueError(
            f"n_jobs is {n_jobs}; expected at most {MOST_THREADS} threads, or -1 for as many as there are processors"
        )
    return int(n_jobs)


class Replicas:
    """A built network and its replicas.

    Parameters
    ----------
    network : Autoencoder
        Processes the first shard of every batch; the gradient of the whole batch is written to its ``dtheta``.
    n_jobs : int
        Number of threads, and of shards.
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
        self._x: Samples | None = None
        self._labels: Array | None = None

    def _present_settings(self) -> Any:
        """The configuration that replicas and recordings depend on; None where there are neither."""
        net = self.networks[0]
        return (net.config(), net.recorded) if self.n_jobs > 1 or net.is_recordable else None

    def set_data(self, x: Samples, batch_size: int | None = None, labels: Array | None = None) -> None:
        """Set the data x ``(n, *input_shape)``, already validated, from which batches are taken until ``release_data``.

        ``labels`` (n,) are those of a conditional network.

        Recordings are reused unless the settings of a layer have changed. Recordings of batches that x does not
        have when it is cut into batches of ``batch_size`` are dropped; without it all are kept.
        """
        if self._present_settings() != self._settings:
            self._replicate()
        if batch_size is not None:
            lengths = {min(batch_size, len(x)), len(x) % batch_size}
            self._batches = {n: batch for n, batch in self._batches.items() if n in lengths}
        self._x, self._labels = x, labels
        for batch in self._batches.values():
            batch.take_from(x)

    def release_data(self) -> None:
        """Drop the reference to the data."""
        for batch in self._batches.values():
            batch.take_from(None)
        self._x = self._labels = None

    def gradient(self, chosen: Array) -> float:
        """Loss and gradient of the batch x[chosen], as by ``Autoencoder.gradient``; ``chosen`` (N,) are row numbers."""
        net, n = self.networks[0], len(chosen)
        with net.arena.lock:
            batch = self._batches.get(n)
            if batch is None or batch.generations != [other.arena.generation for other in self.networks]:
                assert self._x is not None
                batch = self._batches[n] = _Batch(self.networks, self._x, n)
            batch.choose(chosen, self._labels)
            self.team.carry_out(batch.plan)
            terms = batch.terms()
        return net.finish_gradient(terms)


class _Batch:
    """The recordings for batches of ``n``: the pass of each replica that has a shard, then the sum of the gradients."""

    def __init__(self, networks: list[Autoencoder], x: Samples, n: int) -> None:
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
        """One program for each thread, which sums the replicas' gradients over a part of the vector."""
        net, *others = (recorded.net for recorded in self.passes)
        programs = [Program() for _ in range(n_threads)]
        for program, part in zip(programs, parts(net.dtheta, n_threads), strict=True):
            kernels: Any = Recorder(net.arena.kernels, program)
            for other in others:
                kernels.add_scaled(other.dtheta[part], 1.0, net.dtheta[part])
        return programs

    def take_from(self, x: Samples | None) -> None:
        """Change the data from which rows are taken; None removes the reference to it."""
        for recorded in self.passes:
            recorded.take_from(x)

    def choose(self, chosen: Array, labels: Array | None) -> None:
        """Set the inputs of a step: the rows of x and of the labels, the step number, and the keys of the noise."""
        step = self.passes[0].net.run.step
        for recorded in self.passes:
            recorded.net.run.step = step
            recorded.net.arena.resize(
                recorded.stop - recorded.start
            )  # so that the layers' attributes are those of this batch
            recorded.net.draw_noise()
            rows = chosen[recorded.start : recorded.stop]
            recorded.choose(rows)
            if labels is not None:
                recorded.net.condition.set(labels[rows])

    def terms(self) -> dict[str, float]:
        """The terms of the loss, summed over the shards in order."""
        return self.passes[0].net.terms_of((recorded.totals for recorded in self.passes), self.n)


class _Pass:
    """The recorded forward and backward pass of one shard, ``start`` to ``stop``, of a batch of ``n``."""

    def __init__(self, net: Autoencoder, x: Samples, start: int, stop: int, n: int) -> None:
        self.net, self.start, self.stop = net, start, stop
        self.chosen = np.zeros(stop - start, np.int64)
        self.batch = np.empty((stop - start, *x.shape[1:]), x.dtype)
        self.sparse: SparseRows | None
        self.totals = np.zeros(len(net.term_names))
        self.program = Program()
        self.program.add(net.arena.kernels.take_rows, *self._rows_of(self._source(x)))
        net.record_pass(self.batch, self.batch, n, self.totals, self.program)

    def take_from(self, x: Samples | None) -> None:
        """Change the data from which rows are taken."""
        self.program.replace(0, *self._rows_of(self._source(x)))

    def choose(self, chosen: Array) -> None:
        """Take these rows next; those of sparse samples are made dense here."""
        if self.sparse is None:
            self.chosen[:] = chosen
        else:
            self.dense[...] = self.sparse[chosen].toarray()
            self.chosen[:] = np.arange(len(chosen))

    def _source(self, x: Samples | None) -> Array:
        """Where the recorded pass takes its rows: from x itself, or from those of sparse samples that are dense."""
        if isinstance(x, SparseRows):
            self.sparse, self.dense = x, np.empty_like(self.batch)
            return self.dense
        self.sparse, self.dense = None, self.batch
        return self.batch if x is None else x

    def _rows_of(self, x: Array) -> tuple[Array, Array, Array]:
        return x.reshape(len(x), -1), self.chosen, self.batch.reshape(len(self.batch), -1)
