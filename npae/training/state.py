"""The state of a run between two steps, besides network, optimizer and history."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from npae.network.autoencoder import Autoencoder
from npae.training.optimizers import Optimizer
from npae.training.schedules import Schedule
from npae.utils.types import Array


class TrainingState:
    """What a training consists of, as checkpoints, fingerprints and diagnoses read it; ``Training`` adds the loop."""

    network: Autoencoder
    optimizer: Optimizer
    schedule: Schedule
    batch_size: int
    clip_norm: float | None
    n_jobs: int
    history: dict[str, list[float]]
    last_finite_theta: Array  # (size,) the parameters to return to where the next step meets NaN or infinity

    @property
    def epoch(self) -> int:
        """Complete epochs."""
        return len(self.history.get("loss", ()))


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
        self.best_theta = theta.copy()
        self.loss = math.inf
        self.waited = 0

    def record(self, loss: float) -> bool:
        """Take note of the validation loss after an epoch; True where patience is at its end."""
        if loss < self.loss:
            self.loss, self.waited = loss, 0
            self.best_theta[...] = self.theta
        else:
            self.waited += 1
        return self.patience is not None and self.waited >= self.patience

    def restore(self) -> None:
        """Return to the best parameters, where there are any."""
        if self.loss < math.inf:
            self.theta[...] = self.best_theta


@dataclass
class Progress:
    """Of one run.

    Attributes
    ----------
    best : Best
    first_epoch : int
        Complete epochs when the run began.
    batches : int
        Batches done in the present epoch.
    sums : dict of str to float
        The loss and its terms, summed over the samples of these batches.
    started : float
        When the present epoch began, as ``time.perf_counter`` tells it.
    has_ended : bool
        Whether early stopping or a callback has ended the run.
    is_whole : bool
        Whether everything belongs to the same moment, so that it may be written down.
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
        """Spent on the present epoch."""
        return time.perf_counter() - self.started

    def count(self, n: int, losses: Mapping[str, float]) -> None:
        """A batch of ``n`` is done, with these mean losses."""
        self.batches += 1
        for name, value in losses.items():
            self.sums[name] = self.sums.get(name, 0.0) + value * n

    def begin_epoch(self) -> None:
        """Reset the counters for the next epoch."""
        self.batches, self.sums, self.is_consistent = 0, {}, True
        self.started = time.perf_counter()
