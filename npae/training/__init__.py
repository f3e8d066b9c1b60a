"""Training: optimizers, schedules, epochs and steps, threads, checkpoints, and diagnosis of NaN."""

from npae.training.checkpoint import Checkpoints
from npae.training.trainer import Callback, Training

__all__ = ["Callback", "Checkpoints", "Training"]
