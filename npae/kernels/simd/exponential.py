"""Exponential and logarithm as polynomials, for numbers in loops that the compiler vectorizes, and for vectors.

The C library computes one number at a time. The error here is one or two units in the last place.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba.core import types

from npae.kernels.jit import exact_jit
from npae.kernels.simd.llvm import constant, fused, vector_loop


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


class _Format(NamedTuple):
    """Constants of the exponential for float32 or float64."""

    terms: int  # of the series of eʳ − 1
    least: float  # x for which eˣ is not subnormal
    large: float  # a number whose last bits count ones, plus the exponent of 1
    high: float  # high + low = log 2, and n · high is exact
    low: float
    fraction: int  # bits below the exponent


SINGLE = _Format(7, -87.0, 1.5 * 2.0**23 + 127, 0.693359375, -2.12194440e-4, 23)
DOUBLE = _Format(13, -708.0, 1.5 * 2.0**52 + 1023, 6.93145751953125e-1, 1.42860682030941723212e-6, 52)
LOG2_E = 1.4426950408889634


def _emit_split(builder: Any, x: Any) -> tuple[Any, Any]:
    """For x ≤ 0: 2ⁿ and eʳ − 1, where n is the integer nearest to x / log 2 and r = x − n log 2, so eˣ = 2ⁿ eʳ.

    Adding a large constant leaves n in the last bits of the sum. An x for which eˣ would be subnormal is replaced by
    the least x for which it is not. NaN is preserved.
    """
    element = getattr(x.type, "element", x.type)
    use, integer = (SINGLE, ir.IntType(32)) if isinstance(element, ir.FloatType) else (DOUBLE, ir.IntType(64))

    def number(value: float) -> Any:
        return constant(x.type, value)

    x = builder.select(builder.fcmp_ordered("<", x, number(use.least)), number(use.least), x)
    shifted = fused(builder, number(use.large), x, number(LOG2_E))
    n = builder.fsub(shifted, number(use.large))
    r = fused(builder, fused(builder, x, n, number(-use.high)), n, number(-use.low))
    series = number(1 / math.factorial(use.terms))  # (eʳ − 1) / r = 1 + r (1/2! + r (1/3! + …))
    for k in range(use.terms - 1, 0, -1):
        series = fused(builder, number(1 / math.factorial(k)), r, series)
    bits = ir.VectorType(integer, x.type.count) if isinstance(x.type, ir.VectorType) else integer
    power = builder.shl(builder.bitcast(shifted, bits), constant(bits, use.fraction))
    return builder.bitcast(power, x.type), builder.fmul(r, series)


def emit_exp(builder: Any, x: Any) -> Any:
    """eˣ for x ≤ 0, of a number or of each element of a vector."""
    power, rest = _emit_split(builder, x)
    return fused(builder, power, power, rest)


def emit_expm1(builder: Any, x: Any) -> Any:
    """eˣ − 1 for x ≤ 0, accurate near 0 too."""
    power, rest = _emit_split(builder, x)
    return fused(builder, builder.fsub(power, constant(x.type, 1.0)), power, rest)


@vector_loop(np.exp)
def exp(typing_context: Any, x: Any) -> tuple[Any, Callable[..., Any]]:
    """Numba type signature: x and the result are numbers."""
    return x(x), lambda context, builder, signature, arguments: emit_exp(builder, *arguments)


@vector_loop(np.expm1)
def expm1(typing_context: Any, x: Any) -> tuple[Any, Callable[..., Any]]:
    """Numba type signature: x and the result are numbers."""
    return x(x), lambda context, builder, signature, arguments: emit_expm1(builder, *arguments)


@exact_jit
def log1p(e: Any, number: Any) -> Any:
    """log(1 + e) for 0 ≤ e ≤ 1, as 2 artanh s = 2 (s + s³/3 + s⁵/5 + …) for s = e / (2 + e).

    ``number`` is the type of e: constants are cast to it, since a Python float would turn float32 into float64.
    """
    s = e / (number(2) + e)
    square = s * s
    terms = 7 if np.finfo(number).bits == 32 else 16
    series = number(1 / (2 * terms + 1))
    for k in range(2 * terms - 1, 0, -2):
        series = number(1 / k) + square * series
    return number(2) * s * series
