"""Description of the machine that a benchmark ran on: processor, threads, versions."""

import os
import platform
from pathlib import Path

from npae.utils.version import __version__


def machine(threads: int) -> dict[str, str | int]:
    """Processor name and count, threads used, operating system, and versions of Python and npae."""
    return {
        "cpu": cpu_name(),
        "processors": os.cpu_count() or 1,
        "threads": threads,
        "system": platform.platform(),
        "python": platform.python_version(),
        "npae": __version__,
    }


def cpu_name() -> str:
    """The processor's name, as reported by the operating system."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
