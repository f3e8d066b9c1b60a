"""The Numba decorators of all kernels: compiler options and the cache on disk.

Kernels release the GIL, so that threads run side by side, and are serial, because a batch is shared out above them.
Sums may be reassociated and contracted, which is what makes them fast, but NaN and infinity keep their meaning.
Machine code is made at a kernel's first call and kept on disk; see ``machine_code``. Numba looks whether the kernel's
own file has changed, not at the files that it uses, nor at constants that they compute. So the name of the file in
which machine code is kept has ``VARIANT`` in it: the digest of all kernels' sources, and that of the target and the
compiler.

A kernel is compiled on a thread of its own. Numba keeps exceptions, these their frames, and these all frames that
called them: a network that made the first call, and its data, would stay in memory until Python's collector comes.
"""

import threading
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

from npae.kernels.machine_code import MachineCode, warn_once
from npae.kernels.target import VARIANT

Function = TypeVar("Function", bound=Callable[..., Any])


def jit(function: Function) -> Function:
    """Compile ``function`` at its first call, once for each combination of argument types."""
    return _compile(function, {"contract", "reassoc"})


def exact_jit(function: Function) -> Function:
    """As ``jit``, but without reassociation: sums are computed in the order in which they are written."""
    return _compile(function, {"contract"})


def _compile(function: Function, fastmath: set[str]) -> Function:
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": fastmath}
    njit: Any = numba.njit
    name = function.__qualname__
    function.__qualname__ = f"{name}.{VARIANT}"  # part of the name of the cache file
    try:
        compiled = njit(**options)(function)
        if hasattr(compiled, "enable_caching"):  # else NUMBA_DISABLE_JIT is set
            compiled._cache = MachineCode(function)
    except RuntimeError as error:  # neither the package's folder nor the user's can be written
        warn_once(
            f"npae compiles its kernels anew in every process, because they cannot be kept on disk ({error}); "
            f"set NUMBA_CACHE_DIR to a folder that can be written"
        )
    finally:
        function.__qualname__ = name
    return cast(Function, compiled_apart(compiled))


class _Here(threading.local):
    """Whether this thread was started to compile."""

    is_compiler = False


_here = _Here()


def compiled_apart(kernel: Any) -> Any:
    """Let a kernel of Numba's compile on threads that are started for it; returns the kernel.

    A kernel that others call is compiled on the thread that compiles them, which holds Numba's lock. Where no thread
    can be started, the calling one compiles.
    """
    if not hasattr(kernel, "compile"):  # NUMBA_DISABLE_JIT
        return kernel
    compile_here = kernel.compile

    def compile_apart(signature: Any) -> Any:
        if _here.is_compiler:
            return compile_here(signature)
        results: list[Any] = []
        errors: list[BaseException] = []

        def run() -> None:
            _here.is_compiler = True
            try:
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
