"""Run a gradient check: invariants, directions of all blocks, then entries, blocks that disagree first."""

from dataclasses import dataclass
from time import monotonic

import numpy as np

from npae.gradcheck.engine import ratio
from npae.gradcheck.engine.bisection import bisect, examine_directions
from npae.gradcheck.engine.block import Block
from npae.gradcheck.engine.invariants import elsewhere, of_the_upstream, repeatable, scatter, slope_ratio_is
from npae.gradcheck.engine.precision import FLOAT16_EPS, FLOAT32_EPS, NAMES, machine_epsilon
from npae.gradcheck.engine.subject import NoGradientError, Subject, Weighted
from npae.gradcheck.report.findings import BlockReport, gradient_name
from npae.gradcheck.report.report import Report
from npae.gradcheck.report.verdict import SINGLE, SMOOTH, Verdict
from npae.utils.randomness import generator
from npae.utils.scalars import real_number, whole_number
from npae.utils.types import Array

MODES = ("full", "fast")
#: The part of a time limit after which no more entries are measured, so that the other checks have their turn.
ENTRIES_SHARE = 0.8
#: Differences between equal calls from which on nothing can be measured: the machine epsilon of float16.
COARSEST = FLOAT16_EPS


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
    nondet_tol : float
        By how much the results of equal calls may differ, relative to the largest.
    """

    mode: str = "full"
    budget_s: float | None = None
    tolerance: float | None = None
    seed: int = 0
    nondet_tol: float = 0.0

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
        real_number(self.nondet_tol, "nondet_tol", least=0, below=COARSEST)


def examine(subject: Subject, title: str, plan: CheckSettings, u: Array) -> Report:
    """The report on a subject for an upstream gradient u; known mistakes are not named yet."""
    start = monotonic()
    deadline = np.inf if plan.budget_s is None else start + plan.budget_s
    for_entries = deadline if plan.budget_s is None else start + ENTRIES_SHARE * plan.budget_s
    rng = plan.generator("directions")
    report = Report(title, [])
    subject.repeats_to = plan.nondet_tol
    report.invariants += repeatable(subject, u)
    repeats = all(invariant.holds for invariant in report.invariants if invariant.name != "inputs unchanged")
    note_precision(subject, plan, report)
    weighted = Weighted(subject, u)
    claimed = subject.gradients(u)
    tolerance = plan.tolerance or default_tolerance(subject)
    blocks: list[tuple[Block, bool]] = []
    for name, values in subject.blocks.items():
        unusable = _unusable(name, values, claimed[name], weighted)
        if unusable is not None:
            report.blocks.append(unusable)
            continue
        block = Block(name, values, np.ascontiguousarray(claimed[name], dtype=np.float64), weighted, tolerance)
        blocks.append((block, examine_directions(block, rng, for_entries)))
    usable = len(blocks) == len(subject.blocks)
    if usable and repeats:
        report.invariants += of_the_upstream(subject, u, rng, for_entries)
    for block, agrees in sorted(blocks, key=lambda pair: pair[1]):  # those that disagree come first
        if plan.mode == "full":
            block.measure(rng.permutation(block.flat.size), for_entries)
        elif not agrees:
            bisect(block, rng, for_entries)
    report.blocks += [conclude(block, subject, rng, deadline) for block, _ in blocks]
    order = list(subject.blocks)
    report.blocks.sort(key=lambda block: order.index(block.name))
    if usable and repeats:
        right = [block.name for block in report.blocks if block.verdict in (Verdict.PASS, Verdict.KINK)]
        report.invariants += elsewhere(subject, u, right, rng, deadline)
    _confirm_ratios(subject, report, u, rng, deadline)
    report.notes += [f"{i.name}: {i.detail}" for i in report.invariants if i.holds and i.detail]
    report.seconds = monotonic() - start
    return report


def note_precision(subject: Subject, plan: CheckSettings, report: Report) -> None:
    """Find out in which precision the code under test computes, and say so where it is not float64."""
    subject.eps = machine_epsilon(subject, plan.generator("arithmetic"))
    limit = f"the tolerance is {plan.tolerance:g}" if plan.tolerance else "the default tolerance is 2e-3"
    if subject.eps == FLOAT32_EPS:
        report.notes.append(f"the function computes in {NAMES[subject.eps]}, so {limit}")
    if plan.nondet_tol > subject.eps:  # the rounding error of an output, as far as differences are concerned
        subject.eps = plan.nondet_tol
        if plan.tolerance or default_tolerance(subject) != SMOOTH:
            report.notes.append(f"equal calls may differ by {plan.nondet_tol:g}, so {limit}")


def default_tolerance(subject: Subject) -> float:
    """The tolerance for the precision that the code under test computes in."""
    return SMOOTH if subject.eps < 1e-10 else SINGLE


def _confirm_ratios(subject: Subject, report: Report, u: Array, rng: np.random.Generator, deadline: float) -> None:
    """Keep a ratio only if the gradient has it at other values too, and with other upstream gradients."""
    for block in report.blocks:
        if block.ratio is None:
            continue
        start = {name: values.copy() for name, values in subject.blocks.items()}
        try:
            for _ in range(2):
                scatter(subject, rng)
                other = subject.upstream(rng) if subject.has_upstream else u
                if monotonic() > deadline or not slope_ratio_is(block.ratio, subject, other, block.name, rng):
                    block.ratio, block.suggestion = None, ""
                    break
        except Exception:  # at other values the code under test may refuse to run
            block.ratio, block.suggestion = None, ""
        finally:
            for name, values in start.items():
                subject.blocks[name][...] = values


def raised(subject: Subject, title: str, error: Exception) -> Report:
    """The report on a backward that raises an exception or returns no usable gradient."""
    reason = str(error) if isinstance(error, NoGradientError) else f"backward raised {type(error).__name__}: {error}"
    return Report(title, [refused_block(subject, name, reason) for name in subject.blocks])


def refused_block(subject: Subject, name: str, reason: str) -> BlockReport:
    """The report on a block whose gradient cannot be used at all."""
    block = subject.blocks[name]
    return BlockReport(name, block.shape, Verdict.WRONG, reason, error=np.inf, size=block.size)


def _unusable(name: str, values: Array, claimed: Array, weighted: Weighted) -> BlockReport | None:
    """The report on a block that cannot be measured, or whose gradient is of no use; None for any other."""
    gradient = gradient_name(name)
    verdict, error = Verdict.WRONG, np.inf
    if claimed.shape != values.shape:
        reason = f"{gradient} has shape {claimed.shape}, but {name} has {values.shape}"
    elif not np.isfinite(values).all():
        verdict, error = Verdict.CANNOT_TELL, np.nan
        reason = f"{name} is not finite in {int((~np.isfinite(values)).sum())} of {values.size} entries"
    elif not np.isfinite(weighted.y).all():
        verdict, error = Verdict.CANNOT_TELL, np.nan
        reason = "the output is not finite here"
    elif not np.isfinite(claimed).all():
        reason = f"{gradient} is not finite in {int((~np.isfinite(claimed)).sum())} of {claimed.size} entries"
    elif weighted.subject.eps >= FLOAT16_EPS:
        verdict, error = Verdict.CANNOT_TELL, np.nan
        reason = "the function computes in float16, which is too coarse for differences; check it in float32 or float64"
    else:
        return None
    return BlockReport(name, values.shape, verdict, reason, error=error, size=values.size)


def conclude(block: Block, subject: Subject, rng: np.random.Generator, deadline: float = np.inf) -> BlockReport:
    """The verdict on a block from its measurements."""
    size = block.flat.size
    known = block.known
    report = BlockReport(block.name, block.shape, size=size, checked=len(known), directions=len(block.directions))
    errors = block.errors
    if len(known):
        worst = int(known[np.argmax(errors[known])])
        scale = block.scale or 1.0
        report.error, report.claimed, report.numeric = float(errors[worst]), block.claimed[worst], block.numeric[worst]
        report.index = _place(block, worst)
        report.error_estimate = block.certainty(worst) / scale
        if len(block.shape):
            report.errors = errors.reshape(block.shape)
    report.kinks = len(block.kinks.entries)
    if monotonic() < deadline:
        report.taylor_slope = block.slope_of_remainder(rng)
    report.verdict, report.reason = _verdict(block, known, report)
    if report.verdict is Verdict.WRONG and block.claimed.any():
        slack = block.tolerance * block.scale + np.nan_to_num(block.bound[known])
        found = ratio.constant_ratio(block.claimed[known], block.numeric[known], slack)
        if found is not None:
            report.ratio, report.suggestion = found, ratio.suggestion(found, subject.known)
    return report


def _place(block: Block, i: int) -> tuple[int, ...]:
    return tuple(int(k) for k in np.unravel_index(i, block.shape))


def _verdict(block: Block, known: Array, report: BlockReport) -> tuple[Verdict, str]:
    difference = np.abs(block.claimed - block.numeric)
    errors = block.errors
    # An entry that was not remeasured has no error estimate, so it proves nothing; the worst entry always has one.
    excess = [i for i in known if np.isfinite(block.bound[i]) and errors[i] > 0 and difference[i] > block.limit(i)]
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
    return _verdict_of_directions(block, known, silent, report)


def _verdict_of_directions(block: Block, known: Array, silent: bool, report: BlockReport) -> tuple[Verdict, str]:
    """The verdict where no entry that was measured is wrong."""
    smooth = [direction for direction in block.directions if not direction.numeric.kink]
    # Once every entry has been measured, directions add nothing.
    missing = block.flat.size - len(known)
    refuting = [direction for direction in smooth if missing and block.is_refuted(direction)]
    if refuting and not block.kinks.entries:
        report.error = max(report.error, *map(block.disagreement, refuting))
        return Verdict.WRONG, (
            f"along a random direction the gradient has the slope {refuting[0].claimed:.6g}, and the function "
            f"{refuting[0].numeric.value:.6g}; which entries are wrong was not found"
        )
    if block.undefined:
        i, error = next(iter(block.undefined.items()))
        what = f"f raised {error}" if error else "the output was not finite"
        at = ", ".join(map(str, _place(block, i)))
        return Verdict.CANNOT_TELL, f"{what} when {block.name}[{at}] was moved by {block.step_at(i):.1e}"
    if block.kinks.entries:
        return Verdict.KINK, f"{len(block.kinks.entries)} entries stand at a kink; their gradients are subgradients"
    disagreeing = [direction for direction in smooth if missing and block.disagreement(direction, direction.length) > 0]
    if disagreeing:
        report.error = max(report.error, *map(block.disagreement, disagreeing))
        return Verdict.CANNOT_TELL, "a direction disagrees, but no entry that was measured does"
    if missing and len(smooth) < len(block.directions):
        return Verdict.KINK, "a direction meets kinks; the entries that were measured agree"
    return _agreement(block, known, silent, report)


def _agreement(block: Block, known: Array, silent: bool, report: BlockReport) -> tuple[Verdict, str]:
    """PASS, or CAN'T TELL where the agreement proves nothing."""
    if not len(known) and not block.directions:
        return Verdict.CANNOT_TELL, "time was up before anything was measured"
    doubtful = [i for i in known if not block.errors[i] <= block.tolerance]
    if not len(known):
        numeric = [direction.numeric for direction in block.directions]
        scales = [block.direction_scale(e.value) for e in numeric]
        silent = not any(e.value for e in numeric)
        differences = [abs(d.numeric.value - d.claimed) / (d.length or 1.0) for d in block.directions]
        report.error = max(difference / (s or 1.0) for difference, s in zip(differences, scales, strict=True))
        sure = [e.error <= block.tolerance * s for e, s in zip(numeric, scales, strict=True)]
        if sum(sure) < len(sure) / 2 or report.error > block.tolerance:
            return Verdict.CANNOT_TELL, "the numeric derivative is less certain than the tolerance asks for"
    if silent:
        return Verdict.CANNOT_TELL, "the output does not depend on this block here, so nothing is proven"
    if doubtful or report.error_estimate > block.tolerance:
        return Verdict.CANNOT_TELL, "the numeric derivative is less certain than the tolerance asks for"
    return Verdict.PASS, ""
