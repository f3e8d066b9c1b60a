"""Call a learner's function, and say in their words what went wrong: here or in a process of its own."""

import linecache
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from npae.learn.answer import Answer, Trouble
from npae.learn.frames import LARGEST_BODY, NUMERIC
from npae.types import Array

LARGEST_TEXT = 1000  # characters of a message
MOST_FRAMES = 3
MOST_VALUES = 100
PACKAGE = str(Path(__file__).parent)


class Direct:
    """Calls functions in this process; a ``Caller``.

    Parameters
    ----------
    functions : mapping of str to callable
    folder : str, optional
        Where the learner's files are, whose frames a message shows; else all frames of code that nobody installed.
    catch : exception type, default=Exception
        What becomes a trouble. In a process of its own that is everything; in a notebook, Ctrl-C must get through.
    """

    def __init__(
        self, functions: Mapping[str, Any], folder: str | None = None, catch: type[BaseException] = Exception
    ) -> None:
        self.functions = functions
        self.folder = folder
        self.catch = catch

    def call(self, function: str, arguments: Sequence[Any]) -> Answer:
        """Call ``function`` with copies of ``arguments``."""
        found = self.functions.get(function)
        if not callable(found):
            text = f"there is no function {function!r}; define it with exactly this name"
            return Answer(None, Trouble("missing", text))
        given, start = [_copied(a) for a in arguments], time.perf_counter()
        try:
            values = as_arrays(found(*given))
        except WrongReturn as error:
            return Answer(None, Trouble("shape", f"{function} {error}"), seconds=time.perf_counter() - start)
        except self.catch as error:
            trouble = trouble_of(error, function, self.folder)
            return Answer(None, trouble, seconds=time.perf_counter() - start)
        seconds = time.perf_counter() - start
        changed = tuple(i for i, (a, b) in enumerate(zip(given, arguments, strict=True)) if not _same(a, b))
        return Answer(values, seconds=seconds, changed=changed)


class WrongReturn(TypeError):
    """A function returned something else than arrays of numbers."""


def as_arrays(result: Any) -> tuple[Array, ...]:
    """Copies of what a function returned, a tuple of arrays; one value is a tuple of one.

    Raises
    ------
    WrongReturn
        The end of a sentence that begins with the function's name.
    """
    if result is None:
        raise WrongReturn("returned None; is there a return at its end?")
    several = isinstance(result, tuple) or (
        isinstance(result, list) and any(isinstance(value, np.ndarray) for value in result)
    )
    values = result if several else (result,)
    if len(values) > MOST_VALUES:
        raise WrongReturn(f"returned {len(values):,} values; return a tuple of a few arrays")
    arrays = [_as_array(v, f"returned as value {i} of {len(values)}") for i, v in enumerate(values, start=1)]
    size = sum(array.nbytes for array in arrays)  # a view of one number may say that it has a billion
    if size > LARGEST_BODY:
        shapes = ", ".join(str(array.shape) for array in arrays[:MOST_FRAMES])
        raise WrongReturn(f"returned {size:,} bytes, of shapes {shapes}; nothing here is so large")
    return tuple(np.array(array, order="C") for array in arrays)


def _as_array(value: Any, place: str) -> Array:
    what = type(value).__name__
    if value is None:
        raise WrongReturn(f"{place} None; return an array")
    try:
        array = np.asarray(value)
    except (ValueError, TypeError):  # ragged lists
        raise WrongReturn(f"{place} a {what} that is no array of numbers") from None
    if not NUMERIC.fullmatch(array.dtype.str):
        what += f" of dtype {array.dtype}" if isinstance(value, np.ndarray) else ""
        raise WrongReturn(f"{place} a {what}; return an array of numbers")
    return array


def load(source: bytes, path: str) -> ModuleType:
    """The module of these lines, run as the file ``path``; raises whatever they raise."""
    try:
        code = compile(source, path, "exec", dont_inherit=True)
    except SyntaxError:
        try:
            source.decode()
        except UnicodeDecodeError as error:
            raise ValueError(
                f"the file is no UTF-8 text (byte {source[error.start]:#04x} at {error.start}); save it as UTF-8"
            ) from None
        raise
    module = ModuleType(Path(path).stem)
    module.__file__ = path
    linecache.cache[path] = (len(source), None, source.decode(errors="replace").splitlines(keepends=True), path)
    sys.modules[module.__name__] = module
    exec(code, module.__dict__)
    return module


def trouble_of(error: BaseException, function: str | None = None, folder: str | None = None) -> Trouble:
    """What was raised, in a paragraph for the learner: the frames of their own files, then the error.

    Parameters
    ----------
    error : BaseException
    function : str, optional
        That was called; None while the file was being loaded.
    folder : str, optional
        Where the learner's files are.
    """
    if isinstance(error, NotImplementedError) and function:
        text = f"{function} is not written yet: put your lines where it says raise NotImplementedError"
        return Trouble("missing", text)
    if isinstance(error, SyntaxError) and error.filename and function is None:
        place = f"{Path(error.filename).name}:{error.lineno}: {(error.text or '').strip()}\n"
        return Trouble("error", f"{place}{_named(error, error.msg)}"[:LARGEST_TEXT])
    try:
        message = str(error)[:LARGEST_TEXT]
    except BaseException:  # whatever the learner's own exception does here
        message = "(its message cannot be shown)"
    told = "".join(_frames(error, folder)) + _named(error, message)
    if isinstance(error, MemoryError):
        return Trouble("memory", f"{told}\nThis needs more memory than is allowed."[:LARGEST_TEXT])
    return Trouble("error", told[:LARGEST_TEXT])


def _named(error: BaseException, message: str) -> str:
    """The last line of a traceback."""
    name = type(error).__name__[:LARGEST_TEXT]
    hints = {
        "ModuleNotFoundError": " (numpy, the standard library and the files beside this one can be imported)",
        "SystemExit": " (a function returns; it does not end the program)",
        "EOFError": " (there is nobody to answer input() here)",
    }
    return (f"{name}: {message}" if message else name) + hints.get(name, "")


def _frames(error: BaseException, folder: str | None) -> list[str]:
    """One line for each of the last frames that are the learner's own."""
    own: Callable[[str], bool]
    if folder is None:
        installed = (sys.prefix, sys.base_prefix, PACKAGE)
        own = lambda name: not name.startswith(installed)  # noqa: E731
    else:
        own = lambda name: str(Path(name).parent) == folder  # noqa: E731
    frames = [f for f in traceback.extract_tb(error.__traceback__) if own(f.filename)]
    return [f"{Path(f.filename).name}:{f.lineno}, in {f.name}: {f.line}\n" for f in frames[-MOST_FRAMES:]]


def _copied(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.copy()
    return type(value)(map(_copied, value)) if isinstance(value, (tuple, list)) else value


def _same(a: Any, b: Any) -> bool:
    """Are these the same numbers, bit for bit?"""
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(map(_same, a, b))
    return True
