"""Cells of Jupyter notebooks that are an exercise's file: those whose first line is the exercise's header.

No other cell is run. Empty lines and a cell magic, such as %%time, may come before the header.
"""

import ast
import json
import re
from typing import Any

HEADER = re.compile(rb"# npae-exercise: ([a-z][a-z0-9_]*) v([0-9]{1,9})\s*")
#: A line for IPython: %magic, !command, ?help or help?
COMMAND = re.compile(rb"\s*(?:[%!?].*|[^#'\"]*\?\s*$)")
LONGEST_LINE = 200
LARGEST_NOTEBOOK = 16 << 20  # bytes, most of which are pictures


def header(source: bytes) -> tuple[str, int]:
    """The exercise and version in the first line of a file; ("", 0) if there are none."""
    lines = source[:LONGEST_LINE].removeprefix(b"\xef\xbb\xbf").split(b"\n")
    first = next((line for line in lines if line.strip() and not line.startswith((b"%%", b"# %%"))), b"")
    found = HEADER.fullmatch(first)
    return (found[1].decode(), int(found[2])) if found else ("", 0)


def without_commands(source: bytes) -> tuple[bytes, list[str]]:
    """Source without the lines that only IPython understands, such as ``%matplotlib inline``, and these lines.

    Each gives way to a comment, or to ``pass`` within a block, so the lines keep their numbers. Source that is Python
    is returned as it is, and so is what is no Python without such lines either.
    """
    if _is_python(source):
        return source, []
    lines = source.split(b"\n")
    commands = [i for i, line in enumerate(lines) if COMMAND.match(line)]
    for i in commands:
        indent = lines[i][: len(lines[i]) - len(lines[i].lstrip())]
        lines[i] = (indent + b"pass  # " if indent else b"# ") + lines[i].strip()
    changed = b"\n".join(lines)
    if not commands or not _is_python(changed):
        return source, []
    return changed, [source.split(b"\n")[i].strip().decode("utf-8", "replace") for i in commands]


def _is_python(source: bytes) -> bool:
    try:
        ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def cells_of(content: bytes) -> dict[str, bytes]:
    """The source of each exercise in a notebook, by the exercise's name; cells of one exercise follow each other.

    Raises
    ------
    ValueError
        Where it is no notebook.
    """
    try:
        told = json.loads(content)
    except RecursionError:
        raise ValueError("is no notebook") from None
    except ValueError:
        raise ValueError("is no notebook (no JSON)") from None
    cells = told.get("cells") if isinstance(told, dict) else None
    if not isinstance(cells, list):
        raise ValueError("is no notebook of version 4, which has a list of cells")
    found: dict[str, bytes] = {}
    for cell in cells:
        source = _source(cell)
        name, _ = header(source)
        if name:
            found[name] = found[name] + b"\n\n" + source if name in found else source
    return found


def _source(cell: Any) -> bytes:
    """The text of a code cell, which is a string or a list of lines; b"" for any other."""
    if not isinstance(cell, dict) or cell.get("cell_type") != "code":
        return b""
    source = cell.get("source")
    lines = source if isinstance(source, list) else [source]
    return "".join(line for line in lines if isinstance(line, str)).encode("utf-8", "replace")
