"""Record of the samples that a model was fitted to: hashes of some of them, kept in its file.

Other samples can then be compared with them: a threshold, an error or an accuracy that was measured on samples of
``fit`` does not hold for new ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from typing import Any, Self

import numpy as np

from npae.utils.samples import Samples, dense
from npae.utils.types import Array

EACH = 500  # samples of a call of ``fit`` or ``partial_fit`` that are recorded, evenly spaced
MOST = 4 * EACH  # in a record
SHARE = 8  # one in so many is recorded of later calls, once samples are missing in a record,
EACH_LATER = 125  # and no more than this of a call
FIRST_LOOK = 12  # of these that are hashed first: if all are in the record, the others are taken to be, too
FEW_VALUES = 2**18  # of a call, up to which its samples wait, in all a mebibyte in float32, two in float64
BLOCK = 256  # samples that are copied at once
HASHES, IS_COMPLETE = "fitted_sample_hashes", "fitted_sample_hashes_are_complete"  # names in a model file


@dataclass(frozen=True)
class SampleRecord:
    """Hashes of up to 2,000 samples, whatever their order.

    Attributes
    ----------
    hashes : ndarray of uint64, shape (k,)
        Increasing.
    is_complete : bool
        Whether they are those of all samples.

    Examples
    --------
    >>> X = np.arange(12.0).reshape(4, 3)
    >>> record = SampleRecord.of(X[:3])
    >>> record.is_complete, record.count_in(X[2:])
    (True, 1)
    """

    hashes: Array
    is_complete: bool

    @classmethod
    def of(cls, X: Samples) -> Self:
        """The record of samples X (n, ...), in the dtype of the network that is fitted to them."""
        step = max(1, ceil(len(X) / EACH))
        return cls(np.unique(hashes_of(X[::step])), step == 1)

    @classmethod
    def none(cls) -> Self:
        """The record of a model that has not been fitted to anything yet."""
        return cls(np.zeros(0, np.uint64), True)

    @property
    def takes_few(self) -> bool:
        """Whether samples are missing in it, so that it takes one in eight of those that come."""
        return len(self.hashes) >= EACH and not self.is_complete

    def extended(self, X: Samples) -> Self:
        """The record with samples of a further call: all, or up to 500; where ``takes_few``, one in eight."""
        if not self.takes_few:
            return self.joined(type(self).of(X))
        later = X[:: max(SHARE, ceil(len(X) / EACH_LATER))]
        if len(later) > FIRST_LOOK:
            seen = self._small_enough(hashes_of(later[:: ceil(len(later) / FIRST_LOOK)]))
            if seen.size and self._has(seen).all():
                return self  # they came before
        return self.with_all(later)

    def with_all(self, X: Samples) -> Self:
        """The record with the hash of each of X; for one in which samples are missing."""
        found = self._small_enough(hashes_of(X))
        return self.joined(type(self)(np.unique(found), False)) if found.size else self

    def _small_enough(self, hashes: Array) -> Array:
        """Those of hashes that the record takes: all, or from the largest of a full one downwards."""
        return hashes[hashes <= self.hashes[-1]] if len(self.hashes) >= MOST else hashes

    def _has(self, hashes: Array) -> Array:
        """Whether each of hashes (n,) is in this record, which is not empty: quicker than ``np.isin`` for a few."""
        nearest = self.hashes[np.searchsorted(self.hashes, hashes).clip(max=self.hashes.size - 1)]
        found: Array = nearest == hashes
        return found

    def joined(self, other: Self) -> Self:
        """The record of the samples of both; where there are more than 2,000 hashes, the smallest are kept."""
        known, new = self.hashes, other.hashes
        if known.size:
            new = new[~self._has(new)]
        is_complete = self.is_complete and other.is_complete and len(known) + len(new) <= MOST
        if len(known) >= MOST:  # few of those that come late to a long stream are among the smallest
            new = new[new < known[MOST - 1]]
        hashes = np.sort(np.concatenate([known, new]))[:MOST] if new.size else known[:MOST]
        return type(self)(hashes, is_complete)

    def count_in(self, X: Samples) -> int:
        """How many of the recorded samples are among X (n, ...), which has the dtype of the network."""
        return int(np.isin(self.hashes, hashes_of(X)).sum())

    def arrays(self) -> dict[str, Array]:
        """The array that a model file holds."""
        return {HASHES: self.hashes}

    def record(self) -> dict[str, Any]:
        """What a model file says of the array."""
        return {IS_COMPLETE: self.is_complete}

    @classmethod
    def from_stored(cls, arrays: Mapping[str, Array], record: Mapping[str, Any]) -> Self | None:
        """The record in a model file, or None in one that was written without; raises ValueError if it is none."""
        if HASHES not in arrays:
            return None
        hashes, is_complete = arrays[HASHES], record.get(IS_COMPLETE)
        is_list = hashes.ndim == 1 and hashes.dtype == np.uint64 and len(hashes) <= MOST
        if not is_list or not (hashes[1:] > hashes[:-1]).all() or not isinstance(is_complete, bool):
            raise ValueError("the hashes of the samples that it was fitted to are no increasing whole numbers")
        return cls(hashes.copy(), is_complete)


class GrowingRecord:
    """The record of a model that learns, quick to extend by small calls.

    To hash one in eight samples of a small batch takes as long as a fifth of a training step, however few they are. So
    they wait, as copies, and are hashed with those of seven other calls, or when the record is wanted.

    Parameters
    ----------
    record : SampleRecord
    """

    def __init__(self, record: SampleRecord) -> None:
        self._record = record
        self._waiting: list[Array] = []

    @property
    def present(self) -> SampleRecord:
        """The record of all calls so far."""
        return self._record.with_all(np.concatenate(self._waiting)) if self._waiting else self._record

    def add(self, X: Samples) -> None:
        """Note samples of a further call."""
        if len(X) <= EACH_LATER and X.size <= FEW_VALUES and self._record.takes_few:
            self._waiting.append(np.array(dense(X[::SHARE])))
            if len(self._waiting) == SHARE:
                self._record, self._waiting = self.present, []
        else:
            self._record, self._waiting = self.present.extended(X), []


def hashes_of(X: Samples, dtype: Any = None) -> Array:
    """64 bits of each sample (n,), of its values alone, as ``dtype`` if it is given; zero and minus zero are alike.

    A multilinear hash of the 32-bit words w of a sample, Σ kᵢ wᵢ modulo 2⁶⁴ with random keys k (Lemire & Kaser 2014),
    which takes a seventh of the time of a cryptographic one: nothing here has to withstand an attacker. Two different
    samples have the same hash with a probability of 2⁻³³ at most, and of 2⁻⁴¹ if they are of zeros and ones.
    """
    hashes = np.empty(len(X), np.uint64)
    for start in range(0, len(X), BLOCK):
        rows = np.ascontiguousarray(np.asarray(dense(X[start : start + BLOCK]), dtype) + 0)  # minus zero + 0 is zero
        words = rows.reshape(len(rows), -1).view(np.uint32)
        np.einsum("nw,w->n", words, _keys(words.shape[1]), out=hashes[start : start + BLOCK], casting="unsafe")
    return _mixed(hashes)


@lru_cache(maxsize=8)
def _keys(n: int) -> Array:
    """Random numbers (n,), the same on every machine."""
    return _mixed(np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15))


def _mixed(z: Array) -> Array:
    """A bijection of 64 bits that spreads them evenly: the last steps of SplitMix64 (Steele, Lea & Flood 2014)."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: Array = z ^ (z >> np.uint64(31))
    return mixed
