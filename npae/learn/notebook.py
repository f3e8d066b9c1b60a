"""``npae.learn.check``: check functions in a notebook or a script, with a picture of what is wrong."""

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
from npae.learn.judging.outcome import Block, Outcome
from npae.learn.sandbox.in_process import InProcess


@dataclass(frozen=True)
class Checked:
    """What ``check`` found; a notebook shows it as HTML, ``print`` as text.

    Attributes
    ----------
    exercise : Exercise
    outcome : Outcome
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


def _map(block: Block) -> str:
    """The error of every entry of a wrong gradient."""
    if block.errors is None or not block.errors.ndim or not block.name.startswith("d"):
        return ""
    return heat_map(BlockReport(block.name[1:], block.shape), block.errors)


def check(name: str, *functions: Callable[..., Any], seed: int = 0) -> Checked:
    """Check what you have written for an exercise.

    The functions run here, so one that never ends has to be interrupted; ``npae learn check`` gives a file a process of
    its own.

    Parameters
    ----------
    name : str
        Of the exercise, such as "dense"; its number; or the path of the folder of one of your own, "./mine".
    *functions : callable
        Those that the exercise asks for: found by their names, or else taken in its order.
    seed : int, default 0
        Of the inputs that are drawn.

    Returns
    -------
    Checked
        ``passed``, ``outcome``, and a text or a page with heat maps of the errors.

    Examples
    --------
    >>> from npae.learn import check
    >>> check("relu", lambda g, x: g * (g > 0))
    relu  ✗ 0 of 1 right   dx ✗
    dx[0, 0]: yours 0  true -0.6712
    Looks like: mask-on-g. The forward input opens the gate, not the gradient that arrives.
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
