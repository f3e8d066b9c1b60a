"""Exponential and logarithm as polynomials, so that one instruction computes each step for a whole vector.

The mathematics library works on one number at a time. These are good to a rounding error or two. ``number`` is the type
of the arguments: constants are cast to it, since a Python float would turn float32 into float64.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir

from npae.kernels.jit import exact_jit
from npae.kernels.llvm import vector_loop


def _shift_in_python(x: Any) -> Any:
    """The number whose exponent is what the last bits of x hold."""
    single = x.itemsize == 4
    return (x.view(np.int32 if single else np.int64) << (23 if single else 52)).view(type(x))


def _emit_shift(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    (x,) = arguments
    single = isinstance(x.type, ir.FloatType)
    bits = builder.bitcast(x, ir.IntType(32 if single else 64))
    return builder.bitcast(builder.shl(bits, bits.type(23 if single else 52)), x.type)


@vector_loop(_shift_in_python)
def _shift(typing_context: Any, x: Any) -> tuple[Any, Callable[..., Any]]:
    return x(x), _emit_shift


@exact_jit
def _split(x: Any, number: Any) -> tuple[Any, Any]:
    """For x ≤ 0: 2ⁿ and eʳ − 1, where n is the whole number next to x / log 2 and r = x − n log 2.

    Adding a large number leaves n in the last bits of the sum. An x so small that eˣ has no full precision counts as
    the least that has it. A NaN stays one.
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
    return _shift(shifted), r * series


@exact_jit
def exp(x: Any, number: Any) -> Any:
    """eˣ for x ≤ 0."""
    scale, rest = _split(x, number)
    return scale + scale * rest


@exact_jit
def expm1(x: Any, number: Any) -> Any:
    """eˣ − 1 for x ≤ 0, exact near 0 too."""
    scale, rest = _split(x, number)
    return (scale - number(1)) + scale * rest


@exact_jit
def log1p(e: Any, number: Any) -> Any:
    """log(1 + e) for 0 ≤ e ≤ 1, as 2 artanh(e / (2 + e)) = 2 (s + s³/3 + s⁵/5 + …)."""
    s = e / (number(2) + e)
    square = s * s
    terms = 7 if np.finfo(number).bits == 32 else 16
    series = number(1 / (2 * terms + 1))
    for k in range(2 * terms - 1, 0, -2):
        series = number(1 / k) + square * series
    return number(2) * s * series
