"""Sums for the gradient of convolution, ReLU and 2×2 max pooling, of which at most one cell in four is not zero.

A pooled value passes its gradient ``dy`` to the *winner*, the cell of its window that was the maximum: 0 to 3, or
``NONE`` where that was not above zero. So only the winners are multiplied, where a product with the enlarged gradient
would multiply four times as much. A *patch* is the part of the padded image x that a convolution reads at one cell: kh
rows of kw·in consecutive numbers. ``PATCH_ROWS`` × ``PATCH_COLUMNS`` of its numbers, or lines of them, are summed in
registers at once. For rows that are left over there are a few sizes only: code for every one would take longer to
compile.

``steps`` are distances between numbers of the padded image::

    steps = (windows below each other, windows side by side, cells below each other, cells side by side, patch rows)
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types

from npae.kernels.reference.array import Array
from npae.kernels.simd.llvm import LINE, Line, for_each_row_count, loop, pointers, set_bits, vector_loop
from npae.kernels.target import ROWS

NONE = np.uint8(4)  # no cell of the window is above zero
CHANNELS = 32  # output channels whose winners are compared at once
PATCH_ROWS = {7: 3, 6: 2}.get(ROWS, 1)  # with the columns: registers, as for the rows of a tile
PATCH_COLUMNS = 3 if ROWS > 2 else 2
WHOLE_ROWS = tuple((PATCH_ROWS, columns) for columns in range(1, PATCH_COLUMNS + 1))
#: For rows that are left over. With (1, 5) and (2, 1) the last two rows of a 5×5 kernel take no more parts than with 2
#: rows of up to 3 columns.
LEFT_OVER = {3: ((1, 1), (1, 2), (1, 5), (2, 1)), 2: ((1, 1), (1, 2), (1, 3))}.get(PATCH_ROWS, ())
PARTS = WHOLE_ROWS + LEFT_OVER  # rows and columns of each part of a patch

Steps = tuple[int, int, int, int, int]


def _corner_in_python(cell: int, steps: Steps) -> int:
    return (cell // 2) * steps[2] + (cell % 2) * steps[3]


class _Winners:
    """What the three loops share: their arguments, types and the addresses of cells."""

    def __init__(self, python: Callable[..., None], context: Any, builder: Any, signature: Any, arguments: Any) -> None:
        self.builder = builder
        self.given = pointers(python, context, builder, signature, arguments)
        self.line = Line(builder, self.given["dy"])
        self.number = self.given["part"].type
        self.steps = [builder.extract_value(self.given["steps"], i) for i in range(5)]

    def address(self, name: str, *offsets: Any) -> Any:
        """The address in the array ``name`` at its first place, moved by ``offsets``."""
        pointer = self.builder.gep(self.given[name], [self.given[name + "_at"]])
        for offset in offsets:
            pointer = self.builder.gep(pointer, [offset])
        return pointer

    def part_of(self, first: Any, row: Any, n_rows: int, n_columns: int, size: int) -> list[Any]:
        """The addresses of a part's columns, ``size`` numbers wide, row by row."""
        b, n = self.builder, self.number
        rows = [b.gep(first, [b.mul(row, n(k))]) for k in range(n_rows)]
        return [b.gep(start, [n(m * size)]) for start in rows for m in range(n_columns)]

    def cell(self, cell: Any) -> Any:
        """The distance of a cell, 0 to 3, from the first one of its window."""
        b, n = self.builder, self.number
        below = b.select(b.icmp_unsigned(">", cell, n(1)), self.steps[2], n(0))
        beside = b.select(b.trunc(cell, ir.IntType(1)), self.steps[3], n(0))
        return b.add(below, beside)

    def sums(self, places: list[Any]) -> list[Any]:
        """Sums in registers that start as what is at ``places``."""
        sums = self.line.places(len(places))
        for total, place in zip(sums, places, strict=True):
            self.builder.store(self.line.load(place), total)
        return sums

    def store(self, sums: list[Any], places: list[Any]) -> None:
        for total, place in zip(sums, places, strict=True):
            self.line.store(self.builder.load(total), place)


def _emitter(python: Callable[..., None], emit: Callable[[_Winners, int, int], None]) -> Callable[..., Any]:
    """What emits the loop ``python``: code of ``emit`` for every size of a part, and a switch between them."""

    def emit_loop(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        w = _Winners(python, context, builder, signature, arguments)
        for_each_row_count(builder, w.given["part"], len(PARTS), lambda n: emit(w, *PARTS[n - 1]))
        return context.get_dummy_value()

    return emit_loop


def _add_patches_in_python(
    part: int,
    rows: int,
    columns: int,
    x: Array,
    x_at: int,
    steps: Steps,
    dy: Array,
    dy_at: int,
    winner: Array,
    channels: int,
    total: Array,
    total_at: int,
    total_row: int,
) -> None:
    """Add to ``total`` the patches at the winners of one channel, times dy, over all windows of an image."""
    n_rows, n_columns = PARTS[part - 1]
    size = n_columns * LINE // x.itemsize
    for p in range(rows):
        for q in range(columns):
            place = dy_at + (p * columns + q) * channels
            if winner[place] == NONE:
                continue
            corner = x_at + p * steps[0] + q * steps[1] + _corner_in_python(int(winner[place]), steps)
            for k in range(n_rows):
                patch = x[corner + k * steps[4] :][:size]
                total[total_at + k * total_row :][:size] += dy[place] * patch


def _emit_patches(w: _Winners, n_rows: int, n_columns: int) -> None:
    b, given, line, n = w.builder, w.given, w.line, w.number
    places = w.part_of(w.address("total"), given["total_row"], n_rows, n_columns, line.lanes)
    sums = w.sums(places)
    with loop(b, given["rows"]) as p, loop(b, given["columns"]) as q:
        window = b.add(b.mul(p, given["columns"]), q)
        place = b.add(given["dy_at"], b.mul(window, given["channels"]))
        cell = b.zext(b.load(b.gep(given["winner"], [place])), n)
        slope = b.load(b.gep(given["dy"], [place]))
        slope = b.select(b.icmp_unsigned("<", cell, n(int(NONE))), slope, line.element(0.0))
        factor = line.repeat(slope)
        corner = w.cell(b.and_(cell, n(3)))  # that of NONE is read, too, and multiplied by 0
        first = w.address("x", b.mul(p, w.steps[0]), b.mul(q, w.steps[1]), corner)
        for total, source in zip(sums, w.part_of(first, w.steps[4], n_rows, n_columns, line.lanes), strict=True):
            line.add_product(total, factor, line.load(source))
    w.store(sums, places)


@vector_loop(_add_patches_in_python)
def add_patches(
    typing_context: Any,
    part: Any,
    rows: Any,
    columns: Any,
    x: Any,
    x_at: Any,
    steps: Any,
    dy: Any,
    dy_at: Any,
    winner: Any,
    channels: Any,
    total: Any,
    total_at: Any,
    total_row: Any,
) -> tuple[Any, Callable[..., Any]]:
    """Numba type signature of ``_add_patches_in_python``, whose arguments it takes."""
    n = types.intp
    return types.void(n, n, n, x, n, steps, dy, n, winner, n, total, n, n), _emitter(
        _add_patches_in_python, _emit_patches
    )


def _add_weights_in_python(
    part: int,
    channels: int,
    W: Array,
    W_at: int,
    W_channel: int,
    W_row: int,
    steps: Steps,
    dy: Array,
    dy_at: int,
    winner: Array,
    winner_at: int,
    x: Array,
    x_at: int,
) -> None:
    """Add to the patches of one window, in the image x, the weights of the ``channels`` that win there, times dy."""
    n_rows, n_columns = PARTS[part - 1]
    size = n_columns * LINE // x.itemsize
    for c in range(channels):
        cell = int(winner[winner_at + c])
        if cell == NONE:
            continue
        corner = x_at + _corner_in_python(cell, steps)
        for k in range(n_rows):
            weights = W[W_at + c * W_channel + k * W_row :][:size]
            x[corner + k * steps[4] :][:size] += dy[dy_at + c] * weights


def _repeated(builder: Any, byte: Any, kind: Any) -> Any:
    """The vector of the type ``kind`` with ``byte`` in every element."""
    undefined, zeros = ir.Constant(kind, ir.Undefined), ir.Constant(ir.VectorType(ir.IntType(32), kind.count), None)
    return builder.shuffle_vector(builder.insert_element(undefined, byte, ir.IntType(32)(0)), undefined, zeros)


def _emit_weights(w: _Winners, n_rows: int, n_columns: int) -> None:
    b, given, line, n = w.builder, w.given, w.line, w.number
    bits = ir.IntType(CHANNELS)
    kind = ir.VectorType(ir.IntType(8), CHANNELS)
    cells = b.load(b.bitcast(w.address("winner"), kind.as_pointer()), align=1)
    used = b.lshr(bits(2**CHANNELS - 1), b.trunc(b.sub(n(CHANNELS), given["channels"]), bits))
    with loop(b, n(4)) as cell:
        repeated = _repeated(b, b.trunc(cell, ir.IntType(8)), kind)
        won = b.and_(b.bitcast(b.icmp_unsigned("==", cells, repeated), bits), used)
        sums = line.places(n_rows * n_columns)
        for total in sums:
            b.store(line.vector(None), total)
        with set_bits(b, won) as bit:
            c = b.zext(bit, n)
            factor = line.repeat(b.load(w.address("dy", c)))
            first = w.address("W", b.mul(c, given["W_channel"]))
            for total, source in zip(
                sums, w.part_of(first, given["W_row"], n_rows, n_columns, line.lanes), strict=True
            ):
                line.add_product(total, factor, line.load(source))
        first = w.address("x", w.cell(cell))
        for total, place in zip(sums, w.part_of(first, w.steps[4], n_rows, n_columns, line.lanes), strict=True):
            line.store(b.fadd(line.load(place), b.load(total)), place)


@vector_loop(_add_weights_in_python)
def add_weights(
    typing_context: Any,
    part: Any,
    channels: Any,
    W: Any,
    W_at: Any,
    W_channel: Any,
    W_row: Any,
    steps: Any,
    dy: Any,
    dy_at: Any,
    winner: Any,
    winner_at: Any,
    x: Any,
    x_at: Any,
) -> tuple[Any, Callable[..., Any]]:
    """Numba type signature of ``_add_weights_in_python``, whose arguments it takes."""
    n = types.intp
    return types.void(n, n, W, n, n, n, steps, dy, n, winner, n, x, n), _emitter(_add_weights_in_python, _emit_weights)


def _add_numbers_in_python(
    part: int,
    columns: int,
    x: Array,
    x_at: int,
    steps: Steps,
    dy: Array,
    dy_at: int,
    winner: Array,
    channels: int,
    total: Array,
) -> None:
    """Add to the lines of ``total`` the numbers of the patches, times a line of dy: for patches of few columns.

    Over one row of windows; ``total`` has a line of channels for each number of the part, row by row.
    """
    n_rows, n_columns = PARTS[part - 1]
    lanes = LINE // x.itemsize
    for q in range(columns):
        slopes, cells = dy[dy_at + q * channels :][:lanes], winner[dy_at + q * channels :][:lanes]
        for cell in range(4):
            won = np.where(cells == cell, slopes, 0)
            corner = x_at + q * steps[1] + _corner_in_python(cell, steps)
            for k in range(n_rows):
                for m in range(n_columns):
                    total[(k * n_columns + m) * lanes :][: len(won)] += x[corner + k * steps[4] + m] * won


def _emit_numbers(w: _Winners, n_rows: int, n_columns: int) -> None:
    b, given, line, n = w.builder, w.given, w.line, w.number
    kind = ir.VectorType(ir.IntType(8), line.lanes)
    places = [b.gep(given["total"], [n(i * line.lanes)]) for i in range(n_rows * n_columns)]
    sums = w.sums(places)
    with loop(b, given["columns"]) as q:
        place = b.add(given["dy_at"], b.mul(q, given["channels"]))
        slopes = line.load(b.gep(given["dy"], [place]))
        cells = b.load(b.bitcast(b.gep(given["winner"], [place]), kind.as_pointer()), align=1)
        with loop(b, n(4)) as cell:
            won = b.icmp_unsigned("==", cells, _repeated(b, b.trunc(cell, ir.IntType(8)), kind))
            slope = b.select(won, slopes, line.vector(None))
            first = w.address("x", b.mul(q, w.steps[1]), w.cell(cell))
            for total, source in zip(sums, w.part_of(first, w.steps[4], n_rows, n_columns, 1), strict=True):
                line.add_product(total, line.repeat(b.load(source)), slope)
    w.store(sums, places)


@vector_loop(_add_numbers_in_python)
def add_numbers(
    typing_context: Any,
    part: Any,
    columns: Any,
    x: Any,
    x_at: Any,
    steps: Any,
    dy: Any,
    dy_at: Any,
    winner: Any,
    channels: Any,
    total: Any,
) -> tuple[Any, Callable[..., Any]]:
    """Numba type signature of ``_add_numbers_in_python``, whose arguments it takes."""
    n = types.intp
    return types.void(n, n, x, n, steps, dy, n, winner, n, total), _emitter(_add_numbers_in_python, _emit_numbers)
