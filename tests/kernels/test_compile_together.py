"""A second process compiles some of the kernels of a plan; with or without it the same kernels are compiled."""

import io
import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from helpers.paths import ROOT

from npae.kernels import default_kernels, reference_kernels
from npae.kernels.execution import compile_together

pytestmark = pytest.mark.skipif(default_kernels() is reference_kernels(), reason="nothing is compiled")

#: Four kernels with one call each; with PATIENT the first process waits until the second has begun the last kernel.
PROGRAM = """
import os, subprocess, sys, threading, warnings
warnings.simplefilter("error")
import numpy as np
from npae.kernels import compiled
from npae.kernels.execution import compile_together
from npae.kernels.execution.program import Program
from npae.kernels.execution.thread_team import Plan
compile_together.usable_processors = lambda: int(os.environ["PROCESSORS"])
compile_together.BOOTSTRAP = os.environ.get("BOOTSTRAP", compile_together.BOOTSTRAP)
sys.executable = os.environ.get("EXECUTABLE", sys.executable)
class Patient(compile_together.Helper):
    def __init__(self, order):
        super().__init__(order)
        with self._news:
            assert self._news.wait_for(lambda: self._begun == 0, 120)
if os.environ.get("PATIENT"):
    compile_together.Helper = Patient
if os.environ.get("THREADS"):
    def refuse(thread):
        raise RuntimeError("can't start new thread")
    threading.Thread.start = refuse
started, start = [], subprocess.Popen
def note(*arguments, **options):
    started.append(start(*arguments, **options))
    return started[-1]
subprocess.Popen = note
x, y, program = np.array([-1.0, 2.0]), np.zeros(2), Program()
for kernel in (compiled.relu, compiled.relu_gradient, compiled.leaky_relu, compiled.total):
    gives = {"relu": (x, y), "relu_gradient": (x, x, y), "leaky_relu": (x, 0.5, y), "total": (x, y[:1])}
    program.add(kernel, *gives[kernel.__name__])
assert Plan([program]).tables.shape == (1, 1, 2)
program.run()
assert y.tolist() == [1.0, 2.0], y
kernels = [call.kernel for call in program.calls]
hits = sum(sum(kernel.stats.cache_hits.values()) for kernel in kernels)
print(len(started), hits, int("numba.np.linalg" in sys.modules))
"""


def run(cache: Path, **more: str) -> list[int]:
    """Processes started, kernels loaded from the disk, and whether what Numba compiles with was imported (1 or 0)."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NUMBA_CACHE_DIR": str(cache), "PROCESSORS": "2", **more}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [int(number) for number in done.stdout.split()]


def test_what_the_second_process_has_compiled_is_loaded_and_later_no_compiler_is_started(
    tmp_path: Path,
) -> None:
    assert run(tmp_path, PATIENT="1")[:2] == [1, 4]
    assert run(tmp_path) == [0, 4, 0]


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"BOOTSTRAP": "import sys; sys.stdout.write('b'); sys.stdout.flush()"}, id="it ends in between"),
        pytest.param({"EXECUTABLE": "/no/python"}, id="it cannot be started"),
        pytest.param({"THREADS": "1"}, id="no thread can be started"),
    ],
)
def test_without_the_second_process_all_is_compiled_here(tmp_path: Path, more: dict[str, str]) -> None:
    assert run(tmp_path, **more)[1:] == [0, 1]


class StartedError(Exception):
    """A second process would have been started."""


def would_start(monkeypatch: pytest.MonkeyPatch, kernels: int, processors: int, executable: str | None) -> bool:
    """Whether a second process would be started for so many kernels that no disk has."""

    class Kernel:
        overloads: ClassVar[dict[Any, Any]] = {}
        targetctx = default_kernels().affine.targetctx
        _cache = SimpleNamespace(has=lambda kinds, codegen: False)

        def __init__(self, name: str) -> None:
            self.__name__, self.py_func = name, would_start
            self.compile = lambda kinds: None

    def start(order: Any) -> None:
        raise StartedError

    monkeypatch.setattr(compile_together, "Helper", start)
    monkeypatch.setattr(compile_together, "usable_processors", lambda: processors)
    monkeypatch.setattr(sys, "executable", executable)
    try:
        compile_together.compile_together([(Kernel(f"kernel_{i}"), ()) for i in range(kernels)])
    except StartedError:
        return True
    return False


@pytest.mark.parametrize(
    ("kernels", "processors", "executable", "is_started"),
    [
        (4, 2, "/usr/bin/python3.13", True),
        (3, 2, "/usr/bin/python3.13", False),
        (4, 1, "/usr/bin/python3.13", False),
        (4, 2, "/usr/sbin/server", False),
        (4, 2, "", False),
        (4, 2, None, False),
    ],
)
def test_a_second_process_is_started_for_several_kernels_where_there_is_python_and_a_processor(
    monkeypatch: pytest.MonkeyPatch, kernels: int, processors: int, executable: str | None, is_started: bool
) -> None:
    assert would_start(monkeypatch, kernels, processors, executable) is is_started


def test_the_second_process_begins_with_parts_and_leaves_dense_kernels_until_the_first_of_them_is_compiled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compiled: list[str] = []
    is_first_done, is_last_done = threading.Event(), threading.Event()

    class Kernel:
        def __init__(self, name: str) -> None:
            self.name = name

        def compile(self, kinds: tuple[Any, ...]) -> None:
            assert is_first_done.is_set() is (self.name == "matmul_transposed_right")
            compiled.append(self.name)
            if self.name == "relu":
                is_last_done.set()

    names = ("affine", "matmul_transposed_left", "matmul_transposed_right", "relu", "_affine_of_few")
    monkeypatch.setitem(sys.modules, "kernels_here", SimpleNamespace(**{name: Kernel(name) for name in names}))
    order = [compile_together.Wanted("kernels_here", name, ()) for name in names[:4]]
    reader, writer = os.pipe()
    said = io.BytesIO()
    with os.fdopen(reader, "rb", 0) as given, os.fdopen(writer, "wb", 0) as news:
        news.write(pickle.dumps(order))
        second = threading.Thread(target=compile_together.compile_backwards, args=(given, said))
        second.start()
        news.write(b".")  # the first process is at affine
        assert is_last_done.wait(60)
        second.join(0.1)  # time in which it could go on, and must not
        is_first_done.set()
        news.write(b".")  # now it is at matmul_transposed_left, which ends the second one after what it compiles
        second.join(60)
    assert compiled == ["_affine_of_few", "relu", "matmul_transposed_right"]
    assert said.getvalue() == b"bdbd"
