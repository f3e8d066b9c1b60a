"""Thread team for recorded programs: a few threads that run them in parallel.

The calling thread runs the first program, the others one each. Between steps they busy-wait for a millisecond or two,
because waking a sleeping thread takes 50-100 us; then they sleep. Where the system starts fewer threads than a team
has, those that there are run the same programs one after the other, with the same result.
"""

import os
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from npae.kernels.execution.processors import usable_processors
from npae.kernels.execution.program import NO_MEMORY, Call, Program
from npae.kernels.execution.shared_lock import SharedLock
from npae.kernels.reference.array import Array

CACHE_LINE = 64  # bytes
MOST_THREADS = 256  # of a team
PATIENCE = 500  # times ``LOOKS`` looks before a thread goes to sleep: a millisecond or two

_teams: dict[tuple[int, int], "ThreadTeam"] = {}


def shared_team(size: int) -> "ThreadTeam":
    """The team of ``size`` threads that the process shares; a forked process starts its own."""
    key = os.getpid(), size
    return _teams[key] if key in _teams else _teams.setdefault(key, ThreadTeam(size))


def parts(vector: Array, n: int) -> list[slice]:
    """Divide a flat vector into ``n`` slices at cache lines; the last ones may be empty."""
    lines = -(-vector.nbytes // CACHE_LINE)
    numbers = CACHE_LINE // vector.itemsize
    bounds = [min(-(-lines * i // n) * numbers, len(vector)) for i in range(n + 1)]
    return [slice(start, stop) for start, stop in pairwise(bounds)]


class ThreadTeam:
    """The calling thread, which leads, and ``size`` − 1 followers, which are started at the first use."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.lock = SharedLock()
        self._bell = threading.Condition()
        self._is_busy = False
        self._mailboxes: Array | None = None

    def carry_out(self, plan: "Plan") -> None:
        """Run the programs of a plan and return when all are done.

        Raises
        ------
        MemoryError
            If a kernel cannot allocate memory.
        """
        if not plan.is_native:
            plan.run_in_turn()
            return
        from npae.kernels.execution.mailbox import lead

        if self._lead_through([plan], lambda mailboxes, tables: lead(tables, mailboxes[: tables.shape[1] - 1])):
            raise MemoryError(NO_MEMORY)

    def carry_out_steps(self, passes: "Plan", first_update: "Plan", update: "Plan", *numbers: Array) -> int:
        """Take training steps without returning to Python, each ``passes`` and then ``update``; returns how many.

        Parameters
        ----------
        passes, first_update, update : Plan
            All are native. The first step has ``first_update`` in place of ``update``.
        *numbers : ndarray
            ``totals``, ``rates``, ``log``, ``rate``, ``count`` and ``waiting`` of ``mailbox.lead_steps``.

        Returns
        -------
        int
            Fewer than there are rates where memory is short in a step, its loss is not finite, or another thread waits.
        """
        from npae.kernels.execution.mailbox import lead_steps, loop_of_steps

        plans = [passes, first_update, update]
        compile_plans(plans, [loop_of_steps()])

        def lead(mailboxes: Array, *tables: Array) -> int:
            passes_table, first_table, update_table = tables
            return lead_steps(passes_table, first_table, update_table, mailboxes, self.lock.waiting, *numbers)

        return self._lead_through(plans, lead)

    def _lead_through(self, plans: Sequence["Plan"], lead: Callable[..., int]) -> int:
        """Call ``lead`` with the mailboxes and the table of each plan, while the threads are awake; its result."""
        if self.size == 1 or usable_processors() == 1:  # on which threads would wait for each other
            return lead(np.zeros((0, 0), np.int64), *(plan.narrowed(1).tables for plan in plans))
        with self.lock:
            mailboxes = self._started(plans)
            tables = [plan.narrowed(1 + len(mailboxes)).tables for plan in plans]
            try:
                if max(table.shape[1] for table in tables) > 1:
                    self._wake()
                return lead(mailboxes, *tables)
            finally:
                self._is_busy = False

    def _started(self, first: Sequence["Plan"]) -> Array:
        """The mailboxes of the threads, which start with the first plans; their loop is compiled with these kernels."""
        if self._mailboxes is None:
            from npae.kernels.execution.mailbox import MAILBOX

            compile_plans(first)
            mailboxes = np.zeros((self.size - 1, MAILBOX), np.int64)
            n_started = 0
            for mailbox in mailboxes:
                thread = threading.Thread(target=self._follow, args=(mailbox,), name="npae thread team", daemon=True)
                try:
                    thread.start()
                except RuntimeError as error:
                    warnings.warn(
                        f"only {1 + n_started} of {self.size} threads can be used ({error}), so that work takes "
                        f"longer, with the same result; lower n_jobs, or let this process have more threads",
                        RuntimeWarning,
                        stacklevel=4,
                    )
                    break
                n_started += 1
            self._mailboxes = mailboxes[:n_started]
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
    """Programs to run in parallel, one on each thread, in stages: a stage begins when the one before is complete.

    Parameters
    ----------
    *stages : sequence of Program
        All calls must be recorded already.
    """

    def __init__(self, *stages: Sequence[Program]) -> None:
        self._stages = [stage for stage in stages if any(map(len, stage))]
        self.width = max(map(len, self._stages), default=0)  # number of threads that it needs
        self.is_native = bool(self._stages) and all(program.is_native for stage in self._stages for program in stage)
        self._tables: Array | None = None
        self._narrower: Plan | None = None

    def narrowed(self, width: int) -> "Plan":
        """The same programs in more stages, so that ``width`` threads are enough; this plan where they are already."""
        if self.width <= width:
            return self
        if self._narrower is None or self._narrower.width > width:
            starts = [(stage, i) for stage in self._stages for i in range(0, len(stage), width)]
            self._narrower = Plan(*(stage[i : i + width] for stage, i in starts))
        return self._narrower

    @property
    def is_compiled(self) -> bool:
        """Whether its kernels have been compiled."""
        return self._tables is not None

    @property
    def calls(self) -> Iterator[Call]:
        """All calls."""
        return (call for stage in self._stages for program in stage for call in program.calls)

    @property
    def tables(self) -> Array:
        """(stages, width, 2): the address of each program's table and its number of calls."""
        if self._tables is None:
            compile_plans([self])
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


def compile_plans(plans: Sequence[Plan], loops_of_plans: Sequence[tuple[Any, tuple[Any, ...]]] = ()) -> None:
    """Compile the kernels of plans, those in two processes that no file has; the same call of several programs once."""
    new = [plan for plan in plans if not plan.is_compiled]
    if not new:
        return
    from npae.kernels.execution.compile_together import compile_together
    from npae.kernels.execution.mailbox import loops
    from npae.kernels.execution.trampoline import not_yet_called

    calls = not_yet_called((call.kernel, call.arguments) for plan in new for call in plan.calls)
    compile_together([*calls, *loops(max(plan.width for plan in plans)), *loops_of_plans])
