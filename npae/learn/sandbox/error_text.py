"""Text of an exception in a learner's code: the traceback frames of the learner's files, then the error."""

import errno
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from npae.learn.sandbox.call_result import CallError

LARGEST_TEXT = 1000  # characters
MOST_FRAMES = 3
PACKAGE = str(Path(__file__).parent.parent)
HINTS = {
    "ModuleNotFoundError": " (numpy, the standard library and the files beside this one can be imported)",
    "SystemExit": " (a function must return, not end the program)",
    "EOFError": " (input() is not available here)",
    "BdbQuit": " (breakpoint() works in: npae learn check --debug)",
}


def call_error_of(error: BaseException, function: str | None = None, folder: str | None = None) -> CallError:
    """The ``CallError`` for an exception.

    Parameters
    ----------
    error : BaseException
    function : str, optional
        The function that was called; None while the file was being loaded.
    folder : str, optional
        Folder of the learner's files, whose frames are shown; by default frames of all code outside Python's
        installation and npae.
    """
    if isinstance(error, NotImplementedError) and function:
        return CallError(
            "missing", f"{function} is not written yet: put your lines where it raises NotImplementedError"
        )
    if isinstance(error, SyntaxError) and function is None:
        place = f"{Path(str(error.filename or '')).name}:{error.lineno}: {str(error.text or '').strip()}\n"
        return CallError("error", f"{place}{_named(error, error.msg)}"[:LARGEST_TEXT])
    try:
        message = str(error)[:LARGEST_TEXT]
    except BaseException:  # a learner's exception class may raise in __str__
        message = "(its message cannot be shown)"
    told = "".join(_frames(error, folder)) + _named(error, message)
    if isinstance(error, MemoryError):
        return CallError("memory", f"{told}\nThis needs more memory than is allowed."[:LARGEST_TEXT])
    if isinstance(error, OSError) and error.errno == errno.EFBIG:
        told = f"{told[: LARGEST_TEXT - 100]}\nMore was printed, or written to a file, than is allowed."
        return CallError("error", told)
    return CallError("error", told[:LARGEST_TEXT])


def _named(error: BaseException, message: str) -> str:
    """The last line of a traceback."""
    name = type(error).__name__[:LARGEST_TEXT]
    return (f"{name}: {message}" if message else name) + HINTS.get(name, "")


def _frames(error: BaseException, folder: str | None) -> list[str]:
    """A line for each of the last frames in the learner's files."""
    own: Callable[[str], bool]
    if folder is None:
        installed = (sys.prefix, sys.base_prefix, PACKAGE)
        own = lambda name: not name.startswith(installed)  # noqa: E731
    else:
        own = lambda name: str(Path(name).parent) == folder  # noqa: E731
    frames = [f for f in traceback.extract_tb(error.__traceback__) if own(f.filename)]
    return [f"{Path(f.filename).name}:{f.lineno}, in {f.name}: {f.line}\n" for f in frames[-MOST_FRAMES:]]
