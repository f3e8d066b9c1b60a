"""A gradient checker that says what is wrong: in which block, at which entry, and which known mistake it looks like.

``check`` takes a plain function and the gradient written for it, ``check_layer`` a layer, ``check_model`` a network,
``check_optimizer`` an optimizer. Each returns a report with one of four verdicts for every block: PASS, WRONG, KINK
(more than one slope: nothing to hold against it) and CAN'T TELL. ``check_distribution`` looks at what no gradient check
can see: whether a variational model draws from the distribution that it announces.
"""

from npae.gradcheck.distribution import check_distribution
from npae.gradcheck.function import check
from npae.gradcheck.layer import check_layer
from npae.gradcheck.model import check_model
from npae.gradcheck.optimizer import check_optimizer
from npae.gradcheck.report.findings import BlockReport, Invariant, Name
from npae.gradcheck.report.report import Report
from npae.gradcheck.report.verdict import Verdict

__all__ = [
    "BlockReport",
    "Invariant",
    "Name",
    "Report",
    "Verdict",
    "check",
    "check_distribution",
    "check_layer",
    "check_model",
    "check_optimizer",
]
