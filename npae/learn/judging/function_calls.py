"""Calls of a learner's function, and what is refused in their results before numbers are compared.

A call fails where the function raises, changes its inputs, or returns results whose number, order, dtypes or shapes are
not those that are asked for.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from npae.learn.catalogue.exercise import Exercise
from npae.learn.judging.argument_order import order_taken
from npae.learn.judging.cases import Case, CaseSet
from npae.learn.judging.comparison import compare, sizes_of_case
from npae.learn.judging.identify import SAME, Observed, apart, names_of
from npae.learn.judging.outcome import Outcome, ReturnedValue
from npae.learn.sandbox.call_result import Caller, CallError, CallResult, miscounted
from npae.utils.types import Array


class StopError(Exception):
    """Ends the check of a function after a failure."""


class FunctionCalls:
    """Calls one function for cases, and records in the outcome where a call fails."""

    def __init__(self, exercise: Exercise, sheet: CaseSet, caller: Caller, outcome: Outcome) -> None:
        self.exercise, self.sheet, self.caller, self.outcome = exercise, sheet, caller, outcome
        self.function = sheet.function
        self.blocks = [
            ReturnedValue(self.function.name, n, sheet.plain[0].truth[n].shape) for n in self.function.returns
        ]
        outcome.blocks += self.blocks
        outcome.printed = ""
        self._case: Case | None = None  # of the last call

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

    # Known mistakes, and the end of the check

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

    def _fail(self, status: str, text: str = "") -> None:
        if self.outcome.passed:
            self.outcome.case = self._case
            self.outcome.status, self.outcome.function, self.outcome.text = status, self.function.name, text

    def _stop(self, status: str, text: str) -> None:
        self._fail(status, text)
        raise StopError

    def _listed(self, names: Sequence[str]) -> str:
        return ", ".join(map(self.exercise.label, names))
