"""The Numba decorators of all kernels: compiler options and the cache on disk.

Kernels release the GIL, so that threads run side by side, and are serial, because a batch is shared out above them.
Sums may be reassociated and contracted, which is what makes them fast, but NaN and infinity keep their meaning.
Machine code is made at a kernel's first call and kept on disk; see ``machine_code``. Numba looks whether the kernel's
own file has changed, not at the files that it uses, nor at constants that they compute. So the name of the file in
which machine code is kept has ``VARIANT`` in it: the digest of all kernels' sources, and that of the target and the
compiler.

Functions that only kernels call are compiled without the code that unpacks Python's arguments. They are those of
``simd`` and those with an underscore.

A kernel is compiled on a thread of its own. Numba keeps exceptions, these their frames, and these all frames that
called them: a network that made the first call, and its data, would stay in memory until Python's collector comes.
Meanwhile the collector waits: the compiler makes so many objects that it would look at all those of the process again
and again, which took a tenth of the time.
"""

import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

import numba
from numba.core.compiler_lock import global_compiler_lock

from npae.kernels.machine_code import MachineCode, warn_once
from npae.kernels.shared_code import share
from npae.kernels.target import VARIANT

Function = TypeVar("Function", bound=Callable[..., Any])

_lock: Any = global_compiler_lock  # only some versions of Numba have type annotations


def jit(function: Function) -> Function:
    """Compile ``function`` at its first call, once for each combination of argument types."""
    return _compile(function, {"contract", "reassoc"})


def exact_jit(function: Function) -> Function:
    """As ``jit``, but without reassociation: sums are computed in the order in which they are written."""
    return _compile(function, {"contract"})


def shared_jit(function: Function) -> Function:
    """As ``jit``, for a function of some length that several kernels call: it is not compiled into each of them."""
    return cast(Function, share(jit(function)))


def _compile(function: Function, fastmath: set[str]) -> Function:
    is_inner = function.__module__.startswith("npae.kernels.simd.") or function.__name__.startswith("_")
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": fastmath, "no_cfunc_wrapper": True}
    njit: Any = numba.njit
    name = function.__qualname__
    function.__qualname__ = f"{name}.{VARIANT}"  # part of the name of the cache file
    try:
        compiled = njit(**options, no_cpython_wrapper=is_inner)(function)
        if hasattr(compiled, "enable_caching"):  # else NUMBA_DISABLE_JIT is set
            compiled._cache = MachineCode(function)
    except RuntimeError as error:  # neither the package's folder nor the user's can be written
        warn_once(
            f"npae compiles its kernels anew in every process, because they cannot be kept on disk ({error}); "
            f"set NUMBA_CACHE_DIR to a folder that can be written"
        )
    finally:
        function.__qualname__ = name
    return cast(Function, compiled_apart(called_by_kernels(compiled) if is_inner else compiled))


def called_by_kernels(kernel: Any) -> Any:
    """Let a kernel of Numba's that has no entry for Python be called from Python, as tests do; returns the kernel.

    The call is made by a function that is compiled for it. Without this Numba would jump to address 0.
    """
    if not hasattr(kernel, "add_overload"):  # NUMBA_DISABLE_JIT
        return kernel
    njit: Any = numba.njit
    caller = compiled_apart(njit(lambda *arguments: kernel(*arguments)))

    def add_overload(result: Any) -> None:
        kernel.overloads[tuple(result.signature.args)] = result  # and not to what Python's calls look up

    kernel.add_overload = add_overload
    kernel._compile_for_args = lambda *arguments: caller  # which Numba then calls
    return kernel


class _Here(threading.local):
    """Whether this thread was started to compile."""

    is_compiler = False


_here = _Here()


class _Collector:
    """Python's collector of cyclic garbage, which waits while a thread compiles."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._compiling, self._was_enabled = 0, False

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Nothing is collected until the last thread that compiles has left this context."""
        with self._lock:
            if self._compiling == 0:
                self._was_enabled = gc.isenabled()
                gc.disable()
            self._compiling += 1
        try:
            yield
        finally:
            with self._lock:
                self._compiling -= 1
                if self._compiling == 0 and self._was_enabled:
                    gc.enable()


_collector = _Collector()


def compiled_apart(kernel: Any) -> Any:
    """Let a kernel of Numba's compile on threads that are started for it; returns the kernel.

    A kernel that others call, be it npae's or a user's function of Numba's, is compiled on the thread that compiles
    them, which holds Numba's lock. Where no thread
    can be started, the calling one compiles.
    """
    if not hasattr(kernel, "compile"):  # NUMBA_DISABLE_JIT
        return kernel
    compile_here = kernel.compile

    def compile_apart(signature: Any) -> Any:
        if _here.is_compiler or _lock.is_locked():  # by this thread
            return compile_here(signature)
        results: list[Any] = []
        errors: list[BaseException] = []

        def run() -> None:
            _here.is_compiler = True
            try:
                with _collector.waiting():
                    results.append(compile_here(signature))
            except BaseException as error:
                errors.append(error)

        thread = threading.Thread(target=run, name="npae compiler")
        try:
            thread.start()
        except RuntimeError:
            return compile_here(signature)
        thread.join()
        if errors:
            raise errors.pop()
        return results[0]

    kernel.compile = compile_apart
    return kernel
