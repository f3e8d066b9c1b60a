"""``python -m npae.gradcheck.selftest``: measure the gradient checker on every known mistake and on right gradients.

It counts the wrong gradients that are caught, the mistakes that are named, and the false alarms about right gradients.
Then it draws functions in the styles in which people write them, right and with a mistake, and counts exceptions,
mistakes that are missed, and sentences of the reports that are not true.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from time import monotonic

import numpy as np

from npae.gradcheck.bugs import BUGS, KINDS, Bug
from npae.gradcheck.bugs.inject import inject, layouts_of, plant_optimizer
from npae.gradcheck.bugs.layouts import Layout
from npae.gradcheck.function import check
from npae.gradcheck.layer import check_layer
from npae.gradcheck.model import check_model
from npae.gradcheck.optimizer import check_optimizer
from npae.gradcheck.report.report import Report
from npae.gradcheck.report.verdict import Verdict
from npae.gradcheck.selftest.forms import draw_form
from npae.gradcheck.selftest.mutations import mutated
from npae.gradcheck.selftest.random_models import draw
from npae.gradcheck.selftest.statements import false_statements
from npae.kernels import reference_kernels
from npae.utils.console import be_readable

SUMMARY = (
    "Run the gradient checker on every known mistake and on right gradients; count what it finds and false alarms."
)


#: Numbers of drawn functions, right and wrong.
SHORT, LONG = (50, 100), (1_000, 9_000)


@dataclass
class Score:
    """The counts of a self-test, and the entries behind them."""

    mistakes: int = 0
    caught: int = 0
    named: int = 0
    layouts: int = 0  # mistakes that were planted in another layout
    both: list[str] = field(default_factory=list)  # named together with others
    missed: list[str] = field(default_factory=list)
    false_alarms: list[str] = field(default_factory=list)
    undecided: list[str] = field(default_factory=list)  # right, but reported as KINK or CAN'T TELL


def report_on(bug: Bug, seed: int = 0, layout: Layout | None = None) -> Report:
    """The checker's report on one known mistake, in a layout of its kind."""
    if bug.kind == "adam":
        return check_optimizer(plant_optimizer(bug), seed=seed)
    planted = inject([bug], seed, layout)
    return check(planted.f, planted.backward, planted.inputs, wrt=planted.wrt, seed=seed)


def report_on_right(number: int) -> Report:
    """The checker's report on a random layer or model with right gradients, with the plain NumPy kernels."""
    c = draw(number)
    if c.x is not None:
        return check_model(c.subject, c.x, seed=number, kernels=reference_kernels())
    return check_layer(c.subject, c.shape, seed=number, kernels=reference_kernels())


def elsewhere() -> Iterator[tuple[Bug, Layout]]:
    """Every known mistake in every layout other than its kind's own; those that raise only with unequal sizes aside."""
    for bug in BUGS:
        for layout in list(layouts_of(KINDS[bug.kind]))[1:]:
            if bug.needs != "square":
                yield bug, layout


def score(n_configurations: int, seed: int = 0, every: int = 1) -> Score:
    """Check known mistakes, one of ``every``, in every layout, and ``n_configurations`` right layers and models."""
    s = Score()
    for bug in BUGS[::every]:
        s.mistakes += 1
        report = report_on(bug, seed)
        names = [name.bug for name in report.names]
        s.caught += report.verdict is Verdict.WRONG
        s.named += bug.name in names
        if report.verdict is not Verdict.WRONG or bug.name not in names:
            s.missed.append(f"{bug.number} {bug.kind} {bug.name}: {report.verdict}, named {names}")
        elif len(names) > 1:
            s.both.append(f"{bug.number} {bug.kind} {' = '.join(names)}")
    for bug, layout in list(elsewhere())[::every]:
        report = report_on(bug, seed, layout)
        names = [name.bug for name in report.names]
        s.layouts += 1
        if report.verdict is not Verdict.WRONG or bug.name not in names:
            where = layout.text({name: name for name in KINDS[bug.kind].inputs})
            s.missed.append(f"{bug.number} {bug.kind} {bug.name}, {where}: {report.verdict}, named {names}")
    for number in range(n_configurations):
        report = report_on_right(number)
        if report.verdict is Verdict.WRONG:
            s.false_alarms.append(f"{number} {draw(number).name}")
        elif report.verdict is not Verdict.PASS:
            s.undecided.append(f"{number} {draw(number).name}: {report.verdict}")
    return s


@dataclass
class DrawnScore:
    """The counts of drawn functions, and the entries behind them."""

    right: int = 0
    wrong: int = 0
    false_alarms: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    false_sentences: list[str] = field(default_factory=list)
    exceptions: list[str] = field(default_factory=list)
    without_name: int = 0  # the search for a name failed


def score_drawn(n_right: int, n_wrong: int, seed: int = 0) -> DrawnScore:
    """Check drawn functions with right gradients, and others with a mistake; derive again what the reports say."""
    s = DrawnScore(n_right, n_wrong)
    for number in range(n_right + n_wrong):
        rng = np.random.default_rng([seed, number])
        form = draw_form(rng)
        what, backward = ("right", form.backward) if number < n_right else mutated(form, rng)
        title = f"{number} {form.name}: {what}"
        try:
            report = check(form.f, backward, form.inputs, wrt=form.wrt)
            _ = str(report), report.to_dict(), report._repr_html_()
        except Exception as error:  # it is what is counted
            s.exceptions.append(f"{title}: {type(error).__name__}: {error}")
            continue
        s.without_name += any(note.startswith("no name") for note in report.notes)
        if number < n_right:
            if report.verdict is Verdict.WRONG:
                s.false_alarms.append(title)
            continue
        for sentence in false_statements(report, form, backward):
            (s.missed if sentence.endswith(" PASS") else s.false_sentences).append(f"{title}: {sentence}")
    return s


def drawn_lines(s: DrawnScore, seconds: float) -> Iterator[str]:
    """The counts of drawn functions as lines of text."""
    yield f"drawn right gradients:   {len(s.false_alarms)} false alarms in {s.right}"
    yield f"drawn mistakes:          {len(s.missed)} missed, {len(s.false_sentences)} false sentences in {s.wrong}"
    yield f"exceptions:              {len(s.exceptions)}, and {s.without_name} searches for a name that failed"
    yield f"seconds:                 {seconds:.1f}"
    for title in ("false_alarms", "missed", "false_sentences", "exceptions"):
        for entry in getattr(s, title):
            yield f"  {title.replace('_', ' ')}: {entry}"


def lines(s: Score, n_configurations: int, seconds: float) -> Iterator[str]:
    """The score as lines of text."""
    yield f"wrong gradients caught:  {s.caught} of {s.mistakes}"
    yield f"and named right:         {s.named} of {s.mistakes}, {len(s.both)} of them beside another name"
    yield f"in other layouts:        {s.layouts} planted"
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
    """Print the score; return 0 if every mistake was caught, nothing false was said and nothing raised, else 1."""
    parser = argparse.ArgumentParser(prog="python -m npae.gradcheck.selftest", description=SUMMARY)
    parser.add_argument("--configurations", type=int, default=200, help="right layers and models (default: 200)")
    parser.add_argument("--every", type=int, default=1, help="take one known mistake of so many (default: 1, all)")
    parser.add_argument("--seed", type=int, default=0, help="of the mistakes' inputs (default: 0)")
    parser.add_argument(
        "--long",
        action="store_true",
        help=f"draw {LONG[0]:,} right and {LONG[1]:,} wrong functions, not {SHORT[0]} and {SHORT[1]}",
    )
    be_readable()
    args = parser.parse_args(arguments)
    start = monotonic()
    s = score(args.configurations, args.seed, args.every)
    print("\n".join(lines(s, args.configurations, monotonic() - start)))
    start = monotonic()
    drawn = score_drawn(*(LONG if args.long else SHORT), args.seed)
    print("\n".join(drawn_lines(drawn, monotonic() - start)))
    failures = (s.missed, s.false_alarms, drawn.false_alarms, drawn.missed, drawn.false_sentences, drawn.exceptions)
    return 1 if any(failures) else 0


if __name__ == "__main__":
    raise SystemExit(main())
