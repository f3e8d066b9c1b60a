"""Identify the known mistake that a wrong gradient matches.

The kind of layer is recognised from the numbers of the forward pass, not from class names: x, W, b and y belong to a
dense layer if y = x W + b. Then the wrong gradient is compared with every known wrong gradient of that kind. It matches
one that it equals to six digits, here and again at other values with another upstream gradient, provided that every
other differs by at least 1 %. Where two mistakes give the same gradient, both are named.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np

from npae.gradcheck.bugs import KINDS, Bug, BugCase, Kind, bugs_of, make_case
from npae.gradcheck.engine.invariants import distance, scatter
from npae.gradcheck.report.findings import BugMatch
from npae.gradcheck.report.report import Report
from npae.gradcheck.report.verdict import Verdict
from npae.utils.types import Array

SAME, OTHER = 1e-6, 1e-2  # distances up to which gradients are equal, and from which they differ
MOST_ENTRIES = 1_000_000  # of an output; larger ones take too long to recognise


@dataclass(frozen=True)
class Recognized:
    """A recognised kind of layer: which array is which of its inputs, and the options that give the output."""

    kind: Kind
    names: Mapping[str, str]  # the kind's name of an input -> ours
    options: Mapping[str, Any]

    def case(self, arrays: Mapping[str, Any], g: Any) -> BugCase:
        """The case for these arrays and the upstream gradient g."""
        values = {theirs: arrays[ours] for theirs, ours in self.names.items()}
        return make_case(self.kind, {**values, **self.options}, g)


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
        found = _fit(kind, numbers, outputs, hints or {})
        if found is not None:
            yield found


def _fit(kind: Kind, arrays: Mapping[str, Array], outputs: list[Array], hints: Mapping[str, Any]) -> Recognized | None:
    for order in permutations(arrays):
        for left_out in _choices(kind, len(arrays)):
            names = dict(zip([n for n in kind.inputs if n not in left_out], order, strict=True))
            values: dict[str, Any] = {n: arrays[names[n]] if n in names else None for n in kind.inputs}
            try:
                with np.errstate(all="ignore"):  # a wrong guess may divide by zero
                    for options in [dict(hints)] if hints else kind.options(values, outputs):
                        if _computes(kind, {**values, **options}, outputs):
                            return Recognized(kind, names, options)
            except Exception:  # the shapes do not fit this kind
                continue
    return None


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


def candidates(case: BugCase, kind: Kind, seen: Mapping[str, Array], wrong: set[str]) -> list[Bug]:
    """The known mistakes that match the wrong blocks: for each block the one that explains most blocks, or several."""
    apart: dict[str, dict[str, float]] = {}
    bugs = {b.name: b for b in bugs_of(kind.name) if not b.how}
    for b in bugs.values():
        try:
            gradients = b.gradients(case, seen)
        except Exception:  # the formula does not fit these shapes
            continue
        for block in set(b.blocks) & wrong:
            apart.setdefault(block, {})[b.name] = _apart(gradients[block], seen[block])
    named: dict[str, Bug] = {}
    for distances in apart.values():
        alike = [name for name, d in distances.items() if d <= SAME]
        if any(SAME < d < OTHER for d in distances.values()):
            continue
        explained = {n: [apart[b].get(n, 1.0) <= SAME for b in bugs[n].blocks if b in apart] for n in alike}
        # A mistake all of whose blocks match is preferred, then one with more matching blocks.
        rank = {n: (all(e) and set(bugs[n].blocks) & set(seen) <= wrong, sum(e)) for n, e in explained.items()}
        named.update({n: bugs[n] for n in alike if rank[n] == max(rank.values())})
    return list(named.values())


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
        except Exception:  # y fits this kind, but its gradients are not defined for these shapes, as for vectors
            continue
        if found:
            return [as_name(b, tuple(ours[t] for t in b.blocks if t in ours and ours[t] in wrong)) for b in found]
    return []


def _matching(recognized: Recognized, calls: list[Call], wrong: set[str]) -> list[Bug]:
    """The mistakes of a recognised kind that match all calls."""
    ours = recognized.names
    theirs = {o: t for t, o in ours.items()}
    case, seen = recognized.case(calls[0].arrays, calls[0].g), calls[0].seen
    right = recognized.kind.backward(case)
    wanted = {theirs[o] for o in wrong if o in theirs and _apart(right[theirs[o]], seen[o]) > SAME}
    found: dict[str, Bug] = {}
    for i, call in enumerate(calls):
        seen = {t: call.seen[o] for t, o in ours.items() if o in call.seen}
        named = {b.name: b for b in candidates(recognized.case(call.arrays, call.g), recognized.kind, seen, wanted)}
        found = named if i == 0 else {n: b for n, b in found.items() if n in named}
    return list(found.values())


def as_name(b: Bug, blocks: tuple[str, ...]) -> BugMatch:
    """The report's entry for a mistake."""
    return BugMatch(b.name, b.formula, b.hint, blocks)


def unrepeatable(
    call: Call, blocks: tuple[str, ...], how: str, hints: Mapping[str, Any] | None = None
) -> list[BugMatch]:
    """The mistakes with this ``how`` that make these blocks differ between equal calls."""
    for recognized in recognize(call.arrays, call.outputs, hints):
        theirs = {o: t for t, o in recognized.names.items()}
        changed = {theirs[name] for name in blocks if name in theirs}
        found = [b for b in bugs_of(recognized.kind.name) if b.how == how and changed == set(b.blocks)]
        if found:
            return [as_name(b, blocks) for b in found]
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
        calls.append(subject.call(subject.upstream(generator)))
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
            arrays = dict(subject.arrays)
            arrays.update({ours: drawn[theirs] for theirs, ours in recognized.names.items()})
            try:
                calls.append(subject.call_at(arrays, np.random.default_rng(seed + 2)))
            except Exception:  # it raises with equal sizes too, so there is no gradient to compare
                return
        report.names = names_of(calls, {block.name for block in report.blocks})
        if report.names:
            report.notes.append("named at equal sizes, where backward runs")
            return
