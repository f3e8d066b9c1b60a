"""Gradient checks for tests: the failure is the report."""

from collections.abc import Callable, Sequence
from typing import Any

from npae.gradcheck.function import check
from npae.gradcheck.report.findings import gradient_name
from npae.gradcheck.report.report import Report
from npae.gradcheck.report.verdict import Verdict


class GradientError(AssertionError):
    """A gradient check that was not passed. The first line says what is wrong; the report follows.

    Parameters
    ----------
    report : Report
        Of the check.

    Attributes
    ----------
    report : Report

    Examples
    --------
    >>> import numpy as np
    >>> from npae.gradcheck import GradientError, assert_gradient
    >>> try:
    ...     assert_gradient(np.sin, lambda g, x: g * np.sin(x), [np.ones(3)])
    ... except GradientError as error:
    ...     print(error.report["dx"].verdict if "dx" in str(error) else error.report.verdict)
    WRONG
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
    >>> from npae.gradcheck import assert_gradient
    >>> x = np.random.default_rng(0).normal(size=(3, 4))
    >>> assert_gradient(np.sin, lambda g, x: g * np.cos(x), [x]).passed
    True
    """
    __tracebackhide__ = True
    return assert_passed(check(f, backward, inputs, **options))


def assert_passed(report: Report) -> Report:
    """Raise the report of any check unless its verdict is PASS or KINK.

    Parameters
    ----------
    report : Report
        Of ``check_layer``, ``check_model``, ``check_optimizer`` or another.

    Returns
    -------
    Report
        The same.

    Raises
    ------
    GradientError
        An AssertionError, whose text is the report.

    Examples
    --------
    >>> from npae.gradcheck import assert_passed, check_layer
    >>> from npae.layers import Tanh
    >>> assert_passed(check_layer(Tanh(), (4,))).verdict
    <Verdict.PASS: 'PASS'>
    """
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
