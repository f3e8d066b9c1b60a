"""How many processors this process may use: those it may run on, and as many as its control group pays for."""

import os
from functools import lru_cache
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup")


@lru_cache(maxsize=1)
def usable_processors() -> int:
    """At least 1; looked up once."""
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(there, quota(GROUPS) or there))


def quota(folder: Path) -> int | None:
    """Whole processors that the control group mounted there may use, rounded up; None where it has no limit."""
    try:
        if (folder / "cpu.max").exists():  # version 2
            allowed, period = (folder / "cpu.max").read_text(encoding="utf-8").split()
        else:
            allowed, period = (
                (folder / "cpu" / name).read_text(encoding="utf-8")
                for name in ("cpu.cfs_quota_us", "cpu.cfs_period_us")
            )
        microseconds, each = int(allowed), int(period)
    except (OSError, ValueError):  # there is none, or "max"
        return None
    return -(-microseconds // each) if microseconds > 0 and each > 0 else None
