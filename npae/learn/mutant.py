"""Known mistakes of an exercise's function: those of its own ``mutants.py``, and those of the library.

A mistake of an exercise is a function of the right function and the learner's arguments::

    @mutant("backward", "db = mean(g, 0)", "Broadcast forward means sum backward.")
    def db_mean(right, g, x, W):
        dx, dW, db = right(g, x, W)
        return dx, dW, db / len(x)

Its name is db-mean. An exercise that computes what a kind of the library (``npae.gradcheck.bugs``) does uses the
library's mistakes, under the same names.
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
    """A wrong function that ``@mutant`` has registered.

    Attributes
    ----------
    function : str
        Name of the learner's function that it replaces.
    formula, hint : str
        The wrong formula, and the principle that was missed.
    name : str
    how : {"", "draws", "accumulates"}
        Why equal calls give different results: new random numbers, accumulation, or "" where they do not.
    needs : {"", "square", "ties", "edge"}
        The option of ``draw`` without which the mistake does not show.
    compute : callable
        (right, *arguments) -> the results of the wrong function.
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
    """Decorator: register a known mistake in ``function``, named after the decorated function unless ``name`` is given.

    Parameters
    ----------
    function : str
        Name of the learner's function.
    formula, hint : str
        The wrong formula, and one sentence on the principle that was missed.
    name : str, optional
        By default the decorated function's name, with hyphens for underscores.
    how : {"", "draws", "accumulates"}
        Why equal calls give different results, if they do.
    needs : {"", "square", "ties", "edge"}
        The option of ``draw`` without which the mistake does not show.

    Returns
    -------
    callable
        The decorator, which returns its function unchanged.

    Examples
    --------
    >>> from npae.learn.mutant import mutant
    >>> @mutant("backward", "dx = g·x", "The slope of a linear function does not depend on x.")
    ... def times_x(right, g, x):
    ...     return g * x
    >>> times_x.mutant.name
    'times-x'
    """

    def note(compute: Callable[..., Any]) -> Callable[..., Any]:
        called = name or compute.__name__.strip("_").replace("_", "-")
        compute.mutant = Mutant(function, formula, hint, called, how, needs, compute)  # type: ignore[attr-defined]
        return compute

    return note


class Known:
    """Base class of known mistakes, which compute wrong results for a case.

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
        """The wrong results by name for a ``cases.Case``; results that are not included are right.

        ``seen`` has the learner's results by name, to which an unknown number in a mistake, such as a learning rate, is
        fitted.
        """
        raise NotImplementedError

    def forget(self) -> None:
        """Reset the state that earlier calls have left."""


class OwnMistake(Known):
    """A mistake from the exercise's mutants.py."""

    def __init__(self, noted: Mutant, right: Callable[..., Any], returns: tuple[str, ...]) -> None:
        self.name, self.formula, self.hint = noted.name, noted.formula, noted.hint
        self.how, self.needs = noted.how, noted.needs
        self._compute, self._right, self._returns = noted.compute, right, returns

    def values(self, case: Any, seen: Mapping[str, Array]) -> Values:
        result = self._compute(self._right, *case.arguments())
        return by_name(result, self._returns)


class LibraryMistake(Known):
    """A mistake from ``npae.gradcheck.bugs``, for an exercise whose inputs have the names of the mistake's kind."""

    def __init__(self, bug: Bug, returns: tuple[str, ...]) -> None:
        self.name, self.formula, self.hint = bug.name, bug.formula, bug.hint
        self.how, self.needs = bug.how, bug.needs
        self._bug, self._kind = bug, KINDS[bug.kind]
        # The gradient by W is called dW; the path of an optimizer's θ, which is no gradient, keeps its name.
        self._names = {b: "d" + b if "d" + b in returns else b for b in bug.blocks}
        self._returns = returns
        self.forget()

    def forget(self) -> None:
        self._before: dict[str, Array] = {}
        self._rng = np.random.default_rng(0)

    @property
    def applies(self) -> bool:
        """Whether the exercise returns any of the gradients that are wrong."""
        return any(name in self._returns for name in self._names.values())

    def values(self, case: Any, seen: Mapping[str, Array]) -> Values:
        c = make_case(self._kind, case.inputs, case.g)
        c.before, c.rng = self._before, self._rng
        ours = {block: seen[name] for block, name in self._names.items() if name in seen}
        # An unknown number, such as a learning rate, is fitted to numbers only.
        can_fit = set(ours) == set(self._bug.blocks) and all(np.isfinite(v).all() for v in ours.values())
        fitted = ours if can_fit else None
        wrong = self._bug.gradients(c, fitted)
        if self.how == "accumulates":
            self._before = dict(wrong)
        result = {}
        for block, values in wrong.items():
            name = self._names[block]
            if name in self._returns:
                like = np.shape(case.truth[name])
                # A learner who writes db[:] = g.sum() gets an array filled with one number.
                spread = values.shape == () and name in seen and np.shape(seen[name]) == like
                result[name] = np.broadcast_to(values, like) if spread else values
        return result


def library_mistakes(which: tuple[str, ...], returns: tuple[str, ...]) -> list[Known]:
    """The library's mistakes named by ``which``, such as ("dense", "convolution/db-scalar"), that affect ``returns``.

    Raises
    ------
    ValueError
        For an unknown kind or mistake, or a single mistake that affects no result.
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
    """A function's results as arrays by name: a tuple or list with a value for each name, or one value for one name."""
    parts = tuple(result) if isinstance(result, tuple | list) and len(names) > 1 else (result,)
    if isinstance(result, tuple) and len(names) == 1 and len(result) == 1:
        parts = result
    if len(parts) != len(names):
        raise ValueError(f"{len(parts)} values were returned; expected {len(names)}: {', '.join(names)}")
    return {name: np.asarray(part) for name, part in zip(names, parts, strict=True)}
