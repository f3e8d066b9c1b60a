"""How every kernel is compiled: the policy, in one decorator.

Kernels release the GIL, so that threads run side by side, and are serial, because a batch is shared out above them.
Sums may be reassociated and contracted, which is what makes them fast, but NaN and infinity keep their meaning.
Machine code is made at a kernel's first call and kept on disk; see ``machine_code``. Numba looks whether the kernel's
own file has changed, not at the files that it uses, nor at constants that they compute. So the name of the file in
which machine code is kept has ``VARIANT`` in it: the digest of all kernels' sources, and that of the target and the
compiler.
"""

import warnings
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

from npae.kernels.machine_code import MachineCode
from npae.kernels.target import VARIANT

Function = TypeVar("Function", bound=Callable[..., Any])

_warned = False


def jit(function: Function) -> Function:
    """Compile at the first call, once for each dtype."""
    return _compile(function, {"contract", "reassoc"})


def exact_jit(function: Function) -> Function:
    """As ``jit``, but every sum is rounded in the order in which it is written."""
    return _compile(function, {"contract"})


def _compile(function: Function, fastmath: set[str]) -> Function:
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": fastmath}
    njit: Any = numba.njit
    name = function.__qualname__
    function.__qualname__ = f"{name}.{VARIANT}"  # Numba names the file after it
    try:
        compiled = njit(**options)(function)
        if hasattr(compiled, "enable_caching"):  # else NUMBA_DISABLE_JIT is set
            compiled._cache = MachineCode(function)
    except RuntimeError as error:  # neither the package's folder nor the user's can be written
        _warn_once(error)
    finally:
        function.__qualname__ = name
    return cast(Function, compiled)


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
