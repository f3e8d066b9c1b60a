"""A lock whose holder knows whether others wait for it, so that work of many steps can stop between two of them."""

import threading
import time
from types import TracebackType

import numpy as np

LONGEST = 0.05  # seconds for which ``let_others`` waits
PAUSE = 5e-5  # seconds between two of its looks


class SharedLock:
    """A reentrant lock, for ``with``.

    Attributes
    ----------
    waiting : ndarray of int64, shape (1,)
        How many threads wait for it, for compiled code to read.
    """

    def __init__(self) -> None:
        self._lock, self._count = threading.RLock(), threading.Lock()
        self.waiting = np.zeros(1, np.int64)
        self._served = 0  # threads that have waited

    def __enter__(self) -> None:
        if self._lock.acquire(blocking=False):
            return
        with self._count:
            self.waiting[0] += 1
        try:
            self._lock.acquire()
        finally:
            with self._count:
                self.waiting[0] -= 1
                self._served += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._lock.release()

    def let_others(self) -> None:
        """Let those go first that wait now, for a short while; called by a thread that has just released it.

        Without it that thread would mostly take the lock again before another one is awake.
        """
        until, deadline = self._served + int(self.waiting[0]), time.monotonic() + LONGEST
        while self.waiting[0] and self._served < until and time.monotonic() < deadline:
            time.sleep(PAUSE)
