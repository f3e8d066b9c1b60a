"""Calls of functions in the same process: of a notebook or reference, and, within the sandbox, of a learner's file."""

import io
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, redirect_stdout
from time import perf_counter
from typing import Any

import numpy as np

from npae.learn.sandbox.call_result import CallError, CallResult
from npae.learn.sandbox.error_text import call_error_of
from npae.learn.sandbox.protocol import LARGEST_BODY, NUMERIC
from npae.utils.types import Array

MOST_VALUES = 100
MOST_PRINTED = 4000  # characters


class InProcess:
    """A ``Caller`` of functions in this process.

    Parameters
    ----------
    functions : dict of str to callable
    folder : str, optional
        Folder of the learner's files, given within the sandbox: only frames of its files are shown, every exception
        becomes a ``CallError``, and output is not captured. Without it KeyboardInterrupt and SystemExit are raised.
    captures : bool, default True
        False for a debugger: output is not captured, and KeyboardInterrupt and SystemExit are raised.
    """

    def __init__(
        self, functions: Mapping[str, Callable[..., Any]], folder: str | None = None, captures: bool = True
    ) -> None:
        self._functions = functions
        self._folder = folder
        self._captures = captures and folder is None
        is_sandbox = folder is not None and captures
        self._catch: type[BaseException] = BaseException if is_sandbox else Exception

    def call(self, function: str, arguments: Sequence[Any]) -> CallResult:
        """The function's results, or the exception that it raised as a ``CallError``."""
        found = self._functions.get(function)
        if not callable(found):
            return CallResult(
                None, CallError("missing", f"there is no function {function}; define it with exactly this name")
            )
        given, printed, start = [_copied(a) for a in arguments], io.StringIO(), perf_counter()
        values, trouble = None, None
        try:
            with redirect_stdout(printed) if self._captures else nullcontext(), np.errstate(all="ignore"):
                values = as_arrays(found(*given), function)
        except NoNumbersError as error:
            trouble = CallError("shape", str(error))
        except self._catch as error:
            trouble = call_error_of(error, function, self._folder)
        seconds = perf_counter() - start
        pairs = zip(arguments, given, strict=True)
        changed = tuple(i for i, (old, new) in enumerate(pairs) if values is not None and not _same(old, new))
        return CallResult(values, trouble, printed.getvalue()[:MOST_PRINTED], seconds, changed)


class NoNumbersError(ValueError):
    """A result is neither a number nor an array of numbers."""


def as_arrays(result: Any, function: str = "the function") -> tuple[Array, ...]:
    """A function's results as a tuple of arrays, which are copies; one value gives a tuple of one."""
    if result is None:
        raise NoNumbersError(f"{function} returns None; is a return missing?")
    parts = tuple(result) if isinstance(result, tuple) or _is_list_of_results(result) else (result,)
    if len(parts) > MOST_VALUES:
        raise NoNumbersError(f"{function} returns {len(parts):,} values; expected a tuple of a few arrays")
    views = [_array(function, part, i, len(parts)) for i, part in enumerate(parts, 1)]
    size = sum(view.nbytes for view in views)  # a broadcast view of one number can have a billion elements
    if size > LARGEST_BODY:
        raise NoNumbersError(f"{function} returns {size:,} bytes; nothing here is larger than {LARGEST_BODY:,}")
    return tuple(np.array(view, order="C") for view in views)


def _is_list_of_results(result: Any) -> bool:
    """Whether a list holds several results: arrays, or lists of numbers that are no rows of one array."""
    if not isinstance(result, list):
        return False
    if any(isinstance(part, np.ndarray) for part in result):
        return True
    try:
        return not NUMERIC.fullmatch(np.asarray(result).dtype.str)
    except (ValueError, TypeError):  # lists of different shapes
        return True


def _array(function: str, part: Any, number: int, count: int) -> Array:
    what = type(part).__name__
    try:
        array = np.asarray(part)
    except (ValueError, TypeError):  # a ragged list
        array = np.array(None)
    if not NUMERIC.fullmatch(array.dtype.str):
        what += f" of dtype {array.dtype}" if isinstance(part, np.ndarray) else ""
        place = f", as result {number} of {count}" if count > 1 else ""
        raise NoNumbersError(
            f"{function} returns a value of type {what}{place}; "
            "expected an array of numbers, a list of them, or a number"
        )
    return array


def _copied(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return type(value)(map(_copied, value))
    return value.copy() if isinstance(value, np.ndarray) else value


def _same(a: Any, b: Any) -> bool:
    """Whether the numbers are the same, bit for bit; True for values that are neither arrays nor tuples."""
    if isinstance(a, np.ndarray):
        return bool(a.shape == b.shape and a.tobytes() == b.tobytes())
    return not isinstance(a, tuple | list) or (len(a) == len(b) and all(map(_same, a, b)))
