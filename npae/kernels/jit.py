"""The Numba decorators of all kernels: compiler options and the cache on disk.

Kernels release the GIL, so that threads run in parallel, and are serial themselves, because the callers divide a batch
among threads. Sums may be reassociated and contracted, which makes them fast; NaN and infinity are preserved.
Machine code is compiled at a kernel's first call and cached on disk. Numba invalidates the cache when the kernel's own
file changes, but not for changes in files that it imports or in constants computed there. So the name of the cache file
contains ``VARIANT``: a digest of the sources of all kernels, of the target and of the compiler.
"""

import warnings
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

from npae.kernels.target import VARIANT

Function = TypeVar("Function", bound=Callable[..., Any])

_warned = False


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
        return cast(Function, njit(cache=True, **options)(function))
    except RuntimeError as error:  # neither the package's folder nor the user's cache folder is writable
        _warn_once(error)
        return cast(Function, njit(**options)(function))
    finally:
        function.__qualname__ = name


def _warn_once(error: RuntimeError) -> None:
    global _warned
    if not _warned:
        _warned = True
        warnings.warn(
            f"npae compiles its kernels anew in every process, because they cannot be kept on disk ({error}); "
            f"set NUMBA_CACHE_DIR to a folder that can be written",
            RuntimeWarning,
            stacklevel=4,
        )
