"""Judge a learner's functions: compare their results with the true ones in all cases.

The first failure is reported, in this order: the function exists and runs; dtypes and shapes fit; inputs are not
changed; equal calls give equal results; the numbers are right, at ties too; g = 0 gives 0; results do not depend on
earlier calls. Wrong numbers are compared with the known mistakes.
"""

from collections.abc import Mapping, Sequence
from time import monotonic

import numpy as np

from npae.learn.catalogue.exercise import Exercise
from npae.learn.judging.argument_order import order_taken
from npae.learn.judging.cases import Case, CaseSet, draw_sheets
from npae.learn.judging.comparison import compare, set_ratio, sizes_of_case
from npae.learn.judging.identify import SAME, Observed, apart, names_of, unrepeatable
from npae.learn.judging.outcome import Outcome, ReturnedValue
from npae.learn.judging.ties import wrong_at_ties
from npae.learn.sandbox.call_result import Caller, CallError, CallResult, miscounted
from npae.utils.types import Array


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


class _StopError(Exception):
    """Ends the check of a function after a failure."""


class FunctionCheck:
    """The check of one function: calls it for each case and records the findings in the outcome."""

    def __init__(self, exercise: Exercise, sheet: CaseSet, caller: Caller, outcome: Outcome) -> None:
        self.exercise, self.sheet, self.caller, self.outcome = exercise, sheet, caller, outcome
        self.function = sheet.function
        self.blocks = [
            ReturnedValue(self.function.name, n, sheet.plain[0].truth[n].shape) for n in self.function.returns
        ]
        outcome.blocks += self.blocks
        outcome.printed = ""
        self._case: Case | None = None  # of the last call

    def run(self) -> None:
        """The checks in their order."""
        try:
            first = self._call(self.sheet.plain[0])
            self._repeats(first)
            seen = [first, *(self._call(case) for case in self.sheet.plain[1:])]
            self._numbers(seen)
            self._ties()
            self._edge()
            self._zero()
            self._nothing_left(first)
        except _StopError:
            pass
        if self.outcome.passed:
            self.outcome.excluded += len(self.sheet.known)
        else:
            self._give_reasons()

    def _give_reasons(self) -> None:
        """Why each result is not right: the mistake that it looks like, or else what is said of the function."""
        for block in self.blocks:
            if block.right:
                continue
            names = [f"{n.bug}: {n.hint}" for n in self.outcome.names if block.name in n.blocks]
            block.reason = "; ".join(names) or block.reason or self.outcome.text or "differs from the true value"

    def _listed(self, names: Sequence[str]) -> str:
        return ", ".join(map(self.exercise.label, names))

    # Calls

    def _call(self, case: Case) -> Observed:
        """Call the function for a case; stop where it raises, a dtype or shape is wrong, or it changes its inputs."""
        self._case = case
        answer = self.caller.call(self.function.name, case.arguments())
        if answer.printed and not self.outcome.printed:
            self.outcome.printed = answer.printed
        if answer.values is None:
            trouble = answer.trouble or CallError("crash", "the call gave no answer")
            if trouble.status in ("error", "shape"):
                self._check_arguments(trouble.status)
                self._name_at_square()
            text = trouble.text
            if text.startswith(f"TypeError: {self.function.name}()"):  # raised by the call, not within the function
                text += f"\nIt is called with these arguments: {self.function.name}({', '.join(self.function.takes)})"
            self._stop(trouble.status, text)
        values = self._by_name(answer, case)
        self._check_order(values, case)
        self._check_form(values, case)
        if answer.changed:
            names = ", ".join(self.function.takes[i] for i in answer.changed)
            self._stop(
                "wrong",
                f"{self.function.name} changes {names}, which it is given; work on a copy, such as "
                f"{self.function.takes[answer.changed[0]]}.copy()",
            )
        return Observed(case, values)

    def _check_arguments(self, status: str) -> None:
        """Stop where all is right in another order of the arguments, which no known mistake is."""
        order = order_taken(self.caller, self.function.name, self.sheet.plain[:2])
        if order is not None:
            name = self.function.name
            self._stop(
                status,
                f"{name} is right when called as {name}({', '.join(order)}), but it is called as {name}"
                f"({', '.join(self.function.takes)}); define it with its arguments in this order",
            )

    def _by_name(self, answer: CallResult, case: Case) -> dict[str, Array]:
        values, names = answer.values or (), self.function.returns
        shapes = {case.truth[name].shape for name in names}
        if len(values) == 1 < len(names) and {(len(names), *shape) for shape in shapes} == {values[0].shape}:
            values = tuple(np.array(part) for part in values[0])  # NumPy makes one array of a list of numbers
        if len(values) != len(names):
            self._stop("shape", miscounted(self.function.name, values, [*map(self.exercise.label, names)]))
        return dict(zip(names, values, strict=True))

    def _check_order(self, values: Mapping[str, Array], case: Case) -> None:
        """Stop where the results are right, but in another order than the one that is asked for."""
        names = self.function.returns
        got = [next((n for n in names if apart(value, case.truth[n]) <= SAME), "") for value in values.values()]
        is_right = all(apart(values[n], case.truth[n]) <= SAME for n in names)
        if is_right or sorted(got) != sorted(names):
            return
        moved = [block for block, name in zip(self.blocks, got, strict=True) if block.name != name]
        for block in self.blocks:
            block.right = block not in moved
        fits = all(values[n].shape == case.truth[n].shape for n in names)
        if fits:
            self._name([Observed(case, values)])
        self._stop(
            "wrong" if fits else "shape",
            f"{self.function.name} returns {self._listed(got)}, in this order; expected {self._listed(names)}",
        )

    def _check_form(self, values: Mapping[str, Array], case: Case) -> None:
        """Stop where a result has another type or shape than the true one; the others are compared all the same."""
        odd_types = {b.name for b in self.blocks if not self._has_type(values[b.name], case.truth[b.name])}
        odd = odd_types | {b.name for b in self.blocks if values[b.name].shape != case.truth[b.name].shape}
        if not odd:
            return
        block = next(b for b in self.blocks if b.name in (odd_types or odd))
        value, expected, label = values[block.name], case.truth[block.name].shape, self.exercise.label(block.name)
        seen = [Observed(case, values)]
        for other in self.blocks:
            if other.name in odd_types:
                other.reason = self._told_type(other, values[other.name])
        if block.name in odd_types:
            if value.dtype.kind in "biu":
                self._name(seen)
            text = block.reason
        else:
            self._check_arguments("shape")
            self._name(seen)
            if not self.outcome.names:
                self._name_at_square()
            like = f", that of {block.name[1:]}" if self.function.compares == "gradient" and block.name != "y" else ""
            text = f"{label} has shape {value.shape}; expected {expected}{like}{sizes_of_case(case)}"
        self._compare_others(odd)
        self._stop("shape", text)

    def _told_type(self, block: ReturnedValue, value: Array) -> str:
        what = "an array" if value.ndim else "a number"
        return f"{self.exercise.label(block.name)} is {what} of type {value.dtype}; expected float64, as the inputs are"

    @staticmethod
    def _has_type(value: Array, true: Array) -> bool:
        return value.dtype == np.float64 or (true.dtype.kind in "biu" and value.dtype.kind in "biuf")

    def _compare_others(self, odd: set[str]) -> None:
        """Compare the results that are not odd, so that they count although others have, say, a wrong shape."""
        for block in self.blocks:
            block.right = block.name not in odd
        for case in self.sheet.plain:
            answer = self.caller.call(self.function.name, case.arguments())
            values = dict(zip(self.function.returns, answer.values or (), strict=False))
            for block in self.blocks:
                true = case.truth[block.name]
                value = values.get(block.name)
                if value is None or value.shape != true.shape or not self._has_type(value, true):
                    block.right = False
                else:
                    compare(block, value, case)

    # Checks without true values

    def _repeats(self, first: Observed) -> None:
        again = self._call(first.case)
        changed = {n for n in first.values if not np.array_equal(first.values[n], again.values[n], equal_nan=True)}
        if not changed:
            return
        later = self._call(first.case)
        steps = [(again.values[n] - first.values[n], later.values[n] - again.values[n]) for n in changed]
        how = "accumulates" if all(np.allclose(a, b, rtol=1e-6, atol=0) for a, b in steps) else "draws"
        self._compare_others(changed)
        self.outcome.names += unrepeatable(self.sheet, changed, how)
        named = self._listed([n for n in first.values if n in changed])
        what = "each call adds to what was there before" if how == "accumulates" else "something is drawn anew"
        self._stop("wrong", f"the same call twice gives two values of {named}: {what}")

    def _finite(self, seen: Sequence[Observed]) -> str:
        """A message on the first result that is not finite where the true one is, or ""."""
        for s in seen:
            for block in self.blocks:
                value = s.values[block.name]
                bad = int((~np.isfinite(value) & np.isfinite(s.case.truth[block.name])).sum())
                if bad:
                    told = f"{self.exercise.label(block.name)} is not finite in {bad} of {value.size} entries"
                    return f"{told}; {self.function.not_finite}" if self.function.not_finite else told
        return ""

    def _zero(self) -> None:
        if self.sheet.zero is None or not self.outcome.passed:
            return
        seen = self._call(self.sheet.zero)
        for block in self.blocks:
            if np.any(seen.values[block.name] != 0):
                block.right = False
                self._stop("wrong", f"with g = 0 no gradient flows, but {block.name} is not 0 then")

    def _nothing_left(self, first: Observed) -> None:
        if not self.outcome.passed:
            return
        again = self._call(first.case)
        for block in self.blocks:
            if not np.array_equal(first.values[block.name], again.values[block.name]):
                block.right = False
                self._stop(
                    "wrong",
                    f"after calls with other values the first call gives another {self.exercise.label(block.name)}: "
                    "something is kept between calls",
                )

    # Numbers

    def _numbers(self, seen: Sequence[Observed]) -> None:
        for block in self.blocks:
            block.right = True
            for s in seen:
                compare(block, s.values[block.name], s.case)
            if not block.right:
                set_ratio(block, seen)
        if not all(block.right for block in self.blocks):
            self._case = self._first_wrong(seen)
            self._name(seen)
            if not self.outcome.names:
                self._check_arguments("wrong")
            self._fail("wrong", self._finite(seen))

    def _ties(self) -> None:
        if not self.sheet.ties or not self.outcome.passed:
            return
        seen = [self._call(case) for case in self.sheet.ties]
        if self.function.ties == "reference":
            self._compare_special(seen, "where entries tie")
            return
        text = wrong_at_ties(getattr(self.exercise.reference, self.function.of), self.blocks, seen)
        if text is not None:
            self._fail("wrong", text)
            self._name(seen)

    def _edge(self) -> None:
        if self.sheet.edge and self.outcome.passed:
            self._compare_special([self._call(case) for case in self.sheet.edge], "where values are extreme")

    def _compare_special(self, seen: Sequence[Observed], where: str) -> None:
        """Compare results in special cases with the reference's; ``where`` says what is special in them."""
        for s in seen:
            for block in self.blocks:
                compare(block, s.values[block.name], s.case)
        if not all(block.right for block in self.blocks):
            self._case = self._first_wrong(seen)
            self._fail("wrong", f"only {where}")
            self._name(seen)

    # Names

    def _name(self, seen: Sequence[Observed]) -> None:
        self.outcome.names += names_of(self.sheet.known, seen)

    def _name_at_square(self) -> None:
        """Look for known mistakes in the square cases, since some run only where sizes are equal."""
        seen = []
        for case in self.sheet.square:
            answer = self.caller.call(self.function.name, case.arguments())
            if answer.values is None or len(answer.values) != len(self.blocks):
                return
            values = dict(zip(self.function.returns, answer.values, strict=True))
            if any(values[n].shape != case.truth[n].shape for n in values):
                return
            seen.append(Observed(case, values))
        if seen:
            self._name(seen)

    @staticmethod
    def _first_wrong(seen: Sequence[Observed]) -> Case:
        return next((s.case for s in seen if any(map(s.wrong, s.values))), seen[0].case)

    def _fail(self, status: str, text: str = "") -> None:
        if self.outcome.passed:
            self.outcome.case = self._case
            self.outcome.status, self.outcome.function, self.outcome.text = status, self.function.name, text

    def _stop(self, status: str, text: str) -> None:
        self._fail(status, text)
        raise _StopError
