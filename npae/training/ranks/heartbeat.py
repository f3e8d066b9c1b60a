"""Signs of life: a thread of every rank tells rank 0, and rank 0 tells every rank, that it is there.

The launcher ends all where a process dies. One that stands still (stopped, swapped out, its host cut off) it does not
see; an exchange would wait for it for ever.
"""

import atexit
import threading
from typing import Any

import numpy as np

BEAT = 0.5  # seconds
MOST_MISSED = 12  # beats without a sign, after which a rank is lost
TAG = 7


class Heartbeat:
    """The thread of this rank.

    Attributes
    ----------
    n_exchanges : int
        Exchanges that this rank has begun; it is told to the others.
    heard : dict of int to int
        What each rank that is listened to last told.
    """

    def __init__(self, comm: Any) -> None:
        self._comm, self.n_exchanges = comm, 0
        others = range(1, comm.size) if comm.rank == 0 else [0]
        self.heard = dict.fromkeys(others, 0)
        self._missed = dict.fromkeys(others, 0)
        self._requests: dict[int, Any] = {}
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="npae heartbeat", daemon=True)
        self._thread.start()
        atexit.register(self._end)  # before MPI's own end, which was registered first

    def lost(self) -> list[int]:
        """The ranks that have given no sign; ranks 2 and above wait a beat or two longer, so that rank 1 speaks."""
        late = min(max(self._comm.rank - 1, 0), 2)
        return [rank for rank, missed in self._missed.items() if missed > MOST_MISSED + late]

    def _run(self) -> None:
        while not self._is_over.wait(BEAT):
            for other in self.heard:
                self._tell(other)
                self._listen(other)

    def _tell(self, other: int) -> None:
        before = self._requests.get(other)
        if before is None or before[0].Test():  # one that stands still is not sent more and more
            number = np.array([self.n_exchanges])
            self._requests[other] = self._comm.Isend(number, other, TAG), number

    def _listen(self, other: int) -> None:
        self._missed[other] += 1
        number = np.zeros(1, np.int64)
        while self._comm.Iprobe(other, TAG):
            self._comm.Recv(number, other, TAG)
            self.heard[other], self._missed[other] = int(number[0]), 0

    def _end(self) -> None:
        self._is_over.set()
        self._thread.join()
