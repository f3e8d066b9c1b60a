"""Checkpoint files: all that a run needs to resume, in a model file.

The file is a model file (``npae.load`` reads it: the model as it was) with further content: the optimizer's
state, the parameters to restore after NaN and after early stopping, the sums of the incomplete epoch, and the run's
fingerprint.
"""

import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from npae.network import saving
from npae.storage import model_file
from npae.storage.model_file import StoredModel
from npae.training.run_fingerprint import as_json, digest_of_all
from npae.training.state import EarlyStopping, Progress, TrainingState
from npae.utils.types import Array


def write(
    path: Path, training: TrainingState, progress: Progress, identity: Mapping[str, Any], model: Mapping[str, Any]
) -> None:
    """Write the state of a run between two steps.

    Parameters
    ----------
    path : Path
    training : Training
    progress : Progress
        With ``is_consistent`` True.
    identity : mapping
        The configuration and data fingerprint of ``npae.training.run_fingerprint`` before the first step.
    model : mapping
        Further content of a model file, such as the estimator's name and parameters.
    """
    early_stopping = progress.early_stopping
    arrays = {f"optimizer.{name}": vector for name, vector in training.optimizer.state.items()}
    arrays["good theta"] = training.last_finite_theta
    if early_stopping.patience is not None:
        arrays["best theta"] = early_stopping.best_theta
    moment = {
        "identity": identity,
        "optimizer": {"steps": training.optimizer.steps, **training.optimizer.settings},
        "best": {"loss": early_stopping.loss, "waited": early_stopping.waited},
        "first_epoch": progress.first_epoch,
        "batches": progress.batches,
        "sums": progress.sums,
        "seconds": progress.seconds,
        "has_ended": progress.is_stopped,
        "step": training.network.run.step,
    }
    net = training.network
    # A digest of the whole content, so that any damage is detected.
    known = {**saving.common_record(net), "network": net.config()}
    record = as_json({**known, **model, "history": training.history, "moment": moment})
    whole = _digest(record, {**_parameters(training), **arrays})
    saving.save(net, path, record={**record, "digest": whole}, arrays=arrays)


def read(path: Path) -> StoredModel:
    """Read a checkpoint and verify its digest.

    Raises
    ------
    FileFormatError
        If the file is damaged, or no checkpoint.
    """
    stored = model_file.read(path)
    with stored.errors_as_file_errors():
        if stored.record["digest"] != _digest(stored.record, stored.arrays):
            raise ValueError("its content is not what was written")
    return stored


def restore(stored: StoredModel, training: TrainingState, n: int, patience: int | None) -> Progress:
    """Restore the stored state into a training with the same fingerprint that learns from ``n`` samples."""
    with stored.errors_as_file_errors():
        net, optimizer, moment = training.network, training.optimizer, stored.record["moment"]
        shape, dtype = net.theta.shape, net.arena.dtype
        history = {name: [float(value) for value in values] for name, values in stored.history().items()}
        vectors = {name: stored.array(f"optimizer.{name}", shape, dtype) for name in optimizer.state}
        parameters = {name: stored.array(name, value.shape, dtype) for name, value, _ in net.arena.parameters()}
        last_finite_theta = stored.array("good theta", shape, dtype)
        early_stopping = EarlyStopping(net.theta, patience)
        early_stopping.loss, early_stopping.waited = float(moment["best"]["loss"]), _count(moment["best"]["waited"])
        if patience is not None:
            early_stopping.best_theta[...] = stored.array("best theta", shape, dtype)
        settings = {name: _number(moment["optimizer"][name]) for name in optimizer.settings}
        progress = Progress(
            early_stopping,
            _count(moment["first_epoch"]),
            _count(moment["batches"]),
            {str(name): float(value) for name, value in moment["sums"].items()},
            time.perf_counter() - float(moment["seconds"]),
            bool(moment["has_ended"]),
        )
        if progress.batches * training.batch_size >= n:
            raise ValueError(f"{progress.batches} batches of the epoch are done, but it has fewer")
        step, optimizer_steps = _count(moment["step"]), _count(moment["optimizer"]["steps"])
    # Nothing is changed before this point, and no error is possible after it.
    for name, value, _ in net.arena.parameters():
        value[...] = parameters[name]
    for name, vector in vectors.items():
        optimizer.state[name][...] = vector
    for name, number in settings.items():
        if number != optimizer.settings[name]:  # changed by a callback; otherwise keep the type of NumPy's numbers
            setattr(optimizer, name, number)
    optimizer.count[0] = optimizer_steps
    training.last_finite_theta[...] = last_finite_theta
    training.history.clear()
    training.history.update(history)
    net.run.step = step
    return progress


def _parameters(training: TrainingState) -> dict[str, Array]:
    return {name: value for name, value, _ in training.network.arena.parameters()}


def _digest(record: Mapping[str, Any], arrays: dict[str, Array]) -> str:
    told = {name: value for name, value in record.items() if name != "digest"}
    return digest_of_all(told, arrays)


def _count(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**63:
        raise ValueError(f"{value!r} stands where a count was expected")
    return value


def _number(value: Any) -> int | float:
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value!r} stands where a number was expected")
    return value
