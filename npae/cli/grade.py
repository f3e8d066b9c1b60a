"""npae grade: grade the exercises of a class, each file in a separate process."""

import argparse
import os
import signal
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from npae.cli.grade_arguments import EPILOG, EXAMPLE, HELP, add_arguments, journal_path
from npae.utils.console import say, shown, shows_progress

if TYPE_CHECKING:
    from npae.learn.catalogue.exercise import Exercise
    from npae.learn.grading.grade import Row
    from npae.learn.grading.journal import Key
    from npae.learn.grading.points import Points, Scheme
    from npae.learn.grading.submissions import Learner, Submission

__all__ = ["EPILOG", "EXAMPLE", "HELP", "add_arguments", "run"]


def run(args: argparse.Namespace) -> int:
    """Grade, write the files, and print the tables; always returns 0."""
    from npae.learn.grading.layouts import recognise
    from npae.learn.grading.submissions import class_of
    from npae.learn.sandbox import isolation

    _check_options(args)
    sandbox, unsafe = isolation.chosen(args.sandbox)
    found = recognise(_folder(args.dir))
    everybody = class_of(found)
    if not everybody:
        raise ValueError(
            f"{args.dir} has no folders; expected a folder or zip file for each learner, or the export of a platform"
        )
    scheme, late_days = _scheme(args)
    exercises = _exercises(args.exercise, scheme, everybody)
    for note in _notes(args.dir, found.layout, found.others, sandbox, unsafe):
        say(f"npae grade: {note}", to_errors=True)
    submissions = [learner.submission(exercise) for learner in everybody for exercise in exercises]
    rows = _graded(args, submissions, sandbox)
    points = _points(rows, submissions, scheme, late_days) if scheme else None
    _write(args, rows, points)
    _write_reports(args, everybody, submissions, rows, points)
    _print(rows, points)
    return 0


def _check_options(args: argparse.Namespace) -> None:
    if args.resume and journal_path(args) is None:
        raise ValueError("--resume needs --csv or --json, beside which the journal of the last run is")
    if args.gradebook and not args.points:
        raise ValueError("--gradebook needs --points SCHEME, which says what each exercise is worth")
    if args.late and not args.points:
        raise ValueError("--late needs --points SCHEME, whose [late] says what a day takes")


def _scheme(args: argparse.Namespace) -> "tuple[Scheme | None, Mapping[str, float] | None]":
    """The scheme and the late days that are given, or None."""
    from npae.learn.catalogue.catalogue import exercises, find
    from npae.learn.grading.late_days import read_late_days
    from npae.learn.grading.points import read_scheme

    if not args.points:
        return None, None
    own = [find(name) for name in args.exercise or []]
    scheme = read_scheme(args.points, [*exercises(), *own])
    if args.late and not scheme.per_day:
        raise ValueError(f"--late is given, but {args.points} takes nothing for a day; give [late] per_day = 0.1 there")
    if scheme.per_day and scheme.deadline is None and not args.late:
        raise ValueError(
            f"{args.points} says what a late day takes, but not when the deadline was; give [late] deadline = "
            "2026-03-01T23:59:00 there, or --late DAYS"
        )
    return scheme, read_late_days(args.late) if args.late else None


def _graded(args: argparse.Namespace, submissions: "Sequence[Submission]", sandbox: str) -> "list[Row]":
    from tqdm import tqdm

    from npae.learn.grading.grade import Row, grade
    from npae.learn.grading.journal import Journal
    from npae.learn.sandbox.process import Limits

    with (
        _sigterm_as_ctrl_c(),
        Journal(journal_path(args), args.resume) as noted,
        tqdm(total=len(submissions), unit="file", leave=False, disable=not shows_progress()) as progress,
    ):

        def done(row: Row) -> None:
            progress.set_postfix_str(shown(f"{row.learner[:20]} {row.exercise}: {row.status}"))
            progress.update()

        return grade(submissions, Limits(args.timeout, args.memory), args.jobs, args.seed, noted, done, sandbox)


def _points(
    rows: "Sequence[Row]",
    submissions: "Sequence[Submission]",
    scheme: "Scheme",
    late_days: Mapping[str, float] | None,
) -> "dict[Key, Points]":
    from npae.learn.grading.points import points_of

    strange = sorted((late_days or {}).keys() - {row.learner for row in rows})
    if strange:
        more = f" and {len(strange) - 1} more" if len(strange) > 1 else ""
        say(f"npae grade: --late has {shown(strange[0])}{more}, who handed in nothing under that name", to_errors=True)
    return {
        row.key: points_of(row, submission, scheme, late_days)
        for row, submission in zip(rows, submissions, strict=True)
    }


def _write(args: argparse.Namespace, rows: "Sequence[Row]", points: "Mapping[Key, Points] | None") -> None:
    from npae.learn.grading import gradebook

    if args.csv:
        gradebook.write_csv(args.csv, rows, points, bom=args.excel)
    if args.json:
        gradebook.write_json(args.json, rows, points)
    if args.gradebook and points is not None:
        gradebook.write_gradebook(args.gradebook, points, bom=args.excel)


def _write_reports(
    args: argparse.Namespace,
    everybody: "Sequence[Learner]",
    submissions: "Sequence[Submission]",
    rows: "Sequence[Row]",
    points: "Mapping[Key, Points] | None",
) -> None:
    """Feedback for the learners, and what is alike."""
    from npae.learn.grading import copies, feedback, gradebook

    if args.feedback:
        feedback.write_feedback(args.feedback, everybody, rows, points)
    if args.copies:
        gradebook.write_copies(args.copies, copies.find_copies(submissions), bom=args.excel)


def _print(rows: "Sequence[Row]", points: "Mapping[Key, Points] | None") -> None:
    """The tables of results, of points, and of mistakes."""
    from npae.cli.tables import table
    from npae.learn.grading import gradebook
    from npae.learn.judging.messages import write

    write(sys.stdout, table(*gradebook.statuses(rows)))
    if points is not None:
        write(sys.stdout, "\n" + table(*gradebook.averages(points)))
    if any(row.bug for row in rows):
        lines = table(("mistake", "exercise", "learners", ""), gradebook.histogram(rows)).splitlines()
        write(sys.stdout, "\n".join(["", *map(str.rstrip, lines)]))


@contextmanager
def _sigterm_as_ctrl_c() -> Iterator[None]:
    """Treat SIGTERM, which containers send, as Ctrl-C: workers are killed, and their files run again on resume."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _folder(name: str) -> Path:
    folder = Path(name)
    if not folder.is_dir():
        advice = "unpack it, and give that folder" if folder.suffix.lower() == ".zip" else "give that of a class"
        raise NotADirectoryError(f"{name} is no folder; {advice}")
    return folder


def _exercises(
    names: list[str] | None, scheme: "Scheme | None", everybody: "Sequence[Learner]"
) -> "Sequence[Exercise]":
    """Those named, else those of the scheme, else all that were handed in."""
    from npae.learn.catalogue.catalogue import exercises, find
    from npae.learn.grading.submissions import handed_in

    found = handed_in(everybody, exercises())
    if names:
        wanted = [find(name) for name in names]
        twice = [name for name, n in Counter(exercise.name for exercise in wanted).items() if n > 1]
        if twice:
            raise ValueError(f"--exercise gives {twice[0]} twice; each needs a name of its own")
        if scheme:
            worthless = [exercise.name for exercise in wanted if exercise.name not in scheme.exercises]
            if worthless:
                raise ValueError(
                    f"--points has no table [{worthless[0]}], which --exercise names; say what it is worth"
                )
        return wanted
    if scheme:
        left = [exercise.name for exercise in found if exercise.name not in scheme.exercises]
        if left:
            say(
                f"npae grade: handed in, but without a table of --points, so not graded: {', '.join(left)}",
                to_errors=True,
            )
        return [exercise for exercise in exercises() if exercise.name in scheme.exercises]
    if not found:
        raise ValueError("no learner has a file of any exercise; expected files such as dense.py, or give --exercise")
    return found


def _notes(folder: str, layout: str, others: Sequence[str], sandbox: str, unsafe: str) -> Iterator[str]:
    if layout != "folders":
        yield f"{folder} is taken for an export of {layout}"
    if others:
        named = ", ".join(map(shown, others[:3])) + (", …" if len(others) > 3 else "")
        yield f"not looked at, since its name is not that of a learner's folder or file: {named}"
    if unsafe:
        yield f"no sandbox, but limits of time and memory: {unsafe}; a learner's file can read and write what you can"
    if sandbox == "none" and hasattr(os, "geteuid") and os.geteuid() == 0:
        yield "you are the administrator, whose files and processes nothing protects; see npae grade --help"
    if sys.platform == "darwin":
        yield "macOS does not hold a learner's file to --memory; time and processes are limited"
    if find_spec("resource") is None:
        yield "this system limits neither memory nor processes nor files: only the clock ends a learner's file"
