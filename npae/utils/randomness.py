"""Random numbers as pure functions of (seed, purpose, step), so that a run can be repeated from any step.

Philox is a counter-based generator [1]_: it has no state to carry along, only a key and a counter. The key is made of
the seed and the purpose ("encoder.1", "shuffle"), the counter starts at the step, so that two purposes or two steps do
not share a number.

Weights and shuffles come from NumPy's Philox, by ``generator``; the noise of layers from that of the kernels, for which
``RunState.set_key`` writes key and counter.

References
----------
.. [1] J. K. Salmon et al., Parallel random numbers: as easy as 1, 2, 3. SC 2011.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from npae.utils.types import Array


def generator(seed: int, purpose: str, step: int = 0, shard: int = 0) -> np.random.Generator:
    """A generator for one purpose at one step.

    Parameters
    ----------
    seed : int
        The run's seed, at least 0; all 64 bits count.
    purpose : str
        What the numbers are for, such as ``"shuffle"`` or the name of a layer.
    step : int, default 0
        The training step, at least 0.
    shard : int, default 0
        Which part of a batch the numbers are for, where it is cut into several.

    Returns
    -------
    numpy.random.Generator
        The same one for the same four arguments, on every machine.
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**64:
        raise ValueError(f"the seed is {seed!r}; expected a whole number from 0 to 2**64 - 1")
    digest = hashlib.blake2b(purpose.encode(), digest_size=8).digest()
    key = np.array([seed, int.from_bytes(digest, "little")], dtype=np.uint64)
    # Step and shard are the counter's highest words: 2**128 draws lie between two shards.
    return np.random.Generator(np.random.Philox(key=key, counter=[0, 0, shard, step]))


def seed_from(random_state: Any) -> int:
    """A seed from what scikit-learn calls a random state: a whole number, one of NumPy's generators, or None."""
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**32))
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31))
    check_random_state(random_state, "random_state")
    return int(random_state)


def check_random_state(random_state: Any, name: str) -> None:
    """Refuse what ``seed_from`` makes no seed of; nothing is drawn."""
    if random_state is None or isinstance(random_state, np.random.Generator | np.random.RandomState):
        return
    if isinstance(random_state, bool) or not isinstance(random_state, int | np.integer) or random_state < 0:
        raise ValueError(f"{name} is {random_state!r}; expected a whole number of at least 0, or None")


@dataclass
class RunState:
    """Where a network stands in its run. All layers of one network look at the same object.

    Freezing noise needs no switch: as long as ``step`` stands still, every pass draws the same numbers, which is what
    a finite difference needs. Training moves ``step`` on.

    Attributes
    ----------
    seed : int
        Seed of all noise.
    step : int
        Training steps taken so far.
    shard : int
        Which part of each batch this network sees; 0 where batches are not cut.
    training : bool
        Whether noise is drawn at all; without it every layer is deterministic.
    sample_weight : float
        1/N: what one sample's loss counts in the loss of the batch.
    """

    seed: int = 0
    step: int = 0
    shard: int = 0
    training: bool = False
    sample_weight: float = 1.0

    def set_key(self, key: Array, purpose: str) -> None:
        """Write into ``key`` (6,) of uint32 what the kernels draw from, for ``purpose`` at this step and shard.

        Two words from seed and purpose, then the counter, lowest word first: 2³⁴ numbers lie between two shards.
        """
        key[:2] = _key_words(self.seed, purpose)
        key[2:] = 0, self.shard, self.step & 0xFFFFFFFF, self.step >> 32


@lru_cache(maxsize=256)
def _key_words(seed: int, purpose: str) -> tuple[int, int]:
    digest = hashlib.blake2b(f"{seed} {purpose}".encode(), digest_size=8).digest()
    return int.from_bytes(digest[:4], "little"), int.from_bytes(digest[4:], "little")
