"""Submissions that are equal or nearly equal in structure: names, comments and what the stub gave do not count.

Short answers are equal because there is one short way to write them. So the report has the size of what is shared, and
the number of learners who share it.
"""

import ast
import copy
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from npae.learn.catalogue.exercise import Exercise
from npae.learn.grading.submissions import Submission

NEAR = 0.8  # share of common nodes, each with its children, from which two submissions are reported
HEADER = ("exercise", "learners", "how", "similarity", "size", "number")


@dataclass(frozen=True)
class Copies:
    """Submissions of an exercise that are alike.

    Attributes
    ----------
    exercise : str
    learners : tuple of str
    how : {"text", "structure", "near"}
        Equal letter by letter, equal but for names and comments, or nearly so.
    similarity : float
        1, or the share of common nodes of two.
    size : int
        Number of nodes of the syntax tree beyond the stub's, of the first of them.
    """

    exercise: str
    learners: tuple[str, ...]
    how: str
    similarity: float
    size: int


def find_copies(submissions: Sequence[Submission]) -> list[Copies]:
    """All groups of equal submissions, then pairs of nearly equal ones; the largest first."""
    by_exercise: dict[str, list[Submission]] = defaultdict(list)
    for s in submissions:
        if not s.status:
            by_exercise[s.exercise.name].append(s)
    found = [copies for group in by_exercise.values() for copies in _of_exercise(group)]
    order = {"text": 0, "structure": 1, "near": 2}
    return sorted(found, key=lambda c: (order[c.how], -c.size, c.exercise, c.learners))


def _of_exercise(group: Sequence[Submission]) -> list[Copies]:
    exercise = group[0].exercise
    given = set(_functions(exercise.stub.encode()).values())
    structures = {s.learner: _structure(s.source, exercise, given) for s in group}
    structures = {learner: structure for learner, structure in structures.items() if structure}
    texts = {s.learner: s.source for s in group}
    alike: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for learner, structure in structures.items():
        alike[structure].append(learner)
    found = []
    for structure, learners in alike.items():
        if len(learners) > 1:
            how = "text" if len({texts[learner] for learner in learners}) == 1 else "structure"
            found.append(Copies(exercise.name, tuple(sorted(learners)), how, 1.0, len(structure)))
    counted = {structure: Counter(structure) for structure in alike}
    kinds = list(alike)
    for i, one in enumerate(kinds):
        for other in kinds[i + 1 :]:
            share = (counted[one] & counted[other]).total() / (counted[one] | counted[other]).total()
            if share >= NEAR:
                learners = sorted([*alike[one], *alike[other]])
                found.append(Copies(exercise.name, tuple(learners), "near", round(share, 3), len(one)))
    return found


def _structure(source: bytes, exercise: Exercise, given: set[tuple[str, ...]]) -> tuple[str, ...]:
    """Nodes of the learner's functions, but for those that the stub has; () for a file that cannot be parsed."""
    own = [nodes for nodes in _functions(source).values() if nodes not in given]
    return tuple(node for nodes in sorted(own) for node in nodes)


def _functions(source: bytes) -> dict[str, tuple[str, ...]]:
    """The functions of a file, by name: the nodes of their syntax trees with their children, no names or docstrings."""
    try:
        tree = ast.parse(source)
        return {node.name: tuple(_nodes(node)) for node in tree.body if isinstance(node, ast.FunctionDef)}
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}


def _nodes(function: ast.FunctionDef) -> list[str]:
    function = copy.deepcopy(function)
    if ast.get_docstring(function, clean=False) is not None:
        function.body = function.body[1:]
    return [
        f"{_label(node)} of {', '.join(_label(child) for child in ast.iter_child_nodes(node))}"
        for node in ast.walk(function)
        if not isinstance(node, ast.expr_context)
    ]


def _label(node: ast.AST) -> str:
    """The kind of a node; with its value where it is a constant, and its name where it is an attribute."""
    if isinstance(node, ast.Constant):
        return f"Constant {node.value!r}"
    return f"Attribute {node.attr}" if isinstance(node, ast.Attribute) else type(node).__name__
