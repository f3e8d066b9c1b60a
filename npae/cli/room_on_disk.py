"""Whether the disk has room for the model, looked at after the first epoch: then there is time to make some."""

import shutil
import warnings
from pathlib import Path

from npae.training.trainer import Training
from npae.utils.memory import format_bytes


def look_at_room(training: Training, folder: Path) -> None:
    """Warn where the disk of ``folder`` has less room than the model's file will take."""
    needed = training.network.theta.nbytes * (1 + len(training.optimizer.state_names))
    there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(there).free
    if free < needed:
        warnings.warn(
            f"the model will take about {format_bytes(needed)}, but the disk of {folder} has {format_bytes(free)} "
            f"left; make room before the training ends, or interrupt it and give another folder with --out",
            stacklevel=2,
        )
