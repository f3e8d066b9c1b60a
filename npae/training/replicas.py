"""Data-parallel training: each replica processes a shard of the batch, and gradients are summed.

A replica shares θ and has its own gradient and activations. The loss of a batch is a mean over its samples, so the
gradient of the batch is the sum of those of its shards (as in Dean et al. 2012, §4, but synchronous)::

    dθ = Σₛ dθₛ,   dθₛ = ∂/∂θ Σ_{n in shard s} Lₙ / N

The order of the sum and the bounds of the shards are fixed, so results are the same bits for the same number of shards,
whether their replicas are threads of this process, as here, or of several (``npae.training.ranks``). The kernel calls
of each replica are recorded once, and replayed by a thread of the team.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from itertools import pairwise
from typing import Any, Protocol

import numpy as np

from npae.kernels.execution.processors import usable_processors
from npae.kernels.execution.program import Program, Recorder
from npae.kernels.execution.thread_team import MOST_THREADS, Plan, ThreadTeam, parts, shared_team
from npae.network.autoencoder import Autoencoder
from npae.training.signals import Stop, stop_on_signals
from npae.utils.samples import Rows, Samples
from npae.utils.source_rows import SourceRows
from npae.utils.types import Array

#: Types of stored numbers that the pass itself converts; NumPy converts others, such as float16, before it.
CONVERTED = frozenset(np.dtype(name) for name in ("bool", "u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f4", "f8"))


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


def shard_bounds(n: int, n_shards: int) -> list[int]:
    """Where the shards of a batch of ``n`` begin and end; rounded up, so that the first is never empty."""
    return [-(-n * i // n_shards) for i in range(n_shards + 1)]


class Replicas(Protocol):
    """What training needs of its replicas: ``ThreadReplicas`` in this process, or those of several processes.

    Attributes
    ----------
    n_shards : int
        Number of parts of a batch, on which the bits of the result depend.
    """

    n_shards: int

    @property
    def is_first(self) -> bool:
        """Whether this process writes files and speaks."""
        ...

    @property
    def team(self) -> ThreadTeam:
        """The threads of this process."""
        ...

    def begin(self, identity: Callable[[], Mapping[str, Any]]) -> None:
        """Called before the first step with a function that gives the fingerprint of the run."""
        ...

    def set_data(self, x: Samples, batch_size: int | None = None, labels: Array | None = None) -> None:
        """Set the data from which batches are taken until ``release_data``."""
        ...

    def gradient(self, chosen: Array) -> float:
        """Loss of the batch x[chosen], and its gradient in the network's ``dtheta``."""
        ...

    def release_data(self) -> None:
        """Drop the reference to the data."""
        ...

    def shared(self, value: float) -> float:
        """The number that all processes go on with."""
        ...

    def end_epoch(self, is_stopped: bool) -> bool:
        """Whether all processes stop after this epoch."""
        ...

    def stop_on_signals(self) -> AbstractContextManager[Stop]:
        """Context in which Ctrl-C and SIGTERM stop training between two steps."""
        ...


class ThreadReplicas:
    """A built network and its replicas on threads.

    Parameters
    ----------
    network : Autoencoder
        Processes the first shard of this process; the gradient of the whole batch is written to its ``dtheta``.
    n_jobs : int
        Number of threads.
    first_shard : int, default 0
        Where other processes have replicas, too: the shard of the first thread.
    n_shards : int, optional
        Number of shards of all processes; by default ``n_jobs``.
    """

    is_first = True

    def __init__(self, network: Autoencoder, n_jobs: int, *, first_shard: int = 0, n_shards: int | None = None) -> None:
        self.networks = [network]
        self.n_jobs, self.first_shard, self.n_shards = n_jobs, first_shard, n_shards or n_jobs
        self._replicate()

    @property
    def team(self) -> ThreadTeam:
        """The thread team that runs the programs; a forked process has its own."""
        return shared_team(self.n_jobs)

    def _replicate(self) -> None:
        net = self.networks[0]
        self._settings = self._present_settings()
        self.networks = [net, *(net.replica(self.first_shard + i) for i in range(1, self.n_jobs))]
        self._batches: dict[int, _Batch] = {}
        self._x: Samples | None = None
        self._labels: Array | None = None

    def _present_settings(self) -> Any:
        """The configuration that replicas and recordings depend on; None where there are neither."""
        net = self.networks[0]
        return (net.settings(), net.recorded) if self.n_jobs > 1 or net.is_recordable else None

    def begin(self, identity: Callable[[], Mapping[str, Any]]) -> None:
        """Nothing: there is one process."""

    def shared(self, value: float) -> float:
        """The number itself."""
        return value

    def end_epoch(self, is_stopped: bool) -> bool:
        """The verdict itself."""
        return is_stopped

    def stop_on_signals(self) -> AbstractContextManager[Stop]:
        """Context in which Ctrl-C and SIGTERM stop training between two steps."""
        return stop_on_signals()

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
        self.networks[0].run.shard = self.first_shard
        for batch in self._batches.values():
            batch.take_from(x)

    def release_data(self) -> None:
        """Drop the reference to the data."""
        for batch in self._batches.values():
            batch.take_from(None)
        self._x = self._labels = None
        self.networks[0].run.shard = 0  # the network of a later rank is again as that of any process

    def gradient(self, chosen: Array) -> float:
        """Loss and gradient of the batch x[chosen], as by ``Autoencoder.gradient``; ``chosen`` (N,) are row numbers."""
        net = self.networks[0]
        return net.finish_gradient(net.terms_of(self.passes(chosen), len(chosen)))

    def passes(self, chosen: Array) -> Array:
        """Run the passes of this process's shards of the batch x[chosen]; the terms' totals, ``(n_jobs, terms)``.

        Where all shards are of this process, their gradients are summed; else each replica has that of its own.
        """
        net, n = self.networks[0], len(chosen)
        with net.arena.lock:
            batch = self._batches.get(n)
            if batch is None or batch.generations != [other.arena.generation for other in self.networks]:
                assert self._x is not None
                batch = self._batches[n] = self._recorded(self._x, n)
            batch.choose(chosen, self._labels)
            self.team.carry_out(batch.plan)
            return batch.totals.copy()

    def _recorded(self, x: Samples, n: int) -> "_Batch":
        bounds = shard_bounds(n, self.n_shards)[self.first_shard :][: self.n_jobs + 1]
        return _Batch(self.networks, x, n, bounds, is_whole=self.n_shards == self.n_jobs)


class _Batch:
    """The recordings for batches of ``n``: the pass of each replica that has a shard, then the sum of the gradients.

    The shards lie between ``bounds``; without ``is_whole`` other processes have more of them, and nothing is summed.

    Attributes
    ----------
    totals : ndarray of float64, shape (shards, terms)
        The totals of the loss's terms of each shard; those of one without samples are 0.
    """

    def __init__(self, networks: list[Autoencoder], x: Samples, n: int, bounds: list[int], *, is_whole: bool) -> None:
        self.networks = networks
        self.totals = np.zeros((len(networks), len(networks[0].term_names)))
        self.passes = [
            _Pass(net, x, start, stop, n, totals)
            for net, totals, (start, stop) in zip(networks, self.totals, pairwise(bounds), strict=True)
            if start < stop
        ]
        self.generations = [net.arena.generation for net in networks]
        sums = self._sums(len(networks)) if is_whole else []
        self.plan = Plan([recorded.program for recorded in self.passes], sums)

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
        for recorded in self.passes:
            recorded.net.run.step = self.networks[0].run.step
            recorded.net.arena.resize(
                recorded.stop - recorded.start
            )  # so that the layers' attributes are those of this batch
            recorded.net.draw_noise()
            rows = chosen[recorded.start : recorded.stop]
            recorded.choose(rows)
            if labels is not None:
                recorded.net.condition.set(labels[rows])


class _Pass:
    """The recorded forward and backward pass of one shard, ``start`` to ``stop``, of a batch of ``n``.

    Its first call writes the rows of the batch: it copies those of an array, and converts those that a source has in
    memory, each thread its own. What has to be read is written by ``choose``, before the pass.
    """

    def __init__(self, net: Autoencoder, x: Samples, start: int, stop: int, n: int, totals: Array) -> None:
        self.net, self.start, self.stop = net, start, stop
        self.chosen = np.zeros(stop - start, np.int64)
        self.batch = np.empty((stop - start, *x.shape[1:]), x.dtype)
        self.rows: Rows | None
        self.numbers: Array | None
        self.stored: Array | None  # what the first call reads; None where it has nothing to do
        self.program = Program()
        self.program.add(net.arena.kernels.take_rows, *self._copied(None))
        self.take_from(x)
        net.record_pass(self.batch, self.batch, n, totals, self.program)

    def take_from(self, x: Samples | None) -> None:
        """Change the data from which rows are taken."""
        self.rows, self.numbers = None, None
        if isinstance(x, SourceRows) and x.array is not None:
            self.numbers, x = x.rows, x.array
        if isinstance(x, Rows):
            self.rows, x = x, None
        self.stored = x
        self.program.replace(0, *self._copied(x), kernel=self.net.arena.kernels.take_rows)

    def choose(self, chosen: Array) -> None:
        """Take these rows next; those that are not in memory are read and converted here."""
        if self.rows is None:
            self.chosen[:] = chosen if self.numbers is None else self.numbers[chosen]
            return
        found = self.rows.found_in_memory(chosen) if isinstance(self.rows, SourceRows) else None
        stored = None
        if found is not None and found[0].dtype in CONVERTED:
            stored, self.chosen[:] = found
        else:
            self.rows.fill(chosen, self.batch)
        if stored is not self.stored:
            self._convert_from(stored)

    def _convert_from(self, stored: Array | None) -> None:
        """Let the first call convert rows of an array of stored numbers; with None it does nothing."""
        self.stored, kernels = stored, self.net.arena.kernels
        if stored is None:
            self.program.replace(0, *self._copied(None), kernel=kernels.take_rows)
            return
        assert isinstance(self.rows, SourceRows)
        flat, batch = (a.reshape(len(a), -1) for a in (stored, self.batch))
        self.program.replace(0, flat, self.chosen, self.rows.divisor, batch, kernel=kernels.take_converted)

    def _copied(self, x: Array | None) -> tuple[Array, Array, Array]:
        """The arguments of the recorded copy; of none it copies nothing."""
        batch = self.batch.reshape(len(self.batch), -1)
        if x is None:
            return batch, self.chosen[:0], batch[:0]
        return x.reshape(len(x), -1), self.chosen, batch
