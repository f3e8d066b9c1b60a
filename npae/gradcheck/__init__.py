"""Gradient checker: finds wrong gradients by block and entry, and names the known mistake that they match.

``check`` takes a plain function and the gradient written for it, ``check_grad`` a loss and its gradient, ``check_jvp``
and ``check_hvp`` derivatives along directions, ``check_layer`` a layer, ``check_model`` a network, ``check_optimizer``
an optimizer. Each returns a report with one of four verdicts for every block: PASS, WRONG, KINK (the function has two
one-sided slopes there, and the gradient lies between them) and CAN'T TELL. ``check_distribution`` tests what a gradient
check cannot: whether a variational model samples from the distribution that it states.
"""

from npae.gradcheck.assertion import GradientError, assert_gradient, assert_passed
from npae.gradcheck.distribution import check_distribution
from npae.gradcheck.function import check
from npae.gradcheck.hvp import check_hvp
from npae.gradcheck.jvp import check_jvp
from npae.gradcheck.layer import check_layer
from npae.gradcheck.model import check_model
from npae.gradcheck.optimizer import check_optimizer
from npae.gradcheck.report.findings import BlockReport, BugMatch, Invariant
from npae.gradcheck.report.report import Report
from npae.gradcheck.report.verdict import Verdict
from npae.gradcheck.scalar import check_grad

__all__ = [
    "BlockReport",
    "BugMatch",
    "GradientError",
    "Invariant",
    "Report",
    "Verdict",
    "assert_gradient",
    "assert_passed",
    "check",
    "check_distribution",
    "check_grad",
    "check_hvp",
    "check_jvp",
    "check_layer",
    "check_model",
    "check_optimizer",
]
