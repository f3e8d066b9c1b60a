"""A learner's folder: the exercise files, the progress, and the commands that change them.

The commands return text and print nothing.
"""

import hashlib
import os
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from npae.learn.catalogue.catalogue import built_in, exercises, find, folders, is_path
from npae.learn.catalogue.exercise import HINTS, Exercise, ExerciseError, load
from npae.learn.judging import messages
from npae.learn.judging.judge import judge
from npae.learn.judging.outcome import Outcome
from npae.learn.sandbox.call_result import Caller
from npae.learn.workspace import named, progress
from npae.utils.files import atomic_write, persistently

README = """npae learn: from the scalar chain rule to a variational autoencoder, every gradient written by you.

In this folder:

    npae learn check       is the present exercise right, and if not, what is wrong?
    npae learn watch       the same whenever you save the file
    npae learn hint        the next of three hints: the idea, the equation, the line
    npae learn show        a failing case as a script, case.py, with your function in the debugger
    npae learn text        the explanation again
    npae learn next        the next exercise, after a pass
    npae learn list        all exercises, and where you are

Your files hold functions only; the tests live in npae. npae learn reset NAME begins a file anew and keeps the old one.
What you have passed is kept in .npae-learn.json.
"""


@dataclass(frozen=True)
class Workspace:
    """The commands of a learner's folder.

    Attributes
    ----------
    folder : Path
    notes : tuple of str
        Messages about the folder and its progress file.
    """

    folder: Path
    notes: tuple[str, ...] = ()

    @classmethod
    def at(cls, start: Path, is_named: bool = False) -> "Workspace":
        """The workspace in ``start``, or the nearest one above it that the user has begun or named before.

        Parameters
        ----------
        start : Path
        is_named : bool, default=False
            Whether the user has named ``start``, and is not only there; then it is remembered.
        """
        folder = progress.find(start)
        if folder is None:
            raise ExerciseError(
                f"{start.resolve()} is no folder of npae learn, nor is one above it; "
                "begin with npae learn start DIR, or go to your folder"
            )
        if folder != start.resolve() and not named.is_named(folder):
            raise ExerciseError(
                f"{folder} has a {progress.FILE}, but is no folder that you have begun or named here; if its files are "
                f"yours, go there, or name it: npae learn list --dir {folder}"
            )
        if is_named and folder == start.resolve():
            named.remember(folder)
        notes = progress.load(folder).notes
        if notes:
            with progress.changing(folder):  # rewrites the damaged file
                pass
        return cls(folder, tuple(notes))

    @classmethod
    def begin(cls, folder: Path) -> tuple["Workspace", Exercise]:
        """Make a workspace and open the first exercise, or the current one; existing files are kept."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:  # a file of that name, or no permission
            raise ExerciseError(f"the folder {folder} cannot be made ({error.strerror}); choose another") from None
        folder = folder.resolve()
        outer = progress.find(folder)
        notes = []
        if outer not in (None, folder):
            notes.append(f"{outer} is a folder of npae learn too; npae learn text --dir {outer} goes on there")
        workspace = cls(folder, tuple(notes))
        if not (folder / "README.md").exists():
            _write(folder / "README.md", README)
        with progress.changing(workspace.folder) as p:
            present = p.present
        named.remember(folder)
        return workspace, workspace.open(present or exercises()[0].name)

    # Exercises

    def path(self, exercise: Exercise) -> Path:
        """The path of the learner's file."""
        return self.folder / exercise.file_name

    def chosen(self, name: str | None = None) -> Exercise:
        """The exercise with this name, or the current one.

        A teacher's own is found again where it was opened, if the user has named that place: a path is the user's
        word, and what a progress file says is not, since its Python files are run.
        """
        if name and is_path(name):
            exercise = find(name)
            named.remember(exercise.folder)
            return exercise
        p = progress.load(self.folder)
        wanted = name or p.present
        if wanted in p.records and p.records[wanted].folder:
            return self._recorded(wanted, Path(p.records[wanted].folder))
        try:
            return built_in(wanted)
        except ExerciseError:
            if name:
                raise
            return exercises()[0]

    def _recorded(self, name: str, folder: Path) -> Exercise:
        if not folder.is_absolute() or not named.is_named(folder):
            raise ExerciseError(
                f"{self.folder / progress.FILE} says that the exercise {name} is in {str(folder)!r}, which you have "
                f"not named here; if its Python files may be run, name it: npae learn next {self.folder / folder}"
            )
        return load(folder)

    def open(self, name: str) -> Exercise:
        """Make an exercise the current one, and write its file if there is none."""
        exercise = self.chosen(name)
        path = self.path(exercise)
        with progress.changing(self.folder) as p:
            if not path.exists():
                _write(path, exercise.stub)
                p.record(exercise.name).version = exercise.version
            _place(p.record(exercise.name), exercise)
            p.present = exercise.name
        return exercise

    def following(self, exercise: Exercise) -> Exercise | None:
        """The next numbered exercise that is not passed: after this one, then from the first; None if there is none."""
        p = progress.load(self.folder)
        numbered = [e for e in exercises() if e.number]
        start = exercise.number or next((e.number for e in numbered if e.name == exercise.after), 0)
        later = [e for e in numbered if e.number > start] + [e for e in numbered if e.number <= start]
        return next((e for e in later if not p.passed(e.name)), None)

    def own_adam(self) -> Path | None:
        """The learner's adam.py, where it has been passed and is there; else None."""
        exercise = built_in("adam")
        is_usable = progress.load(self.folder).passed(exercise.name) and self.path(exercise).is_file()
        return self.path(exercise) if is_usable else None

    def end(self) -> str:
        """What to say where no numbered exercise is left."""
        p = progress.load(self.folder)
        left = [e.name for e in exercises() if not e.number and not p.passed(e.name)]
        if not left:
            return "You have passed all exercises, and all bug hunts and fools."
        return f"You have passed all numbered exercises. Left are, with npae learn next NAME: {', '.join(left)}."

    def unlocked_by(self, exercise: Exercise) -> list[str]:
        """What passing an exercise unlocks: the next one, hunts and fools."""
        names = [f"{e.name} ({e.number})" for e in exercises() if exercise.number and e.number == exercise.number + 1]
        return names + [f"{e.name} (a {e.kind})" for e in exercises() if not e.number and e.after == exercise.name]

    # Commands

    def judged(self, exercise: Exercise, caller: Caller) -> Outcome:
        """Judge the learner's file, and record nothing."""
        return judge(exercise, caller)

    def check(self, exercise: Exercise, caller: Caller) -> Outcome:
        """Judge the learner's file, and record the result if the file exists."""
        outcome = self.judged(exercise, caller)
        if not self.path(exercise).is_file():
            return outcome
        with progress.changing(self.folder) as p:
            record = p.record(exercise.name)
            _place(record, exercise)
            record.attempts += 1
            record.mistakes = sorted({*record.mistakes, *(name.bug for name in outcome.names)})
            if outcome.passed or record.status != "passed":
                record.file_hash = self.file_hash(exercise)
            if outcome.passed:
                record.status, record.version = "passed", exercise.version
            p.present = exercise.name
        return outcome

    def outdated(self, exercise: Exercise) -> str:
        """A note if the learner's file was begun with another version of the exercise, else ""."""
        path = self.path(exercise)
        first = path.read_text(encoding="utf-8", errors="replace").partition("\n")[0] if path.is_file() else ""
        if first.startswith(f"# npae-exercise: {exercise.name} v") and first.strip() != exercise.header:
            return (
                f"note: your file says {first.partition(': ')[2]!r}, and the exercise is now version "
                f"{exercise.version}; npae learn text shows what it asks for, npae learn reset its new file"
            )
        return ""

    def hint(self, exercise: Exercise) -> str:
        """The next hint, which is recorded; after the last one all hints."""
        with progress.changing(self.folder) as p:
            record = p.record(exercise.name)
            again = record.hints >= HINTS
            record.hints = min(record.hints + 1, HINTS)
            shown = record.hints
        parts = range(1, HINTS + 1) if again else [shown]
        lines = [f"hint {i}/{HINTS} of {exercise.name}\n{exercise.hints[i - 1]}" for i in parts]
        return "\n\n".join(lines) + (f"\n\n{messages.hint_line(exercise, shown)}" if shown == HINTS else "")

    def solution(self, exercise: Exercise, reveal: bool = False) -> str:
        """The solution, after a pass; before that only with ``reveal``, which is recorded."""
        with progress.changing(self.folder) as p:
            if not p.passed(exercise.name):
                if not reveal:
                    raise ExerciseError(
                        f"{exercise.name} is not passed yet, and then its solution opens by itself; "
                        f"npae learn solution {exercise.name} --reveal shows it now, and that is recorded"
                    )
                p.record(exercise.name).revealed = True
        return exercise.solution_text()

    def reset(self, exercise: Exercise) -> Path | None:
        """Replace the learner's file by the stub; the old file is renamed, and its new path returned (or None)."""
        path, kept = self.path(exercise), None
        with progress.changing(self.folder) as p:
            if path.exists():
                names = (path.with_name(f"{path.name}.old-{n}") for n in count(1))
                kept = next(old for old in names if not old.exists())
                persistently(os.rename, path, kept)
            _write(path, exercise.stub)
            record = p.record(exercise.name)
            _place(record, exercise)
            record.status, record.version, record.file_hash = "begun", exercise.version, ""
            p.present = exercise.name
        return kept

    def file_hash(self, exercise: Exercise) -> str:
        """SHA-256 of the learner's file; "" where there is none."""
        try:
            return hashlib.sha256(self.path(exercise).read_bytes()).hexdigest()
        except OSError:
            return ""


def _place(record: progress.Record, exercise: Exercise) -> None:
    """Note where an exercise lies, unless it comes with npae."""
    record.folder = "" if exercise.folder in folders() else str(exercise.folder)


def _write(path: Path, text: str) -> None:
    with atomic_write(path) as file:
        file.write(text.encode())
