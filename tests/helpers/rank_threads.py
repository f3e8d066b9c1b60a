"""Ranks that are threads of this process: a communicator of queues, to test what ranks do without MPI."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from queue import Empty, Queue
from typing import Any, NoReturn

import numpy as np

from npae.utils.errors import LostRankError
from npae.utils.types import Array

PATIENCE = 60  # seconds that a rank waits for another, before a test has failed


class QueueCommunicator:
    """One rank; ``queues[a][b]`` carries what rank a sends to rank b."""

    def __init__(self, rank: int, queues: Sequence[Sequence["Queue[Any]"]]) -> None:
        self.rank, self.size, self._queues = rank, len(queues), queues
        self.n_exchanges = 0

    def _send(self, rank: int, array: Array) -> None:
        self._queues[self.rank][rank].put(array.copy())

    def _receive(self, rank: int) -> Array:
        try:
            array: Array | None = self._queues[rank][self.rank].get(timeout=PATIENCE)
        except Empty:
            array = None
        if array is None:
            raise LostRankError(f"rank {rank} of {self.size} is gone")
        return array

    def allgather(self, record: Array) -> Array:
        self.n_exchanges += 1
        for rank in range(self.size):
            self._send(rank, record)
        return np.stack([self._receive(rank) for rank in range(self.size)])

    def broadcast(self, vector: Array) -> None:
        for rank in range(self.size if self.rank == 0 else 0):
            self._send(rank, vector)
        vector[...] = self._receive(0)

    def exchange_parts(self, vector: Array, parts: Sequence[slice], received: Array) -> None:
        for rank, part in enumerate(parts):
            self._send(rank, vector[part])
        for rank in range(self.size):
            received[rank] = self._receive(rank)

    def gather_parts(self, vector: Array, parts: Sequence[slice]) -> None:
        for rank in range(self.size):
            self._send(rank, vector[parts[self.rank]])
        for rank, part in enumerate(parts):
            vector[part] = self._receive(rank)

    @contextmanager
    def quiet(self) -> Iterator[None]:
        yield

    def abort(self, sentence: str) -> NoReturn:
        for rank in range(self.size):
            self._queues[self.rank][rank].put(None)
        raise LostRankError(sentence)


def communicators(size: int) -> list[QueueCommunicator]:
    """One for each of so many ranks."""
    queues: list[list[Queue[Any]]] = [[Queue() for _ in range(size)] for _ in range(size)]
    return [QueueCommunicator(rank, queues) for rank in range(size)]


def on_ranks(size: int, work: Callable[[QueueCommunicator], Any]) -> list[Any]:
    """What ``work`` returns on each of so many ranks, or the exception that it raises."""
    results: list[Any] = [None] * size

    def run(communicator: QueueCommunicator) -> None:
        try:
            results[communicator.rank] = work(communicator)
        except BaseException as error:
            results[communicator.rank] = error

    threads = [threading.Thread(target=run, args=(each,)) for each in communicators(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
