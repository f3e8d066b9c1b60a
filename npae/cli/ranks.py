"""``--ranks mpi``: the processes that ``mpiexec`` has started carry out one command, and the first speaks for all."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager

from npae.training.ranks.mpi import launched_rank, world
from npae.utils.console import be_silent


def add_ranks(parser: argparse.ArgumentParser, help: str) -> None:
    """``--ranks mpi``."""
    parser.add_argument("--ranks", choices=["mpi"], help=help)


def speaks() -> bool:
    """Whether the launcher has made this process the first, or none has started it."""
    return not launched_rank()


@contextmanager
def processes(args: argparse.Namespace) -> Iterator[None]:
    """Context that all ranks of a command leave together; those but the first are silent from then on."""
    if getattr(args, "ranks", None) is None:
        yield
        return
    if not speaks():
        be_silent()
    with world().together() as ranks:
        if not ranks.is_first:
            be_silent()
        yield
