"""Exponential and logarithm as polynomials, which the compiler vectorizes.

The C library computes one number at a time. The error here is one or two units in the last place. ``number`` is the
type of the arguments: constants are cast to it, since a Python float would turn float32 into float64.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types

from npae.kernels.jit import exact_jit
from npae.kernels.simd.llvm import vector_loop


def _as_bits_in_python(x: Any) -> Any:
    """The bits of a number, as an integer of the same size."""
    return x.view(np.int32 if x.itemsize == 4 else np.int64)


def _emit_as_bits(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    (x,) = arguments
    return builder.bitcast(x, ir.IntType(32 if isinstance(x.type, ir.FloatType) else 64))


@vector_loop(_as_bits_in_python)
def as_bits(typing_context: Any, x: Any) -> tuple[Any, Callable[..., Any]]:
    """Numba type signature."""
    return (types.int32 if x == types.float32 else types.int64)(x), _emit_as_bits


def _as_number_in_python(bits: Any, like: Any) -> Any:
    """The number of the type of ``like`` with these bits."""
    return (np.int32 if like.itemsize == 4 else np.int64)(bits).view(type(like))


def _emit_as_number(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    bits, like = arguments
    if isinstance(like.type, ir.FloatType) and bits.type.width == 64:
        bits = builder.trunc(bits, ir.IntType(32))
    return builder.bitcast(bits, like.type)


@vector_loop(_as_number_in_python)
def as_number(typing_context: Any, bits: Any, like: Any) -> tuple[Any, Callable[..., Any]]:
    """Numba type signature."""
    return like(bits, like), _emit_as_number


@exact_jit
def _split(x: Any, number: Any) -> tuple[Any, Any]:
    """For x ≤ 0: 2ⁿ and eʳ − 1, where n is the integer nearest to x / log 2 and r = x − n log 2, so eˣ = 2ⁿ eʳ.

    Adding a large constant leaves n in the last bits of the sum. An x for which eˣ would be subnormal is replaced by
    the least x for which it is not. NaN is preserved.
    """
    if np.finfo(number).bits == 32:
        terms, least, large = 7, number(-87.0), number(12582912.0 + 127)  # 1.5 · 2²³ + the exponent of 1
        high, low = number(0.693359375), number(-2.12194440e-4)  # log 2; n · high is exact
    else:
        terms, least, large = 13, number(-708.0), number(6755399441055744.0 + 1023)
        high, low = number(6.93145751953125e-1), number(1.42860682030941723212e-6)
    x = least if x < least else x
    shifted = x * number(1.4426950408889634) + large
    n = shifted - large
    r = (x - n * high) - n * low
    series = number(1)
    for k in range(terms, 1, -1):  # 1 + r/2 (1 + r/3 (1 + …)) = (eʳ − 1) / r
        series = number(1) + r * number(1 / k) * series
    exponent_at = 23 if np.finfo(number).bits == 32 else 52
    return as_number(as_bits(shifted) << exponent_at, x), r * series


@exact_jit
def exp(x: Any, number: Any) -> Any:
    """eˣ for x ≤ 0."""
    scale, rest = _split(x, number)
    return scale + scale * rest


@exact_jit
def expm1(x: Any, number: Any) -> Any:
    """eˣ − 1 for x ≤ 0, accurate near 0 too."""
    scale, rest = _split(x, number)
    return (scale - number(1)) + scale * rest


@exact_jit
def log1p(e: Any, number: Any) -> Any:
    """log(1 + e) for 0 ≤ e ≤ 1."""
    return log1p_series(e / (number(2) + e), number)


@exact_jit
def log1p_series(s: Any, number: Any) -> Any:
    """log(1 + e) for s = e / (2 + e), as 2 artanh s = 2 (s + s³/3 + s⁵/5 + …)."""
    square = s * s
    terms = 7 if np.finfo(number).bits == 32 else 16
    series = number(1 / (2 * terms + 1))
    for k in range(2 * terms - 1, 0, -2):
        series = number(1 / k) + square * series
    return number(2) * s * series
