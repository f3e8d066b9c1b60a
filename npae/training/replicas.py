"""Data-parallel training: each replica processes a shard of the batch, and gradients are summed.

A replica shares θ and has its own gradient and activations. The loss of a batch is a mean over its samples, so the
gradient of the batch is the sum of those of its shards (as in Dean et al. 2012, §4, but synchronous)::

    dθ = Σₛ dθₛ,   dθₛ = ∂/∂θ Σ_{n in shard s} Lₙ / N

The order of the sum and the bounds of the shards are fixed, so results are the same bits for the same number of shards,
whether their replicas are threads of this process, as here, or of several (``npae.training.ranks``). The kernel calls
of each replica are recorded once, and replayed by a thread of the team.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from itertools import pairwise
from typing import Any, Protocol

import numpy as np

from npae.kernels.execution.processors import usable_processors
from npae.kernels.execution.program import Program, Recorder
from npae.kernels.execution.thread_team import MOST_THREADS, Plan, ThreadTeam, parts, shared_team
from npae.network.autoencoder import Autoencoder
from npae.training.optimizers import Optimizer
from npae.training.shard import Shard
from npae.training.signals import Stop, stop_on_signals
from npae.utils.samples import Samples
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
        with self.networks[0].arena.lock:
            batch = self._recorded(len(chosen))
            batch.choose(chosen[None], self._labels)
            self.team.carry_out(batch.gradient)
            return batch.totals.copy()

    def n_steps_at_once(self, batches: Array, optimizer: Optimizer) -> int:
        """On how many of these batches (k, N) ``steps`` takes steps at once; 0 where a step needs Python.

        They need it for layers and optimizers that are not npae's, for kernels that are not compiled, and for the
        weight decay of the network. Of batches whose rows have to be read it is one.
        """
        if self.networks[0].weight_decay or not optimizer.is_recordable:
            return 0
        with self.networks[0].arena.lock:
            batch = self._recorded(batches.shape[1])
            return batch.at_once(batches) if batch.gradient.is_native else 0

    def steps(self, batches: Array, rates: Array, optimizer: Optimizer, kept: Array | None) -> Array:
        """Take training steps without returning to Python between them; only where ``n_steps_at_once`` is not 0.

        Parameters
        ----------
        batches : ndarray of int64, shape (k, N)
            The row numbers of the batch of each step; no more of them than ``n_steps_at_once`` says.
        rates : ndarray of float64, shape (k,)
            The learning rate of each step.
        optimizer : Optimizer
            Bound to the network's arena.
        kept : ndarray of shape (size,), optional
            Takes θ as it is before the first step, as soon as the loss of that step is finite.

        Returns
        -------
        ndarray of float64, shape (steps, shards, terms)
            The totals of the terms of each step that was taken: those before one whose loss is not finite, or for
            which a kernel cannot allocate memory, and those up to one at which another thread waited for the network
            or the team. The caller counts them in ``run.step``.
        """
        lock = self.networks[0].arena.lock
        with lock:
            batch = self._recorded(batches.shape[1])
            first_update, update = batch.updates(optimizer, kept)
            batch.choose(batches, self._labels)
            log = np.empty((len(batches), *batch.totals.shape))
            numbers = batch.totals, rates, log, optimizer.rate, optimizer.count, lock.waiting
            done = self.team.carry_out_steps(batch.passes, first_update, update, *numbers)
        lock.let_others()
        self.team.lock.let_others()
        return log[:done]

    def _recorded(self, n: int) -> "_Batch":
        """The recordings for batches of ``n``, made anew where memory has moved."""
        batch = self._batches.get(n)
        if batch is None or batch.generations != [net.arena.generation for net in self.networks]:
            assert self._x is not None
            bounds = shard_bounds(n, self.n_shards)[self.first_shard :][: self.n_jobs + 1]
            batch = _Batch(self.networks, self._x, n, bounds, is_whole=self.n_shards == self.n_jobs)
            self._batches[n] = batch
        return batch


class _Batch:
    """The recordings for batches of ``n``: the pass of each replica that has a shard, then the sum of the gradients.

    The shards lie between ``bounds``; without ``is_whole`` other processes have more of them, and nothing is summed.

    Attributes
    ----------
    totals : ndarray of float64, shape (shards, terms)
        The totals of the loss's terms of each shard; those of one without samples are 0.
    passes : Plan
        The passes alone.
    gradient : Plan
        The passes, and then the sum.
    """

    def __init__(self, networks: list[Autoencoder], x: Samples, n: int, bounds: list[int], *, is_whole: bool) -> None:
        self.networks = networks
        self.totals = np.zeros((len(networks), len(networks[0].term_names)))
        self._shards = [
            Shard(net, x, start, stop, n, totals)
            for net, totals, (start, stop) in zip(networks, self.totals, pairwise(bounds), strict=True)
            if start < stop
        ]
        self.generations = [net.arena.generation for net in networks]
        programs = [shard.program for shard in self._shards]
        self.passes = Plan(programs)
        self.gradient = Plan(programs, [program for program, _ in self._sums()] if is_whole else [])
        self._updates: dict[int, Plan] = {}  # by the identity of the array that keeps θ, which the plan refers to
        self._updates_are_for: tuple[Any, Any] = (None, None)

    def _sums(self) -> Iterator[tuple[Program, slice]]:
        """For each thread a program that sums the replicas' gradients over a part of the vector, and the part."""
        net, *others = (shard.net for shard in self._shards)
        for part in parts(net.dtheta, len(self.networks)):
            program = Program()
            kernels: Any = Recorder(net.arena.kernels, program)
            for other in others:
                kernels.add_scaled(other.dtheta[part], 1.0, net.dtheta[part])
            yield program, part

    def updates(self, optimizer: Optimizer, kept: Array | None) -> tuple[Plan, Plan]:
        """Sum and optimizer step in one plan, which keeps θ in ``kept`` before; and the same without keeping it."""
        present = (optimizer.rate, optimizer.settings)  # ``bind`` makes another ``rate``
        if self._updates_are_for[0] is not present[0] or self._updates_are_for[1] != present[1]:
            self._updates, self._updates_are_for = {}, present
        for target in (None, kept):
            if id(target) not in self._updates:
                self._updates[id(target)] = self._update(optimizer, target)
        return self._updates[id(kept)], self._updates[id(None)]

    def _update(self, optimizer: Optimizer, kept: Array | None) -> Plan:
        net, programs = self.networks[0], []
        for program, part in self._sums():
            kernels: Any = Recorder(net.arena.kernels, program)
            if kept is not None and part.start < part.stop:
                kernels.take_rows(net.theta[None, part], np.zeros(1, np.int64), kept[None, part])
            optimizer.record(program, part)
            programs.append(program)
        return Plan(programs)

    def take_from(self, x: Samples | None) -> None:
        """Change the data from which rows are taken; None removes the reference to it."""
        for shard in self._shards:
            shard.take_from(x)

    def at_once(self, batches: Array) -> int:
        """For how many of these batches (k, N) there is room for row numbers; one where rows have to be read."""
        n_steps = min([len(batches), *(shard.most_steps for shard in self._shards)])
        return n_steps if all(shard.has_in_memory(batches[:n_steps]) for shard in self._shards) else 1

    def choose(self, batches: Array, labels: Array | None) -> None:
        """Set the inputs of the next steps: rows of x and of the labels, step number, and keys of the noise."""
        for shard in self._shards:
            net = shard.net
            net.run.step = self.networks[0].run.step
            net.arena.resize(shard.stop - shard.start)  # so that the layers' attributes are those of this batch
            net.draw_noise()
            shard.choose(batches, labels)
