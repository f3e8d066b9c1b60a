"""The largest piece of memory that is asked for while code runs: by Python, by NumPy's arrays, or by compiled kernels.

CPython lets its allocator be replaced by one that notes the size and passes the call on (``PyMem_SetAllocator``).
Numba's runtime takes its memory from it, and NumPy's arrays can be told to (NEP 49). The functions that note sizes are
compiled, since kernels call them from several threads without the interpreter's lock.
"""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numba
import numpy as np
from numba import carray, types

from npae.utils.types import Array

RAW = 0  # the domain of memory of which larger objects of the other domains take theirs as well
SET_HANDLER = 304  # place of PyDataMem_SetHandler in the table of NumPy's functions
LARGEST, CONTEXT = 0, 1  # places of a record: the largest size, and what the allocator before is to be called with

_word, _place = ctypes.c_size_t, types.voidptr
_numba: Any = numba


class _Allocator(ctypes.Structure):
    """``PyMemAllocatorEx`` of CPython, and ``PyDataMemAllocator`` of NumPy, whose ``free`` is given the size, too."""

    _fields_ = [(name, _word) for name in ("context", "malloc", "calloc", "realloc", "free")]


class _Handler(ctypes.Structure):
    """``PyDataMem_Handler`` of NumPy."""

    _fields_ = [("name", ctypes.c_char * 127), ("version", ctypes.c_uint8), ("allocator", _Allocator)]


class _Noting:
    """Allocators that note sizes in ``record`` and call the one that was there before."""

    def __init__(self) -> None:
        self.before = _Allocator()
        _python("PyMem_GetAllocator", RAW, ctypes.byref(self.before))
        self.record = np.array([0, self.before.context or 0], np.uintp)
        self._compiled = self._functions()
        malloc, calloc, realloc, free, free_size = (function.address for function in self._compiled)
        context = self.record.ctypes.data
        self.of_python = _Allocator(context, malloc, calloc, realloc, free)
        self.of_arrays = _Handler(b"noting", 1, _Allocator(context, malloc, calloc, realloc, free_size))

    def _functions(self) -> list[Any]:
        """The compiled malloc, calloc, realloc and free, and a free that is given a size."""
        word, before, cfunc = types.uintp, self.before, _numba.cfunc
        malloc_before = ctypes.CFUNCTYPE(_word, _word, _word)(before.malloc)
        calloc_before = ctypes.CFUNCTYPE(_word, _word, _word, _word)(before.calloc)
        realloc_before = ctypes.CFUNCTYPE(_word, _word, _word, _word)(before.realloc)
        free_before = ctypes.CFUNCTYPE(None, _word, _word)(before.free)

        @_numba.njit
        def note(place: Any, size: int) -> Any:
            record = carray(place, 2, np.uintp)
            record[LARGEST] = max(record[LARGEST], size)
            return record[CONTEXT]

        @cfunc(word(_place, word))
        def malloc(place: Any, size: int) -> Any:
            return malloc_before(note(place, size), size)

        @cfunc(word(_place, word, word))
        def calloc(place: Any, n: int, size: int) -> Any:
            return calloc_before(note(place, n * size), n, size)

        @cfunc(word(_place, word, word))
        def realloc(place: Any, memory: int, size: int) -> Any:
            return realloc_before(note(place, size), memory, size)

        @cfunc(types.void(_place, word))
        def free(place: Any, memory: int) -> None:
            free_before(note(place, 0), memory)

        @cfunc(types.void(_place, word, word))
        def free_size(place: Any, memory: int, size: int) -> None:
            free_before(note(place, 0), memory)

        return [malloc, calloc, realloc, free, free_size]


@cache
def _noting() -> _Noting:
    """The same in the whole process, since memory of it may be freed at any later time."""
    return _Noting()


def _python(name: str, *arguments: Any) -> None:
    getattr(ctypes.pythonapi, name)(*arguments)


def _set_array_handler(capsule: Any) -> Any:
    """Let NumPy allocate new arrays with a handler, given as a capsule; the one before."""
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_char_p)
    core: Any = np._core  # type: ignore[attr-defined]
    table = ctypes.cast(pointer(core._multiarray_umath._ARRAY_API, None), ctypes.POINTER(ctypes.c_void_p))
    return ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object)(table[SET_HANDLER])(capsule)


def _capsule(handler: _Handler) -> Any:
    new = ctypes.pythonapi.PyCapsule_New
    new.restype, new.argtypes = ctypes.py_object, (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
    return new(ctypes.addressof(handler), b"mem_handler", None)


@contextmanager
def noted_allocations() -> Iterator[Array]:
    """Note allocations of this thread's NumPy arrays, and of Python and kernels in all threads.

    Yields
    ------
    ndarray of uintp
        Its first number is the largest size so far, in bytes; it may be set to 0.
    """
    noting = _noting()
    noting.record[LARGEST] = 0
    before = _set_array_handler(_capsule(noting.of_arrays))
    _python("PyMem_SetAllocator", RAW, ctypes.byref(noting.of_python))
    try:
        yield noting.record
    finally:
        _python("PyMem_SetAllocator", RAW, ctypes.byref(noting.before))
        _set_array_handler(before)
