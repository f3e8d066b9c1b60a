"""npae learn: twenty exercises, from the chain rule to a variational autoencoder, with checks that name mistakes."""

import argparse
import sys
from typing import TYPE_CHECKING

from npae.cli.learn_milestones import certificate, say, train
from npae.cli.tables import add_json, say_json

if TYPE_CHECKING:
    from npae.learn.catalogue.exercise import Exercise
    from npae.learn.workspace.workspace import Workspace

EXAMPLE = "npae learn start exercises"
HELP = "learn backpropagation: exercises whose checks name your mistake"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add a subcommand for each command of a learner."""
    parser.epilog = "Begin with: npae learn start DIR. It makes the folder, and says what to do next."
    verbs = parser.add_subparsers(dest="learn_verb", required=True, metavar="VERB")

    def add(name: str, text: str, exercise: str = "") -> argparse.ArgumentParser:
        example = f"npae learn {name}" + (" dense" if exercise else "")
        verb = verbs.add_parser(name, help=text, description=text, example=example)
        if exercise:
            verb.add_argument("name", nargs="?" if exercise.startswith("(") else None, metavar="NAME", help=exercise)
        verb.add_argument("--dir", metavar="DIR", help="your folder (default: this one, or the nearest above it)")
        return verb

    present = "(default: the present one)"
    text = "begin, in a new folder"
    start = verbs.add_parser("start", help=text, description=text, example="npae learn start exercises")
    start.add_argument("dir", metavar="DIR", help="the folder that your files are to be in")
    add(
        "next",
        "write the file of the next exercise, after a pass",
        "(or any exercise, by name or number, or ./FOLDER)",
    )
    check = add("check", "is it right, and if not, what is wrong?", present)
    check.add_argument("--no-training", action="store_true", help="after a milestone, train no autoencoder")
    check.add_argument(
        "--debug", action="store_true", help="run your file in this process, so that breakpoint() works; no time limit"
    )
    add("show", "write the failing case as a script, case.py, that runs your function in the debugger", present)
    add("certificate", "write certificate.html: what you have passed, with pictures by your own gradients")
    add("watch", "check whenever the file is saved", present)
    add("hint", "the next of three hints: the idea, the equation, the line", present)
    add("text", "the explanation of an exercise", present)
    add_json(add("list", "all exercises, and where you are"), "print the list as JSON")
    solution = add("solution", "the solution, after a pass", "of which exercise")
    solution.add_argument("--reveal", action="store_true", help="before a pass too; that is recorded")
    add("reset", "begin a file anew; the old one is kept", "of which exercise")
    text = "write exercises of your own"
    dev = verbs.add_parser("dev", help=text, description=text, example="npae learn dev new 21_scale")
    _add_dev(dev.add_subparsers(dest="dev_verb", required=True, metavar="VERB"))


def _add_dev(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    text = "write the folder of a new exercise, which is fit and can be changed"
    new = verbs.add_parser("new", help=text, description=text, example="npae learn dev new 21_scale")
    new.add_argument("folder", metavar="DIR", help="its last part is the exercise's name, such as 21_scale")
    check = verbs.add_parser(
        "check",
        help="is an exercise fit for learners?",
        description="Its stub must fail, its reference pass with 20 seeds, and every known mistake be caught by name.",
        example="npae learn dev check 21_scale",
    )
    check.add_argument("folders", nargs="*", metavar="FOLDER", help="with exercise.toml, stub.py, reference.py, …")
    check.add_argument("--all", action="store_true", help="all exercises that come with npae")
    check.add_argument(
        "--long", action="store_true", help="also every solution with one change, such as a sign: none may pass"
    )
    add_json(check)


def run(args: argparse.Namespace) -> int:
    """Run a subcommand; returns 0, or 1 where something is wrong or missing."""
    if args.learn_verb == "dev":
        return _dev(args)
    from pathlib import Path

    from npae.learn.workspace.workspace import Workspace

    if args.learn_verb == "start":
        workspace, exercise = Workspace.begin(Path(args.dir))
        _tell_notes(workspace)
        say(f"Your folder is {workspace.folder}. Its README.md lists the commands.\n")
        _introduce(workspace, exercise, moved=workspace.folder != Path.cwd())
        return 0
    workspace = Workspace.at(Path(args.dir or "."), is_named=bool(args.dir))
    _tell_notes(workspace)
    verb = VERBS[args.learn_verb]
    return verb(workspace, args)


def _tell_notes(workspace: "Workspace") -> None:
    from npae.learn.judging.messages import write

    for note in workspace.notes:
        write(sys.stderr, f"npae learn: {note}", whole_lines=True)


def _introduce(workspace: "Workspace", exercise: "Exercise", moved: bool = False) -> None:
    """Print the explanation of an exercise, and the next steps."""
    *several, last = (f.name for f in exercise.functions)
    functions = f"{', '.join(several)} and {last}" if several else last
    do = "mend" if exercise.kind == "hunt" else "write"
    say(exercise.text.strip())
    say("\n" + "-" * 72)
    number = 1
    if moved:
        folder = str(workspace.folder)
        say(f"{number}. go there:      cd " + (f'"{folder}"' if " " in folder else folder), whole_lines=True)
        number += 1
    say(f"{number}. open {exercise.file_name} in your editor, {do} {functions}, and save it")
    say(f"{number + 1}. then run:      npae learn check")
    say("\nStuck? npae learn hint. Checked whenever you save: npae learn watch, in a second terminal.")


def _next(workspace: "Workspace", args: argparse.Namespace) -> int:
    from npae.learn.workspace import progress

    if args.name:
        _introduce(workspace, workspace.open(args.name))
        return 0
    present = workspace.chosen()
    p = progress.load(workspace.folder)
    following = workspace.following(present)
    if following is None:
        say(f"{workspace.end()} npae learn certificate writes a page about it.")
        return 0
    if not p.passed(present.name) and present.number:
        say(
            f"{present.name} is not passed yet: npae learn check says what is wrong, npae learn hint helps.\n"
            "To leave it for later, name another one: npae learn next NAME"
        )
        return 1
    _introduce(workspace, workspace.open(following.name))
    return 0


def _check(workspace: "Workspace", args: argparse.Namespace) -> int:
    exercise = workspace.chosen(args.name)
    return 0 if check(workspace, exercise, training=not args.no_training, debug=args.debug) else 1


def check(
    workspace: "Workspace", exercise: "Exercise", training: bool = True, keys: bool = False, debug: bool = False
) -> bool:
    """Check a learner's file and print the outcome; True for a pass."""
    from npae.learn.judging import messages
    from npae.learn.sandbox.debugged import Debugged
    from npae.learn.sandbox.process import Worker
    from npae.learn.workspace import progress

    if debug:
        outcome = workspace.check(exercise, Debugged(workspace.path(exercise)))
    else:
        with Worker(workspace.path(exercise)) as worker:
            outcome = workspace.check(exercise, worker)
    say(messages.describe(exercise, outcome))
    outdated = workspace.outdated(exercise)
    if outdated:
        say(outdated)
    if not outcome.passed:
        if not workspace.path(exercise).exists():
            say(f"npae learn next {exercise.name} writes that file")
        else:
            shown = progress.load(workspace.folder).record(exercise.name).hints
            say(messages.hint_line(exercise, shown, "[h]" if keys else "npae learn hint:"))
        return False
    say(messages.praise(outcome, workspace.unlocked_by(exercise)))
    if exercise.milestone and training:
        train(workspace, exercise)
    is_end = workspace.following(exercise) is None
    if is_end and exercise.number:
        say(workspace.end())
        certificate(workspace)
    if not keys:
        go_on = "" if is_end else "Go on: npae learn next. "
        say(f"{go_on}Compare: npae learn solution {exercise.name}.")
    return True


def _certificate(workspace: "Workspace", args: argparse.Namespace) -> int:
    return certificate(workspace)


def _watch(workspace: "Workspace", args: argparse.Namespace) -> int:
    import time

    from npae.learn.workspace import watch

    exercise, due, passed = workspace.chosen(args.name), True, False
    before: watch.State = None
    with watch.keys() as terminal:
        say(f"Watching {workspace.path(exercise)}: save it, and it is checked. Ctrl-C ends this.")
        while True:
            if due:
                before = watch.state(workspace.path(exercise))
                say(f"\n[{time.strftime('%H:%M:%S')}] checking {exercise.file_name}")
                passed = check(workspace, exercise, keys=terminal is not None)
                if passed and terminal is None:
                    return 0
                if passed:
                    say("[n] the next exercise   [q] stop")
            key = watch.until_change(workspace.path(exercise), before, terminal or watch.NoKeys())
            due = not key
            if key == "h":
                say(f"\n{workspace.hint(exercise)}")
            following = workspace.following(exercise) if key == "n" and passed else None
            if key == "q" or (key == "n" and passed and following is None):
                return 0
            if following is not None:
                exercise, passed = workspace.open(following.name), False
                before = watch.state(workspace.path(exercise))
                say("")
                _introduce(workspace, exercise)
                say("(still watching)")


def _hint(workspace: "Workspace", args: argparse.Namespace) -> int:
    say(workspace.hint(workspace.chosen(args.name)))
    return 0


def _show(workspace: "Workspace", args: argparse.Namespace) -> int:
    """Check again, and write the case at which the file fails as a script."""
    from npae.cli.output import write_bytes
    from npae.learn.sandbox.process import Worker
    from npae.learn.workspace import case_script

    exercise = workspace.chosen(args.name)
    with Worker(workspace.path(exercise)) as worker:
        outcome = workspace.judged(exercise, worker)
    if outcome.case is None:
        state = "passes" if outcome.passed else f"cannot be called: {outcome.text}"
        say(f"{exercise.name} {state}; there is no failing case to show")
        return 0 if outcome.passed else 1
    path = workspace.folder / case_script.NAME
    if path.exists() and not case_script.is_script(path.read_text(encoding="utf-8", errors="replace")):
        say(f"{path.name} is there already, and npae did not write it; move it, and run this again")
        return 1
    write_bytes(path, case_script.script(exercise, outcome).encode())
    say(f"{path.name} has a case at which {outcome.function} fails. Run it in your folder: python {path.name}")
    return 0


def _text(workspace: "Workspace", args: argparse.Namespace) -> int:
    _introduce(workspace, workspace.chosen(args.name))
    return 0


def _list(workspace: "Workspace", args: argparse.Namespace) -> int:
    from dataclasses import asdict

    from npae.learn.workspace.overview import standings, text

    rows = standings(workspace)
    if args.json:
        say_json([asdict(row) for row in rows])
    else:
        say(text(rows))
    return 0


def _solution(workspace: "Workspace", args: argparse.Namespace) -> int:
    say(workspace.solution(workspace.chosen(args.name), args.reveal).rstrip(), whole_lines=True)
    return 0


def _reset(workspace: "Workspace", args: argparse.Namespace) -> int:
    exercise = workspace.chosen(args.name)
    kept = workspace.reset(exercise)
    say(f"{exercise.file_name} begins anew." + (f" What you had is in {kept.name}." if kept else ""))
    return 0


VERBS = {
    "next": _next,
    "check": _check,
    "watch": _watch,
    "hint": _hint,
    "show": _show,
    "certificate": _certificate,
    "text": _text,
    "list": _list,
    "solution": _solution,
    "reset": _reset,
}


def _dev(args: argparse.Namespace) -> int:
    from npae.cli.tables import say_table
    from npae.learn import authoring
    from npae.learn.catalogue import catalogue

    if args.dev_verb == "new":
        folder = authoring.new(args.folder)
        say(
            f"{folder} is an exercise now, a copy of one that is fit. Change its files, then: npae learn dev check "
            f"{args.folder}\nLearners begin it with: npae learn next {folder}"
        )
        return 0
    folders = [*args.folders, *(catalogue.folders() if args.all else [])]
    if not folders:
        raise ValueError("no exercise is named; give its FOLDER, or --all for those that come with npae")
    found = [authoring.check(folder, long=args.long) for folder in folders]
    kept = len(authoring.HEADER) - (not args.long)
    say_table("exercises", authoring.HEADER[:kept], (f.row()[:kept] for f in found))
    faults = [f"{f.name}: {fault}" for f in found for fault in f.faults]
    say("\n" + ("\n".join(faults) or "all fit"))
    return 1 if faults else 0
