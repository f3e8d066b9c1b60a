"""Counter-based random numbers: Philox (Salmon et al. 2011).

``key`` (6,) of uint32: the two words of the key, and the four words of the first counter, lowest first.
"""

import numpy as np

from npae.kernels.reference.array import Array

_MULTIPLIERS = np.array([0xD2511F53, 0xCD9E8D57], dtype=np.uint64)
_KEY_STEPS = np.array([0x9E3779B9, 0xBB67AE85], dtype=np.uint64)


def _random_words(key: Array, first: int, n: int) -> Array:
    """(4, n) of uint64 below 2³²: Philox-4×32-10 of n consecutive counters (Salmon et al. 2011, §4.3)."""
    low, mask = np.arange(first, first + n, dtype=np.uint64), np.uint64(0xFFFFFFFF)
    words = [(low + np.uint64(key[2])) & mask, *(np.full(n, word, np.uint64) for word in key[3:])]
    round_key = key[:2].astype(np.uint64)
    for _ in range(10):
        a, b = words[0] * _MULTIPLIERS[0], words[2] * _MULTIPLIERS[1]
        words = [(b >> 32) ^ words[1] ^ round_key[0], b & mask, (a >> 32) ^ words[3] ^ round_key[1], a & mask]
        round_key = (round_key + _KEY_STEPS) & mask
    return np.array(words)


def next_step(key: Array) -> None:
    """The key of the next step: its number, the two highest words of the counter, lowest first, plus 1."""
    step = (int(key[4]) + (int(key[5]) << 32) + 1) & 0xFFFFFFFFFFFFFFFF
    key[4:] = step & 0xFFFFFFFF, step >> 32


def uniform(key: Array, y: Array) -> None:
    """y (n,) = uniform random numbers in [0, 1) of 24 random bits each.

    A quarter of them come from each of the four words of the counters 0, 1, …; the last n mod 4 from one more counter.
    """
    n = y.size // 4
    for part, first in ((y[: 4 * n], 0), (y[4 * n :], n)):
        words = _random_words(key, first, max(part.size // 4, 1)) >> np.uint64(8)
        part[...] = words.reshape(-1)[: part.size] * 2.0**-24


def standard_normal(key: Array, y: Array) -> None:
    """y (n,) = random numbers from N(0, 1), two from each two uniform numbers u, v (Box & Muller 1958)::

    √(−2 log u) cos 2πv,  √(−2 log u) sin 2πv
    """
    n = y.size // 4
    for part, first in ((y[: 4 * n], 0), (y[4 * n :], n)):
        words = (_random_words(key, first, max(part.size // 4, 1)) >> np.uint64(8)).astype(np.float64)
        radius = np.sqrt(-2 * np.log((words[::2] + 0.5) * 2.0**-24))  # (2, n)
        angle = 2 * np.pi * words[1::2] * 2.0**-24
        pairs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)  # (2, 2, n)
        part[...] = pairs.reshape(-1)[: part.size]
