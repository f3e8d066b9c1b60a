"""The tile, or micro-kernel: up to ``ROWS`` rows of sums, each a line wide, which are kept in registers.

It is the innermost loop of all matrix products and nearly all convolutions. One step multiplies one number of each row
of A by one line of B, and adds::

    C[r, :] = start[r, :] + Σₛ Σₖ A[r, s, k] · B[s, k, :]

A has arbitrary strides, so it may be transposed, or consist of the overlapping windows of an image.
"""

from collections.abc import Callable
from typing import Any

from numba.core import types

from npae.kernels.reference.array import Array
from npae.kernels.simd.llvm import LINE, Line, for_each_row_count, loop, pointers, row_sums, vector_loop
from npae.kernels.target import ROWS


def _tile_in_python(
    rows: int,
    segments: int,
    steps: int,
    a: Array,
    a_at: int,
    a_row: int,
    a_segment: int,
    a_step: int,
    b: Array,
    b_at: int,
    start: Array,
    start_at: int,
    start_row: int,
    c: Array,
    c_at: int,
    c_row: int,
) -> None:
    """The computation of ``tile`` in Python. Arrays are flat; ``a_at`` is the first element, ``a_row`` a stride."""
    lanes = LINE // c.itemsize
    for r in range(rows):
        total = start[start_at + r * start_row :][:lanes].copy()
        for s in range(segments):
            for k in range(steps):
                factor = a[a_at + r * a_row + s * a_segment + k * a_step]
                total += factor * b[b_at + (s * steps + k) * lanes :][:lanes]
        c[c_at + r * c_row :][:lanes] = total


def _emit_tile(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    given = pointers(_tile_in_python, context, builder, signature, arguments)
    for_each_row_count(builder, given["rows"], ROWS, lambda n: _emit_rows(builder, n, given))
    return context.get_dummy_value()


def _emit_rows(builder: Any, n: int, given: dict[str, Any]) -> None:
    row_sums(builder, n, given, lambda *rows: _add_products(builder, given, *rows))


def _add_products(builder: Any, given: dict[str, Any], line: Line, sums: list[Any], a_rows: list[Any]) -> None:
    b_first = builder.gep(given["b"], [given["b_at"]])
    with loop(builder, given["segments"]) as s:
        a_offset, b_offset = builder.mul(s, given["a_segment"]), builder.mul(s, given["steps"])
        with loop(builder, given["steps"]) as k:
            a_index = builder.add(a_offset, builder.mul(k, given["a_step"]))
            b_index = builder.mul(builder.add(b_offset, k), k.type(line.lanes))
            b_line = line.load(builder.gep(b_first, [b_index]))
            for total, a_row in zip(sums, a_rows, strict=True):
                line.add_product(total, line.repeat(builder.load(builder.gep(a_row, [a_index]))), b_line)


@vector_loop(_tile_in_python)
def tile(
    typing_context: Any,
    rows: Any,
    segments: Any,
    steps: Any,
    a: Any,
    a_at: Any,
    a_row: Any,
    a_segment: Any,
    a_step: Any,
    b: Any,
    b_at: Any,
    start: Any,
    start_at: Any,
    start_row: Any,
    c: Any,
    c_at: Any,
    c_row: Any,
) -> tuple[Any, Callable[..., Any]]:
    """Numba type signature of ``_tile_in_python``, whose arguments it takes."""
    n = types.intp
    return types.void(n, n, n, a, n, n, n, n, b, n, start, n, n, c, n, n), _emit_tile
