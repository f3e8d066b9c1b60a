"""Training steps: the gradient of a batch, then the optimizer; some steps at once where none of them needs Python."""

import math
from contextlib import suppress

import numpy as np

from npae.network.autoencoder import Autoencoder
from npae.training.optimizers import clip_by_norm
from npae.training.replicas import Replicas, ThreadReplicas
from npae.training.state import Progress, TrainingState
from npae.utils.add_up import add_up
from npae.utils.types import Array


def take_steps(training: TrainingState, replicas: Replicas, batches: Array, progress: Progress) -> dict[str, Array]:
    """Take one step or more, each on one of the batches, in their order.

    Parameters
    ----------
    training : TrainingState
        Its ``last_finite_theta`` takes the parameters with which an epoch begins, once a finite first loss shows that
        they are good.
    replicas : Replicas
        For which ``set_data`` was called.
    batches : ndarray of int64, shape (k, N)
        Row numbers of the samples of each batch.
    progress : Progress
        Is not consistent while some but not all of what belongs to a step has changed.

    Returns
    -------
    dict of str to ndarray of float64, shape (steps,)
        The loss of each step that was taken, and its terms; of none if the first loss is not finite.
    """
    kept = training.last_finite_theta if progress.batches == 0 else None
    if isinstance(replicas, ThreadReplicas) and training.clip_norm is None:  # ranks exchange each step's gradient
        losses = _several_steps(training, replicas, batches, kept, progress)
        if len(losses["loss"]):
            return losses
    # Reached also where several could not begin: a single step raises the error of the schedule, or finds no loss.
    return _single_step(training, replicas, batches[0], kept, progress)


def _several_steps(
    training: TrainingState, replicas: ThreadReplicas, batches: Array, kept: Array | None, progress: Progress
) -> dict[str, Array]:
    """Steps in one compiled call; losses and terms of those before one that fails or for which another thread waits."""
    net, optimizer = training.network, training.optimizer
    rates = _rates(training, replicas.n_steps_at_once(batches, optimizer))
    if len(rates) == 0:
        return {"loss": rates}
    progress.is_consistent = False
    before = optimizer.steps
    try:
        totals = replicas.steps(batches[: len(rates)], rates, optimizer, kept)
    finally:  # a signal handler of the user's may raise after the steps
        net.run.step += optimizer.steps - before
    losses = _losses(net, totals / batches.shape[1])
    if len(totals):
        net.terms = {name: float(values[-1]) for name, values in losses.items() if name != "loss"}
    return losses


def _rates(training: TrainingState, n: int) -> Array:
    """The learning rates of the next ``n`` steps, or of those before one for which the schedule raises an error."""
    step, rate = training.network.run.step, training.optimizer.learning_rate
    rates: list[float] = []
    with suppress(Exception):  # it is raised again when its step comes
        for i in range(n):
            rates.append(float(rate * training.schedule(step + i)))  # noqa: PERF401 (those before an error are kept)
    return np.array(rates, np.float64)


def _losses(net: Autoencoder, means: Array) -> dict[str, Array]:
    """The loss and its terms, each (steps,), from the means of each term over each shard, (steps, shards, terms)."""
    terms: dict[str, Array] = {}
    for shard in range(means.shape[1]):
        for i, name in enumerate(net.term_names):
            terms[name] = terms.get(name, 0.0) + means[:, shard, i]
    return {"loss": add_up(terms.values()), **terms}


def _single_step(
    training: TrainingState, replicas: Replicas, chosen: Array, kept: Array | None, progress: Progress
) -> dict[str, Array]:
    """One step: dθ of the mean loss, then the optimizer moves θ."""
    net = training.network
    loss = replicas.gradient(chosen)
    if not math.isfinite(loss):
        return {"loss": np.empty(0)}
    progress.is_consistent = False
    if kept is not None:
        kept[...] = net.theta
    if training.clip_norm is not None:
        clip_by_norm(net.dtheta, training.clip_norm)
    training.optimizer.step(training.schedule(net.run.step), replicas.team)
    net.run.step += 1
    return {name: np.array([value]) for name, value in {"loss": loss, **net.terms}.items()}
