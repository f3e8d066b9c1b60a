"""Identify the known mistakes that wrong results match.

A mistake explains a block (one result) if it gives the learner's numbers to six digits in every case. It is accepted if
that holds for every block that it computes. Several mistakes may be accepted, each for its own blocks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from npae.gradcheck.engine.invariants import distance
from npae.gradcheck.report.findings import BugMatch
from npae.learn.judging.cases import Case, CaseSet
from npae.learn.mutant import Known
from npae.utils.types import Array

SAME = 1e-6


@dataclass(frozen=True)
class Observed:
    """A case, and the learner's results for it by name."""

    case: Case
    values: Mapping[str, Array]

    def wrong(self, name: str) -> bool:
        """Whether a result differs from the true one."""
        return apart(self.values[name], self.case.truth[name]) > SAME


def apart(a: Array, b: Array) -> float:
    """The largest difference relative to the largest entry; infinite where shapes differ or a dtype is not real."""
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape or a.dtype.kind not in "fiub" or b.dtype.kind not in "fiub":
        return np.inf
    return distance(a.astype(np.float64), b.astype(np.float64))


def names_of(known: Sequence[Known], seen: Sequence[Observed]) -> list[BugMatch]:
    """The mistakes that explain the wrong results, those that explain most first.

    A result of which no entry is finite is explained by none: NaN equals whatever is computed from NaN.
    """
    wrong = {name for s in seen for name in s.values if s.wrong(name)}
    found = []
    for k in known:
        if not k.how:
            blocks = _explained(k, seen, wrong)
            if blocks and not any(_is_all_nan(s.values[name]) for name in blocks for s in seen):
                found.append(BugMatch(k.name, k.formula, k.hint, tuple(sorted(blocks))))
    return _fewest(found)


def _is_all_nan(values: Array) -> bool:
    return values.size > 0 and not np.isfinite(values).any()


def _explained(known: Known, seen: Sequence[Observed], wrong: set[str]) -> set[str]:
    """The wrong results that a mistake explains; none if any result differs from the mistake's."""
    spoiled: set[str] = set()
    for s in seen:
        try:
            with np.errstate(all="ignore"):
                values = known.values(s.case, s.values)
        except Exception:  # the formula does not fit these shapes
            return set()
        for name, value in values.items():
            if name not in s.values:  # the learner's function did not return it
                continue
            if apart(value, s.values[name]) > SAME:
                return set()
            if apart(value, s.case.truth[name]) > SAME:
                spoiled.add(name)
    return spoiled & wrong


def _fewest(found: list[BugMatch]) -> list[BugMatch]:
    """The mistakes that explain most results, and others that explain further results or exactly the same ones."""
    chosen: list[BugMatch] = []
    covered: set[str] = set()
    for n in sorted(found, key=lambda n: -len(n.blocks)):
        same = any(set(n.blocks) == set(c.blocks) for c in chosen)
        if same or not set(n.blocks) <= covered:
            chosen.append(n)
            covered |= set(n.blocks)
    return chosen


def unrepeatable(sheet: CaseSet, changed: set[str], how: str) -> list[BugMatch]:
    """The mistakes with this ``how`` that make exactly these results differ between equal calls."""
    found = []
    for k in sheet.known:
        if k.how == how:
            k.forget()
            case = sheet.plain[0]
            first, second = k.values(case, {}), k.values(case, {})
            if {name for name in first if apart(first[name], second[name]) > SAME} == changed:
                found.append(BugMatch(k.name, k.formula, k.hint, tuple(sorted(changed))))
    return found
