"""The check of one function of a learner: the comparisons of its results, in their order."""

from collections.abc import Sequence

import numpy as np

from npae.learn.judging.cases import Case
from npae.learn.judging.comparison import compare, set_ratio
from npae.learn.judging.function_calls import FunctionCalls, StopError
from npae.learn.judging.identify import Observed, unrepeatable
from npae.learn.judging.ties import wrong_at_ties


class FunctionCheck(FunctionCalls):
    """The check of one function: calls it for each case and records the findings in the outcome."""

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
        except StopError:
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

    @staticmethod
    def _first_wrong(seen: Sequence[Observed]) -> Case:
        return next((s.case for s in seen if any(map(s.wrong, s.values))), seen[0].case)
