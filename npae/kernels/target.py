"""The processor that Numba compiles for, the number of rows of a tile on it, and the key of the kernel cache.

Numba compiles for this machine's processor, or for the one that ``NUMBA_CPU_NAME`` and ``NUMBA_CPU_FEATURES`` name, and
caches machine code under that target. The number of rows is computed from the same target, so it is unique for each.
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

_numba: Any = numba  # only some versions of Numba have type annotations
_registry: Any = registry


def numba_target() -> tuple[str, str, str]:
    """The key of Numba's cache: target triple, processor name, and processor features."""
    triple, name, features = _registry.cpu_target.target_context.codegen().magic_tuple()
    return triple, name, features


def rows_for(target: tuple[str, str, str]) -> int:
    """Number of rows of a tile: as many 64-byte sums as fit the vector registers together with 64 bytes of B.

    AVX-512 has 32 registers of 64 bytes; 7 divides the rows of images of 28, 14 and 7, and more rows only take longer
    to compile. AVX has 16 of 32 bytes: 6 rows take 12 registers and a line of B takes 2. 64-bit ARM processors have 32
    of 16 bytes: 6 rows take 24 and a line takes 4. Plain x86-64 has 16 of 16 bytes: 3 or more rows would be spilled to
    the stack at every step. Two rows fit any other processor, too.
    """
    triple, _, features = target
    has = features.split(",")
    if any(feature.startswith("+avx512") for feature in has):
        return 7
    if "+avx" in has or "+avx2" in has or triple.startswith(("aarch64", "arm64")):
        return 6
    return 2


def source_digest(folder: Path) -> str:
    """Digest of the source files of all kernels and helpers, since inlined machine code depends on several of them.

    In a frozen program there are no source files; there only Numba's own check of each kernel's file applies.
    """
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


TARGET = numba_target()
ROWS = rows_for(TARGET)
SOURCES = source_digest(Path(__file__).parent)

_COMPILER = repr((TARGET, ROWS, _numba.__version__, llvmlite.__version__))

#: Part of the name of every cache file: processes with different values never load each other's machine code.
VARIANT = f"{SOURCES}.{hashlib.sha256(_COMPILER.encode()).hexdigest()[:12]}"
