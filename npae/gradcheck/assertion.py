"""Gradient checks for tests: the failure is the report."""

from collections.abc import Callable, Sequence
from typing import Any

from npae.gradcheck.function import check
from npae.gradcheck.report.findings import gradient_name
from npae.gradcheck.report.report import Report
from npae.gradcheck.report.verdict import Verdict


class GradientError(AssertionError):
    """A gradient check that was not passed. The first line says what is wrong; the report follows.

    Attributes
    ----------
    report : Report
    """

    def __init__(self, report: Report) -> None:
        self.report = report
        super().__init__(f"{headline(report)}\n{report}")


def assert_gradient(
    f: Callable[..., Any], backward: Callable[..., Any], inputs: Sequence[Any], **options: Any
) -> Report:
    """Check a hand-written gradient, and raise the report unless the verdict is PASS or KINK.

    Parameters
    ----------
    f, backward, inputs, **options
        As for ``check``.

    Returns
    -------
    Report
        Of a check that was passed.

    Raises
    ------
    GradientError
        An AssertionError, whose text is the report.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(3, 4))
    >>> assert_gradient(np.sin, lambda g, x: g * np.cos(x), [x]).passed
    True
    """
    __tracebackhide__ = True
    return assert_passed(check(f, backward, inputs, **options))


def assert_passed(report: Report) -> Report:
    """The report of any check, or GradientError with it unless its verdict is PASS or KINK."""
    __tracebackhide__ = True
    if not report.passed:
        raise GradientError(report)
    return report


def headline(report: Report) -> str:
    """What is wrong, in one line: the verdict, the gradients it is about, and the names of known mistakes."""
    failed = [block for block in report.blocks if block.verdict not in (Verdict.PASS, Verdict.KINK)]
    parts = [f"{report.subject}: {report.verdict}"]
    if failed:
        parts.append(", ".join(f"{block.gradient} (error {block.error:.1e})" for block in failed))
    parts += [invariant.name + " does not hold" for invariant in report.invariants if not invariant.holds]
    parts += [f"{', '.join(map(gradient_name, name.blocks))} looks like {name.bug}" for name in report.names]
    return "; ".join(parts)
