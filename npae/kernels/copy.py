"""Copying: numbers that lie together, moved as fast as the machine can."""

from collections.abc import Callable
from typing import Any

from numba.core import types

from npae.kernels.llvm import copy_memory, pointers, vector_loop
from npae.kernels.reference import Array


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
    """The types that Numba needs to know; the arguments are those of ``_copy_in_python``."""
    n = types.intp
    return types.void(a, n, c, n, n), _emit_copy
