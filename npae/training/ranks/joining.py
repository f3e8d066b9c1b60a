"""From what a caller gives as ``ranks`` to the ranks that train together."""

from collections.abc import Iterator
from contextlib import contextmanager

from npae.training.checkpoint import Checkpoints
from npae.training.ranks.agreement import Ranks
from npae.training.ranks.communicator import Communicator
from npae.training.ranks.mpi import world
from npae.training.ranks.resuming import checkpoints_of_first


def ranks_of(given: str | Communicator) -> Ranks:
    """The ranks of "mpi", or of a communicator."""
    if not isinstance(given, str):
        return Ranks(given)
    if given != "mpi":
        raise ValueError(f'ranks is {given!r}; expected "mpi", or None for this process alone')
    return world()


@contextmanager
def joined(given: str | Communicator, checkpoints: Checkpoints | None) -> Iterator[tuple[Ranks, Checkpoints | None]]:
    """Context in which ranks fit together; yields them and the checkpoints that this rank is to use."""
    ranks = ranks_of(given)
    with ranks.together(), checkpoints_of_first(ranks, checkpoints) as shared:
        yield ranks, shared
