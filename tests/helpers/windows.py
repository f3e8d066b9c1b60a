"""Windows, simulated as far as that goes: what it refuses is refused here."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import npae.utils.files

CAN_SIMULATE = Path("/proc/self/maps").exists()  # which files a process has open, and which it has mapped


def refusal(path: Any, winerror: int = 32) -> PermissionError:
    """What Windows says of a file that somebody has open."""
    error = PermissionError(13, "The process cannot access the file because it is being used by another process", path)
    error.winerror = winerror  # type: ignore[attr-defined]
    return error


def in_use(path: Path) -> bool:
    """Whether this process has the file open or mapped."""
    path = path.absolute()
    if any(line.endswith(f" {path}") for line in Path("/proc/self/maps").read_text(encoding="utf-8").splitlines()):
        return True
    for entry in Path("/proc/self/fd").iterdir():
        try:
            if os.readlink(entry) == str(path):
                return True
        except OSError:
            continue
    return False


def refuse_where(monkeypatch: pytest.MonkeyPatch, is_refused: Callable[[Path], bool]) -> None:
    """Let files be renamed, replaced and removed only where they are not refused."""
    for name in ("rename", "replace", "unlink", "remove"):
        original = getattr(os, name)

        def guarded(*paths: Any, original: Any = original, **options: Any) -> None:
            for path in paths:
                if is_refused(Path(path)):
                    raise refusal(path)
            original(*paths, **options)

        monkeypatch.setattr(os, name, guarded)


def simulate(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that this process has open or mapped cannot be renamed, replaced or removed."""
    monkeypatch.setattr(npae.utils.files, "IS_WINDOWS", True, raising=False)
    monkeypatch.setattr(npae.utils.files, "PATIENCE", 0.05, raising=False)
    refuse_where(monkeypatch, in_use)
