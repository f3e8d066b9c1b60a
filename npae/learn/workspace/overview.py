"""All exercises and how far the learner is with each: rows of a table, and the text that shows them."""

from collections.abc import Sequence
from dataclasses import dataclass

from npae.learn.catalogue.catalogue import exercises
from npae.learn.catalogue.exercise import Exercise
from npae.learn.judging.messages import RIGHT
from npae.learn.workspace import progress
from npae.learn.workspace.workspace import Workspace
from npae.utils.wording import counted


@dataclass(frozen=True)
class Standing:
    """How far a learner is with an exercise.

    Attributes
    ----------
    number : int or None
        None for hunts and fools.
    exercise, kind, title : str
    state : {"", "begun", "passed", "changed"}
        "" where it was not opened; "changed" where the exercise is another than the one that was passed.
    edited : bool
        Whether the file was changed since the pass.
    checks, hints : int
    revealed : bool
        Whether the solution was shown before a pass.
    present : bool
        Whether it is the current one.
    """

    number: int | None
    exercise: str
    kind: str
    title: str
    state: str = ""
    edited: bool = False
    checks: int = 0
    hints: int = 0
    revealed: bool = False
    present: bool = False

    @property
    def words(self) -> str:
        """All but the title, as one line; "" for a numbered exercise that was not opened."""
        if not self.state:
            return "" if self.kind == "exercise" else self.kind
        parts = ["changed, check again" if self.state == "changed" else self.state]
        if self.edited:
            parts.append("edited since")
        if self.state == "begun" and self.checks:
            parts.append(counted(self.checks, "check"))
        if self.hints:
            parts.append(counted(self.hints, "hint"))
        return ", ".join([*parts, *(["solution revealed"] if self.revealed else [])])


def standings(workspace: Workspace) -> list[Standing]:
    """A row for each exercise that comes with npae, in the order of the course."""
    p = progress.load(workspace.folder)
    return [_standing(workspace, exercise, p) for exercise in exercises()]


def _standing(workspace: Workspace, exercise: Exercise, p: progress.LearnerProgress) -> Standing:
    about = exercise.number or None, exercise.name, exercise.kind, exercise.title
    record = p.records.get(exercise.name)
    is_present = exercise.name == p.present
    if record is None:
        return Standing(*about, present=is_present)
    is_changed = record.status == "passed" and record.version != exercise.version
    state = "changed" if is_changed else record.status
    is_edited = state == "passed" and bool(record.file_hash) and workspace.file_hash(exercise) != record.file_hash
    return Standing(*about, state, is_edited, record.attempts, record.hints, record.revealed, is_present)


def text(rows: Sequence[Standing]) -> str:
    """The list of all exercises, with marks for passed ones and the current one, and the number of those passed."""
    width = max(len(row.exercise) for row in rows)
    lines = []
    for row in rows:
        mark = RIGHT if row.state == "passed" else "▸" if row.present else " "
        about = f"{mark} {row.number or '':>2}  {row.exercise:<{width}}  {row.title}"
        lines.append(f"{about}  [{row.words}]" if row.words else about)
    numbered = [row for row in rows if row.number]
    passed = sum(row.state in ("passed", "changed") for row in numbered)
    return "\n".join([*lines, "", f"{passed} of {len(numbered)} passed"])
