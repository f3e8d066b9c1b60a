"""A learner's progress: one JSON file in their folder, written atomically.

The previous version is kept as a backup, and a lock file serialises commands that run at the same time. A file that is
not valid JSON is set aside and the backup is used; missing fields get their defaults.
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from npae.learn.catalogue.catalogue import is_path
from npae.utils.errors import FolderInUseError
from npae.utils.files import atomic_write, damaged_name, persistently
from npae.utils.folder_lock import Purpose, locked

FILE = ".npae-learn.json"
BACKUP, DAMAGED, LOCK = FILE + ".bak", FILE + ".damaged", FILE + ".lock"
STATUSES = ("begun", "passed")
MOST = 10**9  # checks, hints, or versions
PATIENCE = 10.0  # seconds to wait for a lock
PURPOSE = Purpose(
    LOCK, "changes the progress in it", "wait for its end", "make it writable, or copy it to where you may write"
)


@dataclass
class Record:
    """The progress in one exercise.

    Attributes
    ----------
    status : {"begun", "passed"}
    version : int
        Version of the exercise when its file was written or last passed.
    file_hash : str
        SHA-256 of the learner's file when it last passed; before a pass, when it was last checked.
    attempts, hints : int
        Number of checks, and of hints shown.
    revealed : bool
        Whether the solution was shown before a pass.
    folder : str
        Folder of an exercise that does not come with npae; else "".
    mistakes : list of str
        Names of the known mistakes that checks have found.
    """

    status: str = "begun"
    version: int = 1
    file_hash: str = ""
    attempts: int = 0
    hints: int = 0
    revealed: bool = False
    folder: str = ""
    mistakes: list[str] = field(default_factory=list)


@dataclass
class LearnerProgress:
    """The records by exercise name, the name of the current exercise, and notes on damage to the progress file."""

    records: dict[str, Record] = field(default_factory=dict)
    present: str = ""
    notes: list[str] = field(default_factory=list)

    def record(self, name: str) -> Record:
        """The record of an exercise; a new one is added if there is none."""
        return self.records.setdefault(name, Record())

    def passed(self, name: str) -> bool:
        """Whether an exercise has been passed, in any version."""
        return name in self.records and self.records[name].status == "passed"


def find(start: Path) -> Path | None:
    """The learner's folder: ``start`` or its nearest parent with a progress file, backup or damaged file; else None."""
    start = start.resolve()
    for folder in (start, *start.parents):
        if any((folder / name).exists() for name in (FILE, BACKUP, DAMAGED)):
            return folder
    return None


def load(folder: Path) -> LearnerProgress:
    """The progress in a folder, as far as it can be read; ``notes`` say what could not be read."""
    path = folder / FILE
    if path.exists():
        progress = _read(path)
        if progress is not None:
            return progress
        note = f"{FILE} is damaged, and is kept as {damaged_name(path).name}"
    elif (folder / BACKUP).exists():
        note = f"{FILE} is missing"
    else:
        return LearnerProgress()
    progress = _read(folder / BACKUP)
    if progress is None:
        return LearnerProgress(
            notes=[f"{note}; your files are as they were, and npae learn check NAME counts each again"]
        )
    progress.notes.append(f"{note}; the copy before the last change is used")
    return progress


@contextmanager
def changing(folder: Path) -> Iterator[LearnerProgress]:
    """The progress as it is now, written when the block ends; nobody else changes it meanwhile."""
    with _locked(folder):
        progress = load(folder)
        yield progress
        _write(folder, progress)


def _write(folder: Path, progress: LearnerProgress) -> None:
    told = {
        "npae-learn": 1,
        "present": progress.present,
        "exercises": {name: asdict(record) for name, record in progress.records.items()},
    }
    path = folder / FILE
    if path.exists() and _read(path) is None:
        persistently(os.replace, path, damaged_name(path))
    elif path.exists():
        with atomic_write(folder / BACKUP) as file:
            file.write(path.read_bytes())
    with atomic_write(path) as file:
        file.write((json.dumps(told, indent=1) + "\n").encode())


def _read(path: Path) -> LearnerProgress | None:
    try:
        return parsed(path.read_bytes(), path.name)
    except OSError:
        return None


def parsed(content: bytes, name: str) -> LearnerProgress | None:
    """The progress that a file called ``name`` has; None where it is no progress file."""
    try:
        told = json.loads(content)
    except (ValueError, RecursionError):  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        return None
    if not isinstance(told, dict) or not isinstance(told.get("exercises"), dict):
        return None
    strange: list[str] = []
    progress = LearnerProgress(present=_sound(told, "present", "", strange))
    for exercise, values in told["exercises"].items():
        if not isinstance(values, dict):
            strange.append(exercise)
            continue
        default = asdict(Record())
        progress.records[exercise] = Record(
            **{key: _sound(values, key, value, strange) for key, value in default.items()}
        )
    if strange:
        several = f" and {len(strange) - 1} more" if len(strange) > 1 else ""
        progress.notes.append(
            f"in {name} {strange[0]!r}{several} has no value that npae learn writes, and counts as not yet noted; "
            "was the file edited?"
        )
    return progress


def _sound(values: dict[str, Any], key: str, default: Any, strange: list[str]) -> Any:
    """What a file says, if it is what may be written there; else the default, and the key among the strange ones."""
    value = values.get(key, default)
    is_sound = type(value) is type(default)
    if is_sound and key == "status":
        is_sound = value in STATUSES
    elif is_sound and type(value) is int:
        is_sound = 0 <= value < MOST
    elif is_sound and key == "mistakes":
        is_sound = all(type(name) is str for name in value)
    elif is_sound and key == "present":
        is_sound = not is_path(value)
    if not is_sound:
        strange.append(key)
    return value if is_sound else default


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the system's lock on the folder, waiting a while for another command that has it."""
    deadline = time.monotonic() + PATIENCE
    with ExitStack() as held:
        while True:
            try:
                held.enter_context(locked(folder, PURPOSE))
                break
            except FolderInUseError:
                if time.monotonic() > deadline:
                    raise
            time.sleep(0.05)
        yield
