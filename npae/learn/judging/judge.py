"""Judge a learner's functions: compare their results with the true ones in all cases.

The first failure is reported, in this order: the function exists and runs; dtypes and shapes fit; inputs are not
changed; equal calls give equal results; the numbers are right, at ties too; g = 0 gives 0; results do not depend on
earlier calls. Wrong numbers are compared with the known mistakes.
"""

from collections.abc import Sequence
from time import monotonic

import numpy as np

from npae.learn.catalogue.exercise import Exercise
from npae.learn.judging.cases import CaseSet, draw_sheets
from npae.learn.judging.function_check import FunctionCheck
from npae.learn.judging.outcome import Outcome, ReturnedValue
from npae.learn.sandbox.call_result import Caller


def judge(
    exercise: Exercise,
    caller: Caller,
    sheets: Sequence[CaseSet] | None = None,
    seed: int = 0,
    every_function: bool = False,
) -> Outcome:
    """The verdict on a learner's functions.

    Parameters
    ----------
    exercise : Exercise
    caller : Caller
        Calls the learner's functions.
    sheets : list of CaseSet, optional
        The cases from ``draw_sheets``, which can be shared by many learners; drawn from ``seed`` by default.
    seed : int, default 0
        Seed of the cases, where no sheets are given.
    every_function : bool, default False
        Check the other functions too after one has failed, for partial credit.

    Returns
    -------
    Outcome
    """
    start = monotonic()
    with np.errstate(all="ignore"):  # overflow in a learner's results is reported by the verdict
        if exercise.kind == "fool":
            from npae.learn.judging.fool import judge_fool

            outcome = judge_fool(exercise, caller, seed)
        else:
            outcome = _judge(
                exercise, caller, draw_sheets(exercise, seed) if sheets is None else sheets, every_function
            )
    outcome.seconds = monotonic() - start
    return outcome


def _judge(exercise: Exercise, caller: Caller, sheets: Sequence[CaseSet], every_function: bool) -> Outcome:
    outcome = Outcome(exercise.name)
    for sheet in sheets:
        if not outcome.passed and not every_function:
            outcome.blocks += [ReturnedValue(sheet.function.name, name) for name in sheet.function.returns]
            continue
        one = Outcome(exercise.name)
        FunctionCheck(exercise, sheet, caller, one).run()
        one.blocks, one.excluded = outcome.blocks + one.blocks, outcome.excluded + one.excluded
        if outcome.passed:  # the first failure is the one that is told
            outcome = one
        else:
            outcome.blocks, outcome.excluded = one.blocks, one.excluded
    return outcome
