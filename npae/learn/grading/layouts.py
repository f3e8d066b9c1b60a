"""Layouts in which learning platforms export a class, recognised by names: Moodle, Canvas, Gradescope, nbgrader.

Each layout is a list of deliveries: a learner, and the files and folders that are theirs. A folder that no platform has
named is one with a folder, or a zip file, for each learner.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from npae.learn.grading.tree import is_left_out

#: Moodle: "Ada Lovelace_1234_assignsubmission_file_", a folder, or the start of a file's name.
MOODLE = re.compile(r"(?P<who>.+_\d+)_assignsubmission_(?P<kind>file|onlinetext)(?:_(?P<file>.*))?", re.DOTALL)
#: Canvas: "lovelaceada_LATE_1234_5678_dense-1.py", all files in one folder; -1 is the first resubmission.
CANVAS = re.compile(r"(?P<who>[^_]+)_(?P<late>LATE_)?(?P<user>\d+)_(?P<number>\d+)_(?P<file>.+)", re.DOTALL)
AGAIN = re.compile(r"(?P<stem>.+?)-(?P<again>\d+)(?P<suffix>\.[A-Za-z0-9]+)", re.DOTALL)
#: Gradescope: "submission_1234", with the names in a file beside them.
GRADESCOPE = re.compile(r"submission_\d+")
METADATA = "submission_metadata.yml"
LARGEST_METADATA = 32 << 20
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
    late : bool
        Whether the platform marks it as late.
    feedback : str
        Where the platform expects the learner's feedback: a folder, which ends with "/", or the start of a file's name.
    """

    learner: str
    parts: list[tuple[str, Path]] = field(default_factory=list)
    time: float | None = None
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
            return ClassFolder("nbgrader", found.deliveries, found.others)
    if any(MOODLE.fullmatch(path.name) for path in entries):
        return _moodle(entries)
    if any(GRADESCOPE.fullmatch(path.name) for path in folders) and (folder / METADATA).is_file():
        return _gradescope(entries, folder / METADATA)
    if any(NBGRADER.fullmatch(path.name) for path in folders):
        return _exchange(entries)
    if not folders and any(CANVAS.fullmatch(path.name) for path in entries):
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
    for one in found.deliveries:  # submitted/ada/ps1/timestamp.txt of nbgrader
        stamps = [time for path in one.parts[0][1].glob(f"*/{TIMESTAMP}") if (time := _stamp(path)) is not None]
        if stamps:
            found.layout, one.time = "nbgrader", max(stamps)
    return found


def _stamp(path: Path) -> float | None:
    try:
        return time_of(path.read_text(encoding="utf-8", errors="replace")[:100])
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
        match = CANVAS.fullmatch(path.name)
        if match is None:
            found.others.append(path.name)
            continue
        who = f"{match['who']}_{match['user']}"
        one = by_name.setdefault(who, Delivery(who, feedback=path.name[: match.start("file")]))
        one.late = one.late or bool(match["late"])
        one.parts.append((match["file"], path))
    for one in by_name.values():
        one.parts = _latest(one.parts)
    found.deliveries = list(by_name.values())
    return found


def _latest(parts: list[tuple[str, Path]]) -> list[tuple[str, Path]]:
    """Of files that Canvas has numbered as resubmissions of one name the last, under that name."""
    chosen: dict[str, tuple[int, Path]] = {}
    for name, path in parts:
        match = AGAIN.fullmatch(name)
        stem, again = (match["stem"] + match["suffix"], int(match["again"])) if match else (name, 0)
        if stem not in chosen or again > chosen[stem][0]:
            chosen[stem] = (again, path)
    return [(name, path) for name, (_, path) in chosen.items()]


def _gradescope(entries: Iterable[Path], metadata: Path) -> ClassFolder:
    told, found = _metadata(metadata), ClassFolder("Gradescope", [])
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


def _metadata(path: Path) -> dict[str, tuple[list[str], float | None]]:
    """Names of the submitters and the time of each submission.

    The file is written by a program, in one form of YAML: ``submission_1234:`` at the margin, below it ``:submitters:``
    with ``- :name: Ada``, and ``:created_at:``. Only these lines are read.
    """
    with open(path, encoding="utf-8", errors="replace") as file:
        lines = file.read(LARGEST_METADATA).splitlines()
    told: dict[str, tuple[list[str], float | None]] = {}
    names: list[str] = []
    present = ""
    for line in lines:
        heading = re.fullmatch(r"(submission_\d+):\s*", line)
        if heading:
            present, names = heading[1], []
            told[present] = (names, None)
        name = re.fullmatch(r"  (?:  )?- :name: (.+)", line)
        if name and present:
            names.append(name[1].strip().strip("\"'"))
        time = re.fullmatch(r"  :created_at: (.+)", line)
        if time and present:
            told[present] = (names, time_of(time[1]))
    return told


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
        one.time = max(one.time or 0.0, time_of(stamp) or 0.0) or None
    found.deliveries = list(by_name.values())
    return found


def time_of(text: str) -> float | None:
    """A date with a time as seconds since 1970; None where it is none. Without a zone it is local time."""
    match = re.match(
        r"\s*(\d{4})-(\d\d)-(\d\d)[ _T](\d\d)[:_-](\d\d)[:_-](\d\d)(?:\.\d+)?\s*(Z|UTC|[+-]\d\d:?\d\d)?", text
    )
    if not match:
        return None
    zone = {"Z": "+00:00", "UTC": "+00:00", None: ""}.get(match[7], match[7] or "")
    year, month, day, *clock = match.groups()[:6]
    try:
        return datetime.fromisoformat(f"{year}-{month}-{day}T{':'.join(clock)}{zone}").timestamp()
    except (ValueError, OverflowError):
        return None
