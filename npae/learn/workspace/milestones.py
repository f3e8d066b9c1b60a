"""Milestones: train an autoencoder on digits with the learner's gradients, and another with the reference's.

This module has the training loop, batches, noise and Adam; loss and gradients come from the learner's ``gradient``.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from npae.datasets import load_digits
from npae.kernels.reference.optimizer import adam
from npae.learn.catalogue.catalogue import exercises
from npae.learn.catalogue.exercise import Exercise, ExerciseError, Function
from npae.learn.sandbox.call_result import Caller
from npae.learn.sandbox.in_process import InProcess
from npae.learn.workspace.own_adam import BETA1, BETA2, EPSILON, RESTART, OwnAdam
from npae.utils.randomness import generator
from npae.utils.types import Array

SHOWN = 12  # digits in the picture
SECONDS = 120.0  # limit for the learner's code in the whole training


class TrainingError(ValueError):
    """Training stopped; the message tells the learner why."""


@dataclass(frozen=True)
class Epoch:
    """The result of one epoch: mean loss with the learner's and with the reference's gradients, and the learner's
    parameters after it.
    """

    number: int
    yours: float
    reference: float
    parameters: dict[str, Array]


class ExerciseNetwork:
    """A network in training: parameters, state of Adam, and the function that computes the gradients.

    Parameters
    ----------
    exercise : Exercise
    caller : Caller
        Calls the function that returns loss and gradients.
    images : ndarray of shape (n, 784) or (n, 28, 28, 1)
        The training images, from which the exercise draws initial parameters.
    optimizer : OwnAdam, optional
        The learner's; by default npae's Adam.
    """

    def __init__(self, exercise: Exercise, caller: Caller, images: Array, optimizer: OwnAdam | None = None) -> None:
        self._optimizer = optimizer
        assert exercise.training is not None
        self._exercise, self._caller, self._function = exercise, caller, gradient_of(exercise)
        self._rate = np.array([exercise.training.rate])
        initial = exercise.reference.initial(generator(0, "learn initial"), images)
        self.parameters: dict[str, Array] = {name: np.array(value, np.float64) for name, value in initial.items()}
        self._m = {name: np.zeros_like(value) for name, value in self.parameters.items()}
        self._v = {name: np.zeros_like(value) for name, value in self.parameters.items()}
        self._count = np.zeros(1, np.int64)

    def step(self, x: Array, step: int) -> float:
        """Update the parameters by one step of Adam on a batch; returns its loss."""
        drawn = self._exercise.reference.noise(generator(0, "learn noise", step), x, self.parameters)
        given: dict[str, Any] = {"x": x, **self.parameters, **drawn}
        answer = self._caller.call(self._function.name, [given[name] for name in self._function.takes])
        if answer.values is None:
            assert answer.trouble is not None
            raise TrainingError(answer.trouble.text)
        loss, *gradients = answer.values
        named = dict(zip((name[1:] for name in self._function.returns[1:]), gradients, strict=True))
        for name, gradient in named.items():
            theta = self.parameters[name]
            if gradient.shape != theta.shape or not np.isfinite(gradient).all():
                raise TrainingError(f"in step {step + 1} d{name} is not finite, or not of shape {theta.shape}")
        self._update(named)
        return float(loss)

    def _update(self, gradients: dict[str, Array]) -> None:
        if self._optimizer is not None:
            try:
                self._optimizer.step({name: self.parameters[name] for name in gradients}, gradients)
            except ValueError as error:
                raise TrainingError(str(error)) from None
            return
        self._count += 1
        for name, gradient in gradients.items():
            memory = self._m[name], self._v[name]
            adam(self.parameters[name], gradient, *memory, self._rate, self._count, BETA1, BETA2, EPSILON, 0.0)


def train(
    exercise: Exercise, caller: Caller, images: Array | None = None, adam_caller: Caller | None = None
) -> Iterator[Epoch]:
    """Train two networks on the same batches: with the learner's gradients and with the reference's.

    Parameters
    ----------
    exercise : Exercise
        A milestone.
    caller : Caller
        Calls the learner's functions.
    images : ndarray of shape (n, 28, 28), optional
        By default the first ``training.images`` of the embedded digits.
    adam_caller : Caller, optional
        Calls the learner's ``adam``, which then makes the steps of the learner's network.

    Yields
    ------
    Epoch
        After each epoch.

    Raises
    ------
    TrainingError
        Where the learner's function fails or returns unusable gradients.
    """
    training = exercise.training
    assert training is not None
    x = shaped(exercise, load_digits().train_images[: training.images] if images is None else images)
    right = InProcess({f.name: exercise.solution(f) for f in exercise.functions})
    optimizer = None if adam_caller is None else OwnAdam(adam_caller, training.rate)
    yours, reference = ExerciseNetwork(exercise, caller, x, optimizer), ExerciseNetwork(exercise, right, x)
    step = 0
    with ThreadPoolExecutor(1) as beside:  # the reference computes while the learner's process does
        for epoch in range(1, training.epochs + 1):
            order = generator(0, "learn order", epoch).permutation(len(x))
            losses = []
            for start in range(0, len(x) - training.batch + 1, training.batch):
                batch = x[order[start : start + training.batch]]
                theirs = beside.submit(reference.step, batch, step)
                losses.append((yours.step(batch, step), theirs.result()))
                step += 1
            means = np.mean(losses, axis=0)
            yield Epoch(epoch, float(means[0]), float(means[1]), yours.parameters)


def last() -> Exercise:
    """The last milestone of the course, the variational autoencoder."""
    return [exercise for exercise in exercises() if exercise.milestone][-1]


def gradient_of(exercise: Exercise) -> Function:
    """The function used in training: the one that returns loss and gradients."""
    for function in exercise.functions:
        if function.returns[0] == "y" and function.compares == "gradient":
            return function
    raise ExerciseError(f"{exercise.folder.name}: a milestone needs a function that returns y, the loss, and gradients")


def shaped(exercise: Exercise, images: Array) -> Array:
    """Images (n, 28, 28) in the exercise's shape: (n, 784) or (n, 28, 28, 1), float64."""
    drawn = getattr(exercise.reference, gradient_of(exercise).draw)(generator(0, "learn shape"))["x"]
    x: Array = images.astype(np.float64)
    return x.reshape(len(x), -1) if drawn.ndim == 2 else x[..., np.newaxis]


def picture(exercise: Exercise, parameters: dict[str, Array], scale: int = 3) -> bytes:
    """A PNG with rows of test digits, their corrupted versions (denoising only), and their reconstructions.

    Raises
    ------
    MissingExtraError
        Where Pillow is not installed.
    """
    from npae.utils.pictures import png, require_pillow, rows

    require_pillow()
    images = load_digits().test_images[:SHOWN]
    x = shaped(exercise, images)
    lines = [images]
    if corrupts(exercise):
        x = exercise.reference.corrupted(generator(0, "learn corrupted"), x)
        lines.append(x.reshape(images.shape))
    lines.append(np.asarray(exercise.reference.reconstruct(x, parameters)).reshape(images.shape))
    return png(rows(*lines), scale)


def corrupts(exercise: Exercise) -> bool:
    """Whether the network's input is a corrupted version of the images."""
    return hasattr(exercise.reference, "corrupted")


def tell(
    exercise: Exercise, epochs: Iterator[Epoch], say: Callable[[str], None], own_adam: bool = False
) -> dict[str, Array]:
    """Run a training, report each epoch's losses with ``say``, and return the learner's final parameters."""
    training = exercise.training
    assert training is not None
    what = "your gradients and your Adam train" if own_adam else "your gradients train"
    say(f"Now {what} an autoencoder on {training.images:,} handwritten digits.")
    if own_adam:
        say(f"(Yours begins anew every {RESTART} steps, since it takes all gradients; the reference's does not.)")
    say("epoch   your loss   reference")
    parameters: dict[str, Array] = {}
    for epoch in epochs:
        parameters = epoch.parameters
        say(f"{epoch.number:>5}   {epoch.yours:9.4f}   {epoch.reference:9.4f}")
    return parameters
