"""Record of the samples that a model was fitted to: hashes of some of them, kept in its file.

Other samples can then be compared with them: a threshold, an error or an accuracy that was measured on samples of
``fit`` does not hold for new ones.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any, Self

import numpy as np

from npae.utils.samples import Samples, dense
from npae.utils.types import Array

EACH = 500  # samples of a call of ``fit`` or ``partial_fit`` that are recorded, evenly spaced
MOST = 4 * EACH  # in a record
SHARE = 8  # of which one is recorded, once a record is full and samples are missing in it
BLOCK = 256  # samples that are copied at once
HASHES, IS_COMPLETE = "fitted_hashes", "fitted_hashes_are_complete"  # names in a model file


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

    def extended(self, X: Samples) -> Self:
        """The record with samples of a further call.

        A long stream fills it soon, and most hashes that are computed then are not kept. So from then on one of eight
        samples is recorded: to hash all of a small batch takes as long as a fifth of a training step.
        """
        if len(self.hashes) < MOST or self.is_complete:
            return self.joined(type(self).of(X))
        return self.joined(type(self).of(X[::SHARE]))

    def joined(self, other: Self) -> Self:
        """The record of the samples of both; where there are more than 2,000 hashes, the smallest are kept."""
        known, new = self.hashes, other.hashes
        if known.size:
            nearest = known[np.searchsorted(known, new).clip(max=known.size - 1)]
            new = new[nearest != new]
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


def hashes_of(X: Samples) -> Array:
    """64 bits of BLAKE2b of each sample's bytes (n,); zero and minus zero are alike."""
    digests = b"".join(
        hashlib.blake2b(row, digest_size=8).digest()
        for start in range(0, len(X), BLOCK)
        for row in np.ascontiguousarray(dense(X[start : start + BLOCK]) + 0)  # minus zero + 0 is zero
    )
    return np.frombuffer(digests, "<u8").astype(np.uint64)
