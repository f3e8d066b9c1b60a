"""Isolation of a learner's process with bubblewrap: namespaces of its own, and a file system with little in it.

The process sees a read-only Python with numpy, the learner's own files, and an empty folder in memory. It has no
network, sees no other process, and cannot outlive its parent. Resource limits alone exclude none of this.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

BWRAP, NONE = "bwrap", "none"
CHOICES = ("auto", BWRAP, NONE)
FILES, WORKING = "/learner/files", "/learner/work"  # where the learner's files and the empty folder are, within
WORKING_BYTES = 64 << 20
PROBE_SECONDS = 60.0
#: What a program needs of the system: shared libraries, and where the loader finds them.
SYSTEM = ("/usr", "/lib", "/lib32", "/lib64", "/bin", "/etc/ld.so.cache", "/etc/alternatives", "/nix/store")
PACKAGE = Path(__file__).parents[2]
OWN = ("utils", "learn/sandbox")  # folders of npae that the worker imports


def python() -> str:
    """The interpreter itself; that of a virtual environment is a link to it, and its packages are not needed."""
    return os.path.realpath(sys.executable)


def isolated(command: Sequence[str], files: Path) -> list[str]:
    """``command`` run by bubblewrap, with the folder ``files`` as ``FILES``.

    The order counts: later mounts lie over earlier ones. npae is hidden where it lies within Python's own folder, since
    it has the solutions.
    """
    mounts: list[str] = []
    roots = [Path(path) for path in SYSTEM if Path(path).exists()]
    for path in roots:
        if path.is_symlink():
            mounts += ["--symlink", os.readlink(path), str(path)]
        else:
            mounts += ["--ro-bind", str(path), str(path)]
    prefix = Path(sys.base_prefix).resolve()
    numpy_folder = Path(np.__file__).resolve().parent.parent
    for path in (prefix, numpy_folder / "numpy", numpy_folder / "numpy.libs"):
        if path.exists() and not _is_within(path, roots):
            mounts += ["--ro-bind", str(path), str(path)]
    if _is_within(PACKAGE, [*roots, prefix]):
        mounts += ["--tmpfs", str(PACKAGE)]
    for name in OWN:
        mounts += ["--ro-bind", str(PACKAGE / name), str(PACKAGE / name)]
    mounts += ["--ro-bind", str(files), FILES]
    if "--size" in _help():
        mounts += ["--size", str(WORKING_BYTES), "--tmpfs", WORKING]
    else:  # an old bubblewrap, whose folder in memory has no limit: it stays empty
        mounts += ["--tmpfs", WORKING, "--remount-ro", WORKING]
    return [
        *[bubblewrap(), "--unshare-all", "--unshare-user", "--die-with-parent", "--cap-drop", "ALL"],
        *["--uid", "65534", "--gid", "65534", "--hostname", "learner"],
        *mounts,
        *["--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", WORKING],
        *["--", *command],
    ]


def _is_within(path: Path, roots: Sequence[Path]) -> bool:
    return any(path.resolve().is_relative_to(root.resolve()) for root in roots)


def bubblewrap() -> str:
    """Path of the program, or "" where it is not installed."""
    return shutil.which("bwrap") or ""


@lru_cache(maxsize=1)
def _help() -> str:
    done = subprocess.run(
        [bubblewrap(), "--help"], capture_output=True, encoding="utf-8", errors="replace", check=False
    )
    return done.stdout + done.stderr


@lru_cache(maxsize=1)
def why_not() -> str:
    """Why bubblewrap cannot be used here; "" where a process that imports numpy has run in it."""
    if sys.platform != "linux":
        return "bubblewrap is a program of Linux"
    if not bubblewrap():
        return "bubblewrap is not installed (Debian, Ubuntu, Fedora: the package bubblewrap)"
    program = f"import sys; sys.path.append({str(Path(np.__file__).resolve().parent.parent)!r}); import numpy"
    command = isolated([python(), "-I", "-S", "-B", "-c", program], PACKAGE / OWN[0])
    try:
        done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", timeout=PROBE_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap does not run here ({error})"
    last = done.stderr.strip().splitlines()[-1:] or [f"status {done.returncode}"]
    return f"bubblewrap does not run here ({last[0]})" if done.returncode else ""


def chosen(wanted: str) -> tuple[str, str]:
    """The sandbox to use, and a remark where "auto" finds none.

    Parameters
    ----------
    wanted : {"auto", "bwrap", "none"}

    Returns
    -------
    sandbox : {"bwrap", "none"}
    remark : str
        Why there is no sandbox; "" where there is one, or none was wanted.

    Raises
    ------
    ValueError
        Where "bwrap" is wanted and does not run.
    """
    if wanted == NONE:
        return NONE, ""
    reason = why_not()
    if not reason:
        return BWRAP, ""
    if wanted == BWRAP:
        raise ValueError(f"--sandbox bwrap is not possible: {reason}; give --sandbox none to do without")
    return NONE, reason
