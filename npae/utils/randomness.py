"""Random numbers as pure functions of (seed, purpose, step), so that a run can be repeated from any step.

Philox is a counter-based generator [1]_: it has no state, only a key and a counter. The key is made of the seed and the
purpose ("encoder.1", "shuffle"), and the counter starts at a value that contains the step, so different purposes and
steps use different numbers.

Initial weights and shuffles are drawn with NumPy's Philox, by ``generator``; the noise of layers with that of the
kernels, for which ``RunState.set_key`` writes key and counter.

References
----------
.. [1] Salmon et al., Parallel random numbers: as easy as 1, 2, 3. SC 2011.
"""

import hashlib
import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from npae.utils.types import Array

_of_thread = threading.local()


def generator(seed: int, purpose: str, step: int = 0, shard: int = 0) -> np.random.Generator:
    """A random generator for one purpose at one step.

    Parameters
    ----------
    seed : int
        The run's seed, from 0 to 2**64 − 1.
    purpose : str
        What the numbers are for, such as ``"shuffle"`` or the name of a layer.
    step : int, default 0
        The training step, at least 0.
    shard : int, default 0
        Index of the part of the batch, if it is divided among several replicas.

    Returns
    -------
    numpy.random.Generator
        It draws the same numbers for the same four arguments, on every machine.

    Raises
    ------
    ValueError
        If the seed is outside its range.

    Examples
    --------
    >>> generator(0, "shuffle", 3).integers(100) == generator(0, "shuffle", 3).integers(100)
    np.True_
    """
    # Step and shard are the highest words of the counter, so two shards are 2**128 draws apart.
    return np.random.Generator(np.random.Philox(key=_key(seed, purpose), counter=[0, 0, shard, step]))


def permutation(n: int, seed: int, purpose: str, step: int = 0) -> Array:
    """The numbers below ``n`` in the order of ``generator(seed, purpose, step).permutation(n)``.

    Each thread makes one generator and sets its state, since to make one takes as long as a few rows take to train on.

    Examples
    --------
    >>> sorted(permutation(4, seed=3, purpose="shuffle").tolist())
    [0, 1, 2, 3]
    """
    if not hasattr(_of_thread, "philox"):
        _of_thread.philox = np.random.Philox(0)
        _of_thread.fresh = _of_thread.philox.state  # nothing is drawn yet
    fresh = _of_thread.fresh
    fresh["state"] = {"key": _key(seed, purpose), "counter": np.array([0, 0, 0, step], np.uint64)}
    _of_thread.philox.state = fresh
    return np.random.Generator(_of_thread.philox).permutation(n)


def _key(seed: int, purpose: str) -> Array:
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**64:
        raise ValueError(f"the seed is {seed!r}; expected a whole number from 0 to 2**64 - 1")
    return _key_of(int(seed), purpose)


@lru_cache(maxsize=256)
def _key_of(seed: int, purpose: str) -> Array:
    digest = hashlib.blake2b(purpose.encode(), digest_size=8).digest()
    return np.array([seed, int.from_bytes(digest, "little")], dtype=np.uint64)  # Philox copies it


def seed_from(random_state: Any) -> int:
    """A seed from scikit-learn's ``random_state``: an int ≥ 0, a NumPy generator, or None for a random seed.

    Raises ValueError for anything else.

    >>> seed_from(7)
    7
    """
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
    """Seed, step and mode of a network, shared by all of its layers.

    As long as ``step`` does not change, every pass draws the same noise, as finite differences need. Training
    increments ``step``.

    Attributes
    ----------
    seed : int
        Seed of all noise.
    step : int
        Training steps taken so far.
    shard : int
        Index of the part of each batch that this replica processes; 0 if batches are not divided.
    training : bool
        Whether noise is drawn; if not, every layer is deterministic.
    sample_weight : float
        1/N, the weight of one sample's loss in the loss of the batch.
    """

    seed: int = 0
    step: int = 0
    shard: int = 0
    training: bool = False
    sample_weight: float = 1.0

    def set_key(self, key: Array, purpose: str) -> None:
        """Write the key and first counter for ``purpose`` at this step and shard to ``key`` (6,) of uint32.

        Two words are a hash of seed and purpose; four are the counter, lowest word first, so two shards are 2³⁴ numbers
        apart.
        """
        key[:2] = _key_words(self.seed, purpose)
        key[2:] = 0, self.shard, self.step & 0xFFFFFFFF, self.step >> 32


@lru_cache(maxsize=256)
def _key_words(seed: int, purpose: str) -> tuple[int, int]:
    digest = hashlib.blake2b(f"{seed} {purpose}".encode(), digest_size=8).digest()
    return int.from_bytes(digest[:4], "little"), int.from_bytes(digest[4:], "little")
