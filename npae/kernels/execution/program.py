"""Programs: recorded kernel calls that are replayed without Python.

A training step makes the same calls each time: the same kernels with the same buffers, whose contents change. Python's
overhead of a few microseconds a call takes as long as a small kernel, and only one thread at a time can hold the GIL.
So the calls are *recorded*, as the address of a kernel's machine code and the addresses, shapes and numbers of its
arguments, and one compiled loop makes them all. If a kernel has no machine code, Python makes the calls.
"""

from collections.abc import Callable
from functools import cache, cached_property
from types import ModuleType
from typing import Any

import numpy as np

from npae.kernels.execution.array_types import type_of_array
from npae.kernels.reference.array import Array

NO_MEMORY = "a kernel could not allocate the memory it needs; choose a smaller batch or network"


class Call:
    """A call of a kernel with arguments; of arrays the contents are read when a program runs.

    Parameters
    ----------
    kernel : function
    arguments : tuple
        Arrays, which it keeps alive, and numbers.

    Raises
    ------
    ValueError
        If an array is not C-contiguous.
    """

    def __init__(self, kernel: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        if not all(a.flags.c_contiguous for a in arguments if isinstance(a, np.ndarray)):
            raise ValueError(f"an array given to {kernel.__name__} is not C-contiguous; give a copy of it")
        self.kernel, self.arguments = kernel, arguments
        self._type_of_first: Any = None  # of the first array, once that is released

    @cached_property
    def row(self) -> tuple[int, int]:
        """The address of the trampoline and that of the words."""
        from npae.kernels.execution.trampoline import trampoline

        return trampoline(self.kernel, self.arguments), self._words.ctypes.data

    def reading(self, array: Array) -> "Call":
        """The call with another first array.

        Its words are changed in place where the array has the type of the former one, since to make a call anew takes
        as long as a kernel of a few rows. Otherwise a new call is returned, and this one must not be made again.
        """
        self.release()
        if "_words" not in vars(self) or type_of_array(array) != self._type_of_first or not array.flags.c_contiguous:
            return Call(self.kernel, (array, *self.arguments[1:]))
        self.arguments = (array, *self.arguments[1:])
        self._words[: 1 + array.ndim] = array.ctypes.data, *array.shape
        return self

    def release(self) -> None:
        """Drop the first array; the call is not made before ``reading`` gives it another."""
        if self.arguments[0] is not None:
            self._type_of_first = type_of_array(self.arguments[0])
            self.arguments = (None, *self.arguments[1:])

    @cached_property
    def _words(self) -> Array:
        """The words, which must live as long as their address is used."""
        from npae.kernels.execution.trampoline import words_of

        return words_of(self.arguments)


class Program:
    """A list of recorded calls.

    Attributes
    ----------
    is_native : bool
        Whether every kernel is compiled, so that none is a reference kernel or another Python function.
    """

    def __init__(self) -> None:
        self.is_native = True
        self._calls: list[Call] = []  # also keeps the arrays alive
        self._table: Array | None = None

    def add(self, kernel: Callable[..., Any], *arguments: Any) -> None:
        """Record ``kernel(*arguments)``; the contents of arrays are read when the program runs.

        Raises
        ------
        ValueError
            If an array is not C-contiguous.
        """
        self._calls.append(Call(kernel, arguments))
        self._table = None
        self.is_native = self.is_native and hasattr(kernel, "overloads")

    def replace(self, i: int, call: Call) -> None:
        """Make another call in place of call ``i``, of a kernel that is compiled if that of the former is."""
        self._calls[i] = call
        if self._table is not None:
            self._table[i] = call.row

    def repeated(self, times: int) -> "Program":
        """A program that makes the calls of this one ``times`` times."""
        other = Program()
        other.is_native = self.is_native
        other._calls = self._calls * times
        if self.is_native:
            other._table = np.tile(self.table, (times, 1))
        return other

    def __len__(self) -> int:
        return len(self._calls)

    @property
    def calls(self) -> list[Call]:
        """The calls, in their order."""
        return self._calls

    @property
    def table(self) -> Array:
        """Array (calls, 2): for each call the address of its trampoline and that of its words."""
        if self._table is None:
            self._table = np.array([call.row for call in self._calls], dtype=np.int64).reshape(-1, 2)
        return self._table

    def run(self) -> None:
        """Make the calls; raises MemoryError if a kernel cannot allocate memory."""
        if not self.is_native or not self._calls:
            for call in self._calls:
                call.kernel(*call.arguments)
            return
        if _loop()(self.table):
            raise MemoryError(NO_MEMORY)


@cache
def _loop() -> Callable[[Array], int]:
    """The loop over a table, imported at its first use, since Numba takes long to import."""
    from npae.kernels.execution.trampoline import run_calls

    return run_calls


class Recorder:
    """A substitute for a kernel module whose functions add calls to a program instead of making them."""

    def __init__(self, kernels: ModuleType, program: Program) -> None:
        self._kernels, self._program = kernels, program

    def __getattr__(self, name: str) -> Callable[..., None]:
        kernel = getattr(self._kernels, name)
        return lambda *arguments: self._program.add(kernel, *arguments)
