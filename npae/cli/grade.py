"""npae grade: mark what a class has written, each file in a process of its own."""

import argparse
import os
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from npae.learn.catalogue.exercise import Exercise
    from npae.learn.grading.submissions import Learner

HELP = "mark a class's exercises: one row for each learner and exercise, whatever their files do"
EPILOG = (
    "Time, memory and processes of a learner's file are limited, and nothing but arrays is taken from it. That is no "
    "sandbox: it can read and write whatever you can. Run this on a machine or in a container that you can lose, and "
    "not as its administrator."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """DIR --csv --json -j --timeout --memory --exercise --resume --seed."""
    parser.epilog = EPILOG
    parser.add_argument("dir", metavar="DIR", help="with a folder for each learner, in which their files are")
    parser.add_argument("--csv", metavar="OUT", help="write the rows there, for a spreadsheet")
    parser.add_argument("--json", metavar="OUT", help="write the rows there, with all that is known")
    parser.add_argument("-j", "--jobs", type=_positive, default=1, metavar="N", help="at a time (default: 1)")
    parser.add_argument(
        "--timeout", type=_seconds, default=10.0, metavar="S", help="seconds that one file may take (default: 10)"
    )
    parser.add_argument(
        "--memory", type=_memory, default=1024, metavar="MB", help="that one file may take (default: 1024)"
    )
    parser.add_argument(
        "--exercise",
        action="append",
        metavar="NAME",
        help="or ./FOLDER, the path of one of your own; may be given several times (default: all that were handed in)",
    )
    parser.add_argument(
        "--resume", action="store_true", help="repeat only what has changed since, by the journal beside the first OUT"
    )
    parser.add_argument("--seed", type=int, metavar="N", help="of the inputs, to repeat a run (default: unforeseeable)")


def run(args: argparse.Namespace) -> int:
    """Mark, write and tell; 0 even where nobody has passed."""
    from tqdm import tqdm

    from npae.cli.output import table
    from npae.learn.grading import gradebook
    from npae.learn.grading.grade import Row, grade
    from npae.learn.grading.journal import Journal
    from npae.learn.grading.submissions import learners
    from npae.learn.judging.messages import write
    from npae.learn.sandbox.process import Limits
    from npae.utils.files import check_writable

    outputs = [Path(path) for path in (args.csv, args.json) if path]
    for path in outputs:
        check_writable(path)
    if args.resume and not outputs:
        raise ValueError("--resume needs --csv or --json, beside which the journal of the last run is")
    everybody, others = learners(_folder(args.dir))
    if not everybody:
        raise ValueError(f"{args.dir} has no folders; expected one for each learner, with their files in it")
    exercises = _exercises(args.exercise, everybody)
    for note in _notes(others):
        print(f"npae grade: {note}", file=sys.stderr)
    submissions = [learner.submission(exercise) for learner in everybody for exercise in exercises]
    journal = outputs[0].with_name(outputs[0].name + ".journal") if outputs else None
    with (
        _sigterm_as_ctrl_c(),
        Journal(journal, args.resume) as noted,
        tqdm(total=len(submissions), unit="file", leave=False, disable=None) as progress,
    ):

        def done(row: Row) -> None:
            progress.set_postfix_str(f"{row.learner[:20]} {row.exercise}: {row.status}")
            progress.update()

        rows = grade(submissions, Limits(args.timeout, args.memory), args.jobs, args.seed, noted, done)
    if args.csv:
        gradebook.write_csv(args.csv, rows)
    if args.json:
        gradebook.write_json(args.json, rows)
    write(sys.stdout, table(*gradebook.statuses(rows)))
    if any(row.bug for row in rows):
        lines = table(("mistake", "exercise", "learners", ""), gradebook.histogram(rows)).splitlines()
        write(sys.stdout, "\n".join(["", *map(str.rstrip, lines)]))
    return 0


@contextmanager
def _sigterm_as_ctrl_c() -> Iterator[None]:
    """Who ends the grader by SIGTERM, as a container does, is answered as Ctrl-C is: workers end, nobody is blamed."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _folder(name: str) -> Path:
    folder = Path(name)
    if not folder.is_dir():
        raise NotADirectoryError(f"{name} is no folder; give the one that holds a folder for each learner")
    return folder


def _exercises(names: list[str] | None, everybody: "list[Learner]") -> "list[Exercise]":
    from npae.learn.catalogue.catalogue import exercises, find
    from npae.learn.grading.submissions import handed_in

    if names:
        wanted = [find(name) for name in names]
        twice = [name for name, n in Counter(exercise.name for exercise in wanted).items() if n > 1]
        if twice:
            raise ValueError(f"--exercise gives {twice[0]} twice; each needs a name of its own")
        return wanted
    found = handed_in(everybody, exercises())
    if not found:
        raise ValueError("nobody has a file of any exercise; expected files such as dense.py, or give --exercise")
    return found


def _notes(others: list[str]) -> list[str]:
    notes = []
    if others:
        named = ", ".join(others[:3]) + (", …" if len(others) > 3 else "")
        notes.append(f"not looked at, since each learner has a folder: {named}")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        notes.append("you are the administrator, whose files and processes nothing protects; see npae grade --help")
    if sys.platform == "darwin":
        notes.append("macOS does not hold a learner's file to --memory; time and processes are limited")
    if find_spec("resource") is None:
        notes.append("this system limits neither memory nor processes nor files: only the clock ends a learner's file")
    return notes


def _positive(text: str) -> int:
    return int(_above(text, 0, "a whole number above 0", int))


def _memory(text: str) -> int:
    return int(_above(text, 255, "a whole number of megabytes, 256 at least", int))


def _seconds(text: str) -> float:
    return _above(text, 0.0, "a number of seconds above 0", float)


def _above(text: str, least: float, expected: str, kind: type) -> float:
    try:
        value = float(kind(text))
    except ValueError:
        value = float("nan")
    if not least < value < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is not {expected}")
    return value
