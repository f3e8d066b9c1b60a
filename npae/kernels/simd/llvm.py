"""Helpers for writing LLVM code: vectors, loops, pointers and the decorator of the vector loops.

Numba translates Python loops to LLVM IR and cannot keep a small array in registers. An *intrinsic* is a function that
emits LLVM IR itself. A ``Line`` is a vector of LINE bytes, which LLVM splits if the machine's registers are narrower.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numba
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

LINE = 64  # bytes: 16 numbers of float32, 8 of float64
FUSE = ("contract",)  # allow fused multiply-add

_numba: Any = numba  # only some versions of Numba have type annotations
_cgutils: Any = cgutils


class Line:
    """Loads, stores and arithmetic of lines with the element type that ``pointer`` points to."""

    def __init__(self, builder: Any, pointer: Any) -> None:
        self.builder = builder
        self.element = pointer.type.pointee
        self.itemsize = 4 if isinstance(self.element, ir.FloatType) else 8
        self.lanes = LINE // self.itemsize
        self.vector = ir.VectorType(self.element, self.lanes)

    def load(self, pointer: Any) -> Any:
        return self.builder.load(self._cast(pointer), align=self.itemsize)

    def store(self, line: Any, pointer: Any) -> None:
        self.builder.store(line, self._cast(pointer), align=self.itemsize)

    def places(self, n: int) -> list[Any]:
        """Stack slots for n lines; LLVM turns them into registers."""
        return [stack_slot(self.builder, self.vector) for _ in range(n)]

    def number_places(self, n: int) -> list[Any]:
        """Stack slots for n numbers."""
        return [stack_slot(self.builder, self.element) for _ in range(n)]

    def repeat(self, number: Any) -> Any:
        """The line with ``number`` in every element."""
        undefined = ir.Constant(self.vector, ir.Undefined)
        first = self.builder.insert_element(undefined, number, ir.IntType(32)(0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), None)
        return self.builder.shuffle_vector(first, undefined, zeros)

    def minus_absolute(self, line: Any) -> Any:
        """−|x|, by setting the sign."""
        bits = ir.VectorType(ir.IntType(8 * self.itemsize), self.lanes)
        sign = constant(bits, 1 << (8 * self.itemsize - 1))
        return self.builder.bitcast(self.builder.or_(self.builder.bitcast(line, bits), sign), self.vector)

    def merge(self, a: Any, b: Any) -> tuple[Any, Any]:
        """The elements of two lines interleaved, a₀ b₀ a₁ b₁ …, as two lines."""
        number = ir.IntType(32)
        order = [n for i in range(self.lanes) for n in (i, self.lanes + i)]
        kind = ir.VectorType(number, self.lanes)
        first, second = (ir.Constant(kind, half) for half in (order[: self.lanes], order[self.lanes :]))
        return self.builder.shuffle_vector(a, b, first), self.builder.shuffle_vector(a, b, second)

    def add_product(self, total: Any, a: Any, b: Any) -> None:
        """``total += a · b``, where ``total`` is the stack slot of a line or a number."""
        self.builder.store(fused(self.builder, self.builder.load(total), a, b), total)

    def sum(self, line: Any, start: Any) -> Any:
        """``start`` plus the sum of the elements of the line."""
        kind = ir.FunctionType(self.element, [self.element, self.vector])
        name = f"llvm.vector.reduce.fadd.v{self.lanes}f{8 * self.itemsize}"
        function = self.builder.module.globals.get(name) or ir.Function(self.builder.module, kind, name)
        return self.builder.call(function, [start, line], fastmath=("reassoc",))

    def _cast(self, pointer: Any) -> Any:
        return self.builder.bitcast(pointer, self.vector.as_pointer())


def stack_slot(builder: Any, kind: Any) -> Any:
    """A place on the stack for a value of this type; LLVM turns it into a register."""
    return _cgutils.alloca_once(builder, kind)


def constant(kind: Any, value: Any) -> Any:
    """A constant of a type of numbers, or of vectors, in whose elements it is repeated."""
    return ir.Constant(kind, [value] * kind.count if isinstance(kind, ir.VectorType) else value)


def fused(builder: Any, a: Any, b: Any, c: Any) -> Any:
    """``a + b · c``, rounded once where the machine can."""
    return builder.fadd(a, builder.fmul(b, c, flags=FUSE), flags=FUSE)


@contextmanager
def loop(builder: Any, count: Any) -> Iterator[Any]:
    """Emit a loop over 0, 1, … count − 1."""
    zero, one = count.type(0), count.type(1)
    with _loop_from(
        builder, zero, lambda i: builder.icmp_signed("<", i, count), lambda i: builder.add(i, one)
    ) as index:
        yield index


@contextmanager
def set_bits(builder: Any, bits: Any) -> Iterator[Any]:
    """Emit a loop over the positions of the bits of an integer that are 1, the lowest first."""
    zero, one = bits.type(0), bits.type(1)
    with _loop_from(
        builder,
        bits,
        lambda left: builder.icmp_unsigned("!=", left, zero),
        lambda left: builder.and_(left, builder.sub(left, one)),
    ) as left:
        yield builder.cttz(left, ir.IntType(1)(1))


@contextmanager
def _loop_from(
    builder: Any, first: Any, goes_on: Callable[[Any], Any], following: Callable[[Any], Any]
) -> Iterator[Any]:
    """Emit a loop over first, following(first), … as long as goes_on(value).

    It is not unrolled: unrolling took most of the compile time and gained nothing.
    """
    before, head, body, after = builder.block, *(builder.append_basic_block(name) for name in ("head", "body", "after"))
    builder.branch(head)
    builder.position_at_end(head)
    value = builder.phi(first.type)
    value.add_incoming(first, before)
    builder.cbranch(goes_on(value), body, after)
    builder.position_at_end(body)
    yield value
    value.add_incoming(following(value), builder.block)
    once = builder.module.add_metadata([builder.module.add_metadata(["llvm.loop.unroll.disable"])])
    once.operands = (once, *once.operands)  # the first operand of a loop's metadata is itself
    builder.branch(head).set_metadata("llvm.loop", once)
    builder.position_at_end(after)


def pointers(python: Callable[..., Any], context: Any, builder: Any, signature: Any, arguments: Any) -> dict[str, Any]:
    """The arguments by their names in the Python version; of an array, the address of its first element."""
    names = python.__code__.co_varnames[: len(arguments)]
    return {
        name: context.make_array(kind)(context, builder, value).data if isinstance(kind, types.Array) else value
        for name, kind, value in zip(names, signature.args, arguments, strict=True)
    }


def copy_memory(builder: Any, source: Any, target: Any, count: Any) -> None:
    """Emit a copy of ``count`` numbers from ``source`` to ``target``."""
    kind = source.type.pointee
    itemsize = kind.width // 8 if isinstance(kind, ir.IntType) else 4 if isinstance(kind, ir.FloatType) else 8
    _cgutils.raw_memcpy(builder, target, source, count, itemsize)


def prefetch(builder: Any, pointer: Any) -> None:
    """Emit a prefetch of the cache line at ``pointer`` into the second-level cache."""
    byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
    kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
    function = _cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
    to_read, second_level, data = number(0), number(2), number(1)
    builder.call(function, [builder.bitcast(pointer, byte), to_read, second_level, data])


def rows_of(builder: Any, given: dict[str, Any], name: str, n: int) -> list[Any]:
    """Addresses of the first ``n`` rows of the array ``name``."""
    first, row = builder.gep(given[name], [given[name + "_at"]]), given[name + "_row"]
    return [builder.gep(first, [builder.mul(row, row.type(r))]) for r in range(n)]


def for_each_row_count(builder: Any, rows: Any, most: int, emit: Callable[[int], None]) -> None:
    """Emit a switch over ``rows`` with separate code for 1, 2, … ``most``, so that sums stay in registers."""
    done = builder.append_basic_block("done")
    choice = builder.switch(rows, done)
    for n in range(1, most + 1):
        block = builder.append_basic_block(f"rows{n}")
        choice.add_case(rows.type(n), block)
        builder.position_at_end(block)
        emit(n)
        builder.branch(done)
    builder.position_at_end(done)


def row_sums(builder: Any, n: int, given: dict[str, Any], add: Callable[[Line, list[Any], list[Any]], None]) -> None:
    """``n`` rows of sums, each a line: they start as ``start``, grow by ``add``, and are stored in ``c``.

    ``add(line, sums, a_rows)`` emits what is added: to the places ``sums``, from the rows of A at ``a_rows``.
    """
    line = Line(builder, given["c"])
    sums = line.places(n)
    for total, pointer in zip(sums, rows_of(builder, given, "start", n), strict=True):
        builder.store(line.load(pointer), total)
    add(line, sums, rows_of(builder, given, "a", n))
    for total, pointer in zip(sums, rows_of(builder, given, "c", n), strict=True):
        line.store(builder.load(total), pointer)


def vector_loop(python: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator: make an intrinsic of a typing function, or take ``python`` instead where NUMBA_DISABLE_JIT is set."""

    def decorate(typing: Callable[..., Any]) -> Callable[..., Any]:
        chosen: Callable[..., Any] = python if _numba.config.DISABLE_JIT else intrinsic(typing)
        return chosen

    return decorate
