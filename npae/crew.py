"""A few threads of this process that carry out programs side by side.

The thread that asks runs the first program, the others one each. Between two steps they wait with their eyes open,
since a thread that sleeps is slow to wake; after a millisecond or two they do sleep.
"""

import os
import threading
from collections.abc import Sequence

import numpy as np

from npae.kernels.program import NO_MEMORY, Program
from npae.types import Array

PATIENCE = 500  # times ``LOOKS`` looks before a thread goes to sleep: a millisecond or two

_crews: dict[tuple[int, int], "Crew"] = {}


def crew_of(size: int) -> "Crew":
    """The crew of so many threads that all in this process share; after a fork, the parent's threads do not exist."""
    key = os.getpid(), size
    return _crews[key] if key in _crews else _crews.setdefault(key, Crew(size))


class Crew:
    """One who leads, the caller, and ``size`` − 1 threads that follow, started when they are first needed."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._lock = threading.Lock()
        self._bell = threading.Condition()
        self._is_busy = False
        self._mailboxes: Array | None = None

    def run(self, programs: Sequence[Program]) -> None:
        """Carry out as many programs as the crew has threads, or fewer; back when all are done.

        Raises
        ------
        MemoryError
            Where a kernel had not the memory it needs.
        """
        programs = [program for program in programs if len(program)]
        if len(programs) < 2 or not all(program.is_native for program in programs):
            for program in programs:
                program.run()
            return
        from npae.kernels.rendezvous import CALLS, TABLE, lead

        with self._lock:
            mailboxes = self._started()[: len(programs) - 1]
            for mailbox, program in zip(mailboxes, programs[1:], strict=True):
                mailbox[TABLE], mailbox[CALLS] = program.table.ctypes.data, len(program.table)
            table = programs[0].table
            try:
                self._wake()
                failed = lead(table, mailboxes)
            finally:
                self._is_busy = False
        if failed:
            raise MemoryError(NO_MEMORY)

    def _started(self) -> Array:
        if self._mailboxes is None:
            from npae.kernels.rendezvous import MAILBOX

            mailboxes = np.zeros((self.size - 1, MAILBOX), np.int64)
            for mailbox in mailboxes:
                threading.Thread(target=self._follow, args=(mailbox,), name="npae crew", daemon=True).start()
            self._mailboxes = mailboxes  # only now: nobody waits for a thread that could not be started
        return self._mailboxes

    def _wake(self) -> None:
        with self._bell:
            self._is_busy = True
            self._bell.notify_all()

    def _follow(self, mailbox: Array) -> None:
        from npae.kernels.rendezvous import follow

        while True:
            follow(mailbox, PATIENCE)
            with self._bell:
                self._bell.wait_for(lambda: self._is_busy)
