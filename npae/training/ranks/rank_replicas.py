"""Data-parallel training on ranks: each takes its rows of the batch, and gradients are summed in shard order.

Every rank opens the same data and draws the same order. The sum is a reduce-scatter whose order is fixed, and a
gather: each rank receives its part of every rank's gradient, adds these in the order of the shards, and sends the sum
to all. MPI's own Allreduce adds in an order of its choice, which differs from that of threads from four ranks on.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from npae.kernels.execution.thread_team import ThreadTeam, parts
from npae.network.autoencoder import Autoencoder
from npae.training.ranks.agreement import AgreedStop, Ranks
from npae.training.replicas import ThreadReplicas, shard_bounds
from npae.training.run_fingerprint import differences, summarise
from npae.training.signals import Stop, stop_on_signals
from npae.utils.memory import require_memory
from npae.utils.samples import Samples
from npae.utils.types import Array


class RankReplicas:
    """The replicas of all ranks, of which this process has those of ``n_jobs`` threads.

    Shard s of a batch is that of thread s mod ``n_jobs`` of rank s div ``n_jobs``.
    """

    def __init__(self, network: Autoencoder, n_jobs: int, ranks: Ranks) -> None:
        self.ranks, self._network, self._n_jobs = ranks, network, n_jobs
        self.n_shards = ranks.size * n_jobs
        self._local = ThreadReplicas(network, n_jobs, first_shard=ranks.rank * n_jobs, n_shards=self.n_shards)
        require_memory(n_jobs * network.dtheta.nbytes, "the gradients of other ranks", "choose a smaller network")
        self._parts = parts(network.dtheta, ranks.size)
        own = self._parts[ranks.rank]
        self._received = np.empty((n_jobs, ranks.size, own.stop - own.start), network.dtheta.dtype)

    @property
    def is_first(self) -> bool:
        """Whether this is rank 0, which alone writes files and speaks."""
        return self.ranks.is_first

    @property
    def team(self) -> ThreadTeam:
        """The thread team of this rank."""
        return self._local.team

    def stop_on_signals(self) -> AbstractContextManager[Stop]:
        """Context in which a signal on any rank stops all of them after the same step."""
        self.ranks.stop = AgreedStop()
        return stop_on_signals(self.ranks.stop)

    def begin(self, identity: Callable[[], Mapping[str, Any]]) -> None:
        """Raise RankError if a rank has other data or another configuration than rank 0."""
        identities = [json.loads(other) for other in self.ranks.exchange(json.dumps(identity()).encode())]
        for rank, other in enumerate(identities):
            found = differences(identities[0], other)
            if found:
                self.ranks.end(
                    f"rank {rank} is not about to run what rank 0 is: {summarise(found)}; give every rank the same "
                    f"data and the same settings"
                )

    def set_data(self, x: Samples, batch_size: int | None = None, labels: Array | None = None) -> None:
        """As ``ThreadReplicas.set_data``: all data, of which this rank takes its rows."""
        self._local.set_data(x, batch_size, labels)

    def release_data(self) -> None:
        """Drop the reference to the data."""
        self._local.release_data()

    def gradient(self, chosen: Array) -> float:
        """Loss and gradient of the batch x[chosen], as by ``ThreadReplicas.gradient``."""
        net, n = self._network, len(chosen)
        own = self._local.passes(chosen)  # (n_jobs, terms)
        everyone = [np.frombuffer(payload).reshape(own.shape) for payload in self.ranks.exchange(own.tobytes())]
        self._sum(np.diff(shard_bounds(n, self.n_shards)) > 0)
        return net.finish_gradient(net.terms_of(np.concatenate(everyone), n))

    def _sum(self, has_samples: Array) -> None:
        """Sum the gradients of the shards that have samples, in their order, into the network's ``dtheta``."""
        if self.n_shards == 1:
            return
        net, communicator = self._network, self.ranks.communicator
        with self.ranks.inside():
            for other, received in zip(self._local.networks, self._received, strict=True):
                communicator.exchange_parts(other.dtheta, self._parts, received)
            total = net.dtheta[self._parts[self.ranks.rank]]
            total[...] = self._received[0, 0]
            for shard in np.flatnonzero(has_samples)[1:]:
                rank, thread = divmod(int(shard), self._n_jobs)
                net.arena.kernels.add_scaled(self._received[thread, rank], 1.0, total)
            communicator.gather_parts(net.dtheta, self._parts)

    def shared(self, value: float) -> float:
        """The value of rank 0."""
        return float(np.frombuffer(self.ranks.exchange(np.float64(value).tobytes())[0])[0])

    def end_epoch(self, is_stopped: bool) -> bool:
        """Whether rank 0 has found that the run is over.

        Raises
        ------
        RankError
            If the parameters of a rank are not those of rank 0.
        """
        digest = hashlib.blake2b(self._network.theta.data, digest_size=16).digest()
        payloads = self.ranks.exchange(bytes([is_stopped]) + digest)
        other = [rank for rank, payload in enumerate(payloads) if payload[1:] != payloads[0][1:]]
        if other:
            self.ranks.end(
                f"after this epoch rank {other[0]} of {len(payloads)} has other parameters than rank 0: its processor "
                f"rounds otherwise, or a callback changed them there; use processors of one kind"
            )
        return bool(payloads[0][0])
