"""The hot loops, behind a border: nothing in this folder imports the rest of npae.

A kernel takes C-contiguous arrays, inputs first and outputs last, checks nothing and returns nothing. There are two
sets of the same names: ``reference``, in plain NumPy, says what each kernel computes; ``compiled``, in Numba, computes
it fast. A test holds each against the other.
"""

import os
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from npae.kernels.numba_settings import ignore_files

ignore_files()  # before the first import of Numba


def default_kernels() -> ModuleType:
    """The compiled kernels where Numba is installed and may compile, otherwise the reference."""
    if find_spec("numba") is None or os.environ.get("NUMBA_DISABLE_JIT", "0") != "0":
        return reference_kernels()
    return import_module("npae.kernels.compiled")


def reference_kernels() -> ModuleType:
    """The kernels in plain NumPy; numba is not imported."""
    return import_module("npae.kernels.reference")
