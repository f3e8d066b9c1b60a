"""Judge a "fool" exercise: a wrong gradient that passes a weak test, and inputs for a test that catches it.

The learner writes ``wrong``, which must agree with the true gradient at the weak inputs and differ at random inputs,
and ``inputs``, at which the same test must catch every known mistake.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from npae.learn.catalogue.exercise import Exercise, ExerciseError
from npae.learn.judging.cases import TOLERANCE, Case, call_forward, draw_sheet
from npae.learn.judging.identify import apart
from npae.learn.judging.outcome import Outcome, ReturnedValue
from npae.learn.mutant import Known, by_name
from npae.learn.sandbox.call_result import Caller, miscounted
from npae.utils.types import Array

LARGEST = 1_000  # most entries of an input
PLAINLY = 1e-3  # smallest relative error at which ``wrong`` counts as wrong


def judge_fool(exercise: Exercise, caller: Caller, seed: int = 0) -> Outcome:
    """The verdict on ``wrong`` and ``inputs``."""
    outcome = Outcome(exercise.name)
    gradient, inputs = functions(exercise)
    first, second = ReturnedValue(gradient.name, gradient.name), ReturnedValue(inputs.name, inputs.name)
    outcome.blocks = [first, second]
    try:
        _judge_wrong(exercise, caller, seed, outcome)
        first.right = True
        _judge_inputs(exercise, caller, outcome)
        second.right = True
    except _FailedError as failed:
        outcome.status, outcome.function, outcome.text = failed.args
        block = second if first.right else first
        block.right = False
    return outcome


class _FailedError(Exception):
    """(status, function, text)."""


def functions(exercise: Exercise) -> tuple[Any, Any]:
    """The exercise's two functions: the wrong gradient, and the one that returns inputs."""
    if len(exercise.functions) != 2 or exercise.functions[1].takes:
        raise ExerciseError(
            f'{exercise.folder.name}/exercise.toml: a "fool" has two functions, the wrong gradient and inputs, '
            "which takes nothing"
        )
    return exercise.functions[0], exercise.functions[1]


def case_of(exercise: Exercise, values: Mapping[str, Any]) -> Case:
    """The case for these inputs and g; its truth is the reference's right gradient."""
    function = functions(exercise)[0]
    given = dict(values)
    g = given.pop("g", None)
    y = call_forward(getattr(exercise.reference, function.of), given)
    case = Case(function, given, g, y, {})
    case.truth = by_name(exercise.truth(function)(*case.arguments()), function.returns)
    return case


def _called(caller: Caller, function: Any, arguments: list[Any], names: tuple[str, ...]) -> tuple[Array, ...]:
    answer = caller.call(function.name, arguments)
    if answer.values is None:
        assert answer.trouble is not None
        raise _FailedError(answer.trouble.status, function.name, answer.trouble.text)
    if len(answer.values) != len(names):
        raise _FailedError("shape", function.name, miscounted(function.name, answer.values, names))
    return answer.values


def _judge_wrong(exercise: Exercise, caller: Caller, seed: int, outcome: Outcome) -> None:
    function = functions(exercise)[0]
    weak = case_of(exercise, exercise.reference.weak_inputs())
    values = _called(caller, function, weak.arguments(), function.returns)
    for name, value in zip(function.returns, values, strict=True):
        true = weak.truth[name]
        _check_form(function, name, value, true)
        if not apart(value, true) <= TOLERANCE:
            at = np.unravel_index(int(np.argmax(np.abs(value - true))), np.shape(true)) if np.ndim(true) else ()
            place = f"{name}[{', '.join(map(str, at))}]" if np.ndim(true) else name
            raise _FailedError(
                "wrong",
                function.name,
                f"the weak test catches you: {place} is {float(value[at]):.4g} and "
                f"the slope {float(true[at]):.4g}; it must agree at the weak inputs",
            )
    if not any(_is_wrong(function, caller, case) for case in draw_sheet(exercise, function, seed).plain):
        raise _FailedError(
            "wrong",
            function.name,
            f"{function.name} is right at random inputs too; it must be wrong where the weak test does not look",
        )


def _check_form(function: Any, name: str, value: Array, true: Array) -> None:
    """The wrong gradient must have a numeric dtype, the right shape and finite numbers."""
    if value.dtype.kind not in "fiu":
        raise _FailedError("shape", function.name, f"{name} is an array of type {value.dtype}; expected float64")
    if np.shape(value) != np.shape(true):
        raise _FailedError("shape", function.name, f"{name} has shape {value.shape}; expected {np.shape(true)}")
    if not np.isfinite(value).all():
        raise _FailedError("wrong", function.name, f"{name} has NaN or infinity in it, which any test would notice")


def _is_wrong(function: Any, caller: Caller, case: Case) -> bool:
    """Whether the gradient is wrong at this random case."""
    try:
        values = _called(caller, function, case.arguments(), function.returns)
        for name, value in zip(function.returns, values, strict=True):
            _check_form(function, name, value, case.truth[name])
    except _FailedError as failed:
        status, name, text = failed.args
        text = f"{text}\n{name} must run at other inputs too, and be wrong there."
        raise _FailedError(status, name, text) from None
    return any(apart(v, case.truth[n]) > PLAINLY for n, v in zip(function.returns, values, strict=True))


def _judge_inputs(exercise: Exercise, caller: Caller, outcome: Outcome) -> None:
    gradient, function = functions(exercise)
    values = _called(caller, function, [], gradient.takes)
    if any(v.dtype.kind not in "fiu" or v.size > LARGEST or not np.isfinite(v).all() for v in values):
        raise _FailedError(
            "shape",
            function.name,
            f"expected finite numbers, at most {LARGEST:,} in each of {', '.join(gradient.takes)}",
        )
    weak = exercise.reference.weak_inputs()
    options = {name: value for name, value in weak.items() if not isinstance(value, np.ndarray)}
    given = dict(zip(gradient.takes, (_plain(v) for v in values), strict=True))
    try:
        case = case_of(exercise, {**options, **given})
        if np.shape(case.g) != np.shape(case.y):
            raise ValueError(f"g has shape {np.shape(case.g)}, and y {np.shape(case.y)}")
    except ExerciseError:
        raise
    except Exception as error:
        raise _FailedError("shape", function.name, f"these inputs do not fit together: {error}") from None
    known = exercise.known(gradient)
    missed = [k for k in known if not _caught(k, case)]
    outcome.excluded = len(known) - len(missed)
    if missed:
        raise _FailedError(
            "wrong",
            function.name,
            f"at your inputs {outcome.excluded} of {len(known)} known mistakes are "
            f"caught; one of those that pass: {missed[0].formula}",
        )


def _caught(known: Known, case: Case) -> bool:
    """Whether a test at this case catches the mistake.

    It does where a value or shape differs from the true one, in one of two calls, or where the mistake raises.
    """
    known.forget()
    try:
        with np.errstate(all="ignore"):
            runs = [known.values(case, {}) for _ in range(2)]
    except Exception:
        return True
    return any(apart(v, case.truth[n]) > TOLERANCE for values in runs for n, v in values.items())


def _plain(value: Array) -> Any:
    """An array in float64; an array without axes as a Python number, as options are."""
    return value.item() if value.ndim == 0 else value.astype(np.float64)
