"""The communicator of MPI, by mpi4py: the processes that ``mpiexec -n R`` has started.

Every exchange is begun and then asked for, so that signals are heard, processors are left to others, and a rank that
is lost is noticed, while this one waits.
"""

import os
import stat
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, NoReturn

import numpy as np

from npae.training.ranks.agreement import Ranks
from npae.training.ranks.heartbeat import Heartbeat
from npae.utils.console import shown
from npae.utils.errors import LostRankError, MissingExtraError, one_line
from npae.utils.types import Array

#: From how many seconds of waiting on a rank pauses after each question, and how long; at 0 it lets others run.
PAUSES = ((1e-4, 0.0), (1e-3, 5e-5), (0.1, 1e-3))
LONG_WAIT = 0.1  # seconds from which on lost ranks are looked for
TAG = 8  # of the messages of exchanges
LATER = 5  # seconds that the others leave to the first rank, which knows who is missing
MOST_SECONDS_TO_READ = 10  # that the launcher is given to read the last words
TO_PASS_ON = 0.3  # seconds that it is given to pass them on
MOST_SECONDS = 600  # without the next exchange, after which the ranks that have not come to it are named
#: Variables in which launchers tell a process its rank, and how many processes there are.
RANK_VARIABLES = ("PMI_RANK", "PMIX_RANK", "OMPI_COMM_WORLD_RANK", "SLURM_PROCID")
SIZE_VARIABLES = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE")
HOW = "mpiexec -n 2 npae train ... --ranks mpi, or mpiexec -n 2 python with your program"


def launched_rank() -> int | None:
    """The rank that a launcher has told this process, without MPI; None where none started it."""
    return next((int(os.environ[name]) for name in RANK_VARIABLES if os.environ.get(name, "").isdecimal()), None)


@cache
def world() -> Ranks:
    """All processes that ``mpiexec`` has started.

    Raises
    ------
    MissingExtraError
        Without mpi4py, or an MPI library for it.
    ValueError
        If this process was not started by ``mpiexec``, or by that of another MPI.
    """
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:
        raise MissingExtraError(
            f"training on ranks needs mpi4py and an MPI library ({one_line(error)}); pip install 'npae[mpi]'"
        ) from None
    size = next((int(os.environ[name]) for name in SIZE_VARIABLES if os.environ.get(name, "").isdecimal()), 1)
    if MPI.COMM_WORLD.size == 1 and launched_rank() is None:
        raise ValueError(f"ranks were asked for, but mpiexec did not start this process; start it as {HOW}")
    if MPI.COMM_WORLD.size == 1 < size:
        raise ValueError(
            f"mpiexec has started {size} processes, but mpi4py sees one, since it uses another MPI "
            f"({one_line(MPI.get_vendor()[0])}); use the mpiexec of that one"
        )
    return Ranks(MPICommunicator(MPI))


class MPICommunicator:
    """See ``npae.training.ranks.communicator.Communicator``."""

    def __init__(self, mpi: Any) -> None:
        self._mpi, self._n_exchanges = mpi, 0
        self._heartbeat: Heartbeat | None = None
        self.rank, self.size = mpi.COMM_WORLD.rank, mpi.COMM_WORLD.size
        self._comm, request = mpi.COMM_WORLD.Idup()  # its own, so that a program may use MPI beside it
        self._wait(request.Test)
        if self.size > 1 and mpi.Query_thread() == mpi.THREAD_MULTIPLE:
            self._heartbeat = Heartbeat(self._comm)

    def allgather(self, record: Array) -> Array:
        records = np.empty((self.size, len(record)), record.dtype)
        records[self.rank] = record
        self._send_and_receive([record] * self.size, list(records))
        return records

    def broadcast(self, vector: Array) -> None:
        self._wait(self._comm.Ibcast(vector).Test)

    def exchange_parts(self, vector: Array, parts: Sequence[slice], received: Array) -> None:
        received[self.rank] = vector[parts[self.rank]]
        self._send_and_receive([vector[part] for part in parts], list(received))

    def gather_parts(self, vector: Array, parts: Sequence[slice]) -> None:
        own = vector[parts[self.rank]]
        self._send_and_receive([own] * self.size, [vector[part] for part in parts])

    def _send_and_receive(self, sent: Sequence[Array], received: Sequence[Array]) -> None:
        """Exchange arrays with every other rank, each as one message: MPICH's Ialltoallv takes many times as long."""
        others = [(self.rank + i) % self.size for i in range(1, self.size)]
        requests = [self._comm.Irecv(received[other], other, TAG) for other in others]
        requests += [self._comm.Isend(sent[other], other, TAG) for other in others]
        self._wait(lambda: self._mpi.Request.Testall(requests))

    @contextmanager
    def quiet(self) -> Iterator[None]:
        with warnings.catch_warnings():
            if self.rank:
                warnings.simplefilter("ignore")
            yield

    def abort(self, sentence: str) -> NoReturn:
        sys.stdout.flush()
        print(shown(f"npae: {sentence}; all ranks end"), file=sys.stderr, flush=True)
        _wait_until_read()
        self._mpi.COMM_WORLD.Abort(1)
        raise SystemExit(1)

    def _wait(self, is_complete: Callable[[], bool]) -> None:
        self._n_exchanges += 1
        if self._heartbeat is not None:
            self._heartbeat.n_exchanges = self._n_exchanges
        begun = time.monotonic()
        try:
            while not is_complete():
                waited = time.monotonic() - begun
                if waited > LONG_WAIT:
                    self._look_for_lost(waited)
                for pause in [pause for start, pause in PAUSES if waited > start][-1:]:
                    time.sleep(pause)
        except self._mpi.Exception as error:
            raise LostRankError(f"MPI cannot go on ({one_line(error)})") from None

    def _look_for_lost(self, waited: float) -> None:
        heartbeat = self._heartbeat
        lost = [] if heartbeat is None else heartbeat.lost()
        if lost:
            raise LostRankError(f"{_named(lost, self.size)} gave no sign of life")
        if waited > MOST_SECONDS + (LATER if self.rank else 0):
            heard = {} if heartbeat is None else heartbeat.heard
            missing = [rank for rank, number in heard.items() if number < self._n_exchanges]
            who = _named(missing, self.size) if missing else "another rank"
            raise LostRankError(f"{who} did not come to the present step within {MOST_SECONDS} s")


def _wait_until_read() -> None:
    """Wait until the launcher has read what this process wrote: MPICH's drops the rest once it hears of an abort."""
    deadline = time.monotonic() + MOST_SECONDS_TO_READ
    while any(_unread(file) for file in (1, 2)) and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(TO_PASS_ON)


def _unread(file: int) -> int:
    """Bytes that wait in the pipe behind a file descriptor; 0 where it is no pipe, or the system does not tell."""
    try:
        import fcntl
        import termios

        if not stat.S_ISFIFO(os.fstat(file).st_mode):
            return 0
        return int.from_bytes(fcntl.ioctl(file, termios.FIONREAD, bytes(4)), sys.byteorder)
    except (ImportError, OSError):
        return 0


def _named(ranks: Sequence[int], size: int) -> str:
    return f"rank{'s' * (len(ranks) > 1)} {', '.join(map(str, ranks))} of {size}"
