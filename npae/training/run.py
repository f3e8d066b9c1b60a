"""One run of training: its epochs and their steps, and what is done between them."""

import math
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np

from npae.training.checkpoint import CheckpointWriter
from npae.training.nan_diagnosis import diagnose
from npae.training.order import Order
from npae.training.replicas import Replicas
from npae.training.signals import Stop
from npae.training.state import Data, Progress, TrainingState
from npae.training.steps import take_steps
from npae.utils.errors import NonFiniteError
from npae.utils.source_rows import SourceRows
from npae.utils.types import Array

if TYPE_CHECKING:
    from tqdm import tqdm

#: About how many seconds of steps are taken at once; in between no signal, progress or checkpoint is looked after.
AT_ONCE = 0.05


class TrainingRun:
    """One call of ``Training.run``: its epochs, and the steps of each.

    Parameters
    ----------
    training : TrainingState
    replicas : Replicas
        Of its network.
    data : Data
    order : Order
        Of the samples.
    progress : Progress
    checkpoint_writer : CheckpointWriter, optional
    at_once : dict of int to int
        How many steps last ``AT_ONCE`` seconds, by the length of their batch, as far as it is known. It is updated
        here, so that later runs of the same training begin with as many.
    """

    def __init__(
        self,
        training: TrainingState,
        replicas: Replicas,
        data: Data,
        order: Order,
        progress: Progress,
        checkpoint_writer: CheckpointWriter | None,
        at_once: dict[int, int],
    ) -> None:
        self.training, self.replicas, self.data, self.order = training, replicas, data, order
        self.progress, self.checkpoint_writer, self._at_once = progress, checkpoint_writer, at_once

    def epochs(
        self, until: int, callbacks: Sequence[Callable[[Any], Any]], stop: Stop, bar: "tqdm[None] | None"
    ) -> None:
        """Train until there are ``until`` complete epochs, or early stopping or a callback ends the run."""
        training, progress = self.training, self.progress
        while training.epoch < until and not progress.is_stopped:
            if bar is not None:
                bar.set_description(f"epoch {training.epoch + 1}")
            self._epoch(stop, bar)
            if self.data.validation is not None:
                progress.is_stopped = progress.early_stopping.record(training.history["validation_loss"][-1])
            progress.begin_epoch()
            # A list, so that every callback is called.
            progress.is_stopped |= any([bool(callback(training)) for callback in callbacks])  # noqa: C419
            progress.is_stopped = self.replicas.end_epoch(progress.is_stopped)
            if self.checkpoint_writer is not None:
                self.checkpoint_writer.after_epoch(progress, is_last=progress.is_stopped or training.epoch == until)
            stop.check()

    def release(self) -> None:
        """Drop the references to the data."""
        self.replicas.release_data()
        if isinstance(self.order.x, SourceRows):
            self.order.x.release()

    def _epoch(self, stop: Stop, bar: "tqdm[None] | None") -> None:
        """Train on all batches that this epoch has left, and append the epoch to the history."""
        training, progress, x = self.training, self.progress, self.order.x
        if progress.batches == 0:
            progress.begin_epoch()
        self.replicas.set_data(x, training.batch_size, self.data.labels)
        for batches in self.order.batches(training.epoch, progress.batches):
            first = progress.batches
            while (done := progress.batches - first) < len(batches):
                loss = self._steps(batches[done:])
                if bar is not None:
                    bar.set_postfix(loss=f"{loss:.4g}", refresh=False)
                    bar.update((progress.batches - first - done) * batches.shape[1])
                if progress.batches * training.batch_size < len(x):
                    progress.is_consistent = True
                    if self.checkpoint_writer is not None:
                        self.checkpoint_writer.after_step(progress)
                    stop.check()
        if not _is_finite(training.network.theta):
            self._stop_at_non_finite(batches[-1], progress.batches - 1)
        self._append_to_history(len(x))

    def _append_to_history(self, n: int) -> None:
        """Append an epoch of ``n`` samples; NaN where an epoch has no such number as others have."""
        training, net, data = self.training, self.training.network, self.data
        record = {name: value / n for name, value in self.progress.sums.items()}
        if data.validation is not None:
            losses = net.losses(data.validation, labels=data.validation_labels)
            record["validation_loss"] = self.replicas.shared(float(losses.mean()) + net.weight_penalty())
        record["learning_rate"] = training.optimizer.learning_rate * training.schedule(net.run.step - 1)
        record["seconds"] = self.progress.seconds
        epochs, history = training.epoch, training.history
        for name in [*record, *(history.keys() - record.keys())]:
            if name not in history:
                history[name] = [math.nan] * epochs
            history[name].append(record.get(name, math.nan))

    def _steps(self, batches: Array) -> float:
        """Take steps on the first of these batches (k, N), for about ``AT_ONCE`` seconds; returns the last loss."""
        started, length = time.perf_counter(), batches.shape[1]
        wanted = batches[: self._at_once.get(length, 1)]
        losses = take_steps(self.training, self.replicas, wanted, self.progress)
        done = len(losses["loss"])
        if done == 0:
            self._stop_at_non_finite(batches[0], self.progress.batches)
        self.progress.count(length, losses)
        if done == len(wanted):  # else another thread may have been waited for
            self._at_once[length] = max(1, int(AT_ONCE * done / (time.perf_counter() - started)))
        return float(losses["loss"][-1])

    def _stop_at_non_finite(self, chosen: Array, step: int) -> None:
        """Set the parameters back, and raise an error that says where the step on these rows met NaN or infinity."""
        training = self.training
        diagnosis = diagnose(training, self.data, chosen, step)
        training.network.theta[...] = training.last_finite_theta
        training.optimizer.bind(training.network.arena)
        raise NonFiniteError(
            f"training met NaN or infinity in epoch {training.epoch + 1}, step {step + 1}, first in "
            f"{diagnosis['layer']}; the parameters of the last good epoch are kept; lower the learning rate "
            f"({training.optimizer.learning_rate:g}) or set clip_norm, and scale data that lies far from 0 to 1",
            diagnosis,
        )


def _is_finite(theta: Array) -> bool:
    """Whether all of θ (size,) is: so it is where its square is, which one fast pass computes, but may overflow."""
    with np.errstate(over="ignore", invalid="ignore"):
        return math.isfinite(theta @ theta) or bool(np.isfinite(theta).all())


def progress_bar(total: int, verbose: bool) -> AbstractContextManager["tqdm[None] | None"]:
    """A progress bar of so many samples on standard error, or None."""
    if not verbose or sys.stderr is None:  # a hidden bar would still start a thread
        return nullcontext()
    from tqdm import tqdm  # imported here, since it takes 50 ms

    bar: AbstractContextManager[Any] = tqdm(total=total, unit=" samples", unit_scale=True, dynamic_ncols=True)
    return bar
