"""Functions that several kernels call have one machine code, which is there before that of any kernel is loaded."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest
from helpers.paths import ROOT

from npae.kernels import default_kernels, reference_kernels
from npae.kernels.jit import called_by_kernels
from npae.kernels.shared_code import needed_by, share

pytestmark = pytest.mark.skipif(default_kernels() is reference_kernels(), reason="nothing is compiled")

#: A kernel and the shared function that it calls: whether each came from the disk, and the warnings.
PROGRAM = """
import warnings
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    import numpy as np
    from npae.kernels.compiled.data_movement import _within, count_within
    count = np.zeros(1, np.int64)
    count_within(np.array([-1.0, 0.5, 2.0]), 0.0, 1.0, count)
assert count[0] == 1, count
print(*(sum(kernel.stats.cache_hits.values()) for kernel in (count_within, _within)), len(told))
"""


def loaded(cache: Path) -> list[int]:
    """Whether the kernel and the function that it shares were loaded, and the number of warnings."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NUMBA_CACHE_DIR": str(cache)}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [int(number) for number in done.stdout.split()]


def test_a_kernel_is_loaded_whatever_became_of_the_function_that_it_shares(tmp_path: Path) -> None:
    assert loaded(tmp_path) == [0, 0, 0]
    (shared,) = tmp_path.rglob("*._within.*.nbc")
    shared.unlink()
    assert loaded(tmp_path) == [1, 0, 0]
    shared.write_bytes(b"")
    assert loaded(tmp_path) == [1, 0, 1]


def of_some_length(x: float) -> float:
    """LLVM would inline it if it had a copy."""
    return x * x + 1.0


def inner(function: Callable[..., Any], **options: Any) -> Any:
    return numba.njit(**options)(function)


def calling(callee: Any) -> Any:
    """Numba's result of compiling a function that calls another one."""
    caller: Any = numba.njit(lambda x: callee(x) - 1.0)
    assert caller(3.0) == 9.0
    return caller.overloads[numba.float64,]


def test_a_caller_has_no_copy_of_a_shared_function() -> None:
    (needed,) = needed_by(calling(share(inner(of_some_length))).library)
    assert needed == (__name__, "of_some_length", (numba.float64,))
    assert needed_by(calling(inner(of_some_length)).library) == []


def test_an_error_in_a_shared_function_reaches_the_caller() -> None:
    def refuse(x: float) -> float:
        if x < 0:
            raise ValueError("below zero")
        return x

    callee = share(inner(refuse))
    caller: Any = numba.njit(lambda x: callee(x) + 1.0)
    assert caller(2.0) == 3.0
    with pytest.raises(ValueError, match="below zero"):
        caller(-2.0)


def test_a_function_without_an_entry_for_python_can_be_called_from_it() -> None:
    function = called_by_kernels(inner(of_some_length, no_cpython_wrapper=True))
    assert [function(2.0), function(3.0)] == [5.0, 10.0]
    assert function(np.float32(2)) == 5.0
    assert calling(function).library.get_pointer_to_function(function.overloads[numba.float64,].fndesc.mangled_name)
