"""A process that outlives its parent for a moment: it ends the parent's workers and removes their folders.

A parent that is killed cannot clean up. So it tells the guard of every worker, through a pipe that reaches its end with
the parent, however that ends. Only the standard library is imported here, since the guard is started without any other.
"""

import atexit
import json
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any

from npae.learn.sandbox.cleanup import end_orphans, remove_tree

BOOTSTRAP = """
import sys, types
package, = sys.argv[1:]
for name, folder in (("npae", package), ("npae.learn", package + "/learn")):
    bare = sys.modules[name] = types.ModuleType(name)
    bare.__path__ = [folder]
from npae.learn.sandbox.guard import serve
serve(sys.stdin.buffer)
"""
PATIENCE = 5.0  # seconds in which a process that is being ended lets go of its folder

_lock = Lock()
_process: "subprocess.Popen[bytes] | None" = None
_watched: dict[str, dict[str, Any]] = {}  # by folder


def watch(folder: Path, mark: str, process: int | None = None) -> None:
    """Should this process be killed: end ``process`` with all whose environment has ``mark``, remove ``folder``."""
    with _lock:
        entry = _watched[str(folder)] = {"folder": str(folder), "mark": mark, "process": process}
        _tell(entry)


def release(folder: Path) -> None:
    """The folder is gone, and its processes are."""
    with _lock:
        if _watched.pop(str(folder), None) is not None:
            _tell({"gone": str(folder)})


def _tell(entry: dict[str, Any]) -> None:
    """Write to the guard; to a new one, with all that is watched, where it has been killed itself."""
    global _process
    if _process is None:
        atexit.register(_end)
    if _process is not None and _process.poll() is None:
        try:
            _write(_process, entry)
            return
        except OSError:  # it has just been killed
            pass
    _close()
    _process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-B", "-X", "utf8", "-c", BOOTSTRAP, str(Path(__file__).parents[2])],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        start_new_session=True,  # Ctrl-C is for the parent
    )
    for watched in _watched.values():
        _write(_process, watched)


def _write(process: "subprocess.Popen[bytes]", entry: dict[str, Any]) -> None:
    assert process.stdin is not None
    process.stdin.write((json.dumps(entry) + "\n").encode())


def _close() -> None:
    if _process is not None and _process.stdin is not None:
        with suppress(OSError):  # what it was written is lost with it
            _process.stdin.close()
        _process.wait()


def _end() -> None:
    with _lock:
        _close()


def serve(lines: Iterable[bytes]) -> None:
    """The guard's own work: listen until the parent ends, then clean up what is left."""
    watched: dict[str, dict[str, Any]] = {}
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:  # half a line: the parent was killed while it wrote
            continue
        if "gone" in entry:
            watched.pop(entry["gone"], None)
        else:
            watched[entry["folder"]] = entry
    for entry in watched.values():
        end_orphans(entry["process"], entry["mark"])
    deadline = time.monotonic() + PATIENCE
    for folder in map(Path, watched):
        remove_tree(folder)
        while folder.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
            remove_tree(folder)
