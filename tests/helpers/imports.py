"""The imports within npae, read from the source: what test_structure measures."""

import ast
from pathlib import Path

import npae

PACKAGE = Path(npae.__file__).parent


def modules() -> dict[str, Path]:
    """Every module of npae by its dotted name; exercises are files for learners, no modules."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        if "exercises" not in parts:
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports() -> dict[str, set[str]]:
    """What each module imports of npae, wherever in the file it does: in functions and for type checkers, too."""
    known = modules()
    return {name: _imports_of(path, known) - {name} for name, path in known.items()}


def _imports_of(path: Path, known: dict[str, Path]) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            # a name that is no module is one of the package's __init__
            found |= {m if (m := f"{node.module}.{a.name}") in known else node.module for a in node.names}
    return found & known.keys()


def circles(edges: dict[str, set[str]]) -> list[list[str]]:
    """Groups of modules that import each other: the strongly connected components with more than one (Tarjan 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for other in edges[name]:
            if other not in index:
                visit(other)
            if other in stack:
                low[name] = min(low[name], low[other])
        if low[name] == index[name]:
            group = stack[stack.index(name) :]
            del stack[stack.index(name) :]
            if len(group) > 1:
                found.append(sorted(group))

    for name in edges:
        if name not in index:
            visit(name)
    return found
