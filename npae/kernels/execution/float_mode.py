"""Subnormal numbers count as 0 while a program runs: a mode of the processor, which each thread sets for itself.

x86 has it in the register MXCSR, 64-bit ARM in FPCR. On other processors subnormal numbers keep their value.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from npae.kernels.target import TARGET

MODE = ir.IntType(64)  # of the register, of which x86 uses the lower half

_intrinsic: Callable[[Callable[..., Any]], Callable[..., Any]] = intrinsic


class Register(NamedTuple):
    """The register of a kind of processor that has its floating-point modes.

    Attributes
    ----------
    read : function of (builder)
        Emits its value.
    write : function of (builder, value)
        Emits that it is set.
    to_zero : int
        The bits with which operands and results that are subnormal count as 0.
    """

    read: Callable[[Any], Any]
    write: Callable[[Any, Any], None]
    to_zero: int


def register_of(triple: str) -> Register | None:
    """The register that a target has; None if none is known here."""
    if triple.startswith("x86_64"):
        results, operands = 0x8000, 0x0040
        return Register(_read_mxcsr, _write_mxcsr, results | operands)
    if triple.startswith(("aarch64", "arm64")):
        return Register(_read_fpcr, _write_fpcr, 1 << 24)
    return None


def _read_mxcsr(builder: Any) -> Any:
    place = builder.alloca(ir.IntType(32))
    _call_mxcsr(builder, "stmxcsr", place)
    return builder.zext(builder.load(place), MODE)


def _write_mxcsr(builder: Any, value: Any) -> None:
    place = builder.alloca(ir.IntType(32))
    builder.store(builder.trunc(value, ir.IntType(32)), place)
    _call_mxcsr(builder, "ldmxcsr", place)


def _call_mxcsr(builder: Any, instruction: str, place: Any) -> None:
    byte = ir.IntType(8).as_pointer()
    function = _declared(builder, f"llvm.x86.sse.{instruction}", ir.FunctionType(ir.VoidType(), [byte]))
    builder.call(function, [builder.bitcast(place, byte)])


def _read_fpcr(builder: Any) -> Any:
    return builder.call(_declared(builder, "llvm.aarch64.get.fpcr", ir.FunctionType(MODE, [])), [])


def _write_fpcr(builder: Any, value: Any) -> None:
    builder.call(_declared(builder, "llvm.aarch64.set.fpcr", ir.FunctionType(ir.VoidType(), [MODE])), [value])


def _declared(builder: Any, name: str, kind: Any) -> Any:
    return builder.module.globals.get(name) or ir.Function(builder.module, kind, name)


def emit_flush(builder: Any, register: Register | None) -> Any:
    """Emit that subnormal numbers count as 0 from now on; returns the mode before."""
    if register is None:
        return MODE(0)
    before = register.read(builder)
    register.write(builder, builder.or_(before, MODE(register.to_zero)))
    return before


REGISTER = register_of(TARGET[0])


@_intrinsic
def flush_subnormals(typing_context: Any) -> tuple[Any, Callable[..., Any]]:
    """Make this thread treat subnormal numbers as 0; returns the processor's mode before."""
    return types.int64(), lambda context, builder, signature, arguments: emit_flush(builder, REGISTER)


@_intrinsic
def set_mode(typing_context: Any, mode: Any) -> tuple[Any, Callable[..., Any]]:
    """Set the processor's floating-point mode to what ``flush_subnormals`` returned."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if REGISTER is not None:
            REGISTER.write(builder, arguments[0])
        return context.get_dummy_value()

    return types.void(types.int64), emit
