"""Calling a kernel by its address: the arguments as words in memory, and the machine code that passes them.

Numba passes an array as a structure of its own. A *trampoline* reads the words of a call, makes these structures and
jumps to the kernel's machine code. It is compiled in milliseconds, once for each kernel and the types it is given.
"""

import platform
import struct
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.core.compiler_lock import global_compiler_lock
from numba.extending import intrinsic
from numba.np import arrayobj

from npae.kernels.jit import jit
from npae.kernels.reference import Array

WORD = ir.IntType(64)
STATUS = ir.IntType(32)

# The register of x86 processors that says how they round. Others take subnormal numbers without delay.
HAS_MXCSR = platform.machine().lower() in ("x86_64", "amd64")
RESULTS_TO_ZERO, OPERANDS_TO_ZERO = 0x8000, 0x0040

_numba: Any = numba  # some versions of Numba bring types along and some do not
_arrayobj: Any = arrayobj
_intrinsic: Callable[[Callable[..., Any]], Callable[..., Any]] = intrinsic
_trampolines: dict[tuple[Any, ...], tuple[int, Any]] = {}  # an address, and what keeps it valid


def words_of(arguments: tuple[Any, ...]) -> Array:
    """What a trampoline reads: of an array the address and the shape, else the number's bits."""
    words: list[int] = []
    for a in arguments:
        if isinstance(a, np.ndarray):
            words += [a.ctypes.data, *a.shape]
        elif isinstance(number := _number(a), float):
            words += struct.unpack("q", struct.pack("d", number))
        else:
            words.append(number)
    return np.array(words, dtype=np.int64)


def _number(a: Any) -> int | float:
    """A number of 64 bits, whichever of NumPy's it was."""
    return float(a) if isinstance(a, float | np.floating) else int(a)


def _description(a: Any) -> Any:
    """What Numba's type of an argument depends on; it takes a while to find the type itself."""
    return (a.dtype, a.ndim, a.flags.writeable, a.flags.aligned) if isinstance(a, np.ndarray) else type(_number(a))


def trampoline(kernel: Any, arguments: tuple[Any, ...]) -> int:
    """The address of a function of the words that calls ``kernel`` with arguments of such types."""
    key = (kernel, *map(_description, arguments))
    if key in _trampolines:
        return _trampolines[key][0]
    kinds = tuple(_numba.typeof(a if isinstance(a, np.ndarray) else _number(a)) for a in arguments)
    kernel.compile(kinds)  # outside the lock, which the thread that compiles takes
    with global_compiler_lock:
        if key not in _trampolines:
            compiled = kernel.overloads[kinds]
            context = compiled.target_context
            name = f"trampoline_{len(_trampolines)}_{kernel.__name__}"
            library = context.codegen().create_library(name)
            module = library.create_ir_module(name)
            _emit_trampoline(context, module, name, compiled, kinds)
            library.add_ir_module(module)
            library.finalize()
            _trampolines[key] = (library.get_pointer_to_function(name), (library, compiled))
    return _trampolines[key][0]


def _emit_trampoline(context: Any, module: Any, name: str, compiled: Any, kinds: tuple[Any, ...]) -> None:
    """Read the words, make what Numba's calling convention wants of them, and return the kernel's status."""
    function = ir.Function(module, ir.FunctionType(STATUS, [WORD.as_pointer()]), name)
    builder = ir.IRBuilder(function.append_basic_block())
    (words,) = function.args
    count = 0

    def next_word() -> Any:
        nonlocal count
        count += 1
        return builder.load(builder.gep(words, [WORD(count - 1)]))

    arguments = []
    for kind in kinds:
        if isinstance(kind, types.Array):
            arguments.append(_emit_array(context, builder, kind, [next_word() for _ in range(1 + kind.ndim)]))
        elif isinstance(kind, types.Float):
            arguments.append(builder.bitcast(next_word(), ir.DoubleType()))
        else:
            arguments.append(next_word())
    native: Any = context.call_conv.get_function_type(types.none, kinds)
    address = compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name)
    result, error = (builder.alloca(kind.pointee) for kind in native.args[:2])
    flat = context.get_arg_packer(kinds).as_arguments(builder, arguments)
    callee = builder.inttoptr(WORD(address), native.as_pointer())
    builder.ret(builder.call(callee, [result, error, *flat]))


def _emit_array(context: Any, builder: Any, kind: Any, words: list[Any]) -> Any:
    """Numba's structure of a C-contiguous array."""
    element = context.get_data_type(kind.dtype)
    itemsize = context.get_abi_sizeof(element)
    data, *shape = words
    strides = [WORD(itemsize)]
    for length in reversed(shape[1:]):
        strides.insert(0, builder.mul(strides[0], length))
    array = context.make_array(kind)(context, builder)
    pointer = builder.inttoptr(data, element.as_pointer())
    _arrayobj.populate_array(array, data=pointer, shape=shape, strides=strides, itemsize=WORD(itemsize), meminfo=None)
    return array._getvalue()


def _emit_call(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """Call a trampoline, and give its status as a whole word."""
    function, words = arguments
    kind = ir.FunctionType(STATUS, [WORD.as_pointer()]).as_pointer()
    status = builder.call(builder.inttoptr(function, kind), [builder.inttoptr(words, WORD.as_pointer())])
    return builder.sext(status, WORD)


@_intrinsic
def _call(typing_context: Any, function: Any, words: Any) -> tuple[Any, Callable[..., Any]]:
    """Call the trampoline at one address with the words at another; 0 where all went well."""
    return types.int64(types.int64, types.int64), _emit_call


@_intrinsic
def _flush_subnormals(typing_context: Any) -> tuple[Any, Callable[..., Any]]:
    """Let this thread's processor take numbers below the least of full precision for 0; gives its mode until now."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if not HAS_MXCSR:
            return STATUS(0)
        mode = builder.alloca(STATUS)
        _emit_mxcsr(builder, "stmxcsr", mode)
        before = builder.load(mode)
        builder.store(builder.or_(before, STATUS(RESULTS_TO_ZERO | OPERANDS_TO_ZERO)), mode)
        _emit_mxcsr(builder, "ldmxcsr", mode)
        return before

    return types.int32(), emit


@_intrinsic
def _set_mode(typing_context: Any, mode: Any) -> tuple[Any, Callable[..., Any]]:
    """Put the processor back into a mode."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if HAS_MXCSR:
            place = builder.alloca(STATUS)
            builder.store(arguments[0], place)
            _emit_mxcsr(builder, "ldmxcsr", place)
        return context.get_dummy_value()

    return types.void(types.int32), emit


def _emit_mxcsr(builder: Any, instruction: str, mode: Any) -> None:
    byte = ir.IntType(8).as_pointer()
    name = f"llvm.x86.sse.{instruction}"
    function = builder.module.globals.get(name) or ir.Function(
        builder.module, ir.FunctionType(ir.VoidType(), [byte]), name
    )
    builder.call(function, [builder.bitcast(mode, byte)])


@jit
def run_calls(table: Array) -> int:
    """Make the calls of a program's table, one after the other; 0 where all went well.

    Meanwhile subnormal numbers count as 0. The cross-entropy and Adam's v are full of them once pixels that are always
    black are learned, and arithmetic with them takes the processor two to three times as long.
    """
    mode = _flush_subnormals()
    failed = 0
    for i in range(len(table)):
        failed |= _call(table[i, 0], table[i, 1])
    _set_mode(mode)
    return failed
