"""A gradient checker that says what is wrong: in which block, at which entry, and which known mistake it looks like.

``check`` takes a plain function and the gradient written for it. Each returns a report with one of four verdicts for
every block: PASS, WRONG, KINK (more than one slope: nothing to hold against it) and CAN'T TELL.
"""

from npae.gradcheck.function import check
from npae.gradcheck.report import BlockReport, Manner, Name, Report
from npae.gradcheck.verdict import Verdict

__all__ = ["BlockReport", "Manner", "Name", "Report", "Verdict", "check"]
