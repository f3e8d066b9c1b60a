"""Single classes and functions of other people's repositories, run from a checkout, without importing the rest of it.

A repository's modules import what they need for training: data sets, plots, one another. A gradient needs none of it,
so only the named definitions of a file are executed, in a namespace with NumPy and what the caller adds.
"""

import ast
import json
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np


def folder_of(root: Path, repository: str) -> Path:
    """Where a checkout of "owner/name" lies: root/owner+name."""
    return root / repository.replace("/", "+")


def clone(root: Path, repository: str) -> None:
    """Clone "owner/name" from GitHub, its newest commit only, unless it is there."""
    folder = folder_of(root, repository)
    if not folder.exists():
        subprocess.run(
            ["git", "clone", "--quiet", "--depth", "1", f"https://github.com/{repository}", str(folder)], check=True
        )


def source(path: Path) -> str:
    """The Python text of a file; of a notebook, that of the cells that are valid Python."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".ipynb":
        return text
    cells = ["".join(cell["source"]) for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
    return "\n\n".join(cell for cell in cells if _is_python(cell))


def _is_python(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


def definitions(path: Path, names: list[str], given: dict[str, Any]) -> SimpleNamespace:
    """The named classes and functions of a file, defined in the order of the file; base classes become ``object``.

    Raises
    ------
    LookupError
        If the file has none of a name any more.
    """
    tree = ast.parse(source(path))
    wanted = [n for n in tree.body if isinstance(n, ast.ClassDef | ast.FunctionDef) and n.name in names]
    missing = set(names) - {n.name for n in wanted}
    if missing:
        raise LookupError(f"{path} has no {', '.join(sorted(missing))}")
    for node in wanted:
        if isinstance(node, ast.ClassDef):
            node.bases, node.keywords = [b for b in node.bases if isinstance(b, ast.Name) and b.id in names], []
    # Annotations name types of modules that are not imported.
    future = ast.ImportFrom(module="__future__", names=[ast.alias("annotations")], level=0)
    module = ast.fix_missing_locations(ast.Module(body=[future, *wanted], type_ignores=[]))
    namespace: dict[str, Any] = {"np": np, **given}
    exec(compile(module, str(path), "exec"), namespace)
    return SimpleNamespace(**{name: namespace[name] for name in names})
