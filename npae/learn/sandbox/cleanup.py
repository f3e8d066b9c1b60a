"""Kill a process with all its descendants, and remove its folder."""

import contextlib
import os
import signal
import sys
from pathlib import Path

MOST_ROUNDS = 50
PR_SET_PDEATHSIG = 1  # of Linux's prctl


def end_with_parent(parent: int) -> None:
    """Have the system kill this process together with the thread of ``parent`` that has started it, where it can."""
    if sys.platform != "linux":
        return
    with contextlib.suppress(ImportError, OSError, AttributeError):
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL))
    if os.getppid() != parent:  # it was killed before
        os._exit(1)


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
    _end_marked(mark, {leader})


def end_orphans(leader: int | None, mark: str) -> None:
    """As ``end_group``, for processes whose parent has been killed: a number may be another process's by now.

    Parameters
    ----------
    leader : int or None
        None where the parent was killed before it could tell.
    mark : str
    """
    is_it = leader is not None and (not Path("/proc/self/environ").exists() or leader in _marked(mark.encode()))
    if leader is not None and is_it:
        end_group(leader, mark)
    elif hasattr(os, "killpg"):
        _end_marked(mark, set())


def _end_marked(mark: str, but: set[int]) -> None:
    for _ in range(MOST_ROUNDS):  # what is being started just now is found in the next round
        strays = _marked(mark.encode()) - but
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
