"""Invariants: properties of every right backward pass, checked without finite differences.

They are checked first: the results of finite differences are meaningless if a gradient depends on earlier calls or
changes its inputs.
"""

from collections.abc import Callable, Iterator
from time import monotonic
from typing import Any

import numpy as np

from npae.gradcheck.engine.numeric import EPS, estimate, slopes, step_for
from npae.gradcheck.engine.subject import Subject, Weighted
from npae.gradcheck.report.findings import Invariant, gradient_name
from npae.utils.types import Array

Gradients = dict[str, Array]


def repeatable(subject: Subject, u: Array) -> Iterator[Invariant]:
    """What must hold for finite differences to mean anything: nothing is overwritten, and calls repeat."""
    yield inputs_unchanged(subject, u)
    yield forward_repeats(subject)
    yield backward_repeats(subject, u)


def of_the_upstream(subject: Subject, u: Array, generator: np.random.Generator, deadline: float) -> Iterator[Invariant]:
    """What must hold for every upstream gradient, where it can be chosen."""
    if subject.has_upstream:
        yield from _looked_at(subject, "linear in the upstream gradient", deadline, linear_in_upstream, u, generator)
        yield from _looked_at(subject, "adjoint", deadline, adjoint, u, generator)


def elsewhere(
    subject: Subject, u: Array, right: list[str], generator: np.random.Generator, deadline: float
) -> Iterator[Invariant]:
    """What must hold at other values too, for the blocks that are ``right`` at the given ones."""
    yield from _looked_at(subject, "right at other values", deadline, right_elsewhere, u, right, generator)


def _looked_at(
    subject: Subject, name: str, deadline: float, invariant: Callable[..., Invariant | None], *arguments: Any
) -> Iterator[Invariant]:
    """The result of an invariant, or why it was not looked at: no time, or the code under test raised."""
    if monotonic() > deadline:
        yield Invariant(name, True, "not looked at: time was up")
        return
    start = {block: values.copy() for block, values in subject.blocks.items()}
    try:
        found = invariant(subject, *arguments)
    except Exception as error:  # at other values than the given ones the code may refuse to run
        found = Invariant(name, True, f"not looked at: at other values {type(error).__name__} was raised: {error}")
    finally:
        for block, values in start.items():
            subject.blocks[block][...] = values
    if found is not None:
        yield found


def same(a: Gradients, b: Gradients, tolerance: float) -> bool:
    """Whether two sets of gradients agree, relative to the largest entry of each block."""
    return all(a[name].shape == b[name].shape and distance(a[name], b[name]) <= tolerance for name in a)


def distance(a: Array, b: Array) -> float:
    """The largest difference, relative to the largest entry of both.

    Entries that are NaN or infinite must be the same in both arrays; else the distance is infinite.
    """
    if a.shape != b.shape:
        return np.inf
    finite = np.isfinite(a) & np.isfinite(b)
    if not np.array_equal(a[~finite], b[~finite], equal_nan=True):
        return np.inf
    a, b = a[finite], b[finite]
    scale = max(_largest(a), _largest(b))
    with np.errstate(over="ignore"):
        return _largest(a - b) / scale if scale > 0 else 0.0


def _largest(a: Array) -> float:
    return float(np.abs(a).max(initial=0.0))


def inputs_unchanged(subject: Subject, u: Array) -> Invariant:
    """Neither pass writes into its inputs."""
    before = {name: block.copy() for name, block in subject.blocks.items()}
    subject.output()
    subject.gradients(u)
    changed = [
        name for name, block in subject.blocks.items() if not np.array_equal(block, before[name], equal_nan=True)
    ]
    for name in changed:
        subject.blocks[name][...] = before[name]
    changed += [name for name in subject.overwritten() if name not in changed]
    return Invariant("inputs unchanged", not changed, f"a pass overwrites {', '.join(changed)}" if changed else "")


def forward_repeats(subject: Subject) -> Invariant:
    """Two calls give the same output, bit for bit or within ``repeats_to``: noise must be fixed during a check."""
    first, second = subject.output(), subject.output()
    holds = np.array_equal(first, second, equal_nan=True)
    detail = "two calls with the same inputs give two outputs"
    if not holds and subject.repeats_to:
        apart = distance(first, second)
        holds = apart <= subject.repeats_to
        detail += f", which differ by {apart:.1e} of the largest: more than nondet_tol = {subject.repeats_to:g}"
    return Invariant("forward repeats", holds, "" if holds else detail)


def backward_repeats(subject: Subject, u: Array) -> Invariant:
    """Two calls give the same gradient: no new random numbers, and no accumulation over calls."""
    subject.output()
    first, second = subject.gradients(u), subject.gradients(u)
    limit = max(1e-12, subject.repeats_to)
    changed = tuple(name for name in first if distance(first[name], second[name]) > limit)
    if not changed:
        return Invariant("backward repeats", True)
    names = ", ".join(map(gradient_name, changed))
    if all(_grows(subject, u, name) for name in changed):
        return Invariant("backward repeats", False, f"each call adds to {names}", changed, "accumulates")
    return Invariant("backward repeats", False, f"two calls give two values of {names}", changed, "draws")


def _grows(subject: Subject, u: Array, name: str) -> bool:
    a, b, c = (subject.gradients(u)[name] for _ in range(3))
    return distance(b - a, c - b) < 1e-9


def linear_in_upstream(subject: Subject, u: Array, generator: np.random.Generator) -> Invariant:
    """backward(2u − 3v) = 2 backward(u) − 3 backward(v), for every forward pass.

    Penalties add a part that does not depend on the upstream gradient; it is what backward(0) returns, and is
    subtracted first.
    """
    v = subject.upstream(generator)
    subject.output()
    of_u, of_v, of_both, of_minus = (subject.gradients(above) for above in (u, v, 2 * u - 3 * v, -u))
    constant = subject.gradients(0 * u) if subject.affine else {name: 0 * g for name, g in of_u.items()}
    wrong: list[str] = []
    ignoring: list[str] = []
    for name in of_u:
        by_u, by_v = of_u[name] - constant[name], of_v[name] - constant[name]
        limit = 1e-10 * (subject.eps / EPS) * max(_largest(of_u[name]), _largest(of_v[name]))
        # −u, too, since for u and v of one sign an absolute value is linear.
        off = [of_both[name] - constant[name] - 2 * by_u + 3 * by_v, of_minus[name] - constant[name] + by_u]
        if not all(_largest(difference) <= limit for difference in off):
            same = all(np.array_equal(of_u[name], other[name]) for other in (of_v, of_both, of_minus))
            (ignoring if same else wrong).append(gradient_name(name))
    details = []
    if ignoring:
        details.append(
            f"g is ignored: four upstream gradients give the same {', '.join(ignoring)}; is this the gradient of a "
            f"scalar? check_grad takes those"
        )
    if wrong:
        names = ", ".join(wrong)
        details.append(f"backward(2u − 3v) is not 2 backward(u) − 3 backward(v), for some u and v, in {names}")
    return Invariant("linear in the upstream gradient", not details, "; ".join(details))


def right_elsewhere(subject: Subject, u: Array, right: list[str], generator: np.random.Generator) -> Invariant:
    """Gradients that are right at the given values are so at others, and come back after a call with others.

    Each block is checked along one direction. A gradient that is kept from the first call is right at the given values
    only, and the same at others.
    """
    name = "right at other values"
    subject.output()
    before = subject.gradients(u)
    start = {block: values.copy() for block, values in subject.blocks.items()}
    try:
        for values in subject.blocks.values():  # other values of the same size: permuted, then scaled down
            values[...] = generator.permutation(values.reshape(-1)).reshape(values.shape)
        scatter(subject, generator)
        wrong = [block for block in right if slope_ratio_is(1.0, subject, u, block, generator) is False]
        there = subject.gradients(u)
    finally:
        for block, values in start.items():
            subject.blocks[block][...] = values
    if wrong:
        names = ", ".join(map(gradient_name, wrong))
        if all(np.array_equal(before[block], there[block]) for block in wrong):
            return Invariant("nothing stale", False, f"{names} at other values is still that of the first call")
        return Invariant(name, False, f"{names} is right at the given values, and wrong at others")
    subject.output()
    if not same(before, subject.gradients(u), max(1e-12, subject.repeats_to)):
        return Invariant("nothing stale", False, "after a call with other values the first gradient does not come back")
    return Invariant(name, True)


def agrees(subject: Subject, u: Array, block: str, generator: np.random.Generator) -> bool:
    """Whether a block's gradient agrees with the slope along one random direction; True where the slope is unclear."""
    return slope_ratio_is(1.0, subject, u, block, generator) is not False


def slope_ratio_is(
    ratio: float, subject: Subject, u: Array, block: str, generator: np.random.Generator, floor: float = 0.0
) -> bool | None:
    """Whether a block's gradient is ``ratio`` times the slope along one random direction; None where it is unclear.

    Slopes that differ by at most ``floor`` are equal.
    """
    weighted = Weighted(subject, u)
    values, claimed = subject.blocks[block], subject.gradients(u)[block]
    if claimed.shape != values.shape or not np.isfinite(claimed).all():
        return None
    d = generator.standard_normal(values.size)
    unit = _rms(values)
    line, h = weighted.line(values.reshape(-1), unit * d), step_for(subject.eps)
    expected = unit * float(claimed.reshape(-1) @ d)
    if abs(ratio * slopes(line, h).central - expected) <= 1e-3 * abs(expected):  # usually true, at two evaluations
        return True
    slope = estimate(line, h, weighted.noise)
    if slope.kink or not np.isfinite(slope.value):
        return None
    size = max(abs(ratio * slope.value), abs(expected))
    if abs(ratio * slope.value - expected) <= floor * unit:
        return True
    if abs(ratio * slope.value - expected) > 1e-3 * size + 8 * abs(ratio) * slope.error:
        return False
    return True if abs(ratio) * slope.error <= 1e-2 * size else None


def scatter(subject: Subject, generator: np.random.Generator) -> None:
    """Scale every entry of every block by a random factor of 0.5 to 0.95; signs stay the same."""
    for values in subject.blocks.values():
        values *= generator.uniform(0.5, 0.95, values.shape)


def adjoint(subject: Subject, u: Array, generator: np.random.Generator) -> Invariant | None:
    """⟨u, J v⟩ = ⟨Jᵀ u, v⟩ to twelve digits, for every block that the output is linear in; None where there is none.

    Then J v = y(x + v) − y(x) exactly, however large v is (Claerbout, Earth Soundings Analysis, ch. 1).
    """
    y = subject.output()
    claimed = subject.gradients(u)
    wrong, looked_at = [], 0
    for name, values in subject.blocks.items():
        start = values.copy()
        v = generator.standard_normal(values.shape) * max(1.0, _rms(values))
        try:
            values += v
            once = subject.output()
            values += v
            twice = subject.output()
            values[...] = start - v
            back = subject.output()
        finally:
            values[...] = start
        size = np.abs(y).max(initial=0.0) + np.abs(twice).max(initial=0.0)
        limit = 1e-12 * (subject.eps / EPS)
        # On both sides of x: a function with a kink at x can be linear on one side.
        bend = max(np.abs(c).max(initial=0.0) for c in (twice - 2 * once + y, once - 2 * y + back))
        if claimed[name].shape != values.shape or not bend <= limit * size:
            continue
        looked_at += 1
        forward, backward = u * (once - y), claimed[name] * v
        error = abs(forward.sum() - backward.sum())
        # The difference once − y has the absolute rounding error of y.
        if not error <= limit * (np.abs(forward).sum() + np.abs(backward).sum() + np.abs(u).sum() * size):
            wrong.append(gradient_name(name))
    if not looked_at:
        return None
    detail = f"the output is linear, but ⟨u, J v⟩ is not ⟨Jᵀu, v⟩ for {', '.join(wrong)}" if wrong else ""
    return Invariant("adjoint", not wrong, detail)


def _rms(values: Array) -> float:
    return float(np.sqrt(np.mean(values * values))) or 1.0
