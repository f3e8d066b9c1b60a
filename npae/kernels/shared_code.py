"""Machine code that several kernels call: compiled once, and called by its address.

Numba links a copy of every function into each function that calls it, and has LLVM optimize and translate the copy
again. For a few small functions this is what makes loops fast; for a product or a convolution, which LLVM does not
inline anyway, it was half of the time that compiling took. So a function that is *shared* is called through a symbol:
a name that LLVM looks up when it loads the machine code of the caller. Before that the function must be compiled or
loaded itself. So what a kernel needs is kept with its machine code.
"""

import hashlib
from collections.abc import Iterable
from copy import copy
from importlib import import_module
from typing import Any, NamedTuple

from llvmlite import binding


class Shared(NamedTuple):
    """A shared function for some types of arguments."""

    module: str
    name: str
    kinds: tuple[Any, ...]


_symbols: dict[str, Shared] = {}  # those that LLVM can look up in this process


def share(kernel: Any) -> Any:
    """Let other kernels call this one of Numba's through a symbol; returns the kernel."""
    if not hasattr(kernel, "add_overload"):  # NUMBA_DISABLE_JIT
        return kernel
    add_here = kernel.add_overload

    def add_and_publish(result: Any) -> None:
        _publish(Shared(kernel.py_func.__module__, kernel.py_func.__name__, tuple(result.signature.args)), result)
        add_here(result)

    kernel.add_overload = add_and_publish
    return kernel


def _publish(function: Shared, result: Any) -> None:
    """Name the machine code, and have callers refer to it by this name instead of linking a copy."""
    symbol = f"npae_{function.name}_{hashlib.sha256(repr(function).encode()).hexdigest()[:20]}"
    binding.add_symbol(symbol, result.library.get_pointer_to_function(result.fndesc.llvm_func_name))
    description = copy(result.fndesc)
    description.mangled_name = symbol
    result.target_context.remove_user_function(result.entry_point)
    result.target_context.insert_user_function(result.entry_point, description)
    _symbols[symbol] = function


def needed_by(library: Any) -> list[Shared]:
    """The shared functions that the machine code of a library calls."""
    declared = (function.name for function in library._final_module.functions if function.is_declaration)
    return [_symbols[name] for name in declared if name in _symbols]


def provide(functions: Iterable[Shared]) -> None:
    """Load shared functions, or compile them: LLVM ends the process where it does not find a symbol."""
    for module, name, kinds in functions:
        getattr(import_module(module), name).compile(kinds)
