"""Copies, prefetches and transposes of small blocks of memory."""

from collections.abc import Callable
from typing import Any

from numba.core import types

from npae.kernels.reference.array import Array
from npae.kernels.simd.llvm import LINE, Line, copy_memory, pointers, prefetch, vector_loop


def _copy_in_python(a: Array, a_at: int, c: Array, c_at: int, count: int) -> None:
    """``c[c_at + i] = a[a_at + i]`` for i < ``count``; a and c are flat and do not overlap."""
    c[c_at : c_at + count] = a[a_at : a_at + count]


def _emit_copy(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    given = pointers(_copy_in_python, context, builder, signature, arguments)
    source, target = builder.gep(given["a"], [given["a_at"]]), builder.gep(given["c"], [given["c_at"]])
    copy_memory(builder, source, target, given["count"])
    return context.get_dummy_value()


@vector_loop(_copy_in_python)
def copy(typing_context: Any, a: Any, a_at: Any, c: Any, c_at: Any, count: Any) -> tuple[Any, Callable[..., Any]]:
    """Numba type signature of ``_copy_in_python``, whose arguments it takes."""
    n = types.intp
    return types.void(a, n, c, n, n), _emit_copy


def _fetch_in_python(a: Array, a_at: int) -> None:
    """Prefetch ``a[a_at]`` into the cache; has no effect beyond the end of the array."""


def _emit_fetch(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    given = pointers(_fetch_in_python, context, builder, signature, arguments)
    prefetch(builder, builder.gep(given["a"], [given["a_at"]]))
    return context.get_dummy_value()


@vector_loop(_fetch_in_python)
def fetch(typing_context: Any, a: Any, a_at: Any) -> tuple[Any, Callable[..., Any]]:
    """Numba type signature of ``_fetch_in_python``, whose arguments it takes."""
    return types.void(a, types.intp), _emit_fetch


def _transpose_block_in_python(a: Array, a_at: int, a_row: int, c: Array, c_at: int) -> None:
    """``c[c_at + i + k · lanes] = a[a_at + i · a_row + k]`` for i and k < lanes, the numbers in a line."""
    lanes = LINE // a.itemsize
    for i in range(lanes):
        c[c_at + i : c_at + i + lanes * lanes : lanes][:lanes] = a[a_at + i * a_row :][:lanes]


def _emit_transpose_block(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """Emit a transpose by log₂ lanes rounds, each of which interleaves row i with row i + lanes/2 (perfect shuffle)."""
    given = pointers(_transpose_block_in_python, context, builder, signature, arguments)
    line = Line(builder, given["a"])
    source, target = builder.gep(given["a"], [given["a_at"]]), builder.gep(given["c"], [given["c_at"]])
    row, half = given["a_row"], line.lanes // 2
    rows = [line.load(builder.gep(source, [builder.mul(row, row.type(i))])) for i in range(line.lanes)]
    for _ in range(half.bit_length()):
        merged = [line.merge(rows[i], rows[i + half]) for i in range(half)]
        rows = [part for both in merged for part in both]
    for k, part in enumerate(rows):
        line.store(part, builder.gep(target, [row.type(k * line.lanes)]))
    return context.get_dummy_value()


@vector_loop(_transpose_block_in_python)
def transpose_block(
    typing_context: Any, a: Any, a_at: Any, a_row: Any, c: Any, c_at: Any
) -> tuple[Any, Callable[..., Any]]:
    """Numba type signature of ``_transpose_block_in_python``, whose arguments it takes."""
    n = types.intp
    return types.void(a, n, n, c, n), _emit_transpose_block
