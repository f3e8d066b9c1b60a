"""A learner's file in this process, for a debugger: without a time limit, and with the terminal's input and output."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from npae.learn.sandbox.call_result import CallError, CallResult
from npae.learn.sandbox.error_text import call_error_of
from npae.learn.sandbox.in_process import InProcess
from npae.learn.sandbox.worker import load


class Debugged:
    """A ``Caller`` of the functions in a file, which runs in this process, so that ``breakpoint()`` works.

    Parameters
    ----------
    path : Path
        The learner's file.
    """

    def __init__(self, path: Path) -> None:
        self._trouble: CallError | None = None
        self._caller: InProcess | None = None
        folder = str(path.resolve().parent)
        sys.path.insert(0, folder)  # for the files beside it
        try:
            self._caller = InProcess(vars(load(path.read_bytes(), str(path.resolve()))), folder, captures=False)
        except FileNotFoundError:
            self._trouble = CallError("missing", f"there is no file {path.name}")
        except Exception as error:
            self._trouble = call_error_of(error, folder=folder)

    def call(self, function: str, arguments: Sequence[Any]) -> CallResult:
        """Call the learner's ``function``; KeyboardInterrupt and the end of the debugger are raised."""
        if self._caller is None:
            return CallResult(None, self._trouble)
        return self._caller.call(function, arguments)
