"""The processor that Numba compiles for, and what depends on it: how many rows a tile has.

Numba compiles for this machine's processor, or for the one that ``NUMBA_CPU_NAME`` and ``NUMBA_CPU_FEATURES`` name, and
keeps machine code under that target. Rows follow the same target, so that one target never has two numbers of rows.
"""

import hashlib
import sys
from pathlib import Path
from typing import Any

import llvmlite
import numba
from numba.core import registry

if sys.maxsize < 2**32 or sys.byteorder != "little":
    raise ImportError(
        f"this machine is {'32-bit' if sys.maxsize < 2**32 else '64-bit'} and {sys.byteorder}-endian; npae's compiled "
        f"kernels need one that is 64-bit and little-endian; run npae on such a machine"
    )

_numba: Any = numba  # some versions of Numba bring types along and some do not
_registry: Any = registry


def numba_target() -> tuple[str, str, str]:
    """What Numba keys machine code on: the machine's triple, the processor's name, and its features."""
    triple, name, features = _registry.cpu_target.target_context.codegen().magic_tuple()
    return triple, name, features


def rows_for(target: tuple[str, str, str]) -> int:
    """The rows of a tile: sums that grow side by side and fit the registers, with a line of B of 64 bytes.

    AVX-512 has 32 registers of 64 bytes; 7 divides the rows of images of 28, 14 and 7, and more would only take longer
    to compile. AVX has 16 of 32 bytes, of which 6 rows take 12 and the line of B takes 2. ARM's 64-bit processors have
    32 of 16 bytes, of which 6 rows take 24 and the line takes 4. Plain x86-64 has 16 of 16 bytes: 3 rows and more are
    stored on the stack and loaded again at every step. Two rows are right for any other processor, too.
    """
    triple, _, features = target
    has = features.split(",")
    if any(feature.startswith("+avx512") for feature in has):
        return 7
    if "+avx" in has or "+avx2" in has or triple.startswith(("aarch64", "arm64")):
        return 6
    return 2


def source_digest(folder: Path) -> str:
    """Of the sources of all kernels and helpers: machine code is made of them together.

    Where they are no files, as in a frozen program, what remains is Numba's own look at the file of each kernel.
    """
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


TARGET = numba_target()
ROWS = rows_for(TARGET)
SOURCES = source_digest(Path(__file__).parent)

_COMPILER = repr((TARGET, ROWS, _numba.__version__, llvmlite.__version__))

#: Part of the name of every file of machine code: processes in which it differs never load each other's; see ``jit``.
VARIANT = f"{SOURCES}.{hashlib.sha256(_COMPILER.encode()).hexdigest()[:12]}"
