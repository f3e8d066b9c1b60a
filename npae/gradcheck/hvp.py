"""Check the product of a Hessian and a vector, H v, with differences of the gradient."""

from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any

import numpy as np

from npae.gradcheck.engine.examine import CheckSettings
from npae.gradcheck.engine.numeric import EPS
from npae.gradcheck.engine.subject import NoGradientError
from npae.gradcheck.engine.tangents import Tangents, TangentSubject, random_direction
from npae.gradcheck.function import examine_function
from npae.gradcheck.jvp import report_on_tangents
from npae.gradcheck.report.findings import DirectionalReport, Invariant, gradient_name
from npae.gradcheck.report.report import Report
from npae.gradcheck.report.verdict import Verdict
from npae.gradcheck.scalar import ScalarSubject, loss_inputs
from npae.utils.types import Array


class HvpSubject(ScalarSubject, TangentSubject):
    """The gradient as a function of the inputs, and hvp(x, v, *args) -> its derivative along v."""

    derivative = "hvp"

    def __init__(
        self,
        f: Callable[..., Any],
        grad: Callable[..., Any],
        hvp: Callable[..., Any],
        inputs: list[Any],
        wrt: list[str],
    ) -> None:
        super().__init__(f, grad, inputs, wrt)
        self.hvp = hvp

    def outputs_by_name(self) -> Tangents:
        gradients = self.gradients(np.ones(1))
        return {f"d({gradient_name(name)})": gradients[name] for name in self.blocks}

    def output(self) -> Array:
        return np.concatenate([part.reshape(-1) for part in self.outputs_by_name().values()])

    def tangents(self, v: Mapping[str, Array]) -> Tangents:
        copies, given = self._copies(self.arrays), self._copies(v)
        arguments = self.arguments(copies)
        n = len(self.wrt)
        result = self.hvp(*arguments[:n], self.direction(given), *arguments[n:])
        self._note_overwritten(copies, self.arrays)
        if any(not np.array_equal(given[name], v[name]) for name in v):
            self._overwritten.add("v")
        products = self.as_gradients(result, "hvp")
        return {f"d({gradient_name(name)})": products[name] for name in self.blocks}


def check_hvp(
    f: Callable[..., Any],
    grad: Callable[..., Any],
    hvp: Callable[..., Any],
    x: Any,
    *args: Any,
    mode: str = "full",
    budget_s: float | None = None,
    tolerance: float | None = None,
    seed: int = 0,
) -> Report:
    """Check the product of the Hessian of a loss and a vector.

    First ``grad`` is checked with differences of f, as by ``check_grad``; then ``hvp`` with differences of ``grad``
    along random directions, and for symmetry: ⟨w, H v⟩ = ⟨v, H w⟩. Where ``grad`` is wrong, nothing is said of ``hvp``.

    Parameters
    ----------
    f, grad : callable
        As for ``check_grad``.
    hvp : callable
        ``hvp(x, v, *args)`` returns H v in the form of x; the order of arguments is that of ``hessp`` in
        ``scipy.optimize.minimize``. Where x is a tuple of several arguments, v is one too: ``hvp(*x, v, *args)``.
    x : array, number, or dict, list or tuple of arrays
    *args
        Further arguments, which have no gradient.
    mode : {"full", "fast"}, default "full"
        "full" measures every entry of ``grad``, and ``hvp`` along four directions; "fast" uses a few directions for the
        one, and one for the other.
    budget_s : float, optional
        Time limit in seconds for both; none by default. What was not measured gets CAN'T TELL.
    tolerance : float, optional
        Largest difference relative to the largest derivative: 1e-6 by default, 2e-3 where the code computes in float32.
    seed : int, default 0
        Seed of the directions.

    Returns
    -------
    Report
        The blocks of ``grad``, such as "dx", and those of ``hvp``, such as "d(dx) along x".

    Raises
    ------
    ValueError
        As for ``check_grad``.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.gradcheck import check_hvp
    >>> x = np.random.default_rng(0).normal(size=5)
    >>> cubes = lambda x: (x**3).sum()
    >>> print(check_hvp(cubes, lambda x: 3 * x**2, lambda x, v: 6 * x * v, x).verdict)
    PASS
    >>> print(round(check_hvp(cubes, lambda x: 3 * x**2, lambda x, v: 3 * x * v, x).blocks[-1].ratio, 6))
    0.5
    """
    plan, start = CheckSettings(mode, budget_s, tolerance, seed), monotonic()
    inputs, chosen = loss_inputs(f, x, args)
    report = examine_function(ScalarSubject(f, grad, inputs, chosen), plan)
    report.subject = getattr(hvp, "__name__", type(hvp).__name__)
    if report.verdict not in (Verdict.PASS, Verdict.KINK):
        reason = "its first derivatives have no PASS, and differences of grad would prove nothing"
        report.blocks.append(DirectionalReport("H v", (), Verdict.CANNOT_TELL, reason, error=np.nan, output="H v"))
        return report
    subject = HvpSubject(f, grad, hvp, inputs, chosen)
    second = report_on_tangents(subject, report.subject, plan, start)
    report.blocks += second.blocks
    report.invariants += second.invariants
    report.notes += [note for note in second.notes if note not in report.notes]
    if second.invariants and not any(block.verdict is Verdict.KINK for block in second.blocks):
        report.invariants.append(_symmetry(subject, plan.generator("symmetry")))
    report.seconds = monotonic() - start
    return report


def _symmetry(subject: HvpSubject, generator: np.random.Generator) -> Invariant:
    """⟨w, H v⟩ = ⟨v, H w⟩ for random v and w."""
    v, w = (random_direction(subject.blocks, generator) for _ in range(2))
    try:
        of_v, of_w = subject.tangents(v).values(), subject.tangents(w).values()
    except NoGradientError as error:
        return Invariant("H is symmetric", False, str(error))
    one = np.concatenate([(a * b).reshape(-1) for a, b in zip(w.values(), of_v, strict=True)])
    two = np.concatenate([(a * b).reshape(-1) for a, b in zip(v.values(), of_w, strict=True)])
    size = float(np.abs(one).sum() + np.abs(two).sum())
    holds = bool(abs(one.sum() - two.sum()) <= 1e-8 * max(1.0, 1e-2 * subject.eps / EPS) * size)
    detail = f"⟨w, H v⟩ is {one.sum():.9g}, but ⟨v, H w⟩ is {two.sum():.9g}"
    return Invariant("H is symmetric", holds, "" if holds else detail)
