"""Stratified draws: a few samples at random, of each label as large a share as it has among all."""

import warnings
from typing import Any

import numpy as np

from npae.utils.errors import Hint
from npae.utils.randomness import generator
from npae.utils.scalars import whole_number
from npae.utils.types import Array
from npae.utils.validation import check_labels


def stratified(labels: Any, n: int, seed: int = 0) -> Array:
    """Places of n samples that are drawn at random, in rising order.

    The shares of the labels are kept, rounded to whole samples, and each label has at least one. Where n is smaller
    than the number of labels, that many labels, drawn at random, have one sample each, and a hint says so.

    Parameters
    ----------
    labels : array-like of shape (m,)
    n : int
        At least 1; where it is m or more, all samples are drawn.
    seed : int, default 0

    Returns
    -------
    (min(n, m),) ndarray of int64

    Examples
    --------
    >>> import numpy as np
    >>> from npae.applications.stratified import stratified
    >>> labels = np.array(["cat"] * 90 + ["dog"] * 10)
    >>> labels[stratified(labels, 10)].tolist().count("dog")
    1
    """
    n, rng = whole_number(n, "n"), generator(whole_number(seed, "seed", least=0), "stratified")
    labels = check_labels(labels, len(labels), "the labels")
    if n >= len(labels):
        return np.arange(len(labels))
    _, classes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    if n < len(counts):
        warnings.warn(
            f"{n} samples are fewer than the {len(counts)} labels, so {len(counts) - n} labels have none; draw at "
            f"least {len(counts)} to have one of each",
            Hint,
            stacklevel=2,
        )
        taken = np.zeros(len(counts), np.int64)
        taken[rng.choice(len(counts), n, replace=False)] = 1
    else:
        taken = _shares(counts, n)
    drawn = [rng.choice(np.flatnonzero(classes == i), k, replace=False) for i, k in enumerate(taken.tolist())]
    return np.sort(np.concatenate(drawn)).astype(np.int64)


def _shares(counts: Array, n: int) -> Array:
    """How many of each of the labels, which occur ``counts`` (k,) times, are taken: n in all, one of each at least."""
    exact = n * counts / counts.sum()  # at most counts, since n is at most their sum
    taken: Array = np.maximum(1, np.floor(exact)).astype(np.int64)
    while taken.sum() != n:
        if taken.sum() < n:
            taken[np.argmax(np.where(taken < counts, exact - taken, -np.inf))] += 1
        else:
            taken[np.argmax(np.where(taken > 1, taken - exact, -np.inf))] -= 1
    return taken
