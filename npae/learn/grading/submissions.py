"""Submissions of a class, validated before anything in them is run.

A learner's file for an exercise is the one with its name, dense.py, or whose first line is ``# npae-exercise: dense
v1``, or the cells of a notebook that begin with this line, or what follows it in a platform's editor. It may lie in a
subfolder or a zip archive. Two files that are both meant to be one exercise are an error, unless the platform has
numbered them as attempts; so are names with control characters, files that are too large and links that leave the
folder.
"""

import ast
import hashlib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from npae.learn.catalogue.exercise import Exercise
from npae.learn.grading import online_text
from npae.learn.grading.layouts import ClassFolder, Delivery, recognise
from npae.learn.grading.notebooks import LARGEST_NOTEBOOK, cells_of, header, without_commands
from npae.learn.grading.tree import Budget, Entry, LimitError, UnreadableError, entries_of
from npae.learn.sandbox.learner_files import LARGEST_SOURCE
from npae.learn.sandbox.process import clean
from npae.learn.workspace import progress

LARGEST_FOLDER = 4 * LARGEST_SOURCE  # bytes of a learner's Python files, all of which are kept in memory
MOST_NAMED = 3  # files named in "there is no dense.py; …"
SEPARATORS = " _-.("  # between an exercise's name and what an editor, a browser or a learner has added: dense (1).py


@dataclass(frozen=True)
class Submission:
    """One learner's file for one exercise.

    Attributes
    ----------
    learner : str
        The learner's name, without control characters.
    exercise : Exercise
    path : PurePosixPath or None
        The file's path in the learner's folder; None where there is nothing to run.
    source : bytes
        Content of the file.
    files : dict of str to bytes
        All the learner's Python files by path, since one may import another.
    fault : str
        Why there is nothing to run.
    status : {"", "missing", "error"}
        "" where there is a file to run.
    note : str
        A remark for the teacher: the file was begun with another version of the exercise, or is late.
    digest : str
        SHA-256 of the file and of all the learner's Python files.
    time : float or None
        When it was handed in, in seconds since 1970: by the platform's word, else the file's time.
    hints : int or None
        Hints shown, by the learner's progress file; None where there is none.
    revealed : bool
        Whether the solution was shown before a pass, by the same file.
    """

    learner: str
    exercise: Exercise
    path: PurePosixPath | None = None
    source: bytes = b""
    files: dict[str, bytes] = field(default_factory=dict, repr=False)
    fault: str = ""
    status: str = ""
    note: str = ""
    digest: str = ""
    time: float | None = None
    hints: int | None = None
    revealed: bool = False


@dataclass(frozen=True)
class _Claim:
    """A file, or cells of a notebook, that is an exercise's file.

    Attributes
    ----------
    name : str
        Where it lies.
    source : bytes
    time : float or None
        When it was handed in.
    attempt : (str, int) or None
        What the platform has numbered it as: the file's name, and the number.
    remark : str
        What was left out of it.
    """

    name: str
    source: bytes
    time: float | None
    attempt: tuple[str, int] | None = None
    remark: str = ""


class Learner:
    """What one learner has handed in, read and validated.

    Parameters
    ----------
    delivery : Delivery or Path
        By the class's layout; a folder or zip archive counts as that of a learner with its name.

    Attributes
    ----------
    name : str
        The learner's name, without control characters.
    fault : str
        Why nothing can be used, or "".
    files : dict of str to bytes
        Content of the Python files, by path.
    cells : dict of (str, str) to bytes
        Source of each exercise in a notebook, or in a platform's editor, by its path and the exercise's name.
    faults : dict of str to str
        Why files were not read, by path.
    others : list of str
        Files that are neither.
    digest : str
        SHA-256 of all of these.
    """

    def __init__(self, delivery: Delivery | Path) -> None:
        if isinstance(delivery, Path):
            delivery = Delivery(delivery.name, [("", delivery)], feedback=f"{delivery.name}/")
        self.delivery = delivery
        self.name = clean(delivery.learner).replace("\n", " ").replace("\t", " ")
        self.fault = ""
        self.files: dict[str, bytes] = {}
        self.cells: dict[tuple[str, str], bytes] = {}
        self.faults: dict[str, str] = {}
        self.others: list[str] = []
        self._times: dict[str, float | None] = {}
        self._remarks: dict[tuple[str, str], str] = {}  # by the same as the cells
        self._attempts: dict[str, tuple[str, int]] = {}  # by path
        self._progress: progress.LearnerProgress | None = None
        self._read_parts()
        parts = [f"{n}\0{hashlib.sha256(s).hexdigest()}" for n, s in self.files.items()]
        parts += [f"{n}\0{e}\0{hashlib.sha256(s).hexdigest()}" for (n, e), s in self.cells.items()]
        parts += [f"{n}\0{fault}" for n, fault in self.faults.items()]
        self.digest = hashlib.sha256("\0".join(parts).encode(errors="surrogateescape")).hexdigest()

    def _read_parts(self) -> None:
        budget = Budget()
        for name, path in self.delivery.parts:
            if path.is_symlink():
                self.fault = "the folder is a link to another one; copy it"
                return
            try:
                for entry in entries_of(path, budget):
                    is_within = path.is_dir() or path.suffix.lower() == ".zip"
                    entry.name = f"{name}/{entry.name}" if name and is_within else name or entry.name
                    self._read(entry)
                    if name in self.delivery.attempts:
                        self._attempts[entry.name] = self.delivery.attempts[name]
            except LimitError as error:
                self.fault = str(error)
            except OSError as error:
                self.fault = f"the folder cannot be read: {error.strerror}"
            if self.fault:
                return

    def _read(self, entry: Entry) -> None:
        name = entry.name
        kind = PurePosixPath(name).suffix.lower()
        if entry.fault:
            self.faults[name] = entry.fault
            return
        if name in self._times:
            self.faults[name] = "is there twice; keep one"
            return
        try:
            if kind == ".py":
                self.files[name] = entry.read(LARGEST_SOURCE)
            elif kind == ".ipynb":
                self._keep_cells(name, cells_of(entry.read(LARGEST_NOTEBOOK)))
            elif PurePosixPath(name).name in online_text.NAMES:
                self._keep_cells(name, online_text.exercises_of(entry.read(online_text.LARGEST)))
            elif PurePosixPath(name).name == progress.FILE:
                self._progress = progress.parsed(entry.read(LARGEST_SOURCE), progress.FILE)
            else:
                self.others.append(name)
            self._times[name] = entry.time
        except (UnreadableError, ValueError) as error:
            if isinstance(error, LimitError):
                raise
            self.faults[name] = str(error)
        if sum(map(len, self.files.values())) + sum(map(len, self.cells.values())) > LARGEST_FOLDER:
            raise LimitError(f"its Python files have more than {LARGEST_FOLDER:,} bytes together; keep exercises only")

    def _keep_cells(self, name: str, cells: Mapping[str, bytes]) -> None:
        for exercise, source in cells.items():
            self.cells[name, exercise], commands = without_commands(source)
            if commands:
                several = f" and {len(commands) - 1} more" if len(commands) > 1 else ""
                self._remarks[name, exercise] = f"left out, as a command of IPython: {clean(commands[0])}{several}"
        if not cells:
            self.others.append(name)

    def submission(self, exercise: Exercise) -> Submission:
        """The learner's submission for an exercise, or why there is none to run."""
        if self.fault:
            return Submission(self.name, exercise, fault=self.fault, status="error")
        every_claim = self._claims(exercise)
        claims = _last_attempt(every_claim)
        broken = [n for n in self.faults if PurePosixPath(n).name == exercise.file_name]
        if broken:
            return self._faulty(exercise, f"{clean(broken[0])} {self.faults[broken[0]]}")
        if len(claims) > 1:
            named = " and ".join(clean(claim.name) for claim in claims)
            return self._faulty(exercise, f"{named} are both meant to be {exercise.name}; keep one")
        if not claims:
            return self._without(exercise)
        (claim,) = claims
        path = PurePosixPath(claim.name)
        if path.suffix.lower() != ".py":  # cells of a notebook
            path = path.with_name(exercise.file_name)
        record = self._progress.records.get(exercise.name) if self._progress else None
        hints = None if self._progress is None else record.hints if record else 0
        revealed = bool(record and record.revealed)
        note, files = self._note(claim, len(every_claim), exercise), {**self.files, str(path): claim.source}
        return Submission(
            self.name, exercise, path, claim.source, files, "", "", note, self.digest, claim.time, hints, revealed
        )

    def _note(self, claim: _Claim, n_claims: int, exercise: Exercise) -> str:
        notes = []
        about, version = header(claim.source)
        if about and version != exercise.version:
            notes.append(f"begun with version {version} of the exercise, which is now {exercise.version}")
        if n_claims > 1:
            notes.append(f"the last of {n_claims} attempts")
        if self.delivery.late:
            notes.append("the platform marks it as late")
        return "; ".join([*notes, *filter(None, [claim.remark])])

    def _claims(self, exercise: Exercise) -> list[_Claim]:
        """The files and cells that are meant to be an exercise."""
        claims = []
        for name, source in self.files.items():
            about, _ = header(source)
            is_named = PurePosixPath(name).name == exercise.file_name
            if about == exercise.name or (is_named and not about) or (not about and _is_copy(name, source, exercise)):
                claims.append(_Claim(name, source, self._time(name), self._attempts.get(name)))
        for (name, about), source in self.cells.items():
            if about == exercise.name:
                remark = self._remarks.get((name, about), "")
                claims.append(_Claim(name, source, self._time(name), self._attempts.get(name), remark))
        if all(
            PurePosixPath(claim.name).name != exercise.file_name and not header(claim.source)[0] for claim in claims
        ):
            return []  # dense (1).py alone: a name is not guessed
        return list({claim.source: claim for claim in claims}.values())  # a copy, or a link to the same file, is one

    def _time(self, name: str) -> float | None:
        """When a file was handed in: by the platform, of its folder or of all, else the file's own time."""
        given = self.delivery.times.get(PurePosixPath(name).parts[0], self.delivery.time)
        return self._times.get(name) if given is None else given

    def _without(self, exercise: Exercise) -> Submission:
        name = exercise.file_name
        for other, source in self.files.items():
            if PurePosixPath(other).name == name:
                return self._faulty(exercise, f"{clean(other)} says in its first line that it is {header(source)[0]}")
        unread = [f"{clean(n)} {fault}" for n, fault in self.faults.items() if n.lower().endswith((".zip", ".ipynb"))]
        if unread:
            return self._faulty(exercise, f"there is no {name}, and {unread[0]}")
        there = sorted([*self.files, *{notebook for notebook, _ in self.cells}, *self.faults, *self.others])
        if not there:
            return self._faulty(exercise, f"there is no {name}", "missing")
        silent = [n for n in there if n.lower().endswith(".ipynb") or PurePosixPath(n).name in online_text.NAMES]
        if silent:
            kind = "cell that begins with" if silent[0].lower().endswith(".ipynb") else "line"
            text = f"there is no {name}, and {clean(silent[0])} has no {kind} {exercise.header}"
            return self._faulty(exercise, text, "missing")
        more = f" and {len(there) - MOST_NAMED} more" if len(there) > MOST_NAMED else ""
        named = ", ".join(clean(n) for n in there[:MOST_NAMED])
        return self._faulty(exercise, f"there is no {name}; what lies there: {named}{more}", "missing")

    def _faulty(self, exercise: Exercise, fault: str, status: str = "error") -> Submission:
        return Submission(self.name, exercise, fault=fault, status=status, digest=self.digest)


def _is_copy(name: str, source: bytes, exercise: Exercise) -> bool:
    """Whether a file without a header is called "dense (1).py" and defines the exercise's functions."""
    stem = PurePosixPath(name).stem
    rest = stem.removeprefix(exercise.name)
    if rest == stem or rest[:1] not in SEPARATORS or not rest:
        return False
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    return {function.name for function in exercise.functions} <= defined


def _last_attempt(claims: list[_Claim]) -> list[_Claim]:
    """Of claims that the platform has numbered as attempts at one file the last; else all."""
    attempts = [claim.attempt for claim in claims if claim.attempt is not None]
    if len(attempts) < len(claims) or len({stem for stem, _ in attempts}) != 1:
        return claims
    last = max(number for _, number in attempts)
    return [claim for claim in claims if claim.attempt is not None and claim.attempt[1] == last]


def learners(folder: Path) -> tuple[list[Learner], list[str]]:
    """The learners in a class's folder, sorted by name, and the names of other entries; see ``class_of``."""
    found = recognise(folder)
    return class_of(found), [clean(name) for name in found.others]


def class_of(found: ClassFolder) -> list[Learner]:
    """The learners of a class, sorted by name.

    Learners whose names differ only in case or Unicode form get a fault, since their marks could not be told apart.
    """
    everybody = [Learner(delivery) for delivery in found.deliveries]
    times = Counter(_alike(learner.name) for learner in everybody)
    for learner in everybody:
        if times[_alike(learner.name)] > 1:
            learner.fault = "another learner's folder has the same name but for capitals or accents; rename one"
    return sorted(everybody, key=lambda learner: learner.name)


def _alike(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold().strip()


def handed_in(everybody: Iterable[Learner], exercises: Sequence[Exercise]) -> list[Exercise]:
    """The exercises for which at least one learner has a file."""
    names: set[str] = set()
    for learner in everybody:
        names |= {PurePosixPath(name).name for name in (*learner.files, *learner.faults)}
        names |= {f"{header(source)[0]}.py" for source in learner.files.values()}
        names |= {f"{exercise}.py" for _, exercise in learner.cells}
    return [exercise for exercise in exercises if exercise.file_name in names]
