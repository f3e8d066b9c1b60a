"""A hint where samples that are measured were given as training samples, too."""

import warnings
from collections.abc import Sequence

import numpy as np

from npae.estimators.sample_record import hashes_of
from npae.utils.errors import Hint
from npae.utils.types import Array

CHANCE = 2  # times the share of equal rows, up to which shared samples are taken for other ones that are equal
NOT_NEW = "so what is measured need not hold for new ones; give others"


def warn_of_shared(option: str, X: Array, other: str, others: Array, so: str) -> None:
    """Say how many samples of one option are among those of another, too.

    Nothing is said where the share of shared samples is at most twice the share of equal rows within ``other``, as in
    tables of few categories, where equal rows are other samples as a rule; unless both options hold the same samples.

    Parameters
    ----------
    option, other : str
        The two options, as typed.
    X, others : ndarray of shape (n, ...) and (m, ...)
        Their samples; they are equal if they have the same values, as float32 where that is the type of one of them.
    so : str
        What follows, and what to do: the end of the sentence.
    """
    are_numbers = X.dtype.kind in "biuf" and others.dtype.kind in "biuf"
    if X.shape[1:] != others.shape[1:] or not are_numbers or not len(X) or not len(others):  # refused elsewhere
        return
    is_exact = np.float32 not in (X.dtype, others.dtype)
    dtype = np.float64 if is_exact else np.float32
    with np.errstate(over="ignore"):
        hashes, other_hashes = hashes_of(X, dtype), hashes_of(others, dtype)
    _warn(option, hashes, other, other_hashes, "sample", so)


def warn_of_shared_texts(option: str, texts: Sequence[str], other: str, others: Sequence[str], so: str) -> None:
    """``warn_of_shared`` for texts."""
    _, numbers = np.unique([*texts, *others], return_inverse=True)
    _warn(option, numbers[: len(texts)], other, numbers[len(texts) :], "text", so)


def _warn(option: str, given: Array, other: str, others: Array, thing: str, so: str) -> None:
    """The hint for whole numbers (n,) and (m,) that are equal where the samples are."""
    n_shared = int(np.isin(given, others).sum())
    _, counts = np.unique(others, return_counts=True)
    alike = counts[counts > 1].sum() / len(others)
    is_same = len(given) == len(others) and np.array_equal(np.sort(given), np.sort(others))
    if not n_shared or (n_shared / len(given) <= CHANCE * alike and not is_same):
        return
    are = "is" if n_shared == 1 else "are"
    which = f"all {len(given):,}" if n_shared == len(given) else f"{n_shared:,} of the {len(given):,}"
    what = f"the only {thing}" if len(given) == 1 else f"{which} {thing}s"
    warnings.warn(f"{what} of {option} {are} in {other}, too, {so}", Hint, stacklevel=4)
