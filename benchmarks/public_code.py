"""Gradients of public repositories: which wrong ones are found and named, and which right ones are complained about?

It runs the code of other people from checkouts, each in FOLDER/owner+name, none of which is part of this repository::

    python benchmarks/public_code.py FOLDER --fetch

With ``--fetch`` git clones what is missing. Wrong are functions whose gradient is not that of the function beside them
(`public_cases.py` says what is wrong), also where a comment says that it is meant for another use. ``--others`` runs
the other gradient checkers of `gradient_checkers.py` on the same, which needs PyTorch and JAX.
"""

import argparse
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from gradient_checkers import CHECKERS, complains
from public_cases import CASES, Case, Pair
from public_right import RIGHT
from public_sources import clone, definitions, folder_of

from npae.gradcheck import Verdict, check
from npae.gradcheck.bugs.inject import Planted
from npae.gradcheck.report.report import Report


def pair_of(root: Path, case: Case) -> Pair:
    """The functions of a case, with inputs."""
    found = definitions(folder_of(root, case.repository) / case.path, list(case.definitions), case.given)
    return case.build(found, np.random.default_rng(0))


def report_on(pair: Pair) -> Report:
    """The report; warnings of the checked code are its own matter."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return check(pair.f, pair.backward, pair.inputs, wrt=pair.wrt)


def row(case: Case, report: Report) -> tuple[str, set[str]]:
    """What the checker made of a wrong gradient, and the names that it said."""
    said = {name.bug for name in report.names}
    if report.verdict is not Verdict.WRONG:
        return f"MISSED ({report.verdict})", said
    if said - case.names:
        return "named falsely", said
    return ("named right" if said else "no name"), said


def wrong_lines(root: Path) -> Iterator[tuple[str, str]]:
    """For each wrong gradient: what came of it, and a line of text."""
    for case in CASES:
        try:
            what, said = row(case, report_on(pair_of(root, case)))
        except Exception as error:
            what, said = "crash", {f"{type(error).__name__}: {error}"}
        names = ", ".join(sorted(said))
        place = f"{case.repository} {case.definitions[-1]}"
        yield what, f"{what:15} {place:70} {case.wrong}{': ' if names else ''}{names}"


def alarms(root: Path) -> Iterator[str]:
    """The right gradients that are called wrong, or at which the check raises."""
    for case in RIGHT:
        place = f"{case.repository} {case.definitions[-1]}"
        try:
            report = report_on(pair_of(root, case))
        except Exception as error:
            yield f"{place}: {type(error).__name__}: {error}"
            continue
        if report.verdict is not Verdict.PASS:
            yield f"{place}: {report.verdict}"


def other_lines(root: Path) -> Iterator[str]:
    """What the other checkers make of the same functions."""
    for name, checker in CHECKERS.items():
        counts = []
        try:
            for cases in (CASES, RIGHT):
                pairs = [pair_of(root, case) for case in cases]
                planted = [Planted(p.f, p.backward, p.backward, p.inputs, p.wrt) for p in pairs]
                counts.append(sum(complains(checker, p, p.backward) for p in planted))
        except ImportError:
            yield f"{name}: not installed"
            continue
        yield f"{name}: finds {counts[0]} of {len(CASES)}, complains about {counts[1]} of {len(RIGHT)} right ones"


def main(arguments: list[str] | None = None) -> int:
    """Print a line for each function, and the figures; 1 if anything is missed or named falsely, or raises."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", type=Path, help="where the checkouts lie, each in owner+name")
    parser.add_argument("--fetch", action="store_true", help="clone the repositories that are not there")
    parser.add_argument("--others", action="store_true", help="run the other gradient checkers too")
    args = parser.parse_args(arguments)
    repositories = sorted({case.repository for case in (*CASES, *RIGHT)})
    if args.fetch:
        for repository in repositories:
            clone(args.folder, repository)
    absent = [name for name in repositories if not folder_of(args.folder, name).exists()]
    if absent:
        print(f"not in {args.folder}: {', '.join(absent)}; --fetch clones them", file=sys.stderr)
        return 2
    results: list[Any] = []
    for what, line in wrong_lines(args.folder):
        results.append(what)
        print(line)
    right = results.count("named right")
    print(f"wrong gradients: {len(results)}, named right {right}, without a name {results.count('no name')}")
    false = list(alarms(args.folder))
    print("\n".join([*false, f"right gradients: {len(RIGHT)}, not passed {len(false)}"]))
    if args.others:
        print("\n".join(other_lines(args.folder)))
    return int(bool(false) or right + results.count("no name") < len(results))


if __name__ == "__main__":
    raise SystemExit(main())
