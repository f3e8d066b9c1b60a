"""Checkpoints of a run on ranks: rank 0 alone has the folder, and gives the others what is resumed."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from npae.training.checkpoint import Checkpoints
from npae.training.ranks.agreement import Ranks


@contextmanager
def checkpoints_of_first(ranks: Ranks, checkpoints: Checkpoints | None) -> Iterator[Checkpoints | None]:
    """Those of rank 0; on another rank a copy of the one that is resumed, beside which nothing is written, or None."""
    stored = checkpoints.to_be_resumed() if ranks.is_first and checkpoints is not None else None
    content = ranks.first(None if stored is None else stored.path.read_bytes())
    name = ranks.first(None if stored is None else stored.path.name.encode()).decode()
    if ranks.is_first or not name:
        yield checkpoints if ranks.is_first else None
        return
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / name).write_bytes(content)
        copy = Checkpoints(folder, resume=True)
        copy.is_written = False
        yield copy
