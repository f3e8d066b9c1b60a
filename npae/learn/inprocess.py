"""Calls in this process: for functions of a notebook, and for an exercise's own reference. A learner's file is called
in another process, by ``asking.Worker``.
"""

import io
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from time import monotonic
from typing import Any

import numpy as np

from npae.learn.answer import Answer, Trouble
from npae.learn.cases import copied
from npae.types import Array


class InProcess:
    """A ``Caller`` of functions that are at hand.

    Parameters
    ----------
    functions : dict of str to callable
    """

    def __init__(self, functions: Mapping[str, Callable[..., Any]]) -> None:
        self._functions = functions

    def call(self, function: str, arguments: Sequence[Any]) -> Answer:
        """The function's answer, or what it raised."""
        given = [copied(a) for a in arguments]
        printed = io.StringIO()
        start = monotonic()
        if function not in self._functions:
            return Answer(None, Trouble("missing", f"there is no function {function}"))
        try:
            with redirect_stdout(printed), np.errstate(all="ignore"):
                result = self._functions[function](*given)
                values = as_arrays(function, result)
        except NotImplementedError:
            return Answer(None, Trouble("missing", f"{function} is not written yet"))
        except MemoryError:
            return Answer(None, Trouble("memory", f"{function} asks for more memory than there is"))
        except NoNumbersError as error:
            return Answer(None, Trouble("shape", str(error)), printed.getvalue())
        except Exception as error:
            return Answer(None, Trouble("error", _told(error)), printed.getvalue())
        changed = tuple(i for i, (old, new) in enumerate(zip(arguments, given, strict=True)) if not _same(old, new))
        return Answer(values, None, printed.getvalue(), monotonic() - start, changed)


class NoNumbersError(ValueError):
    """What was returned is neither numbers nor arrays of them."""


def as_arrays(function: str, result: Any) -> tuple[Array, ...]:
    """What a function returned, as a tuple of arrays that share nothing with it."""
    if result is None:
        raise NoNumbersError(f"{function} returns None; is a return missing?")
    parts = tuple(result) if isinstance(result, tuple | list) else (result,)
    arrays = []
    for part in parts:
        try:
            array = np.array(part)
        except ValueError:
            array = np.array(None)
        if array.dtype.kind not in "fiubc":
            raise NoNumbersError(f"{function} returns a {type(part).__name__}; expected an array of numbers")
        arrays.append(array)
    return tuple(arrays)


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, tuple):
        return all(map(_same, a, b))
    return not isinstance(a, np.ndarray) or np.array_equal(a, b, equal_nan=True)


def _told(error: Exception) -> str:
    """What was raised, and the lines that led there, without those that belong to npae and NumPy."""
    lines = [f"{type(error).__name__}: {error}"]
    lines += [
        f"  line {frame.lineno}, in {frame.name}: {frame.line}"
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename != __file__ and "/numpy/" not in frame.filename.replace("\\", "/")
    ]
    return "\n".join(lines)
