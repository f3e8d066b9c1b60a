"""Deep embedded clustering: train an encoder so that its codes form groups (Xie, Girshick & Farhadi, ICML 2016).

k-means on codes gives the first centroids. Then encoder and centroids are trained together by KL(P‖Q): Q are soft
assignments of the codes, and P is Q made sharper, renewed from time to time. So a code that is near one centroid moves
nearer. The published method lets go of the decoder; here the model's own loss is kept beside it (Guo et al., Improved
deep embedded clustering with local structure preservation, IJCAI 2017), so that codes can still be decoded::

    KL(P‖Q) + weight · L / L₀       with L₀ the model's loss L before
"""

import copy
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from tqdm import tqdm

from npae.applications.clustering import Groups, cluster
from npae.applications.soft_assignment import SoftAssignment, divergence, target_distribution
from npae.estimators import AutoencoderEstimator, VariationalAutoencoder
from npae.network.autoencoder import Autoencoder
from npae.training.optimizers import Adam
from npae.utils.randomness import generator
from npae.utils.samples import dense
from npae.utils.scalars import real_number, whole_number
from npae.utils.types import Array

BATCH_SIZE = 256
TINY = float(np.finfo(np.float32).tiny)
SCALE = 0.5  # unit of distances, in root mean squares
LEAST_STEPS = 20  # between two updates of the target, where an epoch has fewer


@dataclass(frozen=True)
class DeepClusters:
    """A model that was trained for groups, and its groups.

    Attributes
    ----------
    model : AutoencoderEstimator
        The refined one; that which was given is as before.
    groups : Groups
        Of the samples: each in that of the nearest centroid, among the refined codes.
    changed : list of float
        Share of the samples that changed their group at each update of the target.

    Examples
    --------
    >>> import numpy as np
    >>> from npae import DeepAutoencoder
    >>> from npae.applications.deep_clustering import deep_cluster
    >>> rng = np.random.default_rng(0)
    >>> X = np.repeat(rng.random((3, 8)), 40, axis=0) + 0.05 * rng.normal(size=(120, 8))
    >>> model = DeepAutoencoder(hidden=(16,), code_size=2, epochs=20, batch_size=20, random_state=0).fit(X)
    >>> found = deep_cluster(model, X, 3)
    >>> found.groups.groups.shape, len(found.changed) > 0
    ((120,), True)
    """

    model: AutoencoderEstimator
    groups: Groups
    changed: list[float]


def deep_cluster(
    model: AutoencoderEstimator,
    X: Any,
    n_clusters: int,
    *,
    weight: float = 0.5,
    learning_rate: float = 1e-3,
    tolerance: float = 1e-3,
    updates: int = 100,
    seed: int = 0,
    verbose: bool = False,
) -> DeepClusters:
    """Train a copy of a fitted model so that the codes of X form groups. Needs scikit-learn, for the first centroids.

    The target P is renewed after each epoch, or 20 steps where an epoch has fewer. A step takes 256 samples, and Adam
    moves encoder, decoder and centroids.

    Parameters
    ----------
    model : fitted estimator
        Any but a variational one, whose codes are distributions.
    X : array-like of shape ``(n, *shape)``
    n_clusters : int
    weight : float, default 0.5
        Of the model's own loss; 0 is the published method, after which the decoder does not fit the codes.
    learning_rate : float, default 0.001
    tolerance : float, default 0.001
        Training ends when a smaller share of the samples changes its group from one update to the next.
    updates : int, default 100
        The most there are.
    seed : int, default 0
        Of k-means and of the order of the samples.
    verbose : bool, default False
        Show a progress bar.

    Returns
    -------
    DeepClusters

    Raises
    ------
    ValueError
        For a variational model, for samples that the model does not take, or if fewer than ``n_clusters`` differ.

    Warns
    -----
    UserWarning
        If ``updates`` were not enough.

    Examples
    --------
    >>> import numpy as np
    >>> from npae import DeepAutoencoder
    >>> from npae.applications.deep_clustering import deep_cluster
    >>> rng = np.random.default_rng(0)
    >>> X = np.repeat(rng.random((3, 8)), 40, axis=0) + 0.05 * rng.normal(size=(120, 8))
    >>> model = DeepAutoencoder(hidden=(16,), code_size=2, epochs=20, batch_size=20, random_state=0).fit(X)
    >>> found = deep_cluster(model, X, 3)
    >>> len(np.unique(found.groups.groups))
    3
    """
    refuse_variational(model)
    weight = real_number(weight, "weight", least=0)
    tolerance = real_number(tolerance, "tolerance", least=0)
    updates, seed = whole_number(updates, "updates"), whole_number(seed, "seed", least=0)
    samples = dense(model.network_.check(X, as_target=True))
    refined = copy.deepcopy(model)
    net = refined.network_
    first = cluster(net.encode(samples), n_clusters, seed)
    assignment = _assignment(first)
    optimizers = Adam(learning_rate), Adam(learning_rate)
    for optimizer, arena in zip(optimizers, (net.arena, assignment.arena), strict=True):
        optimizer.bind(arena)
    own_weight = weight / max(float(net.losses(samples).mean()), TINY)
    batches = _batches(len(samples), seed)
    n_steps = max(LEAST_STEPS, ceil(len(samples) / BATCH_SIZE))
    changed: list[float] = []
    groups = first.groups
    for _ in (bar := tqdm(range(updates), unit="update", disable=not verbose or sys.stderr is None)):
        p = target_distribution(_soft(assignment, net, samples))
        for _ in range(n_steps):
            _step(net, assignment, samples, p, next(batches), own_weight)
            for optimizer in optimizers:
                optimizer.step()
        now = _soft(assignment, net, samples).argmax(axis=1)
        changed.append(float((now != groups).mean()))
        bar.set_postfix(changed=f"{changed[-1]:.2%}")
        groups = now
        if changed[-1] < tolerance:
            break
    else:
        warnings.warn(
            f"after {updates} updates {changed[-1]:.2%} of the samples still change their group, where less than "
            f"{tolerance:.2%} was wanted; give more updates",
            stacklevel=2,
        )
    refined.note_samples(samples)
    return DeepClusters(refined, Groups.around(net.encode(samples), assignment.centroids.copy()), changed)


def refuse_variational(model: AutoencoderEstimator) -> None:
    """Refuse a variational model, whose codes are distributions.

    Parameters
    ----------
    model : estimator

    Raises
    ------
    ValueError

    Examples
    --------
    >>> from npae import VanillaAutoencoder
    >>> from npae.applications.deep_clustering import refuse_variational
    >>> refuse_variational(VanillaAutoencoder())
    """
    if isinstance(model, VariationalAutoencoder):
        raise ValueError(
            "deep embedded clustering needs one code for each sample, but a variational model has a distribution of "
            "codes; give a model of another type"
        )


def _assignment(first: Groups) -> SoftAssignment:
    """The layer with the centroids of k-means; distances are measured in half the root mean square of the first ones.

    The paper measures them in 1, whatever the codes' scale. With a smaller unit training is more decided about a code
    between two centroids.
    """
    scale = SCALE * float(np.sqrt(np.square(first.distances).mean())) or 1.0  # 0 where all codes are centroids
    layer = SoftAssignment(len(first.centroids), scale).build(first.centroids.shape[1:], dtype="float64")
    layer.centroids[...] = first.centroids
    return layer


def _soft(assignment: SoftAssignment, net: Autoencoder, samples: Array) -> Array:
    """Soft assignments (n, k) of samples (n, ...)."""
    return assignment(net.encode(samples).astype(np.float64))


def _step(
    net: Autoencoder, assignment: SoftAssignment, samples: Array, p: Array, batch: Array, own_weight: float
) -> None:
    """Write the gradients of a batch, given by the places of its samples."""

    def code_gradient(z: Array) -> Array:
        q = assignment(z.astype(np.float64))
        _, dq = divergence(p[batch], q)
        return assignment.backward(dq)

    net.gradient_with_codes(samples[batch], code_gradient, own_weight)
    net.run.step += 1


def _batches(n: int, seed: int) -> Iterator[Array]:
    """Places of the samples of one batch after the other, in a new random order in each epoch, without end."""
    rng = generator(seed, "deep clustering")
    while True:
        order = rng.permutation(n)
        for start in range(0, n, BATCH_SIZE):
            yield order[start : start + BATCH_SIZE]
