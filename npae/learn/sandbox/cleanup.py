"""Kill a process with all its descendants, and remove its folder."""

import contextlib
import os
import signal
from pathlib import Path

MOST_ROUNDS = 50


def end_group(leader: int, mark: str) -> None:
    """Kill the process group of ``leader``, and every other process whose environment contains ``mark``.

    A process that has left the group is found in ``/proc``, where there is one, by the environment that it was started
    with. A process that was started with a new environment is not found.

    Parameters
    ----------
    leader : int
        Id of a child of this process that has not been waited for, so that the id is not reused.
    mark : str
        ``NAME=value`` with a random value.
    """
    if not hasattr(os, "killpg"):  # Windows has no groups of this kind
        with contextlib.suppress(OSError):
            os.kill(leader, signal.SIGTERM)
        return
    with contextlib.suppress(OSError):
        os.killpg(leader, signal.SIGKILL)
    for _ in range(MOST_ROUNDS):  # a process that is just being started is found in the next round
        strays = _marked(mark.encode()) - {leader}
        if not strays:
            return
        for process in strays:
            with contextlib.suppress(OSError):
                os.kill(process, signal.SIGKILL)


def _marked(mark: bytes) -> set[int]:
    """Ids of the running processes that were started with this in their environment."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):  # a process of another user, or one that has ended
            if mark in path.read_bytes():  # that of a zombie is empty
                found.add(int(path.parent.name))
    return found


def remove_tree(folder: Path) -> None:
    """Remove a folder, including folders without permissions and folders nested thousands deep."""
    waiting, lifted = [folder], 0
    while waiting:
        path = waiting.pop()
        with contextlib.suppress(OSError):
            os.chmod(path, 0o700)
            for entry in list(os.scandir(path)):
                with contextlib.suppress(OSError):
                    if not entry.is_dir(follow_symlinks=False):
                        os.unlink(entry)
                        continue
                    os.chmod(entry, 0o700)  # a folder without permissions cannot be moved
                    lifted += 1  # moved up, beside the root: deep paths get too long, and recursion too deep
                    waiting.append(Path(entry.path).rename(f"{folder}-{lifted}"))
            path.rmdir()
