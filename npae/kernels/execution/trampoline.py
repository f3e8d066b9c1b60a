"""Trampolines: machine code that calls a kernel by its address with arguments stored as 64-bit words in memory.

Numba passes an array as a structure. A *trampoline* reads the words of a call, builds these structures and calls the
kernel's machine code. It is compiled in milliseconds, once for each kernel and combination of argument types.
"""

import struct
from collections.abc import Callable, Iterable
from functools import reduce
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.compiler_lock import global_compiler_lock
from numba.extending import intrinsic

from npae.kernels.execution.array_types import type_of_array
from npae.kernels.execution.float_mode import flush_subnormals, set_mode
from npae.kernels.jit import shared_jit
from npae.kernels.reference.array import Array

WORD = ir.IntType(64)
STATUS = ir.IntType(32)

_numba: Any = numba  # only some versions of Numba have type annotations
_cgutils: Any = cgutils
_intrinsic: Callable[[Callable[..., Any]], Callable[..., Any]] = intrinsic
_trampolines: dict[tuple[Any, ...], tuple[int, Any]] = {}  # the address, and the objects that keep it valid


def words_of(arguments: tuple[Any, ...]) -> Array:
    """The words of a call, int64: address and shape of each array, and the bits of each number."""
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
    """A Python number from any of NumPy's or Python's."""
    return float(a) if isinstance(a, float | np.floating) else int(a)


def _description(a: Any) -> Any:
    """A key for Numba's type of an argument."""
    return type_of_array(a) if isinstance(a, np.ndarray) else type(_number(a))


def _kinds_of(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """Numba's types of the arguments of a call."""
    return tuple(_numba.typeof(a if isinstance(a, np.ndarray) else _number(a)) for a in arguments)


def not_yet_called(calls: Iterable[tuple[Any, tuple[Any, ...]]]) -> list[tuple[Any, tuple[Any, ...]]]:
    """The kernels of calls, with Numba's types of the arguments, that have no trampoline yet; each once."""
    keys = {(kernel, *map(_description, arguments)): (kernel, arguments) for kernel, arguments in calls}
    new = [call for key, call in keys.items() if key not in _trampolines]
    return [(kernel, _kinds_of(arguments)) for kernel, arguments in new]


def trampoline(kernel: Any, arguments: tuple[Any, ...]) -> int:
    """Address of the trampoline for ``kernel`` with arguments of these types; compiled at the first request."""
    key = (kernel, *map(_description, arguments))
    if key in _trampolines:
        return _trampolines[key][0]
    kinds = _kinds_of(arguments)
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
    """Emit the code: read the words, build the arguments of Numba's calling convention, return the kernel's status."""
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
    """Emit Numba's structure of a C-contiguous array from its address and shape; it owns no memory.

    Field by field: Numba's own ``make_array`` looks up functions, for which it imports all that it compiles with.
    """
    element = context.get_data_type(kind.dtype)
    data, *shape = words
    strides = [WORD(context.get_abi_sizeof(element))]
    for length in reversed(shape):
        strides.insert(0, builder.mul(strides[0], length))
    array = _cgutils.create_struct_proxy(kind)(context, builder)  # all fields are 0 before
    array.data = builder.inttoptr(data, element.as_pointer())
    array.itemsize = strides[-1]
    array.nitems = reduce(builder.mul, shape, WORD(1))
    array.shape = _cgutils.pack_array(builder, shape, WORD)
    array.strides = _cgutils.pack_array(builder, strides[1:], WORD)
    return array._getvalue()


def _emit_call(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """Emit the call of a trampoline; the result is its status as a 64-bit integer."""
    function, words = arguments
    kind = ir.FunctionType(STATUS, [WORD.as_pointer()]).as_pointer()
    status = builder.call(builder.inttoptr(function, kind), [builder.inttoptr(words, WORD.as_pointer())])
    return builder.sext(status, WORD)


@_intrinsic
def _call(typing_context: Any, function: Any, words: Any) -> tuple[Any, Callable[..., Any]]:
    """Call the trampoline at address ``function`` with the words at address ``words``; 0 means success."""
    return types.int64(types.int64, types.int64), _emit_call


@shared_jit
def run_calls(table: Array) -> int:
    """Make the calls of a program's table (calls, 2) in order; returns 0 for success.

    During the calls subnormal numbers are treated as 0. Gradients of the cross-entropy and Adam's v have many of them
    once constantly black pixels are learned, and arithmetic with them takes two to three times as long.
    """
    mode = flush_subnormals()
    failed = 0
    for i in range(len(table)):
        failed |= _call(table[i, 0], table[i, 1])
    set_mode(mode)
    return failed
