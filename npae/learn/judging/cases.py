"""Inputs and true results of a check, drawn from a seed.

The true gradient is that of Σ g·y, measured by finite differences of the reference's forward pass in float64. In a
large block ``MEASURED`` random entries are measured; the others are those of the reference solution, which must agree
with the measured ones.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

import numpy as np

from npae.gradcheck.engine.numeric import LineFunction, estimate, slopes, step_for
from npae.gradcheck.engine.subject import Subject, Weighted
from npae.learn.catalogue.exercise import Exercise, ExerciseError, Function
from npae.learn.mutant import Known, by_name
from npae.utils.randomness import generator
from npae.utils.signature import arguments_of
from npae.utils.types import Array

PLAIN, SPECIAL = 3, 2  # number of cases of each sort
MEASURED = 100  # most entries of a block that are measured
TOLERANCE = 1e-6


@dataclass
class Case:
    """One call of a learner's function, and its true results.

    Attributes
    ----------
    function : Function
    inputs : dict
        The inputs and options that the reference drew, by name.
    g : array, float, tuple of them, or None
        The upstream gradient, with y's shape.
    y : array, float, or tuple of them
        The output of the forward pass; None where values are compared.
    truth : dict of str to ndarray
        The true results by name, in float64 (integers and booleans keep their dtype).
    """

    function: Function
    inputs: dict[str, Any]
    g: Any
    y: Any
    truth: dict[str, Array]

    def arguments(self) -> list[Any]:
        """The arguments of the learner's function, as copies."""
        return [copied({"g": self.g, "y": self.y}.get(name, self.inputs.get(name))) for name in self.function.takes]

    def __len__(self) -> int:
        """N: the number of samples, the length of the first array."""
        return next((len(v) for v in self.inputs.values() if isinstance(v, np.ndarray) and v.ndim), 1)


@dataclass
class CaseSet:
    """All cases of one function.

    Attributes
    ----------
    function : Function
    known : list of Known
        The known mistakes.
    plain, square, ties, edge : list of Case
        Cases of the usual draw, and, where a known mistake needs them, with equal sizes, with ties, and with values so
        extreme that no difference measures a slope there.
    zero : Case or None
        The first plain case with g = 0.
    """

    function: Function
    known: list[Known]
    plain: list[Case]
    square: list[Case] = field(default_factory=list)
    ties: list[Case] = field(default_factory=list)
    edge: list[Case] = field(default_factory=list)
    zero: Case | None = None

    @property
    def cases(self) -> list[Case]:
        return [*self.plain, *self.square, *self.ties, *self.edge, *([self.zero] if self.zero else [])]


def draw_sheets(exercise: Exercise, seed: int = 0) -> list[CaseSet]:
    """The cases of all functions of an exercise; the same seed gives the same cases."""
    return [draw_sheet(exercise, function, seed) for function in exercise.functions]


def draw_sheet(exercise: Exercise, function: Function, seed: int = 0) -> CaseSet:
    """The cases of one function."""
    rng = generator(seed, f"learn {exercise.name}.{function.name}")
    known = exercise.known(function)
    draw = getattr(exercise.reference, function.draw)
    turns = [{"turn": i} if "turn" in arguments_of(draw) else {} for i in range(PLAIN)]
    sheet = CaseSet(function, known, [draw_case(exercise, function, rng, **turn) for turn in turns])
    for need in {k.needs for k in known} - {""}:
        setattr(sheet, need, [draw_case(exercise, function, rng, **{need: True}) for _ in range(SPECIAL)])
    if "g" in function.takes and function.compares == "gradient":
        first = sheet.plain[0]
        nothing = {name: 0.0 * values for name, values in first.truth.items()}
        sheet.zero = Case(function, first.inputs, scaled(first.g, 0.0), first.y, nothing)
    return sheet


def draw_case(exercise: Exercise, function: Function, rng: np.random.Generator, **special: int) -> Case:
    """Draw one case.

    The draw is told ``square=True`` for equal sizes, ``ties=True`` for equal entries, ``edge=True`` for extreme values,
    and by ``turn`` the number of a usual case, if it takes that: so it can have each of two forms in some case.
    """
    try:
        inputs = getattr(exercise.reference, function.draw)(rng, **special)
        missing = [n for n in function.takes if n not in inputs and n not in ("g", "y")]
        if missing:
            raise ExerciseError(f"{function.draw}() gives no {', '.join(missing)}, which {function.name} takes")
        truth = exercise.truth(function)
        if function.compares == "value":
            case = Case(function, inputs, None, None, {})
            case.truth = _floats(by_name(truth(*case.arguments()), function.returns))
            return case
        forward = getattr(exercise.reference, function.of)
        y = call_forward(forward, inputs)
        case = Case(function, inputs, upstream(y, rng if "g" in function.takes else None), y, {})
        claimed = _floats(by_name(truth(*case.arguments()), function.returns))
        # At a tie there are several right gradients and no derivative to measure; at an edge no step is small enough.
        if special.get("ties") or special.get("edge"):
            case.truth = claimed
            return case
        case.truth = _measured(forward, case, claimed, rng)
        return case
    except ExerciseError as error:
        raise ExerciseError(f"{exercise.folder.name}/reference.py: {error}") from None
    except Exception as error:
        raise ExerciseError(
            f"{exercise.folder.name}/reference.py fails in {function.name}: {type(error).__name__}: {error}"
        ) from error


def call_forward(forward: Callable[..., Any], inputs: Mapping[str, Any]) -> Any:
    """y: the forward pass, called with the inputs that are named as its parameters."""
    return forward(*(copied(inputs[name]) for name in argument_names(forward, inputs)))


def argument_names(forward: Callable[..., Any], inputs: Mapping[str, Any]) -> list[str]:
    """Names of the inputs that a forward pass takes, in its order; trailing parameters with defaults may be missing."""
    parameters = arguments_of(forward)
    unknown = [name for name, p in parameters.items() if name not in inputs and p.default is p.empty]
    if unknown:
        raise ExerciseError(f"{forward.__name__} takes {', '.join(unknown)}, which draw() does not give")
    return list(takewhile(lambda name: name in inputs, parameters))


def upstream(y: Any, rng: np.random.Generator | None) -> Any:
    """A random g of y's shape; ones without a generator, for functions that take no g."""
    if isinstance(y, tuple):
        return tuple(upstream(part, rng) for part in y)
    g = np.ones(np.shape(y)) if rng is None else rng.standard_normal(np.shape(y))
    return g if isinstance(y, np.ndarray) and y.ndim else float(g)


def scaled(g: Any, factor: float) -> Any:
    """g, or each part of a tuple g, times a number."""
    return tuple(scaled(part, factor) for part in g) if isinstance(g, tuple) else factor * g


def copied(value: Any) -> Any:
    """Copies of arrays; arrays without axes as Python numbers; any other value, which is immutable, unchanged."""
    if isinstance(value, tuple):
        return tuple(copied(part) for part in value)
    if not isinstance(value, np.ndarray):
        return value
    return value.copy() if value.ndim else value.item()


class Forward(Subject):
    """A forward pass as a subject of the gradient checker, which measures its derivatives."""

    def __init__(self, forward: Callable[..., Any], case: Case) -> None:
        names = argument_names(forward, case.inputs)
        self._forward, self._arguments = forward, {name: case.inputs[name] for name in names}
        self.blocks = {}
        for name in case.function.returns:
            if name[0] == "d" and name[1:] in self._arguments:
                self.blocks[name] = np.array(self._arguments[name[1:]], dtype=np.float64)
                self._arguments[name[1:]] = self.blocks[name]
        self._u = flat(case.g)

    def output(self) -> Array:
        values = (a if not isinstance(a, np.ndarray) or a.ndim else float(a) for a in self._arguments.values())
        return flat(self._forward(*values))

    def upstream(self, generator: np.random.Generator) -> Array:
        return self._u

    def weighted(self) -> Weighted:
        """Σ g·y."""
        return Weighted(self, self._u)


def flat(y: Any) -> Array:
    """The numbers of y, or of all parts of a tuple y, as one float64 vector."""
    parts = y if isinstance(y, tuple) else (y,)
    return np.concatenate([np.asarray(part, dtype=np.float64).reshape(-1) for part in parts])


def _measured(forward: Callable[..., Any], case: Case, claimed: dict[str, Array], rng: np.random.Generator) -> Any:
    subject = Forward(forward, case)
    weighted = subject.weighted()
    truth = {}
    for name, values in claimed.items():
        if name == "y":
            truth[name] = np.asarray(case.y, dtype=np.float64)
        elif name not in subject.blocks:
            raise ExerciseError(
                f"{case.function.name} returns {name}, but {forward.__name__} has no argument {name[1:]}"
            )
        else:
            truth[name] = _slopes(subject.blocks[name], values, weighted, rng, name)
    return truth


def _slopes(block: Array, claimed: Array, weighted: Weighted, rng: np.random.Generator, name: str) -> Array:
    if claimed.shape != block.shape:
        raise ExerciseError(f"{name} has shape {claimed.shape}; expected {block.shape}")
    points, truth = block.reshape(-1), claimed.reshape(-1).copy()
    scale = float(np.abs(truth).max(initial=0.0)) or 1.0
    entries = rng.choice(truth.size, MEASURED, replace=False) if truth.size > MEASURED else np.arange(truth.size)
    for i in entries:
        line = LineFunction(weighted.rise, points[i : i + 1], np.ones(1))
        h = step_for() * max(1.0, abs(points[i]))
        slope, limit = slopes(line, h).central, TOLERANCE * scale / 10
        if not abs(slope - truth[i]) <= limit:
            e = estimate(line, h, weighted.noise, limit)
            if e.kink:
                raise ExerciseError(f"draw() puts {name[1:]} on a kink, where there is no slope; draw away from it")
            slope = e.value
            if not abs(slope - truth[i]) <= TOLERANCE * scale + 10 * e.error:
                raise ExerciseError(f"{name} has an entry {truth[i]:.6g}, but the slope there is {slope:.6g}")
            if not e.error <= TOLERANCE * scale:
                raise ExerciseError(f"the slope by {name[1:]} is known no better than {e.error:.0e}; draw other inputs")
        truth[i] = slope
    return truth.reshape(block.shape)


def _floats(values: Mapping[str, Array]) -> dict[str, Array]:
    return {name: v if v.dtype.kind in "biu" else v.astype(np.float64) for name, v in values.items()}
