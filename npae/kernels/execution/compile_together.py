"""Compile the kernels of a plan in two processes at once, where several of them are not on disk yet.

Numba compiles one function at a time in a process. But all calls of a plan are known before the first is made, and
machine code is kept on disk. So a second process compiles the last kernels of a list and works towards its beginning,
while this one works from the beginning on and loads what the other has compiled. Nothing depends on the other process:
where it cannot be started, or ends early, this one compiles all.
"""

import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from npae.kernels.execution.processors import usable_processors

FEWEST = 4  # kernels for which a process is started
LONGEST = 60.0  # seconds to wait for a kernel that the second process has begun, and for its end
PACKAGE = str(Path(__file__).parents[2])  # the folder of npae

#: The first to be compiled. They call the same shared functions, which take longer to compile than these kernels. The
#: first process compiles those functions with the first kernel; until then the second one leaves the others alone.
DENSE = ("affine", "matmul_transposed_left", "matmul_transposed_right")

#: Functions that a kernel calls with its own arguments, last of all: until the first process comes to them, the second
#: one has compiled them.
PARTS = {"affine": "_affine_of_few"}

#: The next; those that call the same shared functions are next to each other.
CONVOLUTIONS = (
    *("convolution", "convolution_relu_max_pool", "upsample_convolution_gradient", "convolution_weight_gradient"),
    *("convolution_relu_max_pool_gradient", "transposed_convolution", "upsample_convolution"),
    *("winograd_convolution_relu_max_pool", "winograd_convolution", "winograd_weight_gradient"),
    "winograd_one_channel_relu_max_pool",
    *("upsample_convolution_by_taps", "upsample_convolution_by_taps_gradient"),
    *("winograd_upsample_convolution", "winograd_upsample_convolution_gradient"),
)

#: The program of the second process; it looks for modules where this one does, and not in the working directory. It
#: imports npae's kernels alone, without the package's own file, which imports all the rest. It ends at once: to take
#: apart all that the compiler has made lasts a second, for which the first process would wait.
BOOTSTRAP = """
import os, pickle, sys, types
sys.path[:], package = pickle.load(sys.stdin.buffer), types.ModuleType("npae")
package.__path__ = [pickle.load(sys.stdin.buffer)]
sys.modules["npae"] = package
from npae.kernels.execution.compile_together import compile_backwards
compile_backwards(sys.stdin.buffer, sys.stdout.buffer)
os._exit(0)
"""


class Wanted(NamedTuple):
    """A kernel to be compiled, and the types of its arguments."""

    module: str
    name: str
    kinds: tuple[Any, ...]


def compile_together(calls: Iterable[tuple[Any, tuple[Any, ...]]]) -> None:
    """Compile kernels, given with the types of their arguments, if so many are missing that two processes gain."""
    new = [(kernel, kinds) for kernel, kinds in calls if _is_missing(kernel, kinds)]
    missing = {Wanted(kernel.py_func.__module__, kernel.__name__, kinds): kernel for kernel, kinds in new}
    if len(missing) < FEWEST or usable_processors() == 1 or not _can_start_python():
        return
    order = sorted(missing, key=lambda wanted: _place(wanted.name))
    helper = Helper(order)
    try:
        for i, wanted in enumerate(order):
            helper.leave(i)
            missing[wanted].compile(wanted.kinds)
    finally:
        helper.end()


def _can_start_python() -> bool:
    """Whether ``sys.executable`` is Python; of a program that Python is a part of it would start that program again."""
    return "python" in Path(sys.executable or "").name.lower() and not hasattr(sys, "frozen")


def _is_missing(kernel: Any, kinds: tuple[Any, ...]) -> bool:
    """Whether a kernel is neither compiled nor on disk, where it could be kept."""
    cache: Any = getattr(kernel, "_cache", None)
    if kinds in kernel.overloads or not hasattr(cache, "has"):
        return False
    return not cache.has(kinds, kernel.targetctx.codegen())


def _place(name: str) -> int:
    first = DENSE + CONVOLUTIONS
    return first.index(name) if name in first else len(first)


class Helper:
    """The second process, seen from the first.

    Parameters
    ----------
    order : sequence of Wanted
        Of which it compiles the last one first.
    """

    def __init__(self, order: Sequence[Wanted]) -> None:
        self._begun, self._done = len(order), len(order)  # the kernels from these on
        self._news = threading.Condition()
        self._process: subprocess.Popen[bytes] | None = None
        command = [sys.executable, "-P", "-c", BOOTSTRAP]
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
            )
        except OSError:
            return
        self._process = process
        self._listener = threading.Thread(target=self._listen, name="npae compiler's news", daemon=True)
        try:
            self._listener.start()
        except RuntimeError:  # no more threads can be started
            process.kill()
            process.communicate()
            self._process = None
            return
        self._tell(b"".join(map(pickle.dumps, (sys.path, PACKAGE, list(order)))))

    def _tell(self, content: bytes) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        with suppress(OSError):  # it has ended
            self._process.stdin.write(content)

    def _listen(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        with self._process.stdout as said:
            while news := said.read(1):
                with self._news:
                    if news == b"b":
                        self._begun -= 1
                    else:
                        self._done -= 1
                    self._news.notify_all()
        with self._news:
            self._done = self._begun = 0  # nothing to wait for
            self._news.notify_all()

    def leave(self, i: int) -> None:
        """Tell it that kernel ``i`` is compiled here, or wait until it is compiled there if it was begun."""
        if self._process is None:
            return
        self._tell(b".")
        with self._news:
            self._news.wait_for(lambda: self._begun > i or self._done <= i, LONGEST)

    def end(self) -> None:
        """Let it end after the kernel that it is compiling, and wait for that."""
        if self._process is None:
            return
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(LONGEST)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listener.join()


def compile_backwards(given: BinaryIO, said: BinaryIO) -> None:
    """The second process: compile from the last kernel on, until the first process has come to the same."""
    order: list[Wanted] = pickle.load(given)
    taken = _Count()
    threading.Thread(target=taken.count, args=(given,), daemon=True).start()
    parts = [Wanted(module, PARTS[name], kinds) for module, name, kinds in order if name in PARTS]
    for module, name, kinds in parts:
        getattr(import_module(module), name).compile(kinds)
    for i in reversed(range(len(order))):
        if order[i].name in DENSE:
            taken.wait_for_second()
        if taken.number > i or taken.has_ended:
            return
        said.write(b"b")
        said.flush()
        module, name, kinds = order[i]
        compile_kernel: Callable[..., Any] = getattr(import_module(module), name).compile
        compile_kernel(kinds)
        said.write(b"d")
        said.flush()


class _Count:
    """How many kernels the first process has begun."""

    def __init__(self) -> None:
        self.number, self.has_ended = 0, False
        self._news = threading.Condition()

    def count(self, given: BinaryIO) -> None:
        while given.read(1):
            with self._news:
                self.number += 1
                self._news.notify_all()
        with self._news:
            self.has_ended = True
            self._news.notify_all()

    def wait_for_second(self) -> None:
        """Wait until it has compiled the first kernel, or has ended."""
        with self._news:
            self._news.wait_for(lambda: self.number > 1 or self.has_ended)
