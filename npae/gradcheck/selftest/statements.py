"""Derive again, from the right gradient, what a report says of a wrong one; the self-test counts what does not hold."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from npae.gradcheck.bugs import bugs_of
from npae.gradcheck.bugs.identify import recognize
from npae.gradcheck.engine.examine import CheckSettings
from npae.gradcheck.engine.invariants import distance
from npae.gradcheck.function import FunctionSubject, input_names
from npae.gradcheck.report.findings import BlockReport, BugMatch
from npae.gradcheck.report.report import Report
from npae.gradcheck.report.verdict import Verdict
from npae.gradcheck.selftest.forms import Form
from npae.utils.types import Array

OTHER_CALLS = 3
Backward = Callable[..., Any]


def false_statements(report: Report, form: Form, backward: Backward) -> Iterator[str]:
    """The sentences of a report on ``backward`` that are not true, each with what is.

    Parameters
    ----------
    report : Report
        What ``check(form.f, backward, form.inputs, wrt=form.wrt)`` returned.
    form : Form
        Whose ``backward`` is right.
    backward : callable
        Wrong; deterministic.
    """
    calls = [_first_call(form), *(_other_call(form, seed) for seed in range(OTHER_CALLS))]
    with np.errstate(all="ignore"):
        for place, block in enumerate(report.blocks):
            yield from _false_of_block(block, report.passed, place, form, backward, calls)
        for invariant in report.invariants:
            if not invariant.holds:
                yield from _false_invariant(invariant.name, invariant.detail, report, form, backward, calls)
        for match in report.names:
            yield from _false_name(match, form, backward, calls)


def _parts(result: Any) -> list[Any]:
    return list(result) if isinstance(result, tuple) else [result]


def _first_call(form: Form) -> tuple[Any, list[Any]]:
    """The upstream gradient and the inputs at which ``check`` checks."""
    names = input_names(form.f, len(form.inputs))
    subject = FunctionSubject(form.f, form.backward, form.inputs, [names[i] for i in form.wrt])
    u = subject.upstream(CheckSettings().generator("upstream"))
    return subject.split(u), form.inputs


def _other_call(form: Form, seed: int) -> tuple[Any, list[Any]]:
    """Another upstream gradient, and other values of the inputs that have a gradient."""
    rng = np.random.default_rng(seed)
    inputs = list(form.inputs)
    for i in form.wrt:
        inputs[i] = inputs[i] * rng.uniform(0.3, 0.95, np.shape(inputs[i]))
    y = form.f(*inputs)
    g = [rng.normal(size=np.shape(part)) for part in _parts(y)]
    return (tuple(g) if isinstance(y, tuple) else g[0]), inputs


def _false_of_block(
    block: BlockReport, passed: bool, place: int, form: Form, backward: Backward, calls: list[tuple[Any, list[Any]]]
) -> Iterator[str]:
    pairs = []
    for g, inputs in calls:
        right = np.asarray(_parts(form.backward(g, *inputs))[place], dtype=float)
        pairs.append((right, _parts(backward(g, *inputs))[place]))
    said = f"{block.gradient}: {block.reason or block.suggestion}"
    if block.verdict is Verdict.PASS and not all(
        _near(claimed, right, 1e-4) for right, claimed in (pairs if passed else pairs[:1])
    ):
        yield f"{block.gradient} PASS"
    if block.verdict is Verdict.WRONG and _near(pairs[0][1], pairs[0][0], 1e-9):
        yield f"{block.gradient} WRONG"
    if block.ratio is not None:
        if not all(_near(claimed, block.ratio * right, 1e-3) for right, claimed in pairs):
            yield f"{block.gradient}: ratio {block.ratio:.4g}"
        shapes = _shapes(form)
        for name, axis, size in re.findall(r"(\w+(?:\[\d+\])?)\.shape\[(\d)\] = (\d+)", block.suggestion):
            if shapes[name][int(axis)] != int(size) or not _is_factor(block.ratio, int(size)):
                yield said
    right, claimed = pairs[0]
    if "is 0 everywhere" in block.reason and (np.any(np.asarray(claimed)) or not right.any()):
        yield said
    if "does not depend on this block" in block.reason and np.abs(right).max() > 1e-9:
        yield said
    if "has shape" in block.reason and np.shape(claimed) == right.shape:
        yield said
    if "is not finite in" in block.reason and np.isfinite(np.asarray(claimed, dtype=float)).all():
        yield said


def _is_factor(ratio: float, size: int) -> bool:
    return abs(ratio - size) < 1e-2 * size or abs(ratio * size - 1) < 1e-2


def _near(claimed: Any, right: Array, tolerance: float) -> bool:
    try:
        claimed = np.asarray(claimed, dtype=float)
    except (TypeError, ValueError):  # no numbers
        return False
    return claimed.shape == right.shape and distance(claimed, right) <= tolerance


def _shapes(form: Form) -> dict[str, tuple[int, ...]]:
    y = form.f(*form.inputs)
    names = [f"y[{i}]" for i in range(len(y))] if isinstance(y, tuple) else ["y"]
    arrays = dict(zip(input_names(form.f, len(form.inputs)), form.inputs, strict=True))
    return {name: np.shape(array) for name, array in {**arrays, **dict(zip(names, _parts(y), strict=True))}.items()}


def _false_invariant(
    name: str, detail: str, report: Report, form: Form, backward: Backward, calls: list[tuple[Any, list[Any]]]
) -> Iterator[str]:
    def gradients(g: Any, inputs: list[Any]) -> dict[str, Array]:
        named = zip(report.blocks, _parts(backward(g, *inputs)), strict=True)
        return {b.gradient: np.asarray(part, dtype=float) for b, part in named if "is of type" not in b.reason}

    (g, inputs), (h, _) = calls[0], calls[1]
    if name == "linear in the upstream gradient":
        of_g, of_h = gradients(g, inputs), gradients(h, inputs)
        ignored, _, others = detail.partition("; backward(")
        for gradient in re.findall(r"the same ([^;]+);", ignored):
            if any(not np.array_equal(of_g[n], of_h[n], equal_nan=True) for n in gradient.split(", ")):
                yield ignored
        if others or detail.startswith("backward("):
            # A power, an absolute value or a rounding is linear for some.
            sums = [(a, b) for a in (2, -2, 9.7) for b in (3, -3, 31.3)]
            of_sums = []
            for a, b in sums:
                both = tuple(a * p + b * q for p, q in zip(_parts(g), _parts(h), strict=True))
                of_sums.append(gradients(both if isinstance(g, tuple) else both[0], inputs))
            for n in detail.rpartition(" in ")[2].split(", "):
                expected = [a * of_g[n] + b * of_h[n] for a, b in sums]
                if all(distance(s[n], e) <= 1e-12 for s, e in zip(of_sums, expected, strict=True)):
                    yield detail
    elif name == "adjoint":
        for n in detail.rpartition(" for ")[2].split(", "):
            place = [b.gradient for b in report.blocks].index(n)
            if _near(_parts(backward(g, *inputs))[place], np.asarray(_parts(form.backward(g, *inputs))[place]), 1e-12):
                yield detail
    elif name in ("backward repeats", "nothing stale", "forward repeats", "inputs unchanged"):
        yield f"{name}: {detail}"  # drawn functions repeat, keep nothing and write nowhere


def _false_name(match: BugMatch, form: Form, backward: Backward, calls: list[tuple[Any, list[Any]]]) -> Iterator[str]:
    """A named mistake's formula must give the wrong gradients at other values as well."""
    names = input_names(form.f, len(form.inputs))
    for g, inputs in calls:
        arrays = {n: np.asarray(a) for n, a in zip(names, inputs, strict=True)}
        outputs = [np.asarray(part, dtype=float) for part in _parts(form.f(*inputs))]
        claimed = dict(zip((names[i] for i in form.wrt), _parts(backward(g, *inputs)), strict=True))
        holds = False
        for recognized in recognize(arrays, outputs):
            ours = recognized.gradients(
                {
                    o: np.asarray(claimed[o], dtype=float)
                    for o in recognized.names.values()
                    if claimed.get(o) is not None and np.asarray(claimed[o]).dtype.kind in "fiub"
                }
            )
            for bug in bugs_of(recognized.kind.name):
                if bug.name == match.bug and not bug.how:
                    known = bug.gradients(recognized.case(arrays, g), ours)
                    wrong = [t for t, o in recognized.names.items() if o in match.blocks and t in known]
                    holds |= all(_near(ours[t], np.broadcast_to(known[t], ours[t].shape), 1e-5) for t in wrong)
        if not holds:
            yield f"{', '.join(match.blocks)} looks like {match.bug}"
            return
