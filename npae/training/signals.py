"""Handling of Ctrl-C and SIGTERM in training, which stops between two steps."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

#: The module of CPython below ``signal``, without the names that are looked up for what its functions take and return:
#: these take as long as the gradient of a few rows.
_signal: Any = sys.modules.get("_signal", signal)


class Stop:
    """A request to stop training, set by a signal handler.

    Attributes
    ----------
    signal : int, optional
        The first signal received; None if there was none.
    is_urgent : bool
        Whether a second one was received.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        self.is_urgent = False

    def check(self) -> None:
        """Raise KeyboardInterrupt if a stop was requested; called between two steps."""
        if self.signal is not None:
            raise KeyboardInterrupt

    def take(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal: the first waits for the next ``check``, the second raises KeyboardInterrupt at once."""
        if self.signal is not None:
            self.is_urgent = True
            raise KeyboardInterrupt
        self.signal = number


@contextmanager
def stop_on_signals(stop: Stop | None = None) -> Iterator[Stop]:
    """Context in which Ctrl-C and SIGTERM only set the ``Stop``, by default a new one.

    Python's default handlers are restored afterwards.

    Outside the main thread, which alone can set handlers, nothing changes, and handlers of the user are kept.
    """
    stop = stop or Stop()
    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
    if threading.current_thread() is not threading.main_thread():
        usual = {}
    present = {number: _signal.getsignal(number) for number in usual}
    replaced = {number: handler for number, handler in present.items() if handler == usual[number]}
    try:
        for number in replaced:
            _signal.signal(number, stop.take)
        yield stop
    finally:
        for number, handler in replaced.items():
            _signal.signal(number, handler)
