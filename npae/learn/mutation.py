"""Wrong versions of a reference solution, made by one change of its source: an operator, a sign, an axis, a constant.

An exercise whose check such a version passes cannot tell it from a right answer.
"""

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from npae.learn.catalogue.exercise import Exercise

OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
}  # fmt: skip
COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Gt: ast.Lt, ast.Lt: ast.Gt, ast.GtE: ast.LtE, ast.LtE: ast.GtE, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
}  # fmt: skip
NAMES = {
    "sum": "mean", "mean": "sum", "max": "min", "min": "max", "argmax": "argmin", "maximum": "minimum", "zeros": "ones",
    "sin": "cos", "cos": "sin", "exp": "tanh", "tanh": "exp", "zeros_like": "ones_like",
}  # fmt: skip


@dataclass(frozen=True)
class Mutation:
    """A changed solution.

    Attributes
    ----------
    change : str
        The line before and after, such as "db = g.sum(axis=0) → db = g.sum(axis=1)".
    functions : dict of str to callable
        The exercise's functions.
    """

    change: str
    functions: dict[str, Callable[..., Any]]


def mutations(exercise: Exercise) -> list[Mutation]:
    """All versions of the solution with one change; those that do not compile are left out."""
    tree = ast.parse(exercise.solution_text())
    found: list[Mutation] = []
    for change, changed in _changed(tree):
        names: dict[str, Any] = {"np": np}
        try:
            exec(compile(ast.fix_missing_locations(changed), f"{exercise.name} with {change}", "exec"), names)
        except SyntaxError:  # a sign before a starred value
            continue
        functions = {f.name: names[f.name] for f in exercise.functions}
        found.append(Mutation(change, functions))
    return found


def _changed(tree: ast.Module) -> Iterator[tuple[str, ast.Module]]:
    """Every change of one place, with what it does to the line."""
    texts: set[str] = {ast.unparse(tree)}
    for i, node in enumerate(ast.walk(tree)):
        for edit in _edits(node):
            changed = copy.deepcopy(tree)
            place = next(n for j, n in enumerate(ast.walk(changed)) if j == i)
            edit(place)
            text = ast.unparse(changed)
            if text in texts:
                continue
            texts.add(text)
            yield _described(ast.unparse(tree), text), changed


def _described(before: str, after: str) -> str:
    """The first line that differs, before and after."""
    for old, new in zip(before.splitlines(), after.splitlines(), strict=False):
        if old != new:
            return f"{old.strip()} → {new.strip()}"
    return "a line is lost"


def _edits(node: ast.AST) -> Iterator[Callable[[Any], None]]:
    """Functions that change a copy of the node in place."""
    if isinstance(node, ast.BinOp):
        if type(node.op) in OPERATORS:
            yield lambda n: setattr(n, "op", OPERATORS[type(n.op)]())
        if isinstance(node.op, ast.Pow):
            yield lambda n: setattr(n, "op", ast.Mult())
        if isinstance(node.op, ast.Sub | ast.Div | ast.MatMult):
            yield _exchange
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield lambda n: setattr(n, "op", ast.UAdd())
    elif isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARISONS:
        yield lambda n: setattr(n, "ops", [COMPARISONS[type(n.ops[0])]()])
    elif isinstance(node, ast.AugAssign):
        yield lambda n: setattr(n, "op", ast.Sub() if isinstance(n.op, ast.Add) else ast.Add())
    elif isinstance(node, ast.Constant):
        yield from _of_constant(node.value)
    elif isinstance(node, ast.Attribute):
        if node.attr in NAMES:
            yield lambda n: setattr(n, "attr", NAMES[n.attr])
    elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
        for i in range(len(node.value.elts)):
            yield partial(_negate, i=i)
    elif isinstance(node, ast.Assign) and not isinstance(node.targets[0], ast.Tuple):
        yield lambda n: setattr(n, "value", ast.UnaryOp(ast.USub(), n.value))


def _exchange(node: Any) -> None:
    node.left, node.right = node.right, node.left


def _negate(node: Any, i: int) -> None:
    node.value.elts[i] = ast.UnaryOp(ast.USub(), node.value.elts[i])


def _of_constant(value: Any) -> Iterator[Callable[[Any], None]]:
    if isinstance(value, bool):
        yield lambda n: setattr(n, "value", not n.value)
    elif isinstance(value, int | float):
        yield lambda n: setattr(n, "value", n.value + 1)
        if value:
            yield lambda n: setattr(n, "value", n.value - 1)
