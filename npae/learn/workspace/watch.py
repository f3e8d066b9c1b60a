"""Watch a file by polling it twice a second, since file system events do not reach shared drives."""

import os
import select
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

INTERVAL = 0.5
State = tuple[int, int] | None


class Keys(Protocol):
    """Interface: a source of single key presses."""

    def wait(self, seconds: float) -> str:
        """The key that is pressed within ``seconds``, or ""."""
        ...


class NoKeys:
    """A source of keys where there is no keyboard."""

    def wait(self, seconds: float) -> str:
        """Sleep, and return ""."""
        time.sleep(seconds)
        return ""


class TerminalKeys:
    """Keys of the terminal, without Enter."""

    def wait(self, seconds: float) -> str:
        """The key that is pressed, in lower case; "" after ``seconds``, "q" where the terminal is closed."""
        if not select.select([sys.stdin], [], [], seconds)[0]:
            return ""
        pressed = os.read(sys.stdin.fileno(), 1)
        return pressed.decode(errors="replace").lower() if pressed else "q"


@contextmanager
def keys() -> Iterator[Keys | None]:
    """Context manager: the terminal's keys without Enter; None where there is no terminal or it cannot do that."""
    try:
        import termios
        import tty

        before = termios.tcgetattr(sys.stdin.fileno())
    except (ImportError, OSError, ValueError, AttributeError):  # Windows; a pipe; a closed or replaced stdin
        yield None
        return
    except termios.error:
        yield None
        return
    try:
        tty.setcbreak(sys.stdin.fileno())
        yield TerminalKeys()
    finally:
        termios.tcsetattr(sys.stdin.fileno(), termios.TCSADRAIN, before)


def state(path: Path) -> State:
    """Modification time and size of a file; None while it does not exist, as while an editor replaces it."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def until_change(path: Path, before: State, source: Keys) -> str:
    """Wait until the file is saved or a key is pressed; returns the key, or "" for a saved file."""
    while True:
        key = source.wait(INTERVAL)
        if state(path) not in (before, None):
            return ""
        if key:
            return key
