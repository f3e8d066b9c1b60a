"""A learner's progress: one JSON file in their folder, written atomically.

The previous version is kept as a backup, and a lock file serialises commands that run at the same time. A file that is
not valid JSON is set aside and the backup is used; missing fields get their defaults.
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from npae.utils import files
from npae.utils.files import atomic_write, persistently

FILE = ".npae-learn.json"
BACKUP, DAMAGED, LOCK = FILE + ".bak", FILE + ".damaged", FILE + ".lock"
PATIENCE, FORGOTTEN = 10.0, 20.0  # seconds to wait for a lock; age at which a lock counts as abandoned


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
    """

    status: str = "begun"
    version: int = 1
    file_hash: str = ""
    attempts: int = 0
    hints: int = 0
    revealed: bool = False
    folder: str = ""


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
        note = f"{FILE} is damaged, and is kept as {DAMAGED}"
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
    """Context manager: lock the folder, load the progress, and write it at the end of the block."""
    with _locked(folder / LOCK):
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
        persistently(os.replace, path, folder / DAMAGED)
    elif path.exists():
        with atomic_write(folder / BACKUP) as file:
            file.write(path.read_bytes())
    with atomic_write(path) as file:
        file.write((json.dumps(told, indent=1) + "\n").encode())


def _read(path: Path) -> LearnerProgress | None:
    try:
        told = json.loads(path.read_bytes())
    except (OSError, ValueError):  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        return None
    except RecursionError:
        return None
    if not isinstance(told, dict) or not isinstance(told.get("exercises"), dict):
        return None
    progress = LearnerProgress(present=_sound(told, "present", ""))
    for name, values in told["exercises"].items():
        if isinstance(values, dict):
            default = asdict(Record())
            progress.records[name] = Record(**{key: _sound(values, key, value) for key, value in default.items()})
    return progress


def _sound(values: dict[str, Any], key: str, default: Any) -> Any:
    """The value of a key if it has the default's type, else the default."""
    value = values.get(key, default)
    return value if type(value) is type(default) else default


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock file; one that is older than ``FORGOTTEN`` seconds is removed."""
    deadline, soon = time.monotonic() + PATIENCE, time.monotonic() + files.PATIENCE
    while True:
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            break
        except FileExistsError:
            try:
                forgotten = time.time() - path.lstat().st_mtime > FORGOTTEN  # lstat: a link's own age
            except FileNotFoundError:
                continue
            if forgotten:
                _remove(path)
            elif time.monotonic() > deadline:
                raise OSError(
                    f"another npae learn holds {path}; wait for it, or delete that file if there is none"
                ) from None
            else:
                time.sleep(0.05)
        except OSError as error:
            is_going = files.IS_WINDOWS and isinstance(error, PermissionError)  # another process is removing it
            if is_going and time.monotonic() < soon:
                time.sleep(0.05)
                continue
            raise OSError(
                f"{path.parent} cannot be written ({error.strerror}), so that nothing can be noted there; "
                "make it writable, or copy it to where you may write"
            ) from None
    try:
        yield
    finally:
        _remove(path)


def _remove(path: Path) -> None:
    with suppress(FileNotFoundError):
        persistently(os.unlink, path)
