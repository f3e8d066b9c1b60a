"""``npae.learn.check``: check the functions of an exercise in a notebook or script, with heat maps of the errors."""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any

from npae.gradcheck.report.findings import BlockReport
from npae.gradcheck.report.html import heat_map
from npae.learn.catalogue.catalogue import find
from npae.learn.catalogue.exercise import Exercise
from npae.learn.judging import messages
from npae.learn.judging.judge import judge
from npae.learn.judging.outcome import Outcome, ReturnedValue
from npae.learn.sandbox.in_process import InProcess


@dataclass(frozen=True)
class Checked:
    """The result of ``check``; a notebook shows it as HTML, ``print`` as text.

    Attributes
    ----------
    exercise : Exercise
    outcome : Outcome
    passed : bool
    """

    exercise: Exercise
    outcome: Outcome

    @property
    def passed(self) -> bool:
        return self.outcome.passed

    def __repr__(self) -> str:
        text = messages.describe(self.exercise, self.outcome)
        return f"{text}\n{messages.praise(self.outcome, ())}".rstrip() if self.passed else text

    def _repr_html_(self) -> str:
        maps = "".join(map(_map, self.outcome.blocks))
        return f"<div><pre>{escape(repr(self))}</pre>{maps}</div>"


def _map(block: ReturnedValue) -> str:
    """A heat map of the errors of a wrong gradient as HTML, or ""."""
    if block.errors is None or not block.errors.ndim or not block.name.startswith("d"):
        return ""
    return heat_map(BlockReport(block.name[1:], block.shape), block.errors)


def check(name: str, *functions: Callable[..., Any], seed: int = 0) -> Checked:
    """Check the functions written for an exercise.

    The functions run in this process without a time limit; ``npae learn check`` runs a file in a process of its own.

    Parameters
    ----------
    name : str
        The exercise: its name, such as "dense", its number, or the path of the folder of your own, "./mine".
    *functions : callable
        The functions of the exercise: identified by their names if all names match, else by their order.
    seed : int, default 0
        Seed of the inputs.

    Returns
    -------
    Checked
        With ``passed`` and ``outcome``; its text says what is wrong, and in a notebook it shows heat maps of errors.

    Raises
    ------
    ExerciseError
        Where there is no such exercise.
    ValueError
        Where no function is given, or more than the exercise has.

    Examples
    --------
    >>> from npae.learn import check
    >>> check("relu", lambda g, x: g * (g > 0))
    relu  ✗ 0 of 1 right   dx ✗
    dx[...]: yours 0  true ...
    Looks like: mask-on-g. The sign of the forward input decides, not that of the gradient.
    """
    exercise = find(name)
    wanted = [f.name for f in exercise.functions]
    if not functions or len(functions) > len(wanted):
        raise ValueError(
            f"{len(functions)} functions are given; {exercise.name} asks for {', '.join(wanted)}: "
            f'check("{exercise.name}", {", ".join(wanted)})'
        )
    named = {getattr(f, "__name__", ""): f for f in functions}
    given = named if set(named) <= set(wanted) else dict(zip(wanted, functions, strict=False))
    return Checked(exercise, judge(exercise, InProcess(given), seed=seed))
