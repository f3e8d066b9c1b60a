"""Known mistakes of an exercise's function: those of its own ``mutants.py``, and those of the library.

A mistake of an exercise is a function that gets the right one and the learner's arguments::

    @mutant("backward", "db = mean(g, 0)", "Broadcast forward means sum backward.")
    def db_mean(right, g, x, W):
        dx, dW, db = right(g, x, W)
        return dx, dW, db / len(x)

It is called db-mean. The library's (``npae.gradcheck.bugs``) are taken over where an exercise computes what one of its
kinds does, under the same names.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from npae.gradcheck.bugs import KINDS, Bug, bugs_of, make_case
from npae.utils.types import Array

Values = dict[str, Array]


@dataclass(frozen=True)
class Mutant:
    """What ``@mutant`` notes of a wrong function.

    Attributes
    ----------
    function : str
        The learner's function that it stands for.
    formula, hint : str
        What is wrong; the principle that was missed.
    name : str
    how : {"", "draws", "accumulates"}
        What makes it another result at every call, if anything does.
    needs : {"", "square", "ties"}
        The special draw that shows it.
    compute : callable
        (right, *arguments) -> what the wrong function returns.
    """

    function: str
    formula: str
    hint: str
    name: str
    how: str
    needs: str
    compute: Callable[..., Any] = field(repr=False)


def mutant(
    function: str, formula: str, hint: str, *, name: str = "", how: str = "", needs: str = ""
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator: a known mistake in ``function``, called after the decorated function unless a ``name`` is given."""

    def note(compute: Callable[..., Any]) -> Callable[..., Any]:
        called = name or compute.__name__.strip("_").replace("_", "-")
        compute.mutant = Mutant(function, formula, hint, called, how, needs, compute)  # type: ignore[attr-defined]
        return compute

    return note


class Known:
    """A known mistake, as what it makes of one case.

    Attributes
    ----------
    name, formula, hint, how, needs : str
        As in ``Mutant``.
    """

    name: str
    formula: str
    hint: str
    how: str
    needs: str

    def values(self, case: Any, seen: Mapping[str, Array]) -> Values:
        """The wrong results by name, of the ``cases.Case`` given; those not among them are right.

        ``seen`` is what the learner's function returned: an unknown number in a mistake, such as a learning rate, is
        fitted to it.
        """
        raise NotImplementedError

    def forget(self) -> None:
        """Begin anew, where calls leave something behind."""


class OwnMistake(Known):
    """A mistake of the exercise's own mutants.py."""

    def __init__(self, noted: Mutant, right: Callable[..., Any], returns: tuple[str, ...]) -> None:
        self.name, self.formula, self.hint = noted.name, noted.formula, noted.hint
        self.how, self.needs = noted.how, noted.needs
        self._compute, self._right, self._returns = noted.compute, right, returns

    def values(self, case: Any, seen: Mapping[str, Array]) -> Values:
        result = self._compute(self._right, *case.arguments())
        return by_name(result, self._returns)


class LibraryMistake(Known):
    """A mistake of ``npae.gradcheck.bugs``, for an exercise whose names are those of the mistake's kind."""

    def __init__(self, bug: Bug, returns: tuple[str, ...]) -> None:
        self.name, self.formula, self.hint = bug.name, bug.formula, bug.hint
        self.how, self.needs = bug.how, bug.needs
        self._bug, self._kind = bug, KINDS[bug.kind]
        # The gradient by W is called dW; the path of an optimizer's θ is called after itself.
        self._names = {b: "d" + b if "d" + b in returns else b for b in bug.blocks}
        self._returns = returns
        self.forget()

    def forget(self) -> None:
        self._before: dict[str, Array] = {}
        self._rng = np.random.default_rng(0)

    @property
    def applies(self) -> bool:
        """Whether any of the gradients that it spoils is asked for."""
        return any(name in self._returns for name in self._names.values())

    def values(self, case: Any, seen: Mapping[str, Array]) -> Values:
        c = make_case(self._kind, case.inputs, case.g)
        c.before, c.rng = self._before, self._rng
        ours = {block: seen[name] for block, name in self._names.items() if name in seen}
        fitted = ours if set(ours) == set(self._bug.blocks) else None
        wrong = self._bug.gradients(c, fitted)
        if self.how == "accumulates":
            self._before = dict(wrong)
        result = {}
        for block, values in wrong.items():
            name = self._names[block]
            if name in self._returns:
                like = np.shape(case.truth[name])
                # Assigned to an array, one number fills it, as learners who write db[:] = g.sum() see.
                spread = values.shape == () and name in seen and np.shape(seen[name]) == like
                result[name] = np.broadcast_to(values, like) if spread else values
        return result


def library_mistakes(which: tuple[str, ...], returns: tuple[str, ...]) -> list[Known]:
    """The library's mistakes that ``bugs = ["dense", "conv/db-scalar"]`` names, as far as they spoil what is returned.

    Raises
    ------
    ValueError
        For a kind or a mistake that there is not.
    """
    found: list[Known] = []
    for entry in which:
        kind, _, name = entry.partition("/")
        if kind not in KINDS:
            raise ValueError(f"bugs names the kind {kind!r}; expected one of {', '.join(KINDS)}")
        bugs = [b for b in bugs_of(kind) if not name or b.name == name]
        if not bugs:
            known = ", ".join(b.name for b in bugs_of(kind))
            raise ValueError(f"bugs names {entry!r}; the known mistakes of {kind} are {known}")
        mistakes = [LibraryMistake(b, returns) for b in bugs]
        if name and not mistakes[0].applies:
            raise ValueError(f"bugs names {entry!r}, which spoils nothing of {', '.join(returns)}; leave it out")
        found += [m for m in mistakes if m.applies]
    return found


def by_name(result: Any, names: tuple[str, ...]) -> Values:
    """What a function returned as arrays by name: a tuple of as many as there are names, or one value for one name."""
    parts = tuple(result) if isinstance(result, tuple | list) and len(names) > 1 else (result,)
    if isinstance(result, tuple) and len(names) == 1 and len(result) == 1:
        parts = result
    if len(parts) != len(names):
        raise ValueError(f"{len(parts)} values were returned; expected {len(names)}: {', '.join(names)}")
    return {name: np.asarray(part) for name, part in zip(names, parts, strict=True)}
