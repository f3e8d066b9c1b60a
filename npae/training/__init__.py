"""Training: optimizers, schedules, epochs and steps, threads, checkpoints, and what is said when training fails."""

from npae.training.checkpoint import Checkpoints
from npae.training.trainer import Callback, Training

__all__ = ["Callback", "Checkpoints", "Training"]
