"""Judge gradients at ties: where entries are equal, a maximum has several right gradients, and each of them passes."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from npae.gradcheck.engine.block import Block
from npae.gradcheck.engine.examine import conclude
from npae.gradcheck.report.verdict import Verdict
from npae.learn.judging.cases import TOLERANCE, Forward
from npae.learn.judging.identify import Observed
from npae.learn.judging.outcome import ReturnedValue


def wrong_at_ties(forward: Callable[..., Any], blocks: Sequence[ReturnedValue], seen: Sequence[Observed]) -> str | None:
    """A message on the first result that is no subgradient at a tie, stored in its block too; None if all are right."""
    for s in seen:
        subject = Forward(forward, s.case)
        weighted, rng = subject.weighted(), np.random.default_rng(0)
        for block in blocks:
            if not s.wrong(block.name):  # the same choice as the reference's
                continue
            values = subject.blocks[block.name]
            measured = Block(block.name, values, s.values[block.name].copy(), weighted, TOLERANCE)
            measured.measure(np.arange(values.size))
            report = conclude(measured, subject, rng)
            if report.verdict is Verdict.WRONG:
                block.right, block.error, block.index = False, report.error, report.index
                block.yours, block.true = float(report.claimed), float(report.numeric)
                return f"where entries tie: {report.reason}" if report.reason else "only where entries tie"
    return None
