"""Journal of a grading run, one JSON line for each event, so that an interrupted run can be resumed.

A line is written when the run of a submission begins and another when it ends. A submission that began alone and never
ended has stopped the grader, and is not run again.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any, Self

from npae.utils.files import atomic_write

LONGEST_LINE = 10**6  # characters that are read to tell a journal from another file
Key = tuple[str, str]  # learner, exercise


def is_journal(path: Path) -> bool:
    """Whether a ``Journal`` wrote a file; an empty one holds nothing that could be lost."""
    with path.open(encoding="utf-8", errors="replace") as file:
        first = file.readline(LONGEST_LINE)
    return not first or _entry(first) is not None


class Journal:
    """The journal of a grading run.

    Parameters
    ----------
    path : Path or None
        The journal's file; None keeps the results in memory only.
    resume : bool, default=False
        Read the entries of an existing file; else it is overwritten.

    Attributes
    ----------
    ended : dict of Key to dict
        Results by (learner, exercise).
    begun, begun_alone : dict of Key to str
        Digests of submissions that began in an earlier run and never ended; of those that were running alone.
    """

    def __init__(self, path: Path | None, resume: bool = False) -> None:
        self._path, self._lock = path, Lock()
        self.ended: dict[Key, dict[str, Any]] = {}
        self.begun: dict[Key, str] = {}
        self.begun_alone: dict[Key, str] = {}
        if path is None:
            return
        if resume and path.exists():
            self._load(path)
        self._write()
        self._file = open(path, "a", encoding="utf-8")  # noqa: SIM115 (closed by close)

    def _load(self, path: Path) -> None:
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            entry = _entry(line)
            if entry is None:
                continue
            key = str(entry["learner"]), str(entry["exercise"])
            if entry["event"] == "end":
                self.ended[key] = entry
                self.begun.pop(key, None)
                self.begun_alone.pop(key, None)
            else:
                self.begun[key] = str(entry.get("digest"))
                if entry.get("alone"):
                    self.begun_alone[key] = self.begun[key]

    def begin(self, key: Key, digest: str, alone: bool) -> None:
        """Record that the run of files with this digest begins; ``alone`` where no other one runs."""
        self._append(_begin(key, digest, alone))

    def end(self, key: Key, entry: Mapping[str, Any]) -> None:
        """Record the result of a run."""
        self.ended[key] = {**entry, "event": "end", "learner": key[0], "exercise": key[1]}
        self.begun.pop(key, None)
        self._append(self.ended[key])

    def _append(self, entry: Mapping[str, Any]) -> None:
        if self._path is None:
            return
        with self._lock:
            if not self._file.closed:  # it is closed after an interrupt, while other threads still end their runs
                self._file.write(json.dumps(entry) + "\n")
                self._file.flush()

    def close(self) -> None:
        """Rewrite the file from memory, so that it is complete even if it was changed during the run."""
        if self._path is None or self._file.closed:
            return
        with self._lock:
            self._file.close()
            self._write()

    def _write(self) -> None:
        assert self._path is not None
        unended = [_begin(key, digest, self.begun_alone.get(key) == digest) for key, digest in self.begun.items()]
        with atomic_write(self._path) as file:
            for entry in [*self.ended.values(), *unended]:
                file.write((json.dumps(entry) + "\n").encode())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _entry(line: str) -> dict[str, Any] | None:
    """What a line says; None where it is none of a journal, as half of one is, where the machine went down."""
    try:
        entry: dict[str, Any] = json.loads(line)
        return entry if {"learner", "exercise", "event"} <= entry.keys() else None
    except (ValueError, AttributeError, RecursionError):
        return None


def _begin(key: Key, digest: str, alone: bool) -> dict[str, Any]:
    return {"event": "begin", "learner": key[0], "exercise": key[1], "digest": digest, "alone": alone}
