"""Dot products of up to ``DOTS`` rows with one vector: for products with one output column, which cannot fill a tile.

Each sum is a vector of partial sums, which are added at the end::

    C[r] = start + Σₛ Σₖ A[r, s, k] · B[s, k]
"""

from collections.abc import Callable
from typing import Any

from numba.core import types

from npae.kernels.reference.array import Array
from npae.kernels.simd.llvm import Line, for_each_row_count, loop, pointers, rows_of, vector_loop

DOTS = 4  # sums computed at the same time


def _dot_in_python(
    rows: int,
    segments: int,
    steps: int,
    a: Array,
    a_at: int,
    a_row: int,
    a_segment: int,
    b: Array,
    start: Array,
    c: Array,
    c_at: int,
    c_row: int,
) -> None:
    """The computation of ``dot`` in Python. Arrays are flat, ``start`` (1,); ``a_row`` is a stride in elements."""
    for r in range(rows):
        total = start[0]
        for s in range(segments):
            at = a_at + r * a_row + s * a_segment
            total += a[at : at + steps] @ b[s * steps : (s + 1) * steps]
        c[c_at + r * c_row] = total


def _emit_dot(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    given = pointers(_dot_in_python, context, builder, signature, arguments)
    for_each_row_count(builder, given["rows"], DOTS, lambda n: _emit_rows(builder, n, given))
    return context.get_dummy_value()


def _emit_rows(builder: Any, n: int, given: dict[str, Any]) -> None:
    line, steps = Line(builder, given["c"]), given["steps"]
    number = steps.type
    sums, rests = line.places(n), line.number_places(n)  # rests: elements after the last whole line
    for total, rest in zip(sums, rests, strict=True):
        builder.store(line.vector(None), total)
        builder.store(line.element(0.0), rest)
    lines = builder.udiv(steps, number(line.lanes))
    in_lines = builder.mul(lines, number(line.lanes))
    a_rows = rows_of(builder, given, "a", n)
    with loop(builder, given["segments"]) as s:
        a_offset, b_offset = builder.mul(s, given["a_segment"]), builder.mul(s, steps)
        with loop(builder, lines) as step:
            k = builder.mul(step, number(line.lanes))
            b_line = line.load(builder.gep(given["b"], [builder.add(b_offset, k)]))
            for total, a_row in zip(sums, a_rows, strict=True):
                line.add_product(total, line.load(builder.gep(a_row, [builder.add(a_offset, k)])), b_line)
        with loop(builder, builder.sub(steps, in_lines)) as step:
            k = builder.add(step, in_lines)
            b_number = builder.load(builder.gep(given["b"], [builder.add(b_offset, k)]))
            for rest, a_row in zip(rests, a_rows, strict=True):
                line.add_product(rest, builder.load(builder.gep(a_row, [builder.add(a_offset, k)])), b_number)
    start = builder.load(given["start"])
    for total, rest, place in zip(sums, rests, rows_of(builder, given, "c", n), strict=True):
        whole = line.sum(builder.load(total), builder.fadd(start, builder.load(rest)))
        builder.store(whole, place)


@vector_loop(_dot_in_python)
def dot(
    typing_context: Any,
    rows: Any,
    segments: Any,
    steps: Any,
    a: Any,
    a_at: Any,
    a_row: Any,
    a_segment: Any,
    b: Any,
    start: Any,
    c: Any,
    c_at: Any,
    c_row: Any,
) -> tuple[Any, Callable[..., Any]]:
    """Numba type signature of ``_dot_in_python``, whose arguments it takes."""
    n = types.intp
    return types.void(n, n, n, a, n, n, n, b, start, c, n, n), _emit_dot
