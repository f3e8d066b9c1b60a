"""How good is the checker itself? ``python -m npae.gradcheck.selftest`` plants every known mistake and counts.

Two numbers say it: how many wrong gradients it lets pass, and how often it complains about right ones. A third is its
own: how many mistakes it calls by their name.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from time import monotonic

from npae.gradcheck.bugs import BUGS, Bug
from npae.gradcheck.bugs.inject import inject, plant_optimizer
from npae.gradcheck.function import check
from npae.gradcheck.layer import check_layer
from npae.gradcheck.model import check_model
from npae.gradcheck.optimizer import check_optimizer
from npae.gradcheck.report.report import Report
from npae.gradcheck.report.verdict import Verdict
from npae.gradcheck.selftest.random_models import draw
from npae.kernels import reference_kernels
from npae.utils.console import be_readable

SUMMARY = "How good is the checker itself? Every known mistake is planted, and those that it finds are counted."


@dataclass
class Score:
    """What came out."""

    caught: int = 0
    named: int = 0
    both: list[str] = field(default_factory=list)  # named together with others
    missed: list[str] = field(default_factory=list)
    false_alarms: list[str] = field(default_factory=list)
    undecided: list[str] = field(default_factory=list)  # KINK or CAN'T TELL for what is right


def report_on(bug: Bug, seed: int = 0) -> Report:
    """What the checker says of one mistake."""
    if bug.kind == "adam":
        return check_optimizer(plant_optimizer(bug), seed=seed)
    planted = inject([bug], seed)
    return check(planted.f, planted.backward, planted.inputs, wrt=planted.wrt, seed=seed)


def report_on_right(number: int) -> Report:
    """What the checker says of a drawn layer or model that is right; with plain NumPy kernels."""
    c = draw(number)
    if c.x is not None:
        return check_model(c.subject, c.x, seed=number, kernels=reference_kernels())
    return check_layer(c.subject, c.shape, seed=number, kernels=reference_kernels())


def score(n_configurations: int, seed: int = 0) -> Score:
    """Plant every mistake; check as many right configurations as asked for."""
    s = Score()
    for bug in BUGS:
        report = report_on(bug, seed)
        names = [name.bug for name in report.names]
        s.caught += report.verdict is Verdict.WRONG
        s.named += bug.name in names
        if report.verdict is not Verdict.WRONG or bug.name not in names:
            s.missed.append(f"{bug.number} {bug.kind} {bug.name}: {report.verdict}, named {names}")
        elif len(names) > 1:
            s.both.append(f"{bug.number} {bug.kind} {' = '.join(names)}")
    for number in range(n_configurations):
        report = report_on_right(number)
        if report.verdict is Verdict.WRONG:
            s.false_alarms.append(f"{number} {draw(number).name}")
        elif report.verdict is not Verdict.PASS:
            s.undecided.append(f"{number} {draw(number).name}: {report.verdict}")
    return s


def lines(s: Score, n_configurations: int, seconds: float) -> Iterator[str]:
    """The score in words."""
    yield f"wrong gradients caught:  {s.caught} of {len(BUGS)}"
    yield f"and named right:         {s.named} of {len(BUGS)}, {len(s.both)} of them beside another name"
    yield f"false alarms:            {len(s.false_alarms)} in {n_configurations} right configurations"
    yield f"undecided (KINK, CAN'T TELL): {len(s.undecided)}"
    yield f"seconds:                 {seconds:.1f}"
    for title, entries in (
        ("missed", s.missed),
        ("same formula", s.both),
        ("false alarm", s.false_alarms),
        ("undecided", s.undecided),
    ):
        for entry in entries:
            yield f"  {title}: {entry}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures; 0 if nothing was missed and no alarm was false, else 1."""
    parser = argparse.ArgumentParser(prog="python -m npae.gradcheck.selftest", description=SUMMARY)
    parser.add_argument("--configurations", type=int, default=200, help="right layers and models (default: 200)")
    parser.add_argument("--seed", type=int, default=0, help="of the mistakes' inputs (default: 0)")
    be_readable()
    args = parser.parse_args(arguments)
    start = monotonic()
    s = score(args.configurations, args.seed)
    print("\n".join(lines(s, args.configurations, monotonic() - start)))
    return 1 if s.missed or s.false_alarms else 0


if __name__ == "__main__":
    raise SystemExit(main())
