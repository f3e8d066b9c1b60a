"""npae grade: grade the exercises of a class, each file in a separate process."""

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

from npae.cli.paths import add_input, add_output
from npae.utils.console import is_quiet, say, shown, shows_progress

if TYPE_CHECKING:
    from npae.learn.catalogue.exercise import Exercise
    from npae.learn.grading.submissions import Learner

HELP = "mark a class's exercises: one row for each learner and exercise, whatever their files do"
EXAMPLE = "npae grade submissions --exercise dense --csv marks.csv"
EPILOG = (
    "Time, memory and processes of a learner's file are limited, and nothing but arrays is taken from it. That is no "
    "sandbox: it can read and write whatever you can. Run this on a machine or in a container that you can lose, and "
    "not as its administrator."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """DIR --csv --json -j --timeout --memory --exercise --resume --seed."""
    parser.epilog = EPILOG
    add_input(
        parser,
        "dir",
        holds=_folders_in,
        metavar="DIR",
        help="with a folder for each learner, in which their files are",
    )
    for option, help_text in (("--csv", "for a spreadsheet"), ("--json", "with all that is known")):
        add_output(
            parser,
            option,
            declared={"files": _with_journal, "is_own": _is_of_resumed_run, "advice": _advice},
            metavar="OUT",
            help=f"write the rows there, {help_text}",
        )
    parser.add_argument("-j", "--jobs", type=_positive, default=1, metavar="N", help="at a time (default: 1)")
    parser.add_argument(
        "--timeout", type=_seconds, default=10.0, metavar="S", help="seconds that one file may take (default: 10)"
    )
    parser.add_argument(
        "--memory", type=_memory, default=1024, metavar="MB", help="that one file may take (default: 1024)"
    )
    add_input(
        parser,
        "--exercise",
        holds=_exercise_folder,
        action="append",
        metavar="NAME",
        help="or ./FOLDER, the path of one of your own; may be given several times (default: all that were handed in)",
    )
    parser.add_argument(
        "--resume", action="store_true", help="repeat only what has changed since, by the journal beside the first OUT"
    )
    parser.add_argument("--seed", type=int, metavar="N", help="of the inputs, to repeat a run (default: random)")


def _folders_in(value: str) -> list[Path]:
    """The learners' folders; files beside them are not read."""
    entries = Path(value).iterdir() if Path(value).is_dir() else ()
    return [path for path in entries if path.is_dir() and not path.name.startswith((".", "__"))]


def _exercise_folder(value: str) -> list[Path]:
    """A folder where a path is given; a bare name is that of an exercise."""
    return [Path(value)] if Path(value).name != value else []


def _journal(args: argparse.Namespace) -> Path | None:
    """The journal beside the first OUT."""
    first = args.csv or args.json
    return None if first is None else Path(f"{first}.journal")


def _with_journal(args: argparse.Namespace, path: Path) -> list[Path]:
    is_first = str(path) == str(Path(args.csv or args.json))
    return [path, *filter(None, [_journal(args) if is_first else None])]


def _is_of_resumed_run(args: argparse.Namespace, path: Path) -> bool:
    """Whether ``--resume`` goes on with a run that wrote the file."""
    from npae.learn.grading import gradebook, journal

    return bool(args.resume) and (gradebook.is_gradebook(path) or journal.is_journal(path))


def _advice(args: argparse.Namespace) -> str:
    from npae.learn.grading.journal import is_journal

    journal = _journal(args)
    can_resume = journal is not None and not args.resume and journal.is_file() and is_journal(journal)
    return "give another name" + (", --resume to go on with that run" if can_resume else "")


def run(args: argparse.Namespace) -> int:
    """Grade, write the files, and print the tables; always returns 0."""
    from tqdm import tqdm

    from npae.cli.tables import table
    from npae.learn.grading import gradebook
    from npae.learn.grading.grade import Row, grade
    from npae.learn.grading.journal import Journal
    from npae.learn.grading.submissions import learners
    from npae.learn.judging.messages import write
    from npae.learn.sandbox.process import Limits

    journal = _journal(args)
    if args.resume and journal is None:
        raise ValueError("--resume needs --csv or --json, beside which the journal of the last run is")
    everybody, others = learners(_folder(args.dir))
    if not everybody:
        raise ValueError(f"{args.dir} has no folders; expected one for each learner, with their files in it")
    exercises = _exercises(args.exercise, everybody)
    for note in _notes(others):
        say(f"npae grade: {note}", to_errors=True)
    submissions = [learner.submission(exercise) for learner in everybody for exercise in exercises]
    with (
        _sigterm_as_ctrl_c(),
        Journal(journal, args.resume) as noted,
        tqdm(total=len(submissions), unit="file", leave=False, disable=not shows_progress()) as progress,
    ):

        def done(row: Row) -> None:
            progress.set_postfix_str(shown(f"{row.learner[:20]} {row.exercise}: {row.status}"))
            progress.update()

        rows = grade(submissions, Limits(args.timeout, args.memory), args.jobs, args.seed, noted, done)
    if args.csv:
        gradebook.write_csv(args.csv, rows)
    if args.json:
        gradebook.write_json(args.json, rows)
    if is_quiet():
        return 0
    write(sys.stdout, table(*gradebook.statuses(rows)))
    if any(row.bug for row in rows):
        lines = table(("mistake", "exercise", "learners", ""), gradebook.histogram(rows)).splitlines()
        write(sys.stdout, "\n".join(["", *map(str.rstrip, lines)]))
    return 0


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
        raise ValueError("no learner has a file of any exercise; expected files such as dense.py, or give --exercise")
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
