"""ReLU and 2×2 max pooling of one line of channels, over one row of windows."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types

from npae.kernels.reference.array import Array
from npae.kernels.simd.llvm import LINE, Line, loop, pointers, vector_loop
from npae.kernels.simd.winners import NONE


def _pool_windows_in_python(
    columns: int, channels: int, x: Array, x_at: int, x_row: int, y: Array, winner: Array, y_at: int
) -> None:
    """The computation of ``pool_windows`` in Python. Arrays are flat; ``x_row`` is the distance of two rows of x."""
    lanes = LINE // x.itemsize
    for q in range(columns):
        places = [x_at + 2 * q * channels + below + beside for below in (0, x_row) for beside in (0, channels)]
        pool_in_python([x[place:][:lanes] for place in places], y, winner, y_at + q * channels)


def pool_in_python(cells: Sequence[Array], y: Array, winner: Array, place: int) -> None:
    """The computation of ``store_pooled`` in Python, for flat arrays."""
    values, lanes = np.array(cells), len(cells[0])
    which = np.where(np.isnan(values).any(axis=0), 0, np.argmax(values, axis=0))
    largest = values.max(axis=0)
    y[place:][:lanes] = np.where(largest < 0, 0, largest)
    winner[place:][:lanes] = np.where(largest > 0, which, NONE)


def _emit_pool_windows(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    given = pointers(_pool_windows_in_python, context, builder, signature, arguments)
    line = Line(builder, given["y"])
    channels, first = given["channels"], builder.gep(given["x"], [given["x_at"]])
    with loop(builder, given["columns"]) as q:
        above = builder.gep(first, [builder.mul(q, builder.add(channels, channels))])
        below = builder.gep(above, [given["x_row"]])
        beside = (channels.type(0), channels)
        cells = [line.load(builder.gep(row, [at])) for row in (above, below) for at in beside]
        place = builder.add(given["y_at"], builder.mul(q, channels))
        store_pooled(line, cells, builder.gep(given["y"], [place]), builder.gep(given["winner"], [place]))
    return context.get_dummy_value()


def store_pooled(line: Line, cells: Sequence[Any], y: Any, winner: Any) -> None:
    """Emit ReLU and pooling of the four lines of a window, row by row, and store the result and the winners."""
    builder = line.builder
    numbers = ir.VectorType(ir.IntType(8), line.lanes)
    a_cell = [ir.Constant(numbers, [cell] * line.lanes) for cell in range(int(NONE) + 1)]
    zero = line.vector(None)
    a, b, d, e = cells
    second, fourth = builder.fcmp_ordered(">", b, a), builder.fcmp_ordered(">", e, d)
    upper, lower = builder.select(second, b, a), builder.select(fourth, e, d)
    below = builder.fcmp_ordered(">", lower, upper)
    value = builder.select(below, lower, upper)
    # a comparison with NaN is false
    has_nan = builder.or_(builder.fcmp_unordered("uno", a, b), builder.fcmp_unordered("uno", d, e))
    value = builder.select(has_nan, line.repeat(line.element(float("nan"))), value)
    upper_cell, lower_cell = builder.select(second, a_cell[1], a_cell[0]), builder.select(fourth, a_cell[3], a_cell[2])
    cell = builder.select(below, lower_cell, upper_cell)
    cell = builder.select(builder.fcmp_ordered(">", value, zero), cell, a_cell[int(NONE)])
    line.store(builder.select(builder.fcmp_ordered("<", value, zero), zero, value), y)
    builder.store(cell, builder.bitcast(winner, numbers.as_pointer()), align=1)


@vector_loop(_pool_windows_in_python)
def pool_windows(
    typing_context: Any, columns: Any, channels: Any, x: Any, x_at: Any, x_row: Any, y: Any, winner: Any, y_at: Any
) -> tuple[Any, Callable[..., Any]]:
    """Numba type signature of ``_pool_windows_in_python``, whose arguments it takes."""
    n = types.intp
    return types.void(n, n, x, n, n, y, winner, n), _emit_pool_windows
