"""How many processors this process may use: those it may run on, and as many as its control group pays for."""

import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")


@lru_cache(maxsize=1)
def usable_processors() -> int:
    """At least 1; looked up once."""
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(there, quota(GROUPS) or there))


def quota(mounted: Path, membership: Path = MEMBERSHIP) -> int | None:
    """Whole processors, rounded up, that the groups of this process may use; None where none has a limit.

    A group may use no more than each of those that it lies in, so the lowest of all quotas counts.

    Parameters
    ----------
    mounted : Path
        Where control groups are mounted.
    membership : Path
        The file that says in which groups this process is.
    """
    found = [_of_group(group) for group in _groups(mounted, membership)]
    known = [processors for processors in found if processors is not None]
    return min(known) if known else None


def _groups(mounted: Path, membership: Path) -> Iterator[Path]:
    """The folders of the groups of this process and of all that they lie in, of both versions."""
    try:
        lines = membership.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    for line in ("0::/", "0:cpu:/", *lines):  # in a container the own group is the one that is mounted
        _, _, named = line.partition(":")
        controllers, _, path = named.partition(":")
        if controllers and "cpu" not in controllers.split(","):
            continue
        top = mounted / "cpu" if controllers else mounted
        parts = [part for part in path.strip().split("/") if part not in ("", "..")]
        yield from (top.joinpath(*parts[:depth]) for depth in range(len(parts) + 1))


def _of_group(group: Path) -> int | None:
    try:
        if (group / "cpu.max").exists():  # version 2
            allowed, period = (group / "cpu.max").read_text(encoding="utf-8").split()
        else:
            allowed, period = (
                (group / name).read_text(encoding="utf-8") for name in ("cpu.cfs_quota_us", "cpu.cfs_period_us")
            )
        microseconds, each = int(allowed), int(period)
    except (OSError, ValueError):  # there is none, or "max"
        return None
    return -(-microseconds // each) if microseconds > 0 and each > 0 else None
