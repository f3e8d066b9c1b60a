"""Identify the known mistake that a wrong gradient matches.

The kind of layer is recognised from the numbers of the forward pass, not from class names: x, W, b and y belong to a
dense layer if y = x W + b. Then the wrong gradient is compared with every known wrong gradient of that kind. It matches
one that it equals to six digits, here and again at other values with another upstream gradient, provided that every
other differs by at least 1 %. Where two mistakes give the same gradient, both are named.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import permutations, product
from typing import Any

import numpy as np

from npae.gradcheck.bugs import BUGS, KINDS, Bug, BugCase, Kind, bugs_of, make_case
from npae.gradcheck.bugs.layouts import Layout
from npae.gradcheck.engine.invariants import distance, scatter
from npae.gradcheck.report.findings import BugMatch, gradient_name
from npae.gradcheck.report.report import Report
from npae.gradcheck.report.verdict import Verdict
from npae.utils.types import Array

SAME, OTHER = 1e-6, 1e-2  # distances up to which gradients are equal, and from which they differ
#: What a formula raises for arrays of other shapes or types; a name that is misspelt in it raises something else.
UNFIT = (ValueError, IndexError, TypeError, ArithmeticError)
MOST_ENTRIES = 1_000_000  # of an output; larger ones take too long to recognise


@dataclass(frozen=True)
class Recognized:
    """A recognised kind of layer: which array is which of its inputs, their layout, and the options of its output."""

    kind: Kind
    names: Mapping[str, str]  # the kind's name of an input -> ours
    layout: Layout
    options: Mapping[str, Any]

    def case(self, arrays: Mapping[str, Any], g: Any) -> BugCase:
        """The case for these arrays and the upstream gradient g."""
        values = {theirs: self.layout.see(theirs, arrays[ours]) for theirs, ours in self.names.items()}
        above = self.layout.see("y", np.asarray(g)) if "y" in self.layout.views else g
        counted = {"samples": len(arrays[self.names[self.layout.counted]])} if self.layout.counted else {}
        return make_case(self.kind, {**values, **self.options, **counted}, above)

    def gradients(self, claimed: Mapping[str, Array]) -> dict[str, Array]:
        """Gradients by our names as those that the kind sees, by its names."""
        return {t: self.layout.see_gradient(t, claimed[o]) for t, o in self.names.items() if o in claimed}

    def drawn(self, values: Mapping[str, Array], like: Mapping[str, Array]) -> dict[str, Array]:
        """The kind's arrays in our layout, by our names; they may have other sizes than those of ``like``."""
        return {ours: self.layout.give(t, values[t], like[ours]) for t, ours in self.names.items()}

    def formula(self, b: Bug) -> str:
        """The formula of a mistake, and what its letters stand for where that is not the array itself."""
        where = self.layout.text(self.names)
        return f"{b.formula}, where {where}" if where else b.formula


@dataclass(frozen=True)
class Call:
    """One call of the code under test: inputs, outputs, upstream gradient g, and the gradients returned (``seen``)."""

    arrays: Mapping[str, Any]
    outputs: list[Array]
    g: Any
    seen: Mapping[str, Array]

    def copy(self) -> "Call":
        """The same call with copied inputs, which later changes do not affect."""
        arrays = {name: a.copy() if isinstance(a, np.ndarray) else a for name, a in self.arrays.items()}
        return Call(arrays, self.outputs, self.g, self.seen)


def recognize(
    arrays: Mapping[str, Any], outputs: list[Array], hints: Mapping[str, Any] | None = None
) -> Iterator[Recognized]:
    """The kinds that compute these outputs from these arrays; ``hints`` are options read from the layer."""
    numbers = {name: a for name, a in arrays.items() if isinstance(a, np.ndarray)}
    if sum(y.size for y in outputs) > MOST_ENTRIES:
        return
    for kind in KINDS.values():
        needed = len(kind.inputs) - len(kind.optional)
        if not needed <= len(numbers) <= len(kind.inputs):
            continue
        yield from _fit(kind, numbers, outputs, hints or {})


def _fit(
    kind: Kind, arrays: Mapping[str, Array], outputs: list[Array], hints: Mapping[str, Any]
) -> Iterator[Recognized]:
    """The ways in which arrays and outputs fit a kind: by the order of the arrays, and by their layout."""
    for layout, order, left_out in product(kind.layouts, permutations(arrays), _choices(kind, len(arrays))):
        names = dict(zip([n for n in kind.inputs if n not in left_out], order, strict=True))
        if layout.counted not in ("", *names) or not kind.plausible(names):
            continue
        try:
            values: dict[str, Any] = dict.fromkeys(kind.inputs)
            values.update({theirs: layout.see(theirs, arrays[ours]) for theirs, ours in names.items()})
            seen = [layout.see("y", y) for y in outputs]
            with np.errstate(all="ignore"):  # a wrong guess may divide by zero
                for options in [dict(hints)] if hints and kind.has_windows else kind.options(values, seen):
                    if _computes(kind, {**values, **options}, seen):
                        yield Recognized(kind, names, layout, options)
                        break
        except UNFIT:
            continue


def _choices(kind: Kind, n: int) -> Iterator[tuple[str, ...]]:
    """The optional inputs that are missing where n arrays are given: the last ones."""
    missing = len(kind.inputs) - n
    if missing == 0:
        yield ()
    elif missing <= len(kind.optional):
        yield kind.optional[len(kind.optional) - missing :]


def _computes(kind: Kind, values: Mapping[str, Any], outputs: list[Array]) -> bool:
    y = kind.forward(BugCase(**values))
    parts = [np.asarray(part) for part in (y if isinstance(y, tuple) else (y,))]
    return len(parts) == len(outputs) and all(
        a.shape == b.shape and np.allclose(a, b, rtol=1e-6, atol=1e-9) for a, b in zip(parts, outputs, strict=True)
    )


def candidates(case: BugCase, kind: Kind, seen: Mapping[str, Array], wrong: set[str]) -> dict[str, set[str]]:
    """The known mistakes that match wrong blocks, each with those: for each block the one that explains most blocks.

    Where several explain as many, all are included.
    """
    apart: dict[str, dict[str, float]] = {}
    bugs = {b.name: b for b in bugs_of(kind.name) if not b.how}
    for b in bugs.values():
        try:
            gradients = b.gradients(case, seen)
        except UNFIT:
            continue
        for block in set(b.blocks) & wrong:
            apart.setdefault(block, {})[b.name] = _apart(gradients[block], seen[block])
    named: dict[str, set[str]] = {}
    for block, distances in apart.items():
        alike = [name for name, d in distances.items() if d <= SAME]
        if any(SAME < d < OTHER for d in distances.values()):
            continue
        explained = {n: [apart[b].get(n, 1.0) <= SAME for b in bugs[n].blocks if b in apart] for n in alike}
        # A mistake all of whose blocks match is preferred, then one with more matching blocks.
        rank = {n: (all(e) and set(bugs[n].blocks) & set(seen) <= wrong, sum(e)) for n, e in explained.items()}
        for n in alike:
            if rank[n] == max(rank.values()):
                named.setdefault(n, set()).add(block)
    return named


def _apart(known: Array, seen: Array) -> float:
    if known.shape == () and seen.shape != ():
        known = np.broadcast_to(known, seen.shape)  # code that assigns one number to an array fills it
    return distance(known, seen)


def names_of(calls: list[Call], wrong: set[str], hints: Mapping[str, Any] | None = None) -> list[BugMatch]:
    """The mistakes that match all calls; ``wrong`` are the names of the wrong blocks."""
    for recognized in recognize(calls[0].arrays, calls[0].outputs, hints):
        ours = recognized.names
        try:
            found = _matching(recognized, calls, wrong)
        except UNFIT:  # y fits this kind, but its gradients are not defined for these shapes, as for vectors
            continue
        if found:
            known = {b.name: b for b in bugs_of(recognized.kind.name)}
            return [
                BugMatch(
                    name,
                    recognized.formula(known[name]),
                    known[name].hint,
                    tuple(ours[t] for t in known[name].blocks if t in blocks),
                )
                for name, blocks in found.items()
            ]
    return []


def _matching(recognized: Recognized, calls: list[Call], wrong: set[str]) -> dict[str, set[str]]:
    """The mistakes of a recognised kind that match all calls, each with the kind's blocks that it matches."""
    ours = recognized.names
    theirs = {o: t for t, o in ours.items()}
    right = recognized.kind.backward(recognized.case(calls[0].arrays, calls[0].g))
    first = recognized.gradients(calls[0].seen)
    has_gradient = [theirs[o] for o in wrong if theirs.get(o) in first.keys() & right.keys()]
    wanted = {block for block in has_gradient if _apart(right[block], first[block]) > SAME}
    found: dict[str, set[str]] = {}
    for i, call in enumerate(calls):
        case, seen = recognized.case(call.arrays, call.g), recognized.gradients(call.seen)
        named = candidates(case, recognized.kind, seen, wanted)
        found = (
            named if i == 0 else {n: blocks & named[n] for n, blocks in found.items() if blocks & named.get(n, set())}
        )
    return found


def as_name(b: Bug, blocks: tuple[str, ...]) -> BugMatch:
    """The report's entry for a mistake."""
    return BugMatch(b.name, b.formula, b.hint, blocks)


def unrepeatable(
    call: Call, blocks: tuple[str, ...], how: str, hints: Mapping[str, Any] | None = None
) -> list[BugMatch]:
    """The mistakes with this ``how`` that make these blocks differ between equal calls.

    Accumulation is the same mistake in every kind of layer, and in functions of no known kind.
    """
    if how == "accumulates":
        formula = f"{', '.join(map(gradient_name, blocks))} + what the calls before gave"
        return [BugMatch(b.name, formula, b.hint, blocks) for b in BUGS if b.how == how]
    for recognized in recognize(call.arrays, call.outputs, hints):
        theirs = {o: t for t, o in recognized.names.items()}
        changed = {theirs[name] for name in blocks if name in theirs}
        found = [b for b in bugs_of(recognized.kind.name) if b.how == how and changed == set(b.blocks)]
        if found:
            return [BugMatch(b.name, recognized.formula(b), b.hint, blocks) for b in found]
    return []


def without_crash(report: Report, naming: Callable[..., None], *arguments: Any) -> None:
    """Look for names; a failure of the search ends in a note, not in an exception.

    A formula of the library may meet shapes that its author did not think of, and the code under test may refuse the
    values at which a name is confirmed. Neither says anything about the verdict.
    """
    try:
        with np.errstate(all="ignore"):
            naming(*arguments)
    except Exception as error:
        report.names = []
        report.notes.append(f"no name: the search for known mistakes ended with {type(error).__name__}: {error}")


def name_report(subject: Any, report: Report, u: Array, generator: np.random.Generator) -> None:
    """Set the report's names of known mistakes; ``subject.call(u)`` returns a ``Call``."""
    wrong = {block.name for block in report.blocks if block.verdict is Verdict.WRONG}
    hints = getattr(subject, "hints", None)
    broken = [invariant for invariant in report.invariants if invariant.how]
    if broken:
        report.names = unrepeatable(subject.call(u), broken[0].blocks, broken[0].how, hints)
    if not wrong or broken:
        return
    calls = [subject.call(u)]
    if not wrong & set(calls[0].arrays):  # the call has arrays within the layer, such as mu and log_var
        wrong = set(calls[0].seen)
    before = {name: values.copy() for name, values in subject.blocks.items()}
    try:
        if any(block.kinks for block in report.blocks):
            for values in subject.blocks.values():
                values *= generator.uniform(0.5, 0.95)  # one factor for all entries keeps ties
        else:
            scatter(subject, generator)
        above = subject.upstream(generator)
        if above.size == 1 and subject.has_upstream and above[0] * u[0] > 0:
            above = -above  # an absolute value is no mistake of sign, which two positive numbers would not show
        calls.append(subject.call(above))
    finally:
        for name, values in before.items():
            subject.blocks[name][...] = values
    report.names = names_of(calls, wrong, hints)


def name_raising(subject: Any, report: Report) -> None:
    """Set the report's names for a backward that raises, by calls with equal sizes, where some mistakes can run."""
    for recognized in recognize(subject.arrays, subject.outputs()):
        calls = []
        for seed in range(2):
            drawn = recognized.kind.draw(np.random.default_rng(seed), square=True)
            try:
                arrays = {**subject.arrays, **recognized.drawn(drawn, subject.arrays)}
                calls.append(subject.call_at(arrays, np.random.default_rng(seed + 2)))
            except Exception:  # it raises with equal sizes too, or has sizes that are not known
                return
        report.names = names_of(calls, {block.name for block in report.blocks})
        if report.names:
            report.notes.append("named at equal sizes, where backward runs")
            return
