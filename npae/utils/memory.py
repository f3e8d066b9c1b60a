"""Refuse an allocation that does not fit in free memory, before it is made.

Linux promises memory that it does not have, and ends a process that makes use of the promise. So whatever would take
more than is there is refused while a sentence can still be said. Where a system does not tell what it has, nothing is
refused.
"""

import os
import sys
from pathlib import Path

#: Bytes that are taken without asking: reading /proc takes longer than taking them.
SMALL = 2**28
UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def require_memory(nbytes: int, what: str, advice: str, *, detail: str = "") -> None:
    """Refuse what does not fit into memory.

    Parameters
    ----------
    nbytes : int
        That will be taken.
    what : str
        What takes them, as the subject of a sentence.
    advice : str
        What to do about it.
    detail : str, optional
        What they are made of, said after the figure.

    Raises
    ------
    MemoryError
        Where they are more than there are.
    """
    if nbytes <= SMALL:
        return
    free = available()
    if nbytes > sys.maxsize or (free is not None and nbytes > free):
        there = "more than any process can have" if free is None else f"but {format_bytes(free)} are free"
        raise MemoryError(f"{what} needs about {format_bytes(nbytes)}{detail}, {there}; {advice}")


def format_bytes(nbytes: int) -> str:
    """1536 -> "1.5 KiB"."""
    size, unit = float(nbytes), 0
    while size >= 1000 and unit < len(UNITS) - 1:
        size, unit = size / 1024, unit + 1
    return f"{size:.3g} {UNITS[unit]}" if unit else f"{nbytes} bytes"


def available(root: Path = Path("/")) -> int | None:
    """Bytes that this process can still have, without swapping; None where the system does not say.

    The least of what the machine has, what the control groups of the process allow (versions 1 and 2), and what
    ``ulimit -v`` leaves.
    """
    bounds = [_of_machine(root), *_of_groups(root), _of_limit(root)]
    known = [bound for bound in bounds if bound is not None]
    return max(min(known), 0) if known else None


def _of_machine(root: Path) -> int | None:
    for line in _lines(root / "proc/meminfo"):
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            return 1024 * int(value.split()[0])
    return None


def _of_groups(root: Path) -> list[int]:
    """What is left in each control group, from that of the process up to the topmost."""
    left = []
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            top, limit, used, stale = root / "sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"
        elif "memory" in controllers.split(","):
            top, limit, used = root / "sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes"
            stale = "total_inactive_file"
        else:
            continue
        # A container sees its own group at the top, under whatever path the machine knows it by.
        parts = [part for part in path.strip().split("/") if part not in ("", "..")]
        for depth in range(len(parts), -1, -1):
            group = top.joinpath(*parts[:depth])
            most, taken = _number(group / limit), _number(group / used)
            if most is not None and taken is not None:
                left.append(most - taken + _reclaimable(group, stale))
    return left


def _reclaimable(group: Path, name: str) -> int:
    """Bytes of files that the group has read and that the system lets go of first."""
    for line in _lines(group / "memory.stat"):
        key, _, value = line.partition(" ")
        if key == name:
            return int(value)
    return 0


def _of_limit(root: Path) -> int | None:
    try:
        import resource
    except ImportError:  # not on Windows
        return None
    most, _ = resource.getrlimit(resource.RLIMIT_AS)
    pages = " ".join(_lines(root / "proc/self/statm")).split()
    if most == resource.RLIM_INFINITY or not pages:
        return None
    return most - int(pages[0]) * os.sysconf("SC_PAGESIZE")


def _number(path: Path) -> int | None:
    text = " ".join(_lines(path)).strip()
    return int(text) if text.isdigit() else None  # "max" is no limit


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
