"""A training that can be killed: ``python -m helpers.killable``, told by lines of JSON what to train.

A line is the list [FOLDER, EVERY, FUNCTION, CALLS], the last two optional. For each line the process forks, so that 20
runs do not start 20 interpreters. The child resumes from the checkpoints in FOLDER and writes new ones every EVERY; it
prints "training" and its number when it begins, and "done" when it ends. The parent prints "ended" and how it ended.
With FUNCTION, such as ``fsync``, the child kills itself when it calls that function of ``os`` for the CALLS-th time;
with ``after_replace`` when that call has returned.
"""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np

import npae
import npae.training.run
from helpers.small_models import samples
from npae import Checkpoints
from npae.training.trainer import Training

X = samples(70, 12)


def model() -> npae.DenoisingAutoencoder:
    """Noise, a schedule, validation and a last batch that is smaller."""
    return npae.DenoisingAutoencoder(
        hidden=(9,), code_size=4, epochs=12, batch_size=6, schedule="cosine", early_stopping=True, random_state=0
    )


def finished(checkpoints: Checkpoints | None) -> dict[str, bytes]:
    """The bits with which the run ends that begins here, or goes on."""
    ended = model().fit(X, checkpoints=checkpoints)
    training: Training = ended.training_
    history = {name: np.array(values).tobytes() for name, values in training.history.items() if name != "seconds"}
    state = {name: vector.tobytes() for name, vector in training.optimizer.state.items()}
    return {"theta": training.network.theta.tobytes(), "sample": ended.sample(2).tobytes(), **state, **history}


def _kill_at(function: str, calls: int) -> None:
    is_after, name = function.startswith("after_"), function.removeprefix("after_")
    original, made = getattr(os, name), []

    def deadly(*arguments: Any) -> Any:
        made.append(1)
        if len(made) == calls and not is_after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = original(*arguments)
        if len(made) == calls:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(os, name, deadly)


def _train(folder: str, every: str, function: str = "", calls: int = 0) -> None:
    if function:
        _kill_at(function, calls)
    print("training", os.getpid(), flush=True)
    finished(Checkpoints(Path(folder), every=every, resume=True))
    print("done", flush=True)


if __name__ == "__main__":
    npae.training.run.AT_ONCE = 0.0  # so that checkpoints by time can be due after every step
    finished(None)  # so that what is loaded at first use is loaded before the process forks
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _train(*json.loads(line))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print("ended", os.waitstatus_to_exitcode(status), flush=True)
