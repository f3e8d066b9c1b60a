"""A check on several threads that every value of a large array lies between two numbers, by recorded calls."""

import numpy as np

from npae.kernels.execution.program import Program
from npae.kernels.execution.thread_team import Plan, parts, shared_team
from npae.network.base import Network
from npae.utils.types import Array


class RecordedCheck:
    """One recorded call for each thread, which is given its part of each new array.

    Parameters
    ----------
    network : Network
        Whose kernels and dtype are used.
    n_jobs : int
        Number of threads.
    low, high : float
        Both are allowed.

    Attributes
    ----------
    made_for : tuple
        ``n_jobs``, ``low`` and ``high``.
    """

    def __init__(self, network: Network, n_jobs: int, low: float, high: float) -> None:
        self.made_for = n_jobs, low, high
        self._counts = np.zeros((n_jobs, 1), np.int64)
        self._programs = [Program() for _ in range(n_jobs)]
        for program, count in zip(self._programs, self._counts, strict=True):
            program.add(network.arena.kernels.count_within, np.zeros(1, network.arena.dtype), low, high, count)
        self._plan = Plan(self._programs)

    def is_within(self, x: Array) -> bool:
        """Whether all values of x, C-contiguous, are; NaN is not. The caller holds the network's lock."""
        flat, n_jobs = x.reshape(-1), len(self._programs)
        try:
            for program, part in zip(self._programs, parts(flat, n_jobs), strict=True):
                program.replace(0, program.calls[0].reading(flat[part]))
            shared_team(n_jobs).carry_out(self._plan)
        finally:
            for program in self._programs:
                program.calls[0].release()
        return int(self._counts.sum()) == x.size
