"""Which known mistakes wrong results look like.

A mistake explains a block if it gives the learner's numbers there in every case, to six digits. One that explains all
the blocks that it spoils, and spoils none that is right, is believed; several mistakes may be there at once, each in
blocks of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from npae.gradcheck.engine.invariants import distance
from npae.learn.judging.cases import Case, CaseSet
from npae.learn.judging.outcome import Name
from npae.learn.mutant import Known
from npae.utils.types import Array

SAME = 1e-6


@dataclass(frozen=True)
class Observed:
    """A case, and what the learner's function made of it, by name."""

    case: Case
    values: Mapping[str, Array]

    def wrong(self, name: str) -> bool:
        """Whether a result differs from the true one."""
        return apart(self.values[name], self.case.truth[name]) > SAME


def apart(a: Array, b: Array) -> float:
    """The largest difference relative to the largest entry; infinite where shapes differ."""
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape or a.dtype.kind not in "fiub" or b.dtype.kind not in "fiub":
        return np.inf
    return distance(a.astype(np.float64), b.astype(np.float64))


def names_of(known: Sequence[Known], seen: Sequence[Observed]) -> list[Name]:
    """The mistakes that account for the wrong results, those that account for most first."""
    wrong = {name for s in seen for name in s.values if s.wrong(name)}
    found = []
    for k in known:
        if not k.how:
            blocks = _explained(k, seen, wrong)
            if blocks:
                found.append(Name(k.name, k.formula, k.hint, tuple(sorted(blocks))))
    return _fewest(found)


def _explained(known: Known, seen: Sequence[Observed], wrong: set[str]) -> set[str]:
    """The wrong results that a mistake explains; none if it would spoil one that is right or otherwise wrong."""
    spoiled: set[str] = set()
    for s in seen:
        try:
            with np.errstate(all="ignore"):
                values = known.values(s.case, s.values)
        except Exception:  # a formula that these shapes do not allow
            return set()
        for name, value in values.items():
            if name not in s.values:  # not looked at yet
                continue
            if apart(value, s.values[name]) > SAME:
                return set()
            if apart(value, s.case.truth[name]) > SAME:
                spoiled.add(name)
    return spoiled & wrong


def _fewest(found: list[Name]) -> list[Name]:
    """Of mistakes that explain the same results only those that explain most; others where they add something."""
    chosen: list[Name] = []
    covered: set[str] = set()
    for n in sorted(found, key=lambda n: -len(n.blocks)):
        same = any(set(n.blocks) == set(c.blocks) for c in chosen)
        if same or not set(n.blocks) <= covered:
            chosen.append(n)
            covered |= set(n.blocks)
    return chosen


def unrepeatable(sheet: CaseSet, changed: set[str], how: str) -> list[Name]:
    """The mistakes that make these results differ from call to call."""
    found = []
    for k in sheet.known:
        if k.how == how:
            k.forget()
            case = sheet.plain[0]
            first, second = k.values(case, {}), k.values(case, {})
            if {name for name in first if apart(first[name], second[name]) > SAME} == changed:
                found.append(Name(k.name, k.formula, k.hint, tuple(sorted(changed))))
    return found
