"""The arguments of npae grade, and the files that it writes."""

import argparse
from pathlib import Path

from npae.cli.arguments import count, seed_number
from npae.cli.paths import add_input, add_output

HELP = "mark a class's exercises: one row for each learner and exercise, whatever their files do"
EXAMPLE = "npae grade submissions --exercise dense --csv marks.csv"
EPILOG = (
    "DIR has a folder or zip file for each learner, or is an export of Moodle, Canvas, Gradescope or nbgrader. "
    "Time and memory of a learner's file are limited, and nothing but arrays is taken from it. On Linux with "
    "bubblewrap it also runs in a sandbox. Without one, limits are no sandbox: a file can read and write whatever you "
    "can. Then run this on a machine or in a container that you can lose, and not as its administrator."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """DIR, what is written, points, limits, the sandbox, and what is graded."""
    parser.epilog = EPILOG
    add_input(parser, "dir", holds=_folders_in, metavar="DIR", help="with what each learner has handed in")
    for option, help_text in (("--csv", "for a spreadsheet"), ("--json", "with all that is known")):
        add_output(
            parser,
            option,
            declared={"files": _with_journal, "is_own": _is_of_resumed_run, "advice": _advice},
            metavar="OUT",
            help=f"write the rows there, {help_text}",
        )
    _add_points(parser)
    parser.add_argument("-j", "--jobs", type=count, default=1, metavar="N", help="at a time (default: 1)")
    parser.add_argument(
        "--timeout", type=_seconds, default=10.0, metavar="S", help="seconds that one file may take (default: 10)"
    )
    parser.add_argument(
        "--memory", type=_memory, default=1024, metavar="MB", help="that one file may take (default: 1024)"
    )
    parser.add_argument(
        "--sandbox",
        choices=("auto", "bwrap", "none"),
        default="auto",
        help="bwrap: bubblewrap, of Linux; auto: it where it runs, and a remark where it does not (default: auto)",
    )
    add_input(
        parser,
        "--exercise",
        holds=_exercise_folder,
        action="append",
        metavar="NAME",
        help="or ./FOLDER, the path of one of your own; may be given several times (default: those of --points, or all "
        "that were handed in)",
    )
    parser.add_argument(
        "--resume", action="store_true", help="repeat only what has changed since, by the journal beside the first OUT"
    )
    parser.add_argument(
        "--seed", type=seed_number, metavar="N", help="of the inputs, to repeat a run (default: random)"
    )


def _add_points(parser: argparse.ArgumentParser) -> None:
    add_input(
        parser,
        "--points",
        metavar="SCHEME",
        help="TOML with a table for each exercise, such as [dense] with points = 6; adds points to the rows",
    )
    add_input(
        parser,
        "--late",
        metavar="DAYS",
        help="CSV with the columns learner and days (default: from the scheme's deadline to the files' times)",
    )
    add_output(
        parser,
        "--gradebook",
        declared={"suffixes": (".csv", ".json"), "is_own": _is_of_resumed_run},
        metavar="OUT",
        help="write the points of each learner in each exercise there, as .csv, or as .json with parts",
    )
    add_output(
        parser,
        "--feedback",
        declared={"suffixes": (".zip",)},
        metavar="OUT",
        help="write a text and a page for each learner there, zipped as the platform takes them back",
    )
    add_output(
        parser,
        "--copies",
        declared={"suffixes": (".csv",)},
        metavar="OUT",
        help="write there which submissions are equal or nearly so, names and comments aside",
    )
    parser.add_argument("--excel", action="store_true", help="begin CSV files with the mark by which Excel knows UTF-8")


def _folders_in(value: str) -> list[Path]:
    """The learners' folders and files; what lies beside them is not read."""
    from npae.learn.grading.layouts import recognise

    if not Path(value).is_dir():
        return []
    return [path for delivery in recognise(Path(value)).deliveries for _, path in delivery.parts]


def _exercise_folder(value: str) -> list[Path]:
    """A folder where a path is given; a bare name is that of an exercise."""
    return [Path(value)] if Path(value).name != value else []


def journal_path(args: argparse.Namespace) -> Path | None:
    """The journal beside the first OUT."""
    first = args.csv or args.json
    return None if first is None else Path(f"{first}.journal")


def _with_journal(args: argparse.Namespace, path: Path) -> list[Path]:
    is_first = str(path) == str(Path(args.csv or args.json))
    return [path, *filter(None, [journal_path(args) if is_first else None])]


def _is_of_resumed_run(args: argparse.Namespace, path: Path) -> bool:
    """Whether ``--resume`` goes on with a run that wrote the file."""
    from npae.learn.grading import gradebook, journal

    return bool(args.resume) and (gradebook.is_gradebook(path) or journal.is_journal(path))


def _advice(args: argparse.Namespace) -> str:
    from npae.learn.grading.journal import is_journal

    journal = journal_path(args)
    can_resume = journal is not None and not args.resume and journal.is_file() and is_journal(journal)
    return "give another name" + (", --resume to go on with that run" if can_resume else "")


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
