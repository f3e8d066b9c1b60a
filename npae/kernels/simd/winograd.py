"""Transforms of Winograd's convolution F(2×2, 3×3): 16 multiplications for 2×2 outputs, where the sums take 36.

Along one axis, two outputs of a window of three need four products (Lavin & Gray 2016)::

    y₀ = d₀w₀ + d₁w₁ + d₂w₂ = m₀ + m₁ + m₂     m₀ = (d₀ − d₂) w₀     m₁ = (d₁ + d₂) (w₀ + w₁ + w₂) / 2
    y₁ = d₁w₀ + d₂w₁ + d₃w₂ = m₁ − m₂ − m₃     m₃ = (d₁ − d₃) w₂     m₂ = (d₂ − d₁) (w₀ − w₁ + w₂) / 2

Along both axes these are 4×4 products, the *points*, for each channel of the input and of the output. d₃ enters y₁
alone, so it may be anything where the image has no second output.

Each loop here transforms ``count`` square blocks of lines of channels. Arrays are flat, and ``steps`` are distances::

    steps = (rows, first row to last row, columns, first column to last column, blocks)

Where the last row is at the place of the one before, the earlier one is kept.
"""

from collections.abc import Callable, Sequence
from typing import Any

from numba.core import types

from npae.kernels.reference.array import Array
from npae.kernels.simd.llvm import LINE, Line, loop, pointers, vector_loop
from npae.kernels.simd.pool import pool_in_python, store_pooled

Steps = tuple[int, int, int, int, int]
Transform = Callable[..., Sequence[Any]]


def _weights(w0: Any, w1: Any, w2: Any) -> Sequence[Any]:
    outer = w0 + w2
    return w0, (outer + w1) * 0.5, (outer - w1) * 0.5, w2


def _numbers(d0: Any, d1: Any, d2: Any, d3: Any) -> Sequence[Any]:
    return d0 - d2, d1 + d2, d2 - d1, d1 - d3


def _outputs(m0: Any, m1: Any, m2: Any, m3: Any) -> Sequence[Any]:
    return m0 + m1 + m2, m1 - m2 - m3


def _weights_gradient(u0: Any, u1: Any, u2: Any, u3: Any) -> Sequence[Any]:
    """The transpose of ``_weights``."""
    half = (u1 + u2) * 0.5
    return u0 + half, (u1 - u2) * 0.5, half + u3


def _outputs_gradient(y0: Any, y1: Any) -> Sequence[Any]:
    """The transpose of ``_outputs``."""
    return y0, y0 + y1, y0 - y1, y1 * -1.0


# After nearest-neighbour upsampling by 2 the numbers of a tile are x₀ x₁ x₁ x₂, so m₂ = 0 and three points are left.


def _upsampled_weights(w0: Any, w1: Any, w2: Any) -> Sequence[Any]:
    return w0, w0 + w1 + w2, w2


def _upsampled_numbers(x0: Any, x1: Any, x2: Any) -> Sequence[Any]:
    return x0 - x1, x1, x2 - x1


def _upsampled_outputs(m0: Any, m1: Any, m2: Any) -> Sequence[Any]:
    return m0 + m1, m1 + m2


def _upsampled_weights_gradient(u0: Any, u1: Any, u2: Any) -> Sequence[Any]:
    """The transpose of ``_upsampled_weights``."""
    return u0 + u1, u1, u1 + u2


def _upsampled_numbers_gradient(v0: Any, v1: Any, v2: Any) -> Sequence[Any]:
    """The transpose of ``_upsampled_numbers``."""
    return v0, v1 - v0 - v2, v2


def _upsampled_outputs_gradient(y0: Any, y1: Any) -> Sequence[Any]:
    """The transpose of ``_upsampled_outputs``."""
    return y0, y0 + y1, y1


def _along_both(transform: Transform, rows: Sequence[Sequence[Any]]) -> list[Sequence[Any]]:
    """A transform along the columns of a matrix, and then along its rows."""
    columns = [transform(*column) for column in zip(*rows, strict=True)]
    return [transform(*row) for row in zip(*columns, strict=True)]


class _Emitted:
    """A line in LLVM, with the operators that the transforms use."""

    def __init__(self, line: Line, value: Any) -> None:
        self.line, self.value = line, value

    def __add__(self, other: "_Emitted") -> "_Emitted":
        return _Emitted(self.line, self.line.builder.fadd(self.value, other.value))

    def __sub__(self, other: "_Emitted") -> "_Emitted":
        return _Emitted(self.line, self.line.builder.fsub(self.value, other.value))

    def __mul__(self, factor: float) -> "_Emitted":
        return _Emitted(self.line, self.line.builder.fmul(self.value, self.line.repeat(self.line.element(factor))))


def _places(at: int, steps: Steps, size: int) -> list[list[int]]:
    """Where the lines of a block start."""
    down, across = ([*(step * i for i in range(size - 1)), last] for step, last in (steps[:2], steps[2:4]))
    return [[at + i + j for j in across] for i in down]


class _Block:
    """The addresses of a block of the array ``name`` in LLVM."""

    def __init__(self, builder: Any, given: dict[str, Any], name: str) -> None:
        self.builder, self.array, self.at = builder, given[name], given[name + "_at"]
        self.steps = [builder.extract_value(given[name + "_steps"], i) for i in range(5)]

    def addresses(self, i: Any, size: int) -> list[list[Any]]:
        b, n = self.builder, self.at.type
        down, across = (
            [*(b.mul(self.steps[axis], n(k)) for k in range(size - 1)), self.steps[axis + 1]] for axis in (0, 2)
        )
        first = b.gep(self.array, [b.add(self.at, b.mul(i, self.steps[4]))])
        return [[b.gep(row, [offset]) for offset in across] for row in (b.gep(first, [offset]) for offset in down)]


def _load(line: Line, addresses: list[list[Any]]) -> list[list[_Emitted]]:
    return [[_Emitted(line, line.load(address)) for address in row] for row in addresses]


def _transform_loop(transform: Transform, size: int, new_size: int, *, adds: bool = False) -> Any:
    """The loop that applies ``transform`` along both axes of blocks of size × size lines; ``adds`` to the target."""

    def in_python(
        count: int,
        source: Array,
        source_at: int,
        source_steps: Steps,
        target: Array,
        target_at: int,
        target_steps: Steps,
    ) -> None:
        lanes = LINE // source.itemsize
        for i in range(count):
            places = _places(source_at + i * source_steps[4], source_steps, size)
            values = _along_both(transform, [[source[place:][:lanes] for place in row] for row in places])
            places = _places(target_at + i * target_steps[4], target_steps, new_size)
            for row, places_of_row in zip(values[::-1], places[::-1], strict=True):
                for value, place in zip(row[::-1], places_of_row[::-1], strict=True):
                    target[place:][:lanes] = target[place:][:lanes] + value if adds else value

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        given = pointers(in_python, context, builder, signature, arguments)
        line = Line(builder, given["source"])
        source, target = _Block(builder, given, "source"), _Block(builder, given, "target")
        with loop(builder, given["count"]) as i:
            values = _along_both(transform, _load(line, source.addresses(i, size)))
            for row, addresses in zip(values[::-1], target.addresses(i, new_size)[::-1], strict=True):
                for emitted, address in zip(row[::-1], addresses[::-1], strict=True):
                    value = builder.fadd(line.load(address), emitted.value) if adds else emitted.value
                    line.store(value, address)
        return context.get_dummy_value()

    @vector_loop(in_python)
    def transform_blocks(
        typing_context: Any,
        count: Any,
        source: Any,
        source_at: Any,
        source_steps: Any,
        target: Any,
        target_at: Any,
        target_steps: Any,
    ) -> tuple[Any, Callable[..., Any]]:
        n = types.intp
        return types.void(n, source, n, source_steps, target, n, target_steps), emit

    return transform_blocks


weights_to_points = _transform_loop(_weights, 3, 4)
numbers_to_points = _transform_loop(_numbers, 4, 4)
points_to_outputs = _transform_loop(_outputs, 4, 2)
points_to_weights_gradient = _transform_loop(_weights_gradient, 4, 3)
outputs_gradient_to_points = _transform_loop(_outputs_gradient, 2, 4)

upsampled_weights_to_points = _transform_loop(_upsampled_weights, 3, 3)
upsampled_numbers_to_points = _transform_loop(_upsampled_numbers, 3, 3)
points_to_upsampled_outputs = _transform_loop(_upsampled_outputs, 3, 2)
points_to_upsampled_weights_gradient = _transform_loop(_upsampled_weights_gradient, 3, 3)
add_points_to_numbers_gradient = _transform_loop(_upsampled_numbers_gradient, 3, 3, adds=True)
upsampled_outputs_gradient_to_points = _transform_loop(_upsampled_outputs_gradient, 2, 3)


def _points_to_pooled_in_python(
    count: int, source: Array, source_at: int, source_steps: Steps, y: Array, winner: Array, y_at: int, y_step: int
) -> None:
    """ReLU and 2×2 max pooling of ``points_to_outputs``; y and winner of neighbouring blocks are ``y_step`` apart."""
    lanes = LINE // source.itemsize
    for i in range(count):
        places = _places(source_at + i * source_steps[4], source_steps, 4)
        outputs = _along_both(_outputs, [[source[place:][:lanes] for place in row] for row in places])
        pool_in_python([cell for row in outputs for cell in row], y, winner, y_at + i * y_step)


def _emit_points_to_pooled(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    given = pointers(_points_to_pooled_in_python, context, builder, signature, arguments)
    line = Line(builder, given["source"])
    source = _Block(builder, given, "source")
    with loop(builder, given["count"]) as i:
        outputs = _along_both(_outputs, _load(line, source.addresses(i, 4)))
        place = builder.add(given["y_at"], builder.mul(i, given["y_step"]))
        cells = [emitted.value for row in outputs for emitted in row]
        store_pooled(line, cells, builder.gep(given["y"], [place]), builder.gep(given["winner"], [place]))
    return context.get_dummy_value()


@vector_loop(_points_to_pooled_in_python)
def points_to_pooled(
    typing_context: Any,
    count: Any,
    source: Any,
    source_at: Any,
    source_steps: Any,
    y: Any,
    winner: Any,
    y_at: Any,
    y_step: Any,
) -> tuple[Any, Callable[..., Any]]:
    """Numba type signature of ``_points_to_pooled_in_python``, whose arguments it takes."""
    n = types.intp
    return types.void(n, source, n, source_steps, y, winner, n, n), _emit_points_to_pooled
