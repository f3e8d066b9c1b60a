"""Check a forward-mode derivative J v, alone and against the backward pass Jᵀ g."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from time import monotonic
from typing import Any

import numpy as np

from npae.gradcheck.engine.examine import CheckSettings, default_tolerance, note_precision
from npae.gradcheck.engine.numeric import EPS
from npae.gradcheck.engine.subject import NoGradientError
from npae.gradcheck.engine.tangents import (
    Tangents,
    TangentSubject,
    examine_tangents,
    random_direction,
    tangent_invariants,
)
from npae.gradcheck.function import FunctionSubject, chosen_inputs, input_names
from npae.gradcheck.report.findings import Invariant
from npae.gradcheck.report.report import Report
from npae.gradcheck.report.verdict import Verdict
from npae.utils.types import Array


class JvpSubject(FunctionSubject, TangentSubject):
    """f(*inputs) -> y, and jvp(v, *inputs) -> the derivative of y along v."""

    derivative = "jvp"

    def __init__(
        self,
        f: Callable[..., Any],
        jvp: Callable[..., Any],
        backward: Callable[..., Any],
        inputs: Sequence[Any],
        wrt: list[str],
    ) -> None:
        super().__init__(f, backward, inputs, wrt)
        self.jvp = jvp

    def _names(self) -> list[str]:
        return [f"dy[{i}]" for i in range(len(self.shapes))] if self.several else ["dy"]

    def outputs_by_name(self) -> Tangents:
        return dict(zip(self._names(), self.outputs(), strict=True))

    def tangents(self, v: Mapping[str, Array]) -> Tangents:
        copies, given = self._copies(self.arrays), self._copies(v)
        result = self.jvp(self.direction(given), *self.arguments(copies))
        self._note_overwritten(copies, self.arrays)
        if any(not np.array_equal(given[name], v[name]) for name in v):
            self._overwritten.add("v")
        names = self._names()
        if result is None:
            raise NoGradientError(f"jvp returned None; it must return {', '.join(names)}")
        parts = list(result) if self.several and isinstance(result, tuple | list) else [result]
        if len(parts) != len(names):
            raise NoGradientError(f"jvp returned {_count(len(parts))}, but f has {_count(len(names))}")
        try:
            return {name: np.array(part, dtype=np.float64) for name, part in zip(names, parts, strict=True)}
        except (TypeError, ValueError):
            raise NoGradientError(f"jvp returned no array of numbers; it must return {', '.join(names)}") from None


def check_jvp(
    f: Callable[..., Any],
    jvp: Callable[..., Any],
    inputs: Sequence[Any],
    *,
    backward: Callable[..., Any] | None = None,
    wrt: Sequence[str | int] | str | int | None = None,
    mode: str = "full",
    budget_s: float | None = None,
    tolerance: float | None = None,
    seed: int = 0,
) -> Report:
    """Check a hand-written derivative along a direction, J v.

    Each input is moved along random directions, and the changes of all outputs are compared with ``jvp``. With
    ``backward``, the adjoint test ⟨g, J v⟩ = ⟨Jᵀg, v⟩ compares both without differences.

    Parameters
    ----------
    f : callable
        ``f(*inputs)`` returns an array, a number, or a tuple of them.
    jvp : callable
        ``jvp(v, *inputs)`` returns the derivative of the output along v, in the form of the output. v has the form of
        the input in ``wrt``; where these are several, it is a tuple.
    inputs : sequence
        As for ``check``.
    backward : callable, optional
        ``backward(g, *inputs)``, as for ``check``; it is compared with ``jvp`` only.
    wrt : str, int or a sequence of them, optional
        The inputs that have a derivative, by name or position; all floating-point arrays by default.
    mode : {"full", "fast"}, default "full"
        "full" moves each input along four directions, "fast" along one.
    budget_s : float, optional
        Time limit in seconds, after which no direction is begun; none by default. What was not measured gets CAN'T
        TELL, and the other tests are left out.
    tolerance : float, optional
        Largest difference relative to the largest derivative: 1e-6 by default, 2e-3 where f computes in float32.
    seed : int, default 0
        Seed of the directions.

    Returns
    -------
    Report
        Its blocks are named "dy along x": each output along each input. ``jvp`` that raises gives WRONG, not an
        exception.

    Raises
    ------
    ValueError
        As for ``check``.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.gradcheck import check_jvp
    >>> x = np.random.default_rng(0).normal(size=(3, 4))
    >>> print(check_jvp(np.sin, lambda v, x: np.cos(x) * v, [x]).verdict)
    PASS
    >>> report = check_jvp(np.sin, lambda v, x: np.cos(x) * v, [x], backward=lambda g, x: 2 * np.cos(x) * g)
    >>> [invariant.name for invariant in report.invariants if not invariant.holds]
    ['adjoint']
    """
    plan, start = CheckSettings(mode, budget_s, tolerance, seed), monotonic()
    if not isinstance(inputs, Sequence) or isinstance(inputs, str):
        raise ValueError(f"inputs is a {type(inputs).__name__}; expected a list of f's arguments, such as [x, W]")
    chosen = chosen_inputs(wrt, input_names(f, len(inputs)), inputs)
    subject = JvpSubject(f, jvp, backward or jvp, inputs, chosen)
    report = report_on_tangents(subject, getattr(jvp, "__name__", type(jvp).__name__), plan)
    if backward is not None and monotonic() >= start + (np.inf if budget_s is None else budget_s):
        report.notes.append("adjoint: not looked at: time was up")
    elif backward is not None and all(np.isfinite(block.error) for block in report.blocks):
        adjoint = _adjoint(subject, report, plan.generator("adjoint"))
        report.invariants.append(adjoint)
        report.notes += [f"adjoint: {adjoint.detail}"] * (adjoint.holds and bool(adjoint.detail))
    report.seconds = monotonic() - start
    return report


def report_on_tangents(subject: TangentSubject, title: str, plan: CheckSettings, start: float | None = None) -> Report:
    """The report on directional derivatives: a block for each output along each input, and invariants.

    ``start`` is when the time limit began, now by default.
    """
    deadline = np.inf if plan.budget_s is None else (monotonic() if start is None else start) + plan.budget_s
    report = Report(title, [])
    note_precision(subject, plan, report)
    tolerance = plan.tolerance or default_tolerance(subject)
    report.blocks += examine_tangents(subject, plan.generator("directions"), tolerance, plan.mode, deadline)
    if monotonic() >= deadline:
        report.notes.append("linear in v, and whether calls repeat: not looked at: time was up")
    elif all(np.isfinite(block.error) for block in report.blocks):
        report.invariants += tangent_invariants(subject, plan.generator("tangents"))
    return report


def _adjoint(subject: JvpSubject, report: Report, generator: np.random.Generator) -> Invariant:
    """⟨g, J v⟩ = ⟨Jᵀg, v⟩ for random g and v, one input at a time."""
    if any(block.verdict is Verdict.KINK for block in report.blocks):
        return Invariant("adjoint", True, "not looked at: at a kink, jvp and backward may take different slopes")
    try:
        off = list(_off_adjoint(subject, generator))
    except Exception as error:  # an exception of the checked code is a finding, not a crash
        what = str(error) if isinstance(error, NoGradientError) else f"backward raised {type(error).__name__}: {error}"
        return Invariant("adjoint", False, what)
    return Invariant("adjoint", not off, "; ".join(off))


def _off_adjoint(subject: JvpSubject, generator: np.random.Generator) -> Iterator[str]:
    wrong = set()
    for _ in range(2):
        u = subject.upstream(generator)
        transposed = subject.gradients(u)
        for name, values in subject.blocks.items():
            if transposed[name].shape != values.shape:
                raise NoGradientError(f"the gradient by {name} has shape {transposed[name].shape}, not {values.shape}")
            v = random_direction(subject.blocks, generator, name)
            along = subject.tangents(v)
            forward = u * np.concatenate([part.reshape(-1) for part in along.values()])
            backward = transposed[name] * v[name]
            size = float(np.abs(forward).sum() + np.abs(backward).sum())
            limit = 1e-8 * max(1.0, 1e-2 * subject.eps / EPS)
            if name not in wrong and not abs(forward.sum() - backward.sum()) <= limit * size:
                wrong.add(name)
                yield f"along {name}, ⟨g, J v⟩ is {forward.sum():.9g}, but ⟨Jᵀg, v⟩ is {backward.sum():.9g}"


def _count(n: int) -> str:
    return f"{n} output{'s' if n != 1 else ''}"
