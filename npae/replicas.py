"""One batch on several threads: each replica of a network takes a shard of it, and gradients add.

A replica shares θ and has a gradient and activations of its own. The loss of a batch is a mean over its samples, so the
gradient of the batch is the sum of its shards' (Dean et al. 2012, §4; here every step waits for all of them)::

    dθ = Σₛ dθₛ,   dθₛ = ∂/∂θ Σ_{n in shard s} Lₙ / N

The sum is taken in a fixed order and the shards are cut in the same places, so one ``n_jobs`` gives one result, bit for
bit. Kernels release the GIL; threads share the processors and the memory, and nothing is copied.
"""

import os
from concurrent.futures import ThreadPoolExecutor, wait
from itertools import pairwise

import numpy as np

from npae.autoencoder import Autoencoder
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
        self.network = network
        self.others = [network.replica(shard) for shard in range(1, n_jobs)]
        self._pool: ThreadPoolExecutor | None = None
        self._process = 0

    def _threads(self) -> ThreadPoolExecutor:
        """Threads of this process: after a fork, those of the parent do not exist."""
        if self._pool is None or self._process != os.getpid():
            self._pool, self._process = ThreadPoolExecutor(len(self.others), "npae replica"), os.getpid()
        return self._pool

    def gradient(self, x: Array) -> float:
        """The loss of the batch x, as ``Autoencoder.gradient`` gives it; x is trusted."""
        net = self.network
        n = len(x)
        n_shards = 1 + len(self.others)
        bounds = [-(-n * i // n_shards) for i in range(n_shards + 1)]  # rounded up: the first shard is never empty
        shards = [x[start:stop] for start, stop in pairwise(bounds)]
        waiting = []
        for other, shard in zip(self.others, shards[1:], strict=True):
            if len(shard):
                other.run.step = net.run.step
                waiting.append((other, self._threads().submit(other.shard_gradient, shard, shard, n)))
        try:
            terms = net.shard_gradient(shards[0], shards[0], n)
        finally:  # whatever happens here, no thread is left at work on a replica
            wait(future for _, future in waiting)
        for other, future in waiting:
            for name, value in future.result().items():
                terms[name] += value
            np.add(net.dtheta, other.dtheta, out=net.dtheta)
        return net.finish_gradient(terms)
