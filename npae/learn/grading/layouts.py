"""Layouts in which learning platforms export a class, recognised by names: Moodle, Canvas, Gradescope, nbgrader.

Each layout is a list of deliveries: a learner, and the files and folders that are theirs. A folder that no platform has
named is one with a folder, or a zip file, for each learner.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from npae.learn.grading import gradescope
from npae.learn.grading.times import time_of
from npae.learn.grading.tree import is_left_out

#: Moodle: "Ada Lovelace_1234_assignsubmission_file_", a folder, or the start of a file's name; "onlinetext" is typed.
MOODLE = re.compile(r"(?P<who>.+_\d+)_assignsubmission_(?P<kind>[a-z]+)(?:_(?P<file>.*))?", re.DOTALL)
#: Canvas: "lovelaceada_LATE_1234_5678_dense-1.py", all files in one folder; -1 is the first resubmission. What is typed
#: is "lovelaceada_1234_text.html", an address "…_link.html"; without names it is "anon_aB3dE_5678_dense.py".
CANVAS = re.compile(
    r"(?P<who>[^_]+)_(?P<late>LATE_)?(?P<user>\d+|(?:(?<=^anon_)|(?<=^anon_LATE_))[A-Za-z0-9]{5})_"
    r"(?:\d+_(?P<file>.+)|(?P<typed>text\.html|link\.html))",
    re.DOTALL,
)
AGAIN = re.compile(r"(?P<stem>.+?)-(?P<again>\d+)(?P<suffix>\.[A-Za-z0-9]+)", re.DOTALL)
#: Gradescope: "submission_1234", with the names in a file beside them.
GRADESCOPE = re.compile(r"submission_\d+")
#: nbgrader's exchange: "ada+ps1+2026-03-01 10:00:00 UTC" (and "+random").
NBGRADER = re.compile(
    r"(?P<who>[^+]+)\+(?P<work>[^+]+)\+(?P<time>\d{4}-\d\d-\d\d[ _T]\d\d[:_-]\d\d[:_-]\d\d[^+]*)(\+.*)?"
)
#: Where a course of nbgrader and its exchange have what was handed in, and what lies beside it.
COURSE = {"submitted": {"source", "release", "autograded", "feedback"}, "inbound": {"outbound", "feedback"}}
TIMESTAMP = "timestamp.txt"


@dataclass
class Delivery:
    """What one learner has handed in.

    Attributes
    ----------
    learner : str
    parts : list of (str, Path)
        Files and folders, each with the name under which it counts; "" where a folder's content counts as the root.
    time : float or None
        When it was handed in, where the platform says so; else the files' own times count.
    times : dict of str to float
        The same for single folders of it, by name, where each has a time of its own.
    attempts : dict of str to (str, int)
        Of parts that are attempts at one file: that file's name and the attempt's number, by the part's name.
    late : bool
        Whether the platform marks it as late.
    feedback : str
        Where the platform expects the learner's feedback: a folder, which ends with "/", or the start of a file's name.
    """

    learner: str
    parts: list[tuple[str, Path]] = field(default_factory=list)
    time: float | None = None
    times: dict[str, float] = field(default_factory=dict)
    attempts: dict[str, tuple[str, int]] = field(default_factory=dict)
    late: bool = False
    feedback: str = ""


@dataclass
class ClassFolder:
    """A class: the platform's name or "folders", the deliveries by name, and the names of what is not looked at."""

    layout: str
    deliveries: list[Delivery]
    others: list[str] = field(default_factory=list)


def recognise(folder: Path) -> ClassFolder:
    """The learners in a class's folder, by the layout that its names have."""
    entries = sorted(path for path in folder.iterdir() if not is_left_out(path.name))
    folders = [path for path in entries if path.is_dir()]
    names = {path.name for path in folders}
    for name in sorted(names & COURSE.keys()):
        if names == {name} or names & COURSE[name]:
            found = recognise(folder / name)
            return ClassFolder("nbgrader", _with_stamps(found.deliveries), found.others)
    if any(MOODLE.fullmatch(path.name) for path in entries):
        return _moodle(entries)
    if any(GRADESCOPE.fullmatch(path.name) for path in folders) and (folder / gradescope.NAME).is_file():
        return _gradescope(entries, folder / gradescope.NAME)
    if any(NBGRADER.fullmatch(path.name) for path in folders):
        return _exchange(entries)
    if sum(bool(CANVAS.fullmatch(path.name)) for path in entries if path not in folders) > len(folders):
        return _canvas(entries)
    return _plain(entries)


def _plain(entries: Iterable[Path]) -> ClassFolder:
    found = ClassFolder("folders", [])
    for path in entries:
        if path.is_dir():
            found.deliveries.append(Delivery(path.name, [("", path)], feedback=f"{path.name}/"))
        elif path.suffix.lower() == ".zip":
            found.deliveries.append(Delivery(path.stem, [("", path)], feedback=f"{path.stem}/"))
        else:
            found.others.append(path.name)
    stamped = _with_stamps(found.deliveries)
    if stamped and all(one.times for one in stamped):  # one learner's stamp alone does not make a course of nbgrader
        found.layout = "nbgrader"
    else:
        for one in stamped:
            one.times = {}
    return found


def _with_stamps(deliveries: list[Delivery]) -> list[Delivery]:
    """The same, with the times that nbgrader has written: submitted/ada/ps1/timestamp.txt."""
    for one in deliveries:
        for _, folder in one.parts:
            for path in folder.glob(f"*/{TIMESTAMP}"):
                time = _stamp(path)
                if time is not None:
                    one.times[path.parent.name] = time
    return deliveries


def _stamp(path: Path) -> float | None:
    try:
        if not path.is_file():  # a pipe would be waited for
            return None
        with open(path, encoding="utf-8", errors="replace") as file:
            return time_of(file.read(100))
    except OSError:
        return None


def _moodle(entries: Iterable[Path]) -> ClassFolder:
    found, by_name = ClassFolder("Moodle", []), dict[str, Delivery]()
    for path in entries:
        match = MOODLE.fullmatch(path.name)
        if match is None:
            found.others.append(path.name)
            continue
        one = by_name.setdefault(
            match["who"], Delivery(match["who"], feedback=f"{match['who']}_assignsubmission_file_/")
        )
        one.parts.append(("" if path.is_dir() else match["file"] or path.name, path))
    found.deliveries = list(by_name.values())
    return found


def _canvas(entries: Iterable[Path]) -> ClassFolder:
    found, by_name = ClassFolder("Canvas", []), dict[str, Delivery]()
    for path in entries:
        match = None if path.is_dir() else CANVAS.fullmatch(path.name)
        if match is None:
            found.others.append(path.name)
            continue
        who = f"{match['who']}_{match['user']}"
        kind = "typed" if match["typed"] else "file"
        one = by_name.setdefault(who, Delivery(who, feedback=path.name[: match.start(kind)]))
        one.late = one.late or bool(match["late"])
        one.parts.append((match[kind], path))
    for one in by_name.values():
        _number_attempts(one)
    found.deliveries = list(by_name.values())
    return found


def _number_attempts(one: Delivery) -> None:
    """Give the last of the files that Canvas has numbered as resubmissions of one name that name; note the others.

    A learner may call files hw-1.py and hw-2.py, too, so nothing is dropped here.
    """
    numbered: dict[str, list[tuple[int, str, Path]]] = {}
    for name, path in one.parts:
        match = AGAIN.fullmatch(name)
        stem, again = (match["stem"] + match["suffix"], int(match["again"])) if match else (name, 0)
        numbered.setdefault(stem, []).append((again, name, path))
    one.parts = []
    for stem, files in numbered.items():
        last = max(again for again, _, _ in files)
        for again, name, path in files:
            first = f"{Path(stem).stem} (first){Path(stem).suffix}"
            part = stem if again == last else name if again else first
            one.parts.append((part, path))
            if len(files) > 1:
                one.attempts[part] = (stem, again)


def _gradescope(entries: Iterable[Path], metadata: Path) -> ClassFolder:
    told, found = gradescope.submitters(metadata), ClassFolder("Gradescope", [])
    for path in entries:
        if path == metadata:
            continue
        if not (path.is_dir() and GRADESCOPE.fullmatch(path.name)):
            found.others.append(path.name)
            continue
        names, time = told.get(path.name, ([], None))
        found.deliveries.append(Delivery(", ".join(names) or path.name, [("", path)], time, feedback=f"{path.name}/"))
    names = [one.learner for one in found.deliveries]
    for one in found.deliveries:
        if names.count(one.learner) > 1:  # two learners of one name, or two submissions of one
            one.learner = f"{one.learner} ({one.feedback.rstrip('/')})"
    return found


def _exchange(entries: Iterable[Path]) -> ClassFolder:
    """Of each learner's work the folder with the last time in its name."""
    found, last = ClassFolder("nbgrader", []), dict[tuple[str, str], tuple[str, Path]]()
    for path in entries:
        match = NBGRADER.fullmatch(path.name) if path.is_dir() else None
        if match is None:
            found.others.append(path.name)
            continue
        key, stamp = (match["who"], match["work"]), match["time"]
        if key not in last or stamp > last[key][0]:
            last[key] = stamp, path
    by_name: dict[str, Delivery] = {}
    for (who, work), (stamp, path) in last.items():
        one = by_name.setdefault(who, Delivery(who, feedback=f"{who}/"))
        one.parts.append((work, path))
        time = time_of(stamp)
        if time is not None:
            one.times[work] = time
    found.deliveries = list(by_name.values())
    return found
