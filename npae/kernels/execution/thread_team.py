"""Thread team for recorded programs: a few threads that run them side by side.

The calling thread runs the first program, the others one each. Between steps they busy-wait for a millisecond or two,
because waking a sleeping thread takes 50-100 us; then they sleep.
"""

import os
import threading
import warnings
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from npae.kernels.execution.processors import usable_processors
from npae.kernels.execution.program import NO_MEMORY, Program
from npae.kernels.reference.array import Array

CACHE_LINE = 64  # bytes
PATIENCE = 500  # times ``LOOKS`` looks before a thread goes to sleep: a millisecond or two

_teams: dict[tuple[int, int], "ThreadTeam"] = {}


def shared_team(size: int) -> "ThreadTeam":
    """The team of ``size`` threads that the whole process shares; a forked process starts its own."""
    key = os.getpid(), size
    return _teams[key] if key in _teams else _teams.setdefault(key, ThreadTeam(size))


def parts(vector: Array, n: int) -> list[slice]:
    """``n`` parts of a flat vector, cut between cache lines; the last ones may be empty."""
    lines = -(-vector.nbytes // CACHE_LINE)
    numbers = CACHE_LINE // vector.itemsize
    bounds = [min(-(-lines * i // n) * numbers, len(vector)) for i in range(n + 1)]
    return [slice(start, stop) for start, stop in pairwise(bounds)]


class ThreadTeam:
    """One who leads, the caller, and ``size`` − 1 threads that follow, started when they are first needed."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._lock = threading.Lock()
        self._bell = threading.Condition()
        self._is_busy = self._is_refused = False
        self._mailboxes: Array | None = None

    def run(self, *stages: Sequence[Program]) -> None:
        """Carry out stages that are needed only once; see ``carry_out``."""
        self.carry_out(Plan(*stages))

    def carry_out(self, plan: "Plan") -> None:
        """Run what is planned; back when all is done.

        Raises
        ------
        MemoryError
            Where a kernel had not the memory it needs.
        """
        # On one processor threads would only wait for each other.
        if not plan.is_native or usable_processors() == 1 or not self._can_start(plan.width):
            plan.run_in_turn()
            return
        from npae.kernels.execution.mailbox import lead

        tables = plan.tables
        with self._lock:
            mailboxes = self._started()[: plan.width - 1]
            try:
                if plan.width > 1:
                    self._wake()
                failed = lead(tables, mailboxes)
            finally:
                self._is_busy = False
        if failed:
            raise MemoryError(NO_MEMORY)

    def _can_start(self, width: int) -> bool:
        """Whether there are the threads that it takes; one warning where the system has refused them."""
        if width == 1 or self._mailboxes is not None or self._is_refused:
            return not self._is_refused or width == 1
        try:
            with self._lock:
                self._started()
        except RuntimeError as error:
            self._is_refused = True
            warnings.warn(
                f"no more threads can be started here ({error}); the work of {self.size} is done in turn, with the "
                f"same result; n_jobs=1 does without them",
                RuntimeWarning,
                stacklevel=4,
            )
        return not self._is_refused

    def _started(self) -> Array:
        if self._mailboxes is None:
            from npae.kernels.execution.mailbox import MAILBOX

            mailboxes = np.zeros((self.size - 1, MAILBOX), np.int64)
            for mailbox in mailboxes:
                threading.Thread(target=self._follow, args=(mailbox,), name="npae thread team", daemon=True).start()
            self._mailboxes = mailboxes  # only now: nobody waits for a thread that could not be started
        return self._mailboxes

    def _wake(self) -> None:
        with self._bell:
            self._is_busy = True
            self._bell.notify_all()

    def _follow(self, mailbox: Array) -> None:
        from npae.kernels.execution.mailbox import follow

        while True:
            follow(mailbox, PATIENCE)
            with self._bell:
                self._bell.wait_for(lambda: self._is_busy)


class Plan:
    """Programs to be carried out side by side, one a thread, in stages: each begins when all of the last is done.

    Parameters
    ----------
    *stages : sequence of Program
        Recorded in full.
    """

    def __init__(self, *stages: Sequence[Program]) -> None:
        self._stages = [stage for stage in stages if any(map(len, stage))]
        self.width = max(map(len, self._stages), default=0)  # threads that it takes
        self.is_native = bool(self._stages) and all(program.is_native for stage in self._stages for program in stage)
        self._tables: Array | None = None

    @property
    def tables(self) -> Array:
        """(stages, width, 2): the address of each program's table and its number of calls."""
        if self._tables is None:
            tables = np.zeros((len(self._stages), self.width, 2), np.int64)
            for row, stage in zip(tables, self._stages, strict=True):
                for place, program in zip(row, stage, strict=False):
                    place[:] = program.table.ctypes.data, len(program)
            self._tables = tables
        return self._tables

    def run_in_turn(self) -> None:
        """Run one program after the other in this thread."""
        for stage in self._stages:
            for program in stage:
                program.run()
