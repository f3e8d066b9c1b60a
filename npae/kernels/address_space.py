"""Refuse to load the compiler where it could not run: without memory LLVM ends the process, or never returns."""

import os
import sys
from pathlib import Path

#: Address space in bytes that Numba, LLVM and the first kernels take, measured as 0.45 to 0.6 GB.
NEEDED = 600 * 2**20
MIB = 2**20


def require_address_space(statm: Path = Path("/proc/self/statm")) -> None:
    """Raise MemoryError if the limit on this process's address space leaves too little for the compiler.

    Raises
    ------
    MemoryError
        If Numba is yet to be loaded and less than ``NEEDED`` is left.
    """
    left = None if "numba" in sys.modules else _left(statm)
    if left is not None and left < NEEDED:
        raise MemoryError(
            f"Numba's compiler needs about {NEEDED // MIB} MiB of address space, but the limit of this process leaves "
            f"{max(left, 0) // MIB} MiB; raise it (ulimit -v), or set NUMBA_DISABLE_JIT=1 for the slow kernels of NumPy"
        )


def _left(statm: Path) -> int | None:
    """Bytes of address space that this process may still take; None without a limit."""
    try:
        import resource
    except ImportError:  # not on Windows
        return None
    most, _ = resource.getrlimit(resource.RLIMIT_AS)
    try:
        pages = int(statm.read_text(encoding="utf-8").split()[0])
    except (OSError, ValueError, IndexError):
        return None
    return None if most == resource.RLIM_INFINITY else most - pages * os.sysconf("SC_PAGESIZE")
