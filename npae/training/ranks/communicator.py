"""What ranks need to exchange arrays: MPI has it, and so have the threads of a test.

All ranks must make the same calls in the same order.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import NoReturn, Protocol

from npae.utils.types import Array


class Communicator(Protocol):
    """The ranks of a run, and this process's place among them."""

    rank: int
    size: int

    def allgather(self, record: Array) -> Array:
        """The record (n,) of uint8 of every rank, as ``(size, n)``."""
        ...

    def broadcast(self, vector: Array) -> None:
        """Replace the vector (n,) of uint8 by that of rank 0."""
        ...

    def exchange_parts(self, vector: Array, parts: Sequence[slice], received: Array) -> None:
        """Send ``vector[parts[r]]`` to each rank r; ``received[r]`` is the part of this rank from rank r."""
        ...

    def gather_parts(self, vector: Array, parts: Sequence[slice]) -> None:
        """Replace each ``vector[parts[r]]`` by that of rank r."""
        ...

    def quiet(self) -> AbstractContextManager[None]:
        """Context without warnings on every rank but the first."""
        ...

    def abort(self, sentence: str) -> NoReturn:
        """Say why, and end all ranks."""
        ...
