"""Refuse an allocation that does not fit in free memory, before it is made.

Linux overcommits memory and kills a process that uses more than there is. So an allocation that exceeds the free memory
is refused beforehand with an error message. On systems that do not report free memory nothing is refused.
"""

import os
import sys
from pathlib import Path

from npae.utils.wording import counted

#: Bytes up to which nothing is checked, since reading /proc takes longer than such an allocation.
SMALL = 2**28
UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def require_memory(nbytes: int, what: str, advice: str, *, detail: str = "") -> None:
    """Raise MemoryError if an allocation does not fit in free memory.

    Parameters
    ----------
    nbytes : int
        Size of the allocation in bytes; up to 256 MiB are not checked.
    what : str
        What needs the memory, as the singular subject of the message.
    advice : str
        What the user can do, as the end of the message.
    detail : str, optional
        Text after the number of bytes in the message.

    Raises
    ------
    MemoryError
        If ``nbytes`` exceeds the free memory.

    Examples
    --------
    >>> require_memory(10**6, "a batch of 8 samples", "choose a smaller batch")
    """
    if nbytes <= SMALL:
        return
    free = available()
    if nbytes > sys.maxsize or (free is not None and nbytes > free):
        there = "more than any process can have" if free is None else f"but {format_bytes(free)} are free"
        raise MemoryError(f"{what} needs about {format_bytes(nbytes)}{detail}, {there}; {advice}")


def format_bytes(nbytes: int) -> str:
    """A number of bytes as text with three significant digits.

    >>> format_bytes(1536)
    '1.5 KiB'
    """
    size, unit = float(nbytes), 0
    while size >= 1000 and unit < len(UNITS) - 1:
        size, unit = size / 1024, unit + 1
    return f"{size:.3g} {UNITS[unit]}" if unit else counted(nbytes, "byte")


def available(root: Path = Path("/")) -> int | None:
    """Free memory of this process in bytes, without swap; None if the system does not report it.

    The minimum of the machine's free memory, of what the control groups of the process allow (versions 1 and 2), and of
    what ``ulimit -v`` allows.
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
    """Free bytes in each control group, from that of the process to the root."""
    left = []
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            top, limit, used, prefix = root / "sys/fs/cgroup", "memory.max", "memory.current", ""
        elif "memory" in controllers.split(","):
            top, limit, used = root / "sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes"
            prefix = "total_"
        else:
            continue
        # In a container the own group is mounted at the root, whatever its path on the host.
        parts = [part for part in path.strip().split("/") if part not in ("", "..")]
        for depth in range(len(parts), -1, -1):
            group = top.joinpath(*parts[:depth])
            most, taken = _number(group / limit), _number(group / used)
            if most is not None and taken is not None:
                left.append(most - taken + _reclaimable(group, prefix))
    return left


def _reclaimable(group: Path, prefix: str) -> int:
    """Bytes of files in the group's page cache, which the system frees when memory is needed.

    What was read more than once, as data is in every epoch, is "active", and is freed as well; what has yet to be
    written to the disk is not counted.
    """
    table = dict(line.partition(" ")[::2] for line in _lines(group / "memory.stat"))
    cached = sum(int(table.get(prefix + name, 0)) for name in ("inactive_file", "active_file"))
    return max(cached - int(table.get(prefix + ("dirty" if prefix else "file_dirty"), 0)), 0)


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
    return int(text) if text.isdigit() else None  # "max" means no limit


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
