"""What ranks agree upon: at every step one small exchange of totals, signals and errors.

A rank that cannot go on takes part in the next exchange with its reason, so that the others need not wait for it: they
raise ``RankError``. Only where a rank fails amid an exchange, or is gone, are all of them aborted.
"""

import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

import numpy as np

from npae.training.ranks.communicator import Communicator
from npae.training.signals import Stop
from npae.utils.errors import LostRankError, RankError, one_line

HEADER = struct.Struct("<qqq")  # whether the rank has failed, the signal that it received, bytes that it sends
RECORD = 512  # bytes of the first message of an exchange; what is longer follows in a second
INLINE = RECORD - HEADER.size
SAME_PRESS = 1.0  # seconds within which a second signal is the launcher's copy of the first


class AgreedStop(Stop):
    """A request to stop that counts once all ranks know of it, so that all stop after the same step."""

    def __init__(self) -> None:
        super().__init__()
        self.received: int | None = None
        self._time = 0.0

    def take(self, number: int, frame: FrameType | None) -> None:
        if self.received is None:
            self.received, self._time = number, time.monotonic()
        elif time.monotonic() - self._time > SAME_PRESS:
            self.is_urgent = True
            raise KeyboardInterrupt


class Ranks:
    """The processes that train together.

    Parameters
    ----------
    communicator : Communicator

    Attributes
    ----------
    rank, size : int
        The place of this process, from 0, and their number.
    stop : AgreedStop
        The request to stop of the training that runs.
    """

    def __init__(self, communicator: Communicator) -> None:
        self.communicator = communicator
        self.rank, self.size = communicator.rank, communicator.size
        self.stop = AgreedStop()
        self._is_together = False  # within ``together``
        self._is_inside = False  # amid an exchange, in which an error cannot be told to the others
        self._all_know = False  # of the error that ends this rank, since the others raise it, too

    @property
    def is_first(self) -> bool:
        """Whether this is rank 0, which alone writes files and speaks."""
        return self.rank == 0

    def exchange(self, payload: bytes = b"", *, has_failed: bool = False) -> list[bytes]:
        """The payload of every rank, in rank order; all learn of signals, too.

        Raises
        ------
        RankError
            If another rank has failed.
        """
        self._is_inside = True
        received = self.stop.received or 0
        records = self._gathered(HEADER.pack(has_failed, received, len(payload)) + payload[:INLINE], RECORD)
        headers = [HEADER.unpack(record[: HEADER.size]) for record in records]
        payloads = [record[HEADER.size :] for record in records]
        longest = max(length for _, _, length in headers)
        if longest > INLINE:
            rests = self._gathered(payload[INLINE:], longest - INLINE)
            payloads = [start + rest for start, rest in zip(payloads, rests, strict=True)]
        payloads = [payload[:length] for payload, (_, _, length) in zip(payloads, headers, strict=True)]
        self._is_inside = False
        self.stop.signal = self.stop.signal or next((number for _, number, _ in headers if number), None)
        failed = [rank for rank, header in enumerate(headers) if header[0]]
        if failed and not has_failed:
            self.end(f"rank {failed[0]} of {self.size} ended with {one_line(payloads[failed[0]].decode(), 600)}")
        return payloads

    def end(self, sentence: str) -> NoReturn:
        """Raise RankError, which all ranks do at this place."""
        self._all_know = True
        raise RankError(sentence)

    def _gathered(self, content: bytes, length: int) -> list[bytes]:
        record = np.zeros(length, np.uint8)
        record[: len(content)] = np.frombuffer(content, np.uint8)
        return [row.tobytes() for row in self.communicator.allgather(record)]

    def first(self, payload: bytes | None) -> bytes:
        """The payload of rank 0, of any length; that of the others is ignored."""
        payload = payload if payload is not None and self.is_first else b""
        (length,) = struct.unpack("<q", self.exchange(struct.pack("<q", len(payload)))[0])
        vector = np.frombuffer(payload.ljust(length, b"\0"), np.uint8).copy()
        with self.inside():
            self.communicator.broadcast(vector)
        return vector.tobytes()

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Context of an exchange of arrays, in which a rank that fails cannot tell the others."""
        self._is_inside = True
        yield
        self._is_inside = False

    @contextmanager
    def together(self) -> Iterator["Ranks"]:
        """Context that all ranks leave together, or with an error on each where one of them failed."""
        if self._is_together:  # the outer one will tell the others
            yield self
            return
        self._is_together = True
        try:
            with self.communicator.quiet():
                try:
                    yield self
                except LostRankError:
                    raise
                except BaseException as error:
                    if not self._all_know:
                        self._tell(error)
                    raise
                self.exchange()
        except LostRankError as error:
            self.communicator.abort(str(error))
        finally:
            self._is_together = self._is_inside = self._all_know = False
            self.stop = AgreedStop()

    def _tell(self, error: BaseException) -> None:
        """Let the other ranks know, at their next exchange, that this one has failed."""
        reason = "Ctrl-C" if isinstance(error, KeyboardInterrupt) else f"{type(error).__name__}: {error}"
        if self._is_inside:
            self.communicator.abort(f"rank {self.rank} of {self.size} ended amid a step with {one_line(reason, 600)}")
        self.exchange(reason.encode(errors="replace")[:10_000], has_failed=True)
