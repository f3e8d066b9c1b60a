"""Run a gradient check: invariants, directions of all blocks, then entries, blocks that disagree first."""

from dataclasses import dataclass
from time import monotonic

import numpy as np

from npae.gradcheck.engine import ratio
from npae.gradcheck.engine.bisection import bisect, examine_directions
from npae.gradcheck.engine.block import Block
from npae.gradcheck.engine.invariants import invariants
from npae.gradcheck.engine.precision import FLOAT32_EPS, computes_in_float32
from npae.gradcheck.engine.subject import NoGradientError, Subject, Weighted
from npae.gradcheck.report.findings import BlockReport, gradient_name
from npae.gradcheck.report.report import Report
from npae.gradcheck.report.verdict import SINGLE, SMOOTH, Verdict
from npae.utils.randomness import generator
from npae.utils.scalars import real_number, whole_number
from npae.utils.types import Array

MODES = ("full", "fast")


@dataclass(frozen=True)
class CheckSettings:
    """The settings of a check.

    Attributes
    ----------
    mode : {"full", "fast"}
        "full" measures every entry; "fast" four directions for each block, with bisection where one disagrees.
    budget_s : float or None
        Time limit in seconds; the report says how many entries were measured.
    tolerance : float or None
        Relative to the largest entry of a block; None is 1e-6 for a function that computes in float64, 2e-3 in float32.
    seed : int
        Seed of the upstream gradient and the directions.
    """

    mode: str = "full"
    budget_s: float | None = None
    tolerance: float | None = None
    seed: int = 0

    def generator(self, purpose: str) -> np.random.Generator:
        """A random generator for one purpose, independent of one that a user makes from the same seed."""
        return generator(self.seed, f"gradcheck {purpose}")

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ValueError(f'mode is {self.mode!r}; expected "full" (every entry) or "fast" (directions)')
        if self.budget_s is not None:
            real_number(self.budget_s, "budget_s", above=0)
        if self.tolerance is not None:
            real_number(self.tolerance, "tolerance", above=0, below=1)
        whole_number(self.seed, "seed", least=0)


def examine(subject: Subject, title: str, plan: CheckSettings, u: Array) -> Report:
    """The report on a subject for an upstream gradient u; known mistakes are not named yet."""
    start = monotonic()
    deadline = np.inf if plan.budget_s is None else start + plan.budget_s
    rng = plan.generator("directions")
    report = Report(title, [])
    if subject.eps < FLOAT32_EPS and computes_in_float32(subject, plan.generator("arithmetic")):
        subject.eps = FLOAT32_EPS
        report.notes.append("the function computes in float32, so the default tolerance is 2e-3")
    report.invariants += invariants(subject, u, rng)
    weighted = Weighted(subject, u)
    claimed = subject.gradients(u)
    tolerance = plan.tolerance or (SMOOTH if subject.eps < 1e-10 else SINGLE)
    blocks: list[tuple[Block, bool]] = []
    for name, values in subject.blocks.items():
        refusal = _unusable(name, values, claimed[name])
        if refusal is None and not np.isfinite(weighted.y).all():
            refusal = BlockReport(name, values.shape, Verdict.CANNOT_TELL, "the output is not finite here")
        if refusal is not None:
            report.blocks.append(refusal)
            continue
        block = Block(name, values, np.ascontiguousarray(claimed[name], dtype=np.float64), weighted, tolerance)
        blocks.append((block, examine_directions(block, rng)))
    for block, agrees in sorted(blocks, key=lambda pair: pair[1]):  # those that disagree come first
        if plan.mode == "full":
            block.measure(rng.permutation(block.flat.size), deadline)
        elif not agrees:
            bisect(block, rng, deadline)
    report.blocks += [conclude(block, subject, rng) for block, _ in blocks]
    order = list(subject.blocks)
    report.blocks.sort(key=lambda block: order.index(block.name))
    report.seconds = monotonic() - start
    return report


def raised(subject: Subject, title: str, error: Exception) -> Report:
    """The report on a backward that raises an exception or returns no usable gradient."""
    reason = str(error) if isinstance(error, NoGradientError) else f"backward raised {type(error).__name__}: {error}"
    return Report(
        title,
        [
            BlockReport(name, block.shape, Verdict.WRONG, reason, error=np.inf, size=block.size)
            for name, block in subject.blocks.items()
        ],
    )


def _unusable(name: str, values: Array, claimed: Array) -> BlockReport | None:
    """The report on a gradient of the wrong shape or with entries that are not finite; None for any other."""
    gradient = gradient_name(name)
    if claimed.shape != values.shape:
        reason = f"{gradient} has shape {claimed.shape}, but {name} has {values.shape}"
    elif not np.isfinite(claimed).all():
        reason = f"{gradient} is not finite in {int((~np.isfinite(claimed)).sum())} of {claimed.size} entries"
    else:
        return None
    return BlockReport(name, values.shape, Verdict.WRONG, reason, error=np.inf, size=values.size)


def conclude(block: Block, subject: Subject, rng: np.random.Generator) -> BlockReport:
    """The verdict on a block from its measurements."""
    size = block.flat.size
    known = block.known
    report = BlockReport(block.name, block.shape, size=size, checked=len(known), directions=len(block.directions))
    errors = block.errors
    if len(known):
        worst = int(known[np.argmax(errors[known])])
        scale = block.scale or 1.0
        report.error, report.claimed, report.numeric = float(errors[worst]), block.claimed[worst], block.numeric[worst]
        report.index = tuple(int(i) for i in np.unravel_index(worst, block.shape))
        report.error_estimate = block.certainty(worst) / scale
        if len(block.shape):
            report.errors = errors.reshape(block.shape)
    report.kinks = len(block.kinks.entries)
    report.taylor_slope = block.slope_of_remainder(rng)
    report.verdict, report.reason = _verdict(block, known, report)
    if report.verdict is Verdict.WRONG:
        found = ratio.constant_ratio(block.claimed[known], block.numeric[known])
        if found is not None:
            report.ratio, report.suggestion = found, ratio.suggestion(found, subject.known)
    return report


def _verdict(block: Block, known: Array, report: BlockReport) -> tuple[Verdict, str]:
    difference = np.abs(block.claimed - block.numeric)
    errors = block.errors
    # An entry that was not remeasured has no error estimate, so it proves nothing; the worst entry always has one.
    excess = [i for i in known if np.isfinite(block.bound[i]) and errors[i] > 0 and difference[i] > block.limit(i)]
    directions = [block.disagreement(e, claimed) for e, claimed in block.directions if not e.kink]
    silent = not len(known) or np.abs(block.numeric[known]).max() <= 8 * block.weighted.noise / block.step
    if excess or block.kinks.wrong:
        if silent:
            return Verdict.WRONG, "the output does not depend on this block, but its gradient is not 0"
        if not block.claimed.any():
            return Verdict.WRONG, "the gradient is 0 everywhere, and the numeric one is not"
        if not excess:
            return Verdict.WRONG, "at a kink, but not between the slopes of its two sides"
        return Verdict.WRONG, ""
    if block.kinks.wrong_ties:
        group, slope, total = block.kinks.wrong_ties[0]
        report.error = max(report.error, abs(slope - total) / (block.scale or 1.0))
        return Verdict.WRONG, (
            f"{len(group)} tied entries moved together have the slope {slope:.6g}, but their gradients add up to "
            f"{total:.6g}: no subgradient"
        )
    if block.kinks.entries:
        return Verdict.KINK, f"{len(block.kinks.entries)} entries stand at a kink; their gradients are subgradients"
    if any(directions):
        report.error = max(report.error, *directions)
        return Verdict.CANNOT_TELL, "a direction disagrees, but no entry that was measured does"
    if any(e.kink for e, _ in block.directions) and len(known) < block.flat.size:
        return Verdict.KINK, "a direction meets kinks; the entries that were measured agree"
    return _agreement(block, known, silent, report)


def _agreement(block: Block, known: Array, silent: bool, report: BlockReport) -> tuple[Verdict, str]:
    """PASS, or CAN'T TELL where the agreement proves nothing."""
    doubtful = [i for i in known if not block.errors[i] <= block.tolerance]
    if not len(known) and block.directions:
        scales = [block.direction_scale(e.value) for e, _ in block.directions]
        silent = not any(e.value for e, _ in block.directions)
        report.error = max(abs(e.value - c) / (s or 1.0) for (e, c), s in zip(block.directions, scales, strict=True))
        sure = [e.error <= block.tolerance * s for (e, _), s in zip(block.directions, scales, strict=True)]
        if sum(sure) < len(sure) / 2 or report.error > block.tolerance:
            return Verdict.CANNOT_TELL, "the numeric derivative is less certain than the tolerance asks for"
    if silent:
        return Verdict.CANNOT_TELL, "the output does not depend on this block here, so nothing is proven"
    if doubtful or report.error_estimate > block.tolerance:
        return Verdict.CANNOT_TELL, "the numeric derivative is less certain than the tolerance asks for"
    if not len(known) and not block.directions:
        return Verdict.CANNOT_TELL, "time was up before anything was measured"
    return Verdict.PASS, ""
