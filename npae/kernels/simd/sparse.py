"""Matrix products A·B with a sparse A, such as mostly black images: steps that add zero are skipped.

At each step a tile multiplies one number of each of its rows of A. If all of them are 0, the sums do not change. So the
other steps of each tile are listed once, and the list is used for all panels of B. For handwritten digits a third to a
half of the steps remain; nothing is approximated, and the order of the sums is the same. Only NaN and infinity in B,
which times 0 are NaN, may be missed here: training checks the parameters themselves, too.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba.core import types

from npae.kernels.jit import jit, shared_jit
from npae.kernels.reference.array import Array
from npae.kernels.simd.llvm import LINE, Line, for_each_row_count, loop, pointers, row_sums, vector_loop
from npae.kernels.simd.panel import DEPTH, HEAD, ONE, ZERO, copy_rows, multiply, new_panel, start_from
from npae.kernels.target import ROWS

LISTED = 2**13  # listed steps at a time: 16 KiB
TILES = 2**10  # of which the steps are listed at a time, at most: their rows, up to 7 each, have two numbers of 8 bytes
SAMPLED = 64  # steps that are sampled to decide whether A is sparse
FEWEST = 2**12  # numbers in A from which on sparsity is checked
WINDOW = 2 if ROWS == 2 else 8  # rows whose absolute values are added at once: those of a tile, or a few more


def _listed_tile_in_python(
    rows: int,
    count: int,
    steps: Array,
    steps_at: int,
    a: Array,
    a_at: int,
    a_row: int,
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
    """The computation of ``tile`` for one segment, over the ``count`` steps listed from ``steps[steps_at]`` on."""
    lanes = LINE // c.itemsize
    for r in range(rows):
        total = start[start_at + r * start_row :][:lanes].copy()
        for step in steps[steps_at : steps_at + count]:
            k = int(step)
            total += a[a_at + r * a_row + k * a_step] * b[b_at + k * lanes :][:lanes]
        c[c_at + r * c_row :][:lanes] = total


def _emit_listed_tile(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    given = pointers(_listed_tile_in_python, context, builder, signature, arguments)
    for_each_row_count(builder, given["rows"], ROWS, lambda n: _emit_rows(builder, n, given))
    return context.get_dummy_value()


def _emit_rows(builder: Any, n: int, given: dict[str, Any]) -> None:
    row_sums(builder, n, given, lambda *rows: _add_listed_products(builder, given, *rows))


def _add_listed_products(builder: Any, given: dict[str, Any], line: Line, sums: list[Any], a_rows: list[Any]) -> None:
    b_first, listed = (builder.gep(given[name], [given[name + "_at"]]) for name in ("b", "steps"))
    with loop(builder, given["count"]) as i:
        k = builder.zext(builder.load(builder.gep(listed, [i])), i.type)
        a_index = builder.mul(k, given["a_step"])
        b_line = line.load(builder.gep(b_first, [builder.mul(k, k.type(line.lanes))]))
        for total, a_row in zip(sums, a_rows, strict=True):
            line.add_product(total, line.repeat(builder.load(builder.gep(a_row, [a_index]))), b_line)


@vector_loop(_listed_tile_in_python)
def listed_tile(
    typing_context: Any,
    rows: Any,
    count: Any,
    steps: Any,
    steps_at: Any,
    a: Any,
    a_at: Any,
    a_row: Any,
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
    """Numba type signature of ``_listed_tile_in_python``, whose arguments it takes."""
    n = types.intp
    return types.void(n, n, steps, n, a, n, n, n, b, n, start, n, n, c, n, n), _emit_listed_tile


@jit
def adds_something(a: Array, a_at: int, a_row: int, rows: int) -> bool:
    """Whether one step of a tile has a number that is not 0."""
    found = False
    for r in range(rows):
        found |= a[a_at + r * a_row] != 0
    return found


@shared_jit
def is_sparse(a: Array, n_rows: int, a_row: int, depth: int, a_step: int) -> bool:
    """Whether about two thirds of the steps or fewer are not zero, estimated from ``SAMPLED`` steps of A, given flat.

    Stops early if nearly all of the first dozen are not zero.
    """
    tiles = n_rows // ROWS
    if n_rows * depth < FEWEST or tiles == 0:
        return False
    kept = 0
    for i in range(SAMPLED):
        # multiples of irrational fractions: a low-discrepancy sequence without a period that could match A's
        across, down = i * 40503 % 65536, i * 25033 % 65536
        at = (across * tiles >> 16) * ROWS * a_row + (down * depth >> 16) * a_step
        kept += 1 if adds_something(a, at, a_row, ROWS) else 0
        if 8 * kept > 5 * (i + 1) + 32:
            return False
    return True


@jit
def _list(marks: Array, steps: Array) -> int:
    """Write the indices of the marks that are not 0 to ``steps``; returns their number."""
    count = 0
    for k in range(marks.size):
        steps[count] = k  # overwritten by the next one unless it is counted
        count += 1 if marks[k] > 0 else 0
    return count


@shared_jit
def _list_along_rows(n_rows: int, depth: int, a: Array, a_at: int, a_row: int, steps: Array, counts: Array) -> None:
    """List the steps where they are contiguous in memory: absolute values of a tile's rows are summed row by row."""
    tiles = len(counts)
    fewest, larger = n_rows // tiles, n_rows % tiles
    sizes, adds = np.empty(depth, a.dtype), np.empty(depth, np.uint8)
    for i in range(tiles):
        sizes[:] = 0
        for _ in range(fewest + (1 if i < larger else 0)):
            row = a[a_at:][:depth]
            for k in range(depth):
                sizes[k] += abs(row[k])
            a_at += a_row
        for k in range(depth):
            adds[k] = sizes[k] != 0
        counts[i] = _list(adds, steps[i * depth :][:depth])


@shared_jit
def _list_down_columns(n_rows: int, depth: int, a: Array, a_at: int, a_step: int, steps: Array, counts: Array) -> None:
    """List the steps where rows are contiguous in memory: absolute values are summed over a moving window."""
    tiles = len(counts)
    fewest, larger = n_rows // tiles, n_rows % tiles
    padded = n_rows + WINDOW
    sizes, sums, adds = np.zeros(padded, a.dtype), np.zeros(padded, a.dtype), np.empty(n_rows, np.uint8)
    marks = np.empty(tiles * depth, np.uint8)
    for k in range(depth):
        row = a[a_at:][:n_rows]
        a_at += a_step
        for i in range(n_rows):
            sizes[i] = abs(row[i])
        for i in range(n_rows):  # over 2, or over 2, 4 and 8 rows; more rows than a tile has do no harm
            sums[i] = sizes[i] + sizes[i + 1]
        if WINDOW == 2:
            for i in range(n_rows):
                adds[i] = sums[i] != 0
        else:
            for i in range(n_rows):
                sizes[i] = sums[i] + sums[i + 2]
            for i in range(n_rows):
                adds[i] = sizes[i] + sizes[i + 4] != 0
        at = 0
        for i in range(tiles):
            marks[i * depth + k] = adds[at]
            at += fewest + (1 if i < larger else 0)
    for i in range(tiles):
        counts[i] = _list(marks[i * depth :][:depth], steps[i * depth :][:depth])


@shared_jit
def sparse_product(
    n_rows: int, depth: int, n_out: int, a: Array, a_row: int, a_step: int, b: Array, bias: Array, c: Array
) -> None:
    """C = A·B + bias, for flat arrays; an empty ``bias`` is none."""
    lanes = LINE // c.itemsize
    panel, steps = new_panel(c), np.empty(LISTED, np.uint16)
    for k in range(0, depth, DEPTH):
        n_steps = min(DEPTH, depth - k)
        block = min(LISTED // n_steps, TILES) * ROWS
        for first in range(0, n_rows, block):
            n = min(block, n_rows - first)
            a_at = first * a_row + k * a_step
            counts = np.empty((n + ROWS - 1) // ROWS, np.int64)
            if a_step == 1:
                _list_along_rows(n, n_steps, a, a_at, a_row, steps, counts)
            else:
                _list_down_columns(n, n_steps, a, a_at, a_step, steps, counts)
            for j in range(0, n_out, lanes):
                width = min(lanes, n_out - j)
                if bias.size > 0:
                    start_from(bias, j, width, panel)
                copy_rows(b, k * n_out + j, n_out, n_steps, width, panel, ZERO)
                at = first * n_out + j
                if width == lanes:
                    _multiply_listed(n, n_steps, a, a_at, a_row, a_step, panel, steps, counts, c, at, n_out, k == 0)
                else:
                    multiply(n, ONE, n_steps, a, a_at, a_row, ZERO, a_step, panel, c, at, n_out, width, k == 0)


@shared_jit
def _multiply_listed(
    n_rows: int,
    depth: int,
    a: Array,
    a_at: int,
    a_row: int,
    a_step: int,
    panel: Array,
    steps: Array,
    counts: Array,
    c: Array,
    c_at: int,
    c_row: int,
    fresh: bool,
) -> None:
    """As ``multiply``, over the listed steps and for a panel of full width."""
    lanes = LINE // panel.itemsize
    b_at = HEAD * lanes
    start = panel if fresh else c
    tiles = len(counts)
    fewest, larger = n_rows // tiles, n_rows % tiles
    for i in range(tiles):
        rows = fewest + (1 if i < larger else 0)
        start_at, start_row = (0, 0) if fresh else (c_at, c_row)
        listed_tile(
            rows,
            counts[i],
            steps,
            i * depth,
            a,
            a_at,
            a_row,
            a_step,
            panel,
            b_at,
            start,
            start_at,
            start_row,
            c,
            c_at,
            c_row,
        )
        a_at += rows * a_row
        c_at += rows * c_row
