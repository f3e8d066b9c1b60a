"""Grade submissions: run each learner's file in its own process, compare its results in this one, return a row each.

Inputs and true results are drawn once for the whole class, from a random seed that learners cannot know.
"""

import copy
import json
import secrets
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, fields
from threading import Lock
from typing import Any

from npae.learn.catalogue.exercise import Exercise
from npae.learn.grading.journal import Journal, Key
from npae.learn.grading.submissions import Submission
from npae.learn.judging.cases import CaseSet, draw_sheets
from npae.learn.judging.judge import judge
from npae.learn.judging.outcome import STATUSES, Outcome
from npae.learn.sandbox.isolation import NONE
from npae.learn.sandbox.process import Limits, Worker

#: What a journal may say of a row, but for the two values.
KINDS = {
    "learner": str, "exercise": str, "status": str, "bug": str, "block": str, "index": str, "text": str, "digest": str,
    "seconds": float, "version": int, "seed": int, "sandbox": str,
}  # fmt: skip
POLL_SECONDS = 0.5  # interval of the checks for Ctrl-C while submissions run


@dataclass(frozen=True)
class Part:
    """One result of an exercise, such as db, and whether it is right.

    Attributes
    ----------
    function, name : str
    right : bool
        False also where it could not be checked.
    reason : str
        Why it is not right; empty where it is.
    """

    function: str
    name: str
    right: bool
    reason: str = ""


@dataclass(frozen=True)
class Row:
    """One learner's result in one exercise.

    Attributes
    ----------
    learner, exercise : str
    status : str
        One of ``outcome.STATUSES``.
    bug : str
        Name of the known mistake that it matches, or "".
    block : str
        Name of the first wrong result, such as "db".
    index : str
        Index of its worst entry, such as "[3]".
    yours, true : float or None
        The two values of that entry.
    seconds : float
        Running time of the learner's code.
    text : str
        Explanation for the teacher; empty where the other fields say it.
    version : int
        Version of the exercise.
    digest : str
        SHA-256 of the learner's files.
    seed : int
        Seed of the inputs.
    sandbox : {"bwrap", "none", ""}
        What the file ran in; "" where it did not run.
    parts : tuple of Part
        All results of the exercise, in the order of its functions; none where there was nothing to run.
    """

    learner: str
    exercise: str
    status: str
    bug: str = ""
    block: str = ""
    index: str = ""
    yours: float | None = None
    true: float | None = None
    seconds: float = 0.0
    text: str = ""
    version: int = 1
    digest: str = ""
    seed: int = 0
    sandbox: str = ""
    parts: tuple[Part, ...] = ()

    @property
    def key(self) -> Key:
        return self.learner, self.exercise


def new_seed() -> int:
    """An unpredictable random seed."""
    return secrets.randbits(63)


def grade(
    submissions: Sequence[Submission],
    limits: Limits | None = None,
    jobs: int = 1,
    seed: int | None = None,
    journal: Journal | None = None,
    done: Callable[[Row], Any] = lambda row: None,
    sandbox: str = NONE,
) -> list[Row]:
    """Grade submissions.

    Parameters
    ----------
    submissions : list of Submission
    limits : Limits, optional
        Limits of time and memory for each submission.
    jobs : int, default=1
        Number of submissions that run at the same time.
    seed : int, optional
        Seed of the inputs; a random one by default.
    journal : Journal, optional
        Where results are saved as they come, and from which the results of unchanged files are taken.
    done : callable, optional
        Called with each row as it is ready, from several threads.
    sandbox : {"none", "bwrap"}
        What a learner's file runs in; see ``npae.learn.sandbox.isolation``.

    Returns
    -------
    list of Row
        One for each submission, in their order.
    """
    seed = new_seed() if seed is None else seed
    run = _GradingRun(limits or Limits(), seed, journal or Journal(None), done, sandbox)
    return run.rows_of(submissions, jobs)


def _row_of_entry(entry: Mapping[str, Any]) -> Row | None:
    """The row that a journal has; None for one of another version of npae, and with a warning for an edited one."""
    if any(f.name not in entry for f in fields(Row)):
        return None
    parts = _parts_of(entry["parts"])
    row = Row(**{f.name: entry[f.name] for f in fields(Row)} | {"parts": parts or ()})
    for name in (f.name for f in fields(Row)):
        value = entry[name]
        is_number = name in ("yours", "true", "seconds") and type(value) in (int, float)
        if name == "parts":
            sound = parts is not None
        elif name in ("yours", "true"):
            sound = is_number or value is None
        else:
            sound = is_number or type(value) is KINDS[name]
        if not sound or (name == "status" and value not in STATUSES):
            warnings.warn(
                f"the journal says for {row.exercise} of {row.learner} that {name} is {json.dumps(value)}, which "
                "npae grade never writes; that file is examined anew",
                stacklevel=2,
            )
            return None
    return row


def _parts_of(told: Any) -> tuple[Part, ...] | None:
    """The parts that a journal has; None where they are none that were written there."""
    kinds = {f.name: bool if f.name == "right" else str for f in fields(Part)}
    if not isinstance(told, list) or not all(isinstance(part, dict) and part.keys() == kinds.keys() for part in told):
        return None
    if not all(type(part[name]) is kind for part in told for name, kind in kinds.items()):
        return None
    return tuple(Part(**part) for part in told)


def _told(outcome: Outcome) -> str:
    """What a teacher and a learner read of an answer that is not right: how much of it is, and the principle missed."""
    right = sum(b.right is True for b in outcome.blocks)
    names = [f"{name.bug}: {name.hint}" for name in outcome.names]
    return "; ".join([f"{right} of {len(outcome.blocks)} right", *filter(None, [outcome.text]), *names])


class _GradingRun:
    """The state that the submissions of one call of ``grade`` share."""

    def __init__(
        self, limits: Limits, seed: int, journal: Journal, done: Callable[[Row], Any], sandbox: str = NONE
    ) -> None:
        self.limits, self.seed, self.journal, self.done, self.sandbox = limits, seed, journal, done, sandbox
        self._sheets: dict[str, list[CaseSet]] = {}
        self._drawing, self._running = Lock(), set[Worker]()
        self._interrupted = False

    def rows_of(self, submissions: Sequence[Submission], jobs: int) -> list[Row]:
        """A row for each submission: known ones first, then those that may end the grader one by one, then the rest."""
        rows: dict[Key, Row] = {}
        alone, together = [], []
        for s in submissions:
            row = self.known(s)
            if row is not None:
                rows[row.key] = row
                self.done(row)
            elif (s.learner, s.exercise.name) in self.journal.begun:
                alone.append(s)
            else:
                together.append(s)
        with warnings.catch_warnings(), ThreadPoolExecutor(jobs) as pool:
            warnings.simplefilter("ignore", RuntimeWarning)  # the verdict reports overflow in a learner's results
            rows |= {row.key: row for row in (self.examine(s, alone=True) for s in alone)}
            rows |= {row.key: row for row in self._examined_by(pool, together)}
        return [rows[s.learner, s.exercise.name] for s in submissions]

    def _examined_by(self, pool: ThreadPoolExecutor, submissions: Sequence[Submission]) -> Iterator[Row]:
        try:
            pending = {pool.submit(self.examine, s) for s in submissions}
            while pending:
                # A wait without a time limit is not ended by a Ctrl-C that comes just before it, nor by any on Windows.
                completed, pending = wait(pending, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in completed)
        except BaseException:  # Ctrl-C: stop what runs, and start no more
            pool.shutdown(wait=False, cancel_futures=True)
            self.interrupt()
            raise

    def known(self, s: Submission) -> Row | None:
        """The row of a submission that need not run: nothing to run, already in the journal, or ended the grader."""
        if s.status:
            return self._row(s, s.status, text=s.fault)
        key = s.learner, s.exercise.name
        entry = self.journal.ended.get(key)
        if entry is not None and (entry.get("digest"), entry.get("version")) == (s.digest, s.exercise.version):
            row = _row_of_entry(entry)
            if row is not None:
                return row
        if self.journal.begun_alone.get(key) == s.digest:
            return self._row(s, "crash", text="the grader itself was ended twice while this file ran; look at it")
        return None

    def examine(self, s: Submission, alone: bool = False) -> Row:
        """Run a learner's file and judge its results."""
        key = s.learner, s.exercise.name
        self.journal.begin(key, s.digest, alone)
        assert s.path is not None
        worker = Worker(s.path, self.limits, s.source, s.files, self.sandbox)
        self._running.add(worker)
        if self._interrupted:  # interrupt() may have run before this worker was registered
            worker.kill()
        try:
            with worker:
                row = self._judged(s, worker)
        finally:
            self._running.discard(worker)
        if not self._interrupted:
            self.journal.end(key, asdict(row))
            self.done(row)
        return row

    def _judged(self, s: Submission, worker: Worker) -> Row:
        sheets = self._drawn(s.exercise)
        try:
            outcome = judge(s.exercise, worker, sheets, self.seed, every_function=True)
        except Exception as error:  # no result of a learner may end the batch
            text = f"its answers cannot be judged: {type(error).__name__}: {error}"
            return self._row(s, "crash", text=text, sandbox=self.sandbox)
        return self._row_of(s, outcome, round(worker.seconds, 3))

    def _drawn(self, exercise: Exercise) -> list[CaseSet] | None:
        """A copy of the exercise's cases, which are drawn once; a copy, since known mistakes have state."""
        if exercise.kind == "fool":
            return None
        with self._drawing:
            if exercise.name not in self._sheets:
                self._sheets[exercise.name] = draw_sheets(exercise, self.seed)
        return copy.deepcopy(self._sheets[exercise.name])

    def _row_of(self, s: Submission, outcome: Outcome, seconds: float) -> Row:
        parts = tuple(Part(b.function, b.name, b.right is True, b.reason) for b in outcome.blocks)
        block = outcome.first_wrong
        ran = {"bug": outcome.bug, "seconds": seconds, "sandbox": self.sandbox, "parts": parts}
        if block is None:
            return self._row(s, outcome.status, text=outcome.text, **ran)
        return self._row(
            s,
            outcome.status,
            block=block.name,
            index="" if block.index is None else str(list(block.index)),
            yours=None if block.index is None else block.yours,
            true=None if block.index is None else block.true,
            text=_told(outcome),
            **ran,
        )

    def _row(self, s: Submission, status: str, text: str = "", **more: Any) -> Row:
        text = "; ".join(part for part in (text, s.note) if part)
        more |= {"version": s.exercise.version, "digest": s.digest, "seed": self.seed}
        return Row(s.learner, s.exercise.name, status, text=text, **more)

    def interrupt(self) -> None:
        """Kill the running workers; their submissions get no result and run again after a resume."""
        self._interrupted = True
        for worker in list(self._running):
            worker.kill()
