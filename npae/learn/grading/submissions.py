"""Submissions of a class: one folder for each learner, validated before anything in it is used.

A learner's file for an exercise is the one with its name, dense.py, or else the one whose first line is
``# npae-exercise: dense v1``. Names with control characters, files that are too large and links that leave the folder
are detected before a file is read, and reported in one sentence.
"""

import hashlib
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from npae.learn.catalogue.exercise import Exercise
from npae.learn.sandbox.process import LARGEST_SOURCE, clean

HEADER = re.compile(rb"# npae-exercise: ([a-z][a-z0-9_]*) v([0-9]{1,9})\s*")
LONGEST_LINE = 200
LARGEST_FOLDER = 4 * LARGEST_SOURCE  # bytes of a learner's Python files, all of which are kept in memory


@dataclass(frozen=True)
class Submission:
    """One learner's file for one exercise.

    Attributes
    ----------
    learner : str
        The folder's name, without control characters.
    exercise : Exercise
    path : Path or None
        The learner's file; None where there is nothing to run.
    source : bytes
        Content of the file.
    fault : str
        Why there is nothing to run.
    status : {"", "missing", "error"}
        "" where there is a file to run.
    note : str
        A remark for the teacher: the file was begun with another version of the exercise.
    digest : str
        SHA-256 of all the learner's Python files, since one may import another.
    """

    learner: str
    exercise: Exercise
    path: Path | None = None
    source: bytes = b""
    fault: str = ""
    status: str = ""
    note: str = ""
    digest: str = ""


class Learner:
    """One learner's folder, with its Python files read and validated.

    Parameters
    ----------
    folder : Path

    Attributes
    ----------
    name : str
        The folder's name, without control characters.
    fault : str
        Why the folder cannot be used, or "".
    files : dict of str to bytes
        Content of the Python files, by name.
    faults : dict of str to str
        Why files were not read, by name.
    digest : str
        SHA-256 of all of these.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = clean(folder.name).replace("\n", " ").replace("\t", " ")
        self.fault = ""
        self.files: dict[str, bytes] = {}
        self.faults: dict[str, str] = {}
        if folder.is_symlink():
            self.fault = "the folder is a link to another one; copy it"
            return
        try:
            for name in sorted(name for name in os.listdir(folder) if name.endswith(".py")):
                self._read(folder / name)
                if sum(map(len, self.files.values())) > LARGEST_FOLDER:
                    self.fault = (
                        f"its Python files have more than {LARGEST_FOLDER:,} bytes together; keep exercises only"
                    )
                    break
        except OSError as error:
            self.fault = f"the folder cannot be read: {error.strerror}"
        parts = [f"{n}\0{hashlib.sha256(s).hexdigest()}" for n, s in self.files.items()]
        parts += [f"{n}\0{fault}" for n, fault in self.faults.items()]
        self.digest = hashlib.sha256("\0".join(parts).encode(errors="surrogateescape")).hexdigest()

    def _read(self, path: Path) -> None:
        try:
            if not path.resolve().is_relative_to(self.folder.resolve()):
                self.faults[path.name] = "is a link that leads out of the learner's folder"
            elif not path.is_file():
                self.faults[path.name] = "is no file"
            elif path.stat().st_size > LARGEST_SOURCE:
                self.faults[path.name] = f"has more than {LARGEST_SOURCE:,} bytes; it holds functions only"
            else:
                self.files[path.name] = path.read_bytes()
        except (OSError, RuntimeError) as error:  # links in a circle are a RuntimeError before Python 3.13
            self.faults[path.name] = f"cannot be read: {getattr(error, 'strerror', None) or 'a link in a circle'}"

    def submission(self, exercise: Exercise) -> Submission:
        """The learner's submission for an exercise, or why there is none to run."""
        if self.fault:
            return Submission(self.name, exercise, fault=self.fault, status="error")
        said = {name: header(source) for name, source in self.files.items()}
        by_header = [name for name, (about, _) in said.items() if about == exercise.name]
        name = exercise.file_name
        if name in self.faults:
            return self._faulty(exercise, f"{name} {self.faults[name]}")
        if name not in self.files:
            if not by_header:
                return self._faulty(exercise, f"there is no {name}", "missing")
            if len(by_header) > 1:
                named = " and ".join(clean(n) for n in by_header)
                return self._faulty(exercise, f"{named} both say that they are {exercise.name}; keep one")
            (name,) = by_header
        about, version = said[name]
        if about not in ("", exercise.name):
            return self._faulty(exercise, f"{name} says in its first line that it is {about}")
        note = ""
        if about and version != exercise.version:
            note = f"begun with version {version} of the exercise, which is now {exercise.version}"
        path, source = self.folder / name, self.files[name]
        return Submission(self.name, exercise, path, source, note=note, digest=self.digest)

    def _faulty(self, exercise: Exercise, fault: str, status: str = "error") -> Submission:
        return Submission(self.name, exercise, fault=fault, status=status, digest=self.digest)


def header(source: bytes) -> tuple[str, int]:
    """The exercise and version in the first line of a file; ("", 0) if there are none."""
    first = source[:LONGEST_LINE].removeprefix(b"\xef\xbb\xbf").partition(b"\n")[0]
    found = HEADER.fullmatch(first)
    return (found[1].decode(), int(found[2])) if found else ("", 0)


def learners(folder: Path) -> tuple[list[Learner], list[str]]:
    """The learners in a class's folder, sorted by name, and the names of other entries that are no folders.

    Folders whose names differ only in case or Unicode form get a fault, since their marks could not be told apart.
    """
    entries = sorted(path for path in folder.iterdir() if not path.name.startswith((".", "__")))
    found = [Learner(path) for path in entries if path.is_dir()]
    others = [clean(path.name) for path in entries if not path.is_dir()]
    times = Counter(_alike(learner.name) for learner in found)
    for learner in found:
        if times[_alike(learner.name)] > 1:
            learner.fault = "another learner's folder has the same name but for capitals or accents; rename one"
    return found, others


def _alike(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold().strip()


def handed_in(everybody: Iterable[Learner], exercises: Iterable[Exercise]) -> list[Exercise]:
    """The exercises for which at least one learner has a file."""
    names: set[str] = set()
    for learner in everybody:
        names |= learner.files.keys() | learner.faults.keys()
        names |= {f"{header(source)[0]}.py" for source in learner.files.values()}
    return [exercise for exercise in exercises if exercise.file_name in names]
