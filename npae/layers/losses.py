"""What training makes small. Every loss is summed over a sample's elements and averaged over the batch.

Each has one method, because loss and gradient share their terms: ``value_and_gradient(y, t)`` returns one number for
each sample and the gradient of their *mean over the batch* by y.
"""

import numpy as np

from npae.layers.arena import Arena
from npae.utils.types import Array, Shape


class Loss:
    """A distance of the network's output y from the target t."""

    name: str
    #: Whether what a user sees is σ(y), the network's output being a logit.
    on_logits = False
    #: Whether targets must lie in [0, 1].
    needs_unit_interval = True

    losses: Array  # (N,)
    dy: Array  # (N, ...)

    def plan(self, output_shape: Shape, arena: Arena) -> None:
        """Name the buffers for outputs of this shape."""
        self.kernels, self.run = arena.kernels, arena.run
        self.floor = float(np.finfo(arena.dtype).eps) ** 2
        arena.buffer(self, "losses")
        arena.buffer(self, "dy", output_shape)

    def value_and_gradient(self, y: Array, t: Array) -> tuple[Array, Array]:
        """Losses of the samples (N,), and dy with the shape of y; both are buffers that the next call overwrites."""
        # (N, ...) -> (N, elements)
        self.evaluate(_rows(y), _rows(t), _rows(self.dy))
        return self.losses, self.dy

    def evaluate(self, y: Array, t: Array, dy: Array) -> None:
        """Write ``self.losses`` and ``dy``; all arrays are (N, elements)."""
        raise NotImplementedError


class BinaryCrossEntropyOnLogits(Loss):
    """L = −Σᵢ tᵢ log σ(yᵢ) + (1 − tᵢ) log(1 − σ(yᵢ)), in nats, and dy = (σ(y) − t) / N.

    The sigmoid belongs to the loss: together they neither overflow nor divide by zero, and the gradient is a
    difference (Bishop 2006, eq. 4.91). Targets lie in [0, 1].
    """

    name = "bce"
    on_logits = True

    def evaluate(self, y: Array, t: Array, dy: Array) -> None:
        self.kernels.bce_on_logits(y, t, self.run.sample_weight, self.losses, dy)


class BinaryCrossEntropyOnProbabilities(Loss):
    """L = −Σᵢ tᵢ log yᵢ + (1 − tᵢ) log(1 − yᵢ), in nats, and dy = (y − t) / (y (1 − y) N).

    For networks that end in a sigmoid of their own. y and 1 − y count as at least the square of the machine epsilon.
    Targets lie in [0, 1].
    """

    name = "bce_on_probabilities"

    def evaluate(self, y: Array, t: Array, dy: Array) -> None:
        self.kernels.bce_on_probabilities(y, t, self.run.sample_weight, self.floor, self.losses, dy)


class SquaredError(Loss):
    """L = Σᵢ (yᵢ − tᵢ)², and dy = 2 (y − t) / N. For data of any range.

    Averaged over the batch, not over the elements: the mean squared error per element is L / elements.
    """

    name = "mse"
    needs_unit_interval = False

    def evaluate(self, y: Array, t: Array, dy: Array) -> None:
        self.kernels.squared_error(y, t, self.run.sample_weight, self.losses, dy)


LOSSES: dict[str, type[Loss]] = {
    loss.name: loss for loss in (BinaryCrossEntropyOnLogits, BinaryCrossEntropyOnProbabilities, SquaredError)
}


def loss_by_name(name: str) -> Loss:
    """A new loss: "bce", "bce_on_probabilities" or "mse"."""
    if name not in LOSSES:
        raise ValueError(f"unknown loss {name!r}; expected one of {', '.join(LOSSES)}")
    return LOSSES[name]()


def _rows(a: Array) -> Array:
    return a.reshape(len(a), -1)
