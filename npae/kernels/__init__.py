"""Kernels: the numerical functions of all layers, losses and optimizers. They import nothing else of npae.

A kernel takes C-contiguous arrays, inputs first and outputs last, validates nothing and returns None. There are two
implementations with the same names: ``reference``, in plain NumPy, is the specification; ``compiled``, in Numba, is
fast. Tests compare them.
"""

import os
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from npae.kernels.address_space import require_address_space
from npae.kernels.numba_settings import ignore_files

ignore_files()  # before the first import of Numba


def default_kernels() -> ModuleType:
    """The compiled kernels if Numba is installed and NUMBA_DISABLE_JIT is not set, otherwise the reference.

    Raises
    ------
    MemoryError
        If the limit on address space leaves too little for the compiler.
    ImportError
        If Numba refuses one of its settings in the environment.
    """
    if find_spec("numba") is None or os.environ.get("NUMBA_DISABLE_JIT", "0") != "0":
        return reference_kernels()
    require_address_space()
    _import_numba()
    return import_module("npae.kernels.compiled")


def _import_numba() -> None:
    """Import Numba, so that what it says of its settings is not taken for a fault of what was about to be done."""
    try:
        import_module("numba")
    except ValueError as error:
        settings = sorted(name for name in os.environ if name.startswith("NUMBA_"))
        raise ImportError(
            f"Numba refuses a setting in the environment ({error}); correct or unset {' or '.join(settings)}"
        ) from error


def reference_kernels() -> ModuleType:
    """The kernels in plain NumPy; Numba is not imported."""
    return import_module("npae.kernels.reference")
