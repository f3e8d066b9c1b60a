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
    """Where single keys come from."""

    def wait(self, seconds: float) -> str:
        """The key that is pressed within so long, or nothing."""
        ...


class NoKeys:
    """There is nobody at a keyboard."""

    def wait(self, seconds: float) -> str:
        """Nothing, after all of the time."""
        time.sleep(seconds)
        return ""


class TerminalKeys:
    """Keys of the terminal, without Enter."""

    def wait(self, seconds: float) -> str:
        """The key that is pressed, in lower case; q where the terminal has gone."""
        if not select.select([sys.stdin], [], [], seconds)[0]:
            return ""
        pressed = os.read(sys.stdin.fileno(), 1)
        return pressed.decode(errors="replace").lower() if pressed else "q"


@contextmanager
def keys() -> Iterator[Keys | None]:
    """Keys of the terminal for as long as the block lasts; None where there is no terminal that gives single keys."""
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
    """What changes when a file is saved; None while there is none, as between an editor's two steps."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def until_change(path: Path, before: State, source: Keys) -> str:
    """Wait until the file is saved or a key is pressed: the key, or nothing for a new file."""
    while True:
        key = source.wait(INTERVAL)
        if state(path) not in (before, None):
            return ""
        if key:
            return key
