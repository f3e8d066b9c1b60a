"""Winograd's convolution F(2×2, 3×3) of an image of one channel, with ReLU and 2×2 max pooling, in registers.

The transforms are those of ``npae.kernels.simd.winograd``. With one channel of input each point is a single product. So
the products of a tile are not written to memory: its 16 points are multiplied by lines of output channels, added up to
the 2×2 outputs, and pooled at once.

The points of a row of tiles are computed a line of columns at a time. Along the columns a point is one of three forms,
which are computed at every column e, although a tile j needs the first one at e = 2j and 2j + 1 alone and both others
at 2j + 1::

    d[e] − d[e + 2]     d[e] + d[e + 1]     d[e + 1] − d[e]
"""

from collections.abc import Callable
from typing import Any

from numba.core import types

from npae.kernels.reference.array import Array
from npae.kernels.simd.llvm import FUSE, LINE, Line, fused, loop, pointers, vector_loop
from npae.kernels.simd.pool import pool_in_python, store_pooled

FORMS = 3  # for each of the four points along the rows
LINES = 17  # of a line of output channels: the points of its weights, and its bias

#: For the four points along the columns: the form, and its column, counted from the first one of the tile.
PLACES = ((0, 0), (1, 1), (2, 1), (0, 1))


def _one_channel_to_points_in_python(n_lines: int, x: Array, x_at: int, x_row: int, v: Array) -> None:
    """Transform four rows of x, ``x_row`` apart, to ``v`` (4, FORMS, columns), for ``n_lines`` lines of columns."""
    n = n_lines * LINE // x.itemsize
    rows = [x[x_at + k * x_row :][: n + 2] for k in range(4)]
    points = rows[0] - rows[2], rows[1] + rows[2], rows[2] - rows[1], rows[1] - rows[3]
    for p, d in enumerate(points):
        forms = d[:-2] - d[2:], d[:-2] + d[1:-1], d[1:-1] - d[:-2]
        for f, values in enumerate(forms):
            v[(p * FORMS + f) * n :][:n] = values


def _emit_one_channel_to_points(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    given = pointers(_one_channel_to_points_in_python, context, builder, signature, arguments)
    line, n = Line(builder, given["x"]), given["x_row"].type
    v_row = builder.mul(given["n_lines"], n(line.lanes))
    first = builder.gep(given["x"], [given["x_at"]])
    rows = [builder.gep(first, [builder.mul(given["x_row"], n(k))]) for k in range(4)]
    targets = [builder.gep(given["v"], [builder.mul(v_row, n(i))]) for i in range(4 * FORMS)]
    with loop(builder, given["n_lines"]) as i:
        at = builder.mul(i, n(line.lanes))
        beside = []  # the points along the rows: of this line, and of those that start one and two columns later
        for shift in range(3):
            offset = builder.add(at, n(shift))
            d0, d1, d2, d3 = (line.load(builder.gep(row, [offset])) for row in rows)
            beside.append((builder.fsub(d0, d2), builder.fadd(d1, d2), builder.fsub(d2, d1), builder.fsub(d1, d3)))
        for p, (d0, d1, d2) in enumerate(zip(*beside, strict=True)):
            forms = builder.fsub(d0, d2), builder.fadd(d0, d1), builder.fsub(d1, d0)
            for f, values in enumerate(forms):
                line.store(values, builder.gep(targets[p * FORMS + f], [at]))
    return context.get_dummy_value()


@vector_loop(_one_channel_to_points_in_python)
def one_channel_to_points(
    typing_context: Any, n_lines: Any, x: Any, x_at: Any, x_row: Any, v: Any
) -> tuple[Any, Callable[..., Any]]:
    """Numba type signature of ``_one_channel_to_points_in_python``, whose arguments it takes."""
    n = types.intp
    return types.void(n, x, n, n, v), _emit_one_channel_to_points


def _one_channel_to_pooled_in_python(
    tiles: int, v: Array, v_row: int, u: Array, u_at: int, y: Array, winner: Array, y_at: int, y_step: int
) -> None:
    """y and winner of a row of tiles, for the line of channels whose ``LINES`` are in u at ``u_at``."""
    lanes = LINE // v.itemsize
    lines = u[u_at : u_at + LINES * lanes].reshape(LINES, lanes)
    for j in range(tiles):
        sums = []
        for q, (form, column) in enumerate(PLACES):
            m = [v[(p * FORMS + form) * v_row + 2 * j + column] * lines[4 * p + q] for p in range(4)]
            m[1] = m[1] + lines[16] if q == 1 else m[1]
            sums.append((m[0] + (m[1] + m[2]), (m[1] - m[2]) - m[3]))
        cells = [cell for c0, c1, c2, c3 in zip(*sums, strict=True) for cell in (c0 + (c1 + c2), (c1 - c2) - c3)]
        pool_in_python(cells, y, winner, y_at + j * y_step)


def _emit_one_channel_to_pooled(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    b = builder
    given = pointers(_one_channel_to_pooled_in_python, context, builder, signature, arguments)
    line, n = Line(builder, given["v"]), given["v_row"].type
    first = b.gep(given["u"], [given["u_at"]])
    u = [line.load(b.gep(first, [n(i * line.lanes)])) for i in range(LINES)]
    rows = [b.gep(given["v"], [b.mul(given["v_row"], n(i))]) for i in range(4 * FORMS)]
    with loop(builder, given["tiles"]) as j:
        at = b.mul(j, n(2))
        sums = []
        for q, (form, column) in enumerate(PLACES):
            place = b.add(at, n(column))
            v = [line.repeat(b.load(b.gep(rows[p * FORMS + form], [place]))) for p in range(4)]
            m1 = fused(b, u[16], v[1], u[5]) if q == 1 else b.fmul(v[1], u[4 + q])
            m2 = b.fmul(v[2], u[8 + q])
            upper = fused(b, b.fadd(m1, m2), v[0], u[q])
            lower = b.fsub(b.fsub(m1, m2), b.fmul(v[3], u[12 + q], flags=FUSE), flags=FUSE)
            sums.append((upper, lower))
        cells = []
        for c0, c1, c2, c3 in zip(*sums, strict=True):
            cells += [b.fadd(c0, b.fadd(c1, c2)), b.fsub(b.fsub(c1, c2), c3)]
        place = b.add(given["y_at"], b.mul(j, given["y_step"]))
        store_pooled(line, cells, b.gep(given["y"], [place]), b.gep(given["winner"], [place]))
    return context.get_dummy_value()


@vector_loop(_one_channel_to_pooled_in_python)
def one_channel_to_pooled(
    typing_context: Any, tiles: Any, v: Any, v_row: Any, u: Any, u_at: Any, y: Any, winner: Any, y_at: Any, y_step: Any
) -> tuple[Any, Callable[..., Any]]:
    """Numba type signature of ``_one_channel_to_pooled_in_python``, whose arguments it takes."""
    n = types.intp
    return types.void(n, v, n, u, n, y, winner, n, n), _emit_one_channel_to_pooled
