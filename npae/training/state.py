"""The state of a training run between two steps: counters, sums and early stopping."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from npae.network.autoencoder import Autoencoder
from npae.training.optimizers import Optimizer
from npae.training.schedules import Schedule
from npae.utils.add_up import add_up
from npae.utils.samples import Samples
from npae.utils.types import Array


class TrainingState:
    """The attributes of ``Training`` that checkpoints, fingerprints and diagnoses use."""

    network: Autoencoder
    optimizer: Optimizer
    schedule: Schedule
    batch_size: int
    clip_norm: float | None
    n_jobs: int
    n_shards: int  # into which a batch is divided: n_jobs times the number of ranks
    shuffle: str
    history: dict[str, list[float]]
    last_finite_theta: Array  # (size,) the parameters that are restored if a step gives NaN or infinity

    @property
    def epoch(self) -> int:
        """Number of complete epochs."""
        return len(self.history.get("loss", ()))


@dataclass(frozen=True)
class Data:
    """What a run learns from, validated.

    Attributes
    ----------
    x : ndarray of shape ``(n, *input_shape)``, or rows of a sparse matrix or of a source
    labels : ndarray of int, shape (n,), or None
        Of a conditional network.
    validation : as x, or None
    validation_labels : as labels, or None
    """

    x: Samples
    labels: Array | None = None
    validation: Samples | None = None
    validation_labels: Array | None = None


class EarlyStopping:
    """The lowest validation loss so far, and the parameters that reached it.

    Parameters
    ----------
    theta : ndarray of shape (size,)
        The parameters in training.
    patience : int, optional
        Epochs without a lower loss after which a run has stalled; None for a run that never does.
    """

    def __init__(self, theta: Array, patience: int | None) -> None:
        self.theta, self.patience = theta, patience
        self._best_theta: Array | None = None
        self.loss = math.inf
        self.waited = 0

    @property
    def best_theta(self) -> Array:
        """A copy of the parameters, made at the first use: most runs, such as one of a single batch, need none."""
        if self._best_theta is None:
            self._best_theta = self.theta.copy()
        return self._best_theta

    def record(self, loss: float) -> bool:
        """Record the validation loss after an epoch; returns whether to stop."""
        if loss < self.loss:
            self.loss, self.waited = loss, 0
            self.best_theta[...] = self.theta
        else:
            self.waited += 1
        return self.patience is not None and self.waited >= self.patience

    def restore(self) -> None:
        """Restore the parameters with the lowest validation loss, if there were any."""
        if self.loss < math.inf:
            self.theta[...] = self.best_theta


@dataclass
class Progress:
    """Progress of one run: its epoch, batches, sums and early stopping.

    Attributes
    ----------
    early_stopping : EarlyStopping
    first_epoch : int
        Complete epochs when the run began.
    batches : int
        Batches done in the current epoch.
    sums : dict of str to float
        The loss and its terms, summed over the samples of these batches.
    started : float
        ``time.perf_counter()`` at the start of the current epoch.
    is_stopped : bool
        Whether early stopping or a callback has ended the run.
    is_consistent : bool
        Whether all state belongs to the same step, so that a checkpoint may be written.
    """

    early_stopping: EarlyStopping
    first_epoch: int
    batches: int = 0
    sums: dict[str, float] = field(default_factory=dict)
    started: float = 0.0
    is_stopped: bool = False
    is_consistent: bool = True

    @property
    def seconds(self) -> float:
        """Seconds spent on the current epoch."""
        return time.perf_counter() - self.started

    def count(self, n: int, losses: Mapping[str, Array]) -> None:
        """Add batches of ``n`` samples each with these mean losses (k,) to the sums, one after the other."""
        self.batches += len(losses["loss"])
        for name, values in losses.items():
            self.sums[name] = add_up((values * n).tolist(), self.sums.get(name, 0.0))

    def begin_epoch(self) -> None:
        """Reset the counters for the next epoch."""
        self.batches, self.sums, self.is_consistent = 0, {}, True
        self.started = time.perf_counter()
