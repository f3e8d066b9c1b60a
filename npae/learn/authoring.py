"""Make and check exercises: the stub must fail, the reference pass, every known mistake be caught and named."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np

from npae.learn.catalogue.catalogue import find
from npae.learn.catalogue.exercise import FILES, Exercise, ExerciseError, Function, check_name, load
from npae.learn.judging.cases import Case, CaseSet, draw_sheets
from npae.learn.judging.judge import judge
from npae.learn.judging.outcome import Outcome
from npae.learn.mutant import Known
from npae.learn.mutation import mutations
from npae.learn.sandbox.call_result import CallError, CallResult
from npae.learn.sandbox.in_process import InProcess, as_arrays

SEEDS = 20
MISTAKE_SEEDS = 3  # draws at which each mistake is tried
HEADER = ("exercise", "stub", "reference passes", "caught", "named", "a check", "changed")
MODEL = "dense"  # the exercise that a new one is a copy of
MUTANTS = '''"""Mistakes that npae's library does not have."""

from npae.learn.mutant import mutant


@mutant("backward", "dx = −g Wᵀ", "If y rises with x and the loss with y, the loss rises with x.")
def sign_of_dx(right, g, x, W):
    dx, dW, db = right(g, x, W)
    return -dx, dW, db
'''


@dataclass
class Fitness:
    """The result of the check of an exercise.

    Attributes
    ----------
    name : str
        Name of the exercise's folder.
    stub : str
        The status that the stub gets; see ``outcome.STATUSES``.
    passes : int
        Number of the ``SEEDS`` draws at which the reference passes.
    mistakes, caught, named : int
        Numbers of known mistakes, of those that fail, and of those that are named correctly and uniquely.
    seconds : float
        Duration of one check of the reference, in this process.
    changed, refused, equivalent : int or None
        Numbers of solutions with one change, of those that fail, and of those that are listed as changing no result;
        None where they were not tried.
    faults : list of str
        The faults of the exercise, one sentence each; empty where it is ready to use.
    """

    name: str
    stub: str = ""
    passes: int = 0
    mistakes: int = 0
    caught: int = 0
    named: int = 0
    seconds: float = 0.0
    changed: int | None = None
    refused: int = 0
    equivalent: int = 0
    faults: list[str] = field(default_factory=list)

    def row(self) -> tuple[str, ...]:
        """The cells of a table row, in the order of ``HEADER``."""
        caught, named = f"{self.caught} of {self.mistakes}", f"{self.named} of {self.mistakes}"
        # A changed solution that changes no result is in order, and counts with those that fail.
        changed = "–" if self.changed is None else f"{self.refused + self.equivalent} of {self.changed}"
        return self.name, self.stub, f"{self.passes} of {SEEDS}", caught, named, f"{self.seconds:.2f} s", changed


def new(folder: str | Path) -> Path:
    """Make the folder of a new exercise: a copy of "dense" with the folder's name, and a mutants.py to edit.

    Parameters
    ----------
    folder : str or Path
        Must not exist; a leading number and underscore ("21_") are not part of the exercise's name.

    Returns
    -------
    Path
        The absolute path of the folder.

    Raises
    ------
    ExerciseError
        Where the folder exists, or its name is not valid for an exercise.
    """
    folder = Path(folder).resolve()
    name = re.sub(r"^\d+_", "", folder.name)
    if folder.exists():
        raise ExerciseError(f"{folder} is there already; choose another name")
    check_name(name, str(folder))
    model = find(MODEL)
    folder.mkdir(parents=True)
    for file in FILES:
        text = (model.folder / file).read_text(encoding="utf-8")
        if file == "exercise.toml":
            text = text.replace(f'name = "{MODEL}"', f'name = "{name}"', 1)
            text = re.sub(r"^number = \d+$", "number = 0", text, flags=re.MULTILINE)
        text = text.replace(model.header, f"# npae-exercise: {name} v{model.version}")
        (folder / file).write_text(text, encoding="utf-8")
    (folder / "mutants.py").write_text(MUTANTS, encoding="utf-8")
    return folder


def check(folder: str | Path, seeds: int = SEEDS, long: bool = False) -> Fitness:
    """Check the exercise in a folder; its faults are in ``Fitness.faults``.

    Parameters
    ----------
    folder : str or Path
    seeds : int, default 20
        Draws at which the reference must pass.
    long : bool, default False
        Try all solutions with one change as well (see ``npae.learn.mutation``): none may pass that is not listed in
        exercise.toml as equivalent.
    """
    fitness = Fitness(Path(folder).resolve().name)
    try:
        exercise = load(folder)
        fitness.faults += _text_faults(exercise)
        _check_stub(exercise, fitness)
        _check_reference(exercise, fitness, seeds)
        if exercise.kind == "fool":
            _check_fool(exercise, fitness)
        else:
            _check_mistakes(exercise, fitness)
            if long:
                _check_changed(exercise, fitness)
    except ExerciseError as error:
        fitness.faults.append(str(error))
    return fitness


def _text_faults(exercise: Exercise) -> Iterator[str]:
    first = exercise.stub.splitlines()[0] if exercise.stub else ""
    if first != exercise.header:
        yield f"stub.py begins with {first!r}; expected {exercise.header!r}"
    if not exercise.text.startswith("# "):
        yield "text.md does not begin with a title, # title"
    if not all(exercise.hints):
        yield "hints.md has an empty hint"
    for function in exercise.functions:
        if f"def {function.name}(" not in exercise.stub:
            yield f"stub.py has no function {function.name}"


def _check_stub(exercise: Exercise, fitness: Fitness) -> None:
    names: dict[str, Any] = {"__name__": exercise.name}
    try:
        exec(compile(exercise.stub, "stub.py", "exec"), names)
    except Exception as error:
        fitness.faults.append(f"stub.py does not run: {type(error).__name__}: {error}")
        return
    outcome = judge(exercise, InProcess({f.name: names[f.name] for f in exercise.functions if f.name in names}))
    fitness.stub = outcome.status
    if outcome.passed:
        fitness.faults.append("the stub passes")
    elif exercise.kind == "exercise" and outcome.status != "missing":
        fitness.faults.append(f"the stub is {outcome.status}; expected raise NotImplementedError in it")
    elif not outcome.text and not outcome.blocks:
        fitness.faults.append("the stub fails without a message")


def _check_reference(exercise: Exercise, fitness: Fitness, seeds: int) -> None:
    reference = InProcess({f.name: exercise.solution(f) for f in exercise.functions})
    for seed in range(seeds):
        start = monotonic()
        outcome = judge(exercise, reference, seed=seed)
        fitness.seconds = monotonic() - start
        fitness.passes += outcome.passed
        if not outcome.passed:
            fitness.faults.append(f"the reference fails with seed {seed}: {told(outcome)}")


def _check_changed(exercise: Exercise, fitness: Fitness) -> None:
    """Judge all solutions with one change; one that passes must be listed as equivalent."""
    sheets = draw_sheets(exercise, 0)
    fitness.changed = 0
    for mutation in mutations(exercise):
        fitness.changed += 1
        if not judge(exercise, InProcess(mutation.functions), sheets).passed:
            fitness.refused += 1
        elif mutation.change in exercise.equivalent:
            fitness.equivalent += 1
        else:
            fitness.faults.append(
                f"a changed solution passes: {mutation.change}; let draw() tell the two apart, or list it in "
                "exercise.toml under [equivalent] with the reason why no result changes"
            )


def _check_fool(exercise: Exercise, fitness: Fitness) -> None:
    known = exercise.known(exercise.functions[0])
    reference = InProcess({f.name: exercise.solution(f) for f in exercise.functions})
    fitness.mistakes, fitness.caught = len(known), judge(exercise, reference).excluded
    fitness.named = fitness.caught  # a "fool" exercise names no mistakes: the learner's inputs must catch them


def _check_mistakes(exercise: Exercise, fitness: Fitness) -> None:
    drawn = [draw_sheets(exercise, seed) for seed in range(MISTAKE_SEEDS)]
    for i, function in enumerate(exercise.functions):
        for j, known in enumerate(drawn[0][i].known):
            outcomes = [_planted(exercise, sheets, i, sheets[i].known[j]) for sheets in drawn]
            names = [[n.bug for n in outcome.names] for outcome in outcomes]
            fitness.mistakes += 1
            fitness.caught += not any(outcome.passed for outcome in outcomes)
            fitness.named += all(found == [known.name] for found in names)
            if any(outcome.passed for outcome in outcomes):
                fitness.faults.append(f"{function.name}: {known.name} ({known.formula}) passes")
            elif not all(found == [known.name] for found in names):
                got = next(k for k, found in enumerate(names) if found != [known.name])
                called = " and ".join(names[got]) or f"nothing ({told(outcomes[got])})"
                fitness.faults.append(f"{function.name}: {known.name} ({known.formula}) is called {called}")


def _planted(exercise: Exercise, sheets: Sequence[CaseSet], i: int, known: Known) -> Outcome:
    """The verdict on a solution with one known mistake in function number i."""
    known.forget()
    right = InProcess({f.name: exercise.solution(f) for f in exercise.functions})
    return judge(exercise, Mistaken(right, sheets[i], known), sheets)


class Mistaken:
    """A ``Caller`` of the reference's functions, one of which has a known mistake."""

    def __init__(self, right: InProcess, sheet: CaseSet, known: Known) -> None:
        self._right, self._sheet, self._known = right, sheet, known

    def call(self, function: str, arguments: Sequence[Any]) -> CallResult:
        """The reference's result, with the mistake's values where it is in ``function``."""
        answer = self._right.call(function, arguments)
        if function != self._sheet.function.name or answer.values is None:
            return answer
        returns = self._sheet.function.returns
        try:
            with np.errstate(all="ignore"):
                wrong = self._known.values(self._case(self._sheet.function, arguments), {})
        except Exception as error:
            return CallResult(None, CallError("error", f"{type(error).__name__}: {error}"))
        values = dict(zip(returns, answer.values, strict=True)) | wrong
        return CallResult(as_arrays(tuple(values[name] for name in returns)))

    def _case(self, function: Function, arguments: Sequence[Any]) -> Case:
        for case in self._sheet.cases:
            if all(_equal(a, b) for a, b in zip(case.arguments(), arguments, strict=True)):
                return case
        raise LookupError("these arguments belong to no case")


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, tuple):
        return isinstance(b, tuple) and len(a) == len(b) and all(map(_equal, a, b))
    return bool(np.array_equal(a, b)) if isinstance(a, np.ndarray) else bool(a == b)


def told(outcome: Outcome) -> str:
    """An outcome in a few words, such as "wrong in db"."""
    wrong = outcome.first_wrong
    return outcome.status + (f": {outcome.text}" if outcome.text else f" in {wrong.name}" if wrong else "")
