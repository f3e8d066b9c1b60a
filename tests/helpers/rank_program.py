"""A training on ranks that ends in a given way: ``mpiexec -n R python -m helpers.rank_program FOLDER TYPES [END]``.

Each of the TYPES, separated by commas, is trained and its checkpoints are written into FOLDER, and gone on from. Rank 0
prints a digest of each, which without MPI is that of ``digest(name, R)``. END is the JSON of {"how", "rank", "step"}:
what befalls that rank at that step, "exception", "NaN", "sleep", or a signal such as "SIGKILL" after a random time.
"""

import hashlib
import json
import os
import random
import signal
import sys
import threading
import time
import warnings
from typing import Any

import numpy as np

from helpers.small_models import data_for, unfitted
from npae import Checkpoints
from npae.training.ranks import mpi
from npae.training.replicas import ThreadReplicas

PAUSE = 0.004  # seconds in each step of a run that is to be ended, so that a signal comes amid it


def digest(name: str, n_jobs: int = 1, **fit: Any) -> str:
    """Of parameters, history and samples of the model that is trained."""
    model = unfitted(name, epochs=12, batch_size=10, n_jobs=n_jobs, early_stopping=name == "denoising", clip_norm=0.1)
    model.fit(data_for(name, 43), **fit)
    if model.training_.interrupted:
        raise SystemExit(128 + signal.SIGINT)
    whole = hashlib.blake2b(model.network_.theta.tobytes(), digest_size=8)
    for column, values in model.history_.items():
        whole.update(b"" if column == "seconds" else np.array(values).tobytes())
    whole.update(np.asarray(model.sample(2, random_state=0)).tobytes())
    return whole.hexdigest()


def _end(how: str, rank: int, step: int) -> None:
    """Let that befall this process, if it is the rank."""
    passes = ThreadReplicas.passes

    def disturbed(self: ThreadReplicas, chosen: Any) -> Any:
        time.sleep(PAUSE)
        totals = passes(self, chosen)
        if self.networks[0].run.step == step and self.first_shard == rank:
            if how == "exception":
                raise ValueError("there is no more")
            if how == "sleep":
                time.sleep(600)
            if how == "NaN":
                return totals * np.nan
            wait = random.random() * 0.1
            threading.Timer(wait, lambda: os.kill(os.getpid(), getattr(signal, how))).start()
        return totals

    if how == "sleep":
        mpi.MOST_SECONDS = 3
    ThreadReplicas.passes = disturbed  # type: ignore[method-assign]


def main(folder: str, names: str, end: str = "{}") -> None:
    """Train; the first rank prints the digests."""
    warnings.filterwarnings("ignore", "(?!interrupted|stopped)")
    time.sleep(0.3 * (mpi.launched_rank() or 0))  # ranks seldom start at one moment
    ranks = mpi.world()
    if end != "{}":
        _end(**json.loads(end))
    try:
        for name in names.split(","):
            found = digest(name, ranks="mpi", checkpoints=Checkpoints(f"{folder}/{name}", resume=True))
            if ranks.is_first:
                print(name, found, flush=True)
    except (ArithmeticError, OSError, ValueError) as error:
        raise SystemExit(str(error) if ranks.is_first else 1) from None


if __name__ == "__main__":
    main(*sys.argv[1:])
