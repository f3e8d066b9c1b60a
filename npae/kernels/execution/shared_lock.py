"""A lock whose holder knows whether others wait for it, so that work of many steps can stop between two of them."""

import threading
import time
from types import TracebackType

import numpy as np

PATIENCE = 0.005  # seconds that a thread waits before its holder is asked to stop: it is not to stop all the time
LONGEST = 0.05  # seconds that ``let_others`` waits at most
PAUSE = 5e-5  # seconds between two of its looks


class SharedLock:
    """A reentrant lock, for ``with``.

    Attributes
    ----------
    waiting : ndarray of int64, shape (1,)
        How many threads have waited for it for ``PATIENCE`` seconds, for compiled code to read.
    """

    def __init__(self) -> None:
        self._lock, self._count = threading.RLock(), threading.Lock()
        self.waiting = np.zeros(1, np.int64)
        self._served = 0  # threads whose wait is over

    def __enter__(self) -> None:
        if self._lock.acquire(timeout=PATIENCE):
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
        """Wait until the threads that wait now have had the lock, at most ``LONGEST`` seconds.

        Called after the release by a thread that is about to take the lock again, which it would mostly get before a
        waiting thread is awake. It must not hold the lock any more.
        """
        until, deadline = self._served + int(self.waiting[0]), time.monotonic() + LONGEST
        while self.waiting[0] and self._served < until and time.monotonic() < deadline:
            time.sleep(PAUSE)
