"""Counter-based random numbers: each is a function of a key and a counter, so that loops can be vectorized.

Philox applies ten rounds of multiplication to a counter (Salmon et al., Parallel random numbers: as easy as 1, 2, 3,
SC 2011). It has no state, so no number depends on the one before, and a vector holds several counters.

Parts of arrays are copied by ``copy``: for a slice that is assigned to a slice, Numba would compile the text of an
error, which takes longer than all of these kernels.
"""

import math
from typing import Any

import numpy as np

from npae.kernels.jit import jit, shared_jit
from npae.kernels.reference.array import Array
from npae.kernels.simd.copy import copy
from npae.kernels.simd.exponential import as_bits, as_number
from npae.kernels.simd.panel import ZERO

MULTIPLIER_A, MULTIPLIER_B = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
KEY_STEP_A, KEY_STEP_B = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
MASK, HALF = np.uint64(0xFFFFFFFF), np.uint64(32)
UNIT = 2.0**-24


@shared_jit
def _fill(key: Array, first: int, y: Array) -> None:
    """y (4 n,) = the upper 24 bits of the four words of n counters from ``first`` on, a quarter from each word."""
    n = y.size // 4
    words_a, words_b, words_c, words_d = y[:n], y[n : 2 * n], y[2 * n : 3 * n], y[3 * n :]
    drop, number = np.uint64(8), y.dtype.type
    for i in range(n):
        a, b = (np.uint64(key[2]) + np.uint64(first + i)) & MASK, np.uint64(key[3])
        c, d = np.uint64(key[4]), np.uint64(key[5])
        key_a, key_b = np.uint64(key[0]), np.uint64(key[1])
        for _ in range(10):
            product_a, product_c = a * MULTIPLIER_A, c * MULTIPLIER_B
            a, b = (product_c >> HALF) ^ b ^ key_a, product_c & MASK
            c, d = (product_a >> HALF) ^ d ^ key_b, product_a & MASK
            key_a, key_b = (key_a + KEY_STEP_A) & MASK, (key_b + KEY_STEP_B) & MASK
        words_a[i], words_b[i] = number(np.int32(a >> drop)), number(np.int32(b >> drop))
        words_c[i], words_d[i] = number(np.int32(c >> drop)), number(np.int32(d >> drop))


@jit
def next_step(key: Array) -> None:
    """As reference.next_step."""
    step = np.uint64(key[4]) + (np.uint64(key[5]) << HALF) + np.uint64(1)
    key[4], key[5] = np.uint32(step & MASK), np.uint32(step >> HALF)


@jit
def uniform(key: Array, y: Array) -> None:
    """As reference.uniform."""
    whole = y.size // 4 * 4
    rest = np.empty(4, y.dtype)
    _fill(key, ZERO, y[:whole])
    _fill(key, whole // 4, rest)
    copy(rest, 0, y, whole, y.size - whole)
    unit = y.dtype.type(UNIT)
    for i in range(y.size):
        y[i] *= unit


@jit
def standard_normal(key: Array, y: Array) -> None:
    """As reference.standard_normal."""
    whole = y.size // 4 * 4
    rest = np.empty(4, y.dtype)
    _normal(key, ZERO, y[:whole])
    _normal(key, whole // 4, rest)
    copy(rest, 0, y, whole, y.size - whole)


@shared_jit
def _normal(key: Array, first: int, y: Array) -> None:
    """y (4 n,) = numbers from N(0, 1). The words are stored in y first, since separate loops are vectorized."""
    _fill(key, first, y)
    n, number = y.size // 4, y.dtype.type
    for start in (0, 2 * n):
        cosines, sines = y[start : start + n], y[start + n : start + 2 * n]
        for i in range(n):
            radius = math.sqrt(number(-2) * _log((cosines[i] + number(0.5)) * number(UNIT), number))
            cosine, sine = _cos_sin(sines[i] * number(UNIT), number)
            cosines[i], sines[i] = radius * cosine, radius * sine


@jit
def _log(u: Any, number: Any) -> Any:
    """log u for 0 < u < 1: u = m · 2ⁿ with m near 1, and log m = 2 (s + s³/3 + …) for s = (m − 1) / (m + 1)."""
    single = np.finfo(number).bits == 32
    fraction, bias = (23, 127) if single else (52, 1023)
    terms = 6 if single else 14
    n = (as_bits(u * number(1.4142135623730951)) >> fraction) - bias  # so that m is between √½ and √2
    m = u * as_number((bias - n) << fraction, u)
    s = (m - number(1)) / (m + number(1))
    square = s * s
    series = number(1 / (2 * terms + 1))
    for k in range(2 * terms - 1, 0, -2):
        series = number(1 / k) + square * series
    return number(n) * number(0.6931471805599453) + number(2) * s * series


@jit
def _cos_sin(v: Any, number: Any) -> tuple[Any, Any]:
    """cos 2πv and sin 2πv for 0 ≤ v < 1, from Taylor series of an angle of at most an eighth of a turn."""
    terms = 5 if np.finfo(number).bits == 32 else 9
    quarter = np.int32(v * number(4) + number(0.5))  # the nearest quarter turn
    angle = (v - number(0.25) * number(quarter)) * number(6.283185307179586)
    square = angle * angle
    cosine, sine = number(1), number(1)
    for k in range(terms, 0, -1):
        cosine = number(1) - square * number(1 / ((2 * k - 1) * (2 * k))) * cosine
        sine = number(1) - square * number(1 / (2 * k * (2 * k + 1))) * sine
    sine *= angle
    is_odd = (quarter & 1) == 1
    x, y = (sine if is_odd else cosine), (cosine if is_odd else sine)
    x = -x if ((quarter + 1) & 2) == 2 else x
    return x, -y if (quarter & 2) == 2 else y
