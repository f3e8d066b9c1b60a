"""Cross-entropy of logits and its gradient, for a part of a row, with one logarithm for the whole part.

A sum of logarithms is the logarithm of a product. The product is kept as 1 + q, since 1 + e rounds to 1 for a small e::

    Σᵢ log(1 + eᵢ) = log(1 + q)        q ← q + e (1 + q)

In float32 each lane of a line sums and multiplies at most ``LINES`` numbers, so that few roundings add up; the results
are added and multiplied in float64.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types

from npae.kernels.reference.array import Array
from npae.kernels.simd.exponential import emit_exp
from npae.kernels.simd.llvm import FUSE, Line, constant, copy_memory, fused, loop, pointers, stack_slot, vector_loop

_types: Any = types  # only some versions of Numba have type annotations

LINES = 16  # of float32 that are added up before the sums are converted to float64
PART = 960  # numbers; each at most doubles the product, which must be less than 2¹⁰²⁴
FAR = -1000.0  # a logit with a loss of 0 where the target is 0
WIDE = ir.VectorType(ir.DoubleType(), 8)


def _cross_entropy_in_python(z: Array, t: Array, dz: Array, at: int, count: int, factor: Any) -> tuple[float, float]:
    """The computation of ``cross_entropy`` in Python, for ``count`` ≤ PART numbers of flat arrays from ``at`` on.

    Stores dz = factor (σ(z) − t); returns Σ max(z, 0) − z t, and q, where 1 + q is the product of all 1 + e^−|z|.
    """
    part = slice(at, at + count)
    logits, targets = z[part], t[part]
    e = np.exp(-np.abs(logits))
    dz[part] = factor * (np.where(logits < 0, e, 1) / (1 + e) - targets)
    q = np.expm1(np.sum(np.log1p(e), dtype=np.float64))
    return float(np.sum(np.maximum(logits, 0) - logits * targets, dtype=np.float64)), float(q)


def _emit_cross_entropy(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    given = pointers(_cross_entropy_in_python, context, builder, signature, arguments)
    line, count = Line(builder, given["dz"]), given["count"]
    number = count.type
    z, t, dz = (builder.gep(given[name], [given["at"]]) for name in ("z", "t", "dz"))
    lanes, most = number(line.lanes), number(LINES)
    whole, rest = builder.udiv(count, lanes), builder.urem(count, lanes)
    has_rest = builder.icmp_unsigned("!=", rest, number(0))
    rests = _padded_rest(line, (z, t), builder.mul(whole, lanes), rest, has_rest)
    lines = builder.add(whole, builder.zext(has_rest, number))
    factor = line.repeat(given["factor"])
    sums, wide_sums = _Sums(builder, line.vector), _Sums(builder, WIDE)
    with loop(builder, builder.udiv(builder.add(lines, number(LINES - 1)), most)) as block:
        first = builder.mul(block, most)
        left = builder.sub(lines, first)
        sums.clear()
        with loop(builder, builder.select(builder.icmp_unsigned("<", left, most), left, most)) as i:
            index = builder.add(first, i)
            is_rest, at = builder.icmp_unsigned("==", index, whole), builder.mul(index, lanes)
            places = (
                builder.select(is_rest, of_rest, builder.gep(array, [at]))
                for of_rest, array in zip(rests, (z, t, dz), strict=True)
            )
            sums.add(*_emit_line(line, factor, *places))
        for s, q in zip(*(_in_double(builder, value) for value in sums.values()), strict=True):
            wide_sums.add(s, q)
    with builder.if_then(has_rest):
        copy_memory(builder, rests[2], builder.gep(dz, [builder.mul(whole, lanes)]), rest)
    return context.make_tuple(builder, signature.return_type, wide_sums.of_all_lanes())


def _padded_rest(line: Line, arrays: tuple[Any, Any], at: Any, rest: Any, has_rest: Any) -> list[Any]:
    """Places on the stack for the numbers after the last whole line: z and t, padded to a line, and dz."""
    builder = line.builder
    places = [builder.bitcast(place, line.element.as_pointer()) for place in line.places(3)]
    with builder.if_then(has_rest):
        for place, array, value in zip(places[:2], arrays, (FAR, 0.0), strict=True):
            line.store(constant(line.vector, value), place)
            copy_memory(builder, builder.gep(array, [at]), place, rest)
    return places


def _emit_line(line: Line, factor: Any, z_at: Any, t_at: Any, dz_at: Any) -> tuple[Any, Any]:
    """Store dz of a line; returns max(z, 0) − z t and e = e^−|z|."""
    builder = line.builder
    z, t = line.load(z_at), line.load(t_at)
    zero, one = (constant(line.vector, value) for value in (0.0, 1.0))
    is_negative = builder.fcmp_ordered("<", z, zero)
    e = emit_exp(builder, line.minus_absolute(z))
    sigma = builder.fdiv(builder.select(is_negative, e, one), builder.fadd(one, e))
    line.store(builder.fmul(factor, builder.fsub(sigma, t)), dz_at)
    return builder.fsub(builder.select(is_negative, zero, z), builder.fmul(z, t, flags=FUSE), flags=FUSE), e


class _Sums:
    """A sum s and a product 1 + q in each lane, on the stack, from where LLVM takes them into registers."""

    def __init__(self, builder: Any, kind: Any) -> None:
        self._builder = builder
        self._places = [stack_slot(builder, kind) for _ in range(2)]
        self.clear()

    def clear(self) -> None:
        for place in self._places:
            self._builder.store(place.type.pointee(None), place)

    def values(self) -> list[Any]:
        return [self._builder.load(place) for place in self._places]

    def add(self, s: Any, q: Any) -> None:
        """Add s to the sum, and multiply the product by 1 + q."""
        for place, value in zip(self._places, _together(self._builder, self.values(), (s, q)), strict=True):
            self._builder.store(value, place)

    def of_all_lanes(self) -> list[Any]:
        """s and q of all lanes together."""
        builder, values = self._builder, self.values()
        lanes = values[0].type.count
        while lanes > 1:
            lanes //= 2
            halves = [[_part(builder, value, start, lanes) for value in values] for start in (0, lanes)]
            values = list(_together(builder, *halves))
        return [builder.extract_element(value, ir.IntType(32)(0)) for value in values]


def _together(builder: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """Sums added and products multiplied: a_s + b_s, and q of (1 + a_q) (1 + b_q)."""
    (a_s, a_q), (b_s, b_q) = a, b
    return builder.fadd(a_s, b_s), fused(builder, builder.fadd(a_q, b_q), a_q, b_q)


def _part(builder: Any, vector: Any, start: int, n: int) -> Any:
    """``n`` elements of a vector from ``start`` on."""
    chosen = ir.Constant(ir.VectorType(ir.IntType(32), n), list(range(start, start + n)))
    return builder.shuffle_vector(vector, ir.Constant(vector.type, ir.Undefined), chosen)


def _in_double(builder: Any, vector: Any) -> list[Any]:
    """The elements of a line as vectors of float64."""
    if vector.type == WIDE:
        return [vector]
    return [builder.fpext(_part(builder, vector, start, WIDE.count), WIDE) for start in (0, WIDE.count)]


@vector_loop(_cross_entropy_in_python)
def cross_entropy(
    typing_context: Any, z: Any, t: Any, dz: Any, at: Any, count: Any, factor: Any
) -> tuple[Any, Callable[..., Any]]:
    """Numba type signature of ``_cross_entropy_in_python``, whose arguments it takes."""
    n = types.intp
    return _types.UniTuple(types.float64, 2)(z, t, dz, n, n, dz.dtype), _emit_cross_entropy
