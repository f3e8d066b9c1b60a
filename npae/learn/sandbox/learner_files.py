"""A learner's files: read one, lay several out for a run, and find the line of one in a stack that was written down."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from npae.learn.sandbox.call_result import CallError

LARGEST_SOURCE = 1 << 20  # bytes
STACK = b"Stack (most recent call first):"  # begins what faulthandler writes
LONGEST_STACK = 20_000  # bytes


def last_line(descriptor: int, name: str) -> str:
    """The line of the learner's file in the stack that the worker has written at its end; "" where there is none."""
    size = os.fstat(descriptor).st_size
    if not hasattr(os, "pread"):
        return ""
    _, mark, stack = os.pread(descriptor, LONGEST_STACK, max(0, size - LONGEST_STACK)).rpartition(STACK)
    found = re.search(rb'File "[^"\n]*' + re.escape(name.encode()) + rb'", line (\d{1,7}) in', stack)
    return found[1].decode() if found and mark else ""


def laid_out(folder: Path, files: Mapping[str, bytes], path: Path) -> tuple[Path, CallError | None]:
    """Write files below a new folder; the path of the one that is to be loaded, or why they cannot be written."""
    try:
        folder.mkdir()
        for name, content in files.items():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        return path, CallError("error", f"the files cannot be laid out for the run ({reason}); rename or remove some")
    return folder / path, None


def read_source(path: Path) -> tuple[bytes, CallError | None]:
    """The content of a learner's file, or why it cannot be read."""
    if not path.is_file():
        return b"", CallError("missing", f"there is no file {path.name}")
    try:
        with open(path, "rb") as file:
            source = file.read(LARGEST_SOURCE + 1)
    except OSError as error:
        return b"", CallError("missing", f"{path.name} cannot be read: {error.strerror}")
    if len(source) > LARGEST_SOURCE:
        return b"", CallError(
            "error", f"{path.name} has more than {LARGEST_SOURCE:,} bytes; functions take a few hundred"
        )
    return source, None
