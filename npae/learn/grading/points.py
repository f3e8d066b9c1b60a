"""Points for graded exercises, by a scheme in TOML: weights of exercises and parts, late days, and shown hints.

A scheme has a table for each exercise::

    [dense]
    points = 6
    parts = {dx = 2, dW = 2, db = 2}

    [late]
    deadline = 2026-03-01T23:59:00
    per_day = 0.1
    at_most = 0.5

    [hints]
    each = 0.25

Without ``parts`` every result of an exercise weighs the same. Points never fall below 0.
"""

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from npae.learn.catalogue.exercise import Exercise
from npae.learn.grading.grade import Row
from npae.learn.grading.submissions import Submission

RESERVED = ("late", "hints")  # tables that are no exercises
DAY = 86_400.0  # seconds
ROUNDED = 6  # decimals: a third of a point is no binary number


class SchemeError(ValueError):
    """A scheme that cannot be used; the message says what is wrong in which file."""


@dataclass(frozen=True)
class ExercisePoints:
    """What an exercise is worth: ``points`` in all, of which each of ``parts`` has a share, by name."""

    points: float
    parts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Scheme:
    """A scheme of points.

    Attributes
    ----------
    exercises : dict of str to ExercisePoints
    deadline : float or None
        In seconds since 1970.
    per_day, at_most : float
        The share of the points earned that each begun day takes, and the most that all together take.
    each_hint, revealed : float
        Points that each hint takes, and a solution that was shown before a pass.
    """

    exercises: Mapping[str, ExercisePoints]
    deadline: float | None = None
    per_day: float = 0.0
    at_most: float = 1.0
    each_hint: float = 0.0
    revealed: float = 0.0


@dataclass(frozen=True)
class PartPoints:
    """Points of one result, ``most`` of which can be had, and why some are missing."""

    name: str
    points: float
    most: float
    reason: str = ""


@dataclass(frozen=True)
class Points:
    """Points of one row.

    Attributes
    ----------
    points, most : float
    parts : tuple of PartPoints
    deductions : tuple of str
        What was taken off for late days and hints, in words.
    """

    points: float
    most: float
    parts: tuple[PartPoints, ...] = ()
    deductions: tuple[str, ...] = ()

    @property
    def reasons(self) -> str:
        """Why points are missing, in one line; empty where all were given."""
        lost = [f"{p.name} {number(p.points)} of {number(p.most)}: {p.reason}" for p in self.parts if p.reason]
        if len(lost) > 1 and len({p.reason for p in self.parts}) == 1:  # one reason for all, such as a missing file
            lost = [f"0 of {number(self.most)}: {self.parts[0].reason}"]
        return "; ".join([*lost, *self.deductions])


def number(value: float) -> str:
    """A number of points without needless zeros: 6, 4.5, 1.333."""
    return f"{round(value, 3) + 0.0:g}"


def read_scheme(path: str | Path, exercises: Sequence[Exercise]) -> Scheme:
    """Read a scheme.

    Parameters
    ----------
    path : str or Path
    exercises : list of Exercise
        Those that may have a table.

    Raises
    ------
    SchemeError
        Where it is no TOML, or names an exercise or part that does not exist, or its numbers do not fit together.
    """
    name = Path(path).name
    try:
        told = tomllib.loads(Path(path).read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError:
        raise SchemeError(f"{name} is no UTF-8 text; save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise SchemeError(f"{name} is no TOML: {error}") from None
    except RecursionError:
        raise SchemeError(f"{name} is no TOML that can be read: it is nested too deep") from None
    late, hints = _table(told, "late", name), _table(told, "hints", name)
    worth = _all_worth(told, exercises, name)
    idle = [key for key in ("deadline", "at_most") if key in late and "per_day" not in late]
    if idle:
        raise SchemeError(f"{name} [late] has {idle[0]}, but no per_day, which says what a day takes; add it")
    scheme = Scheme(
        worth,
        _deadline(late.pop("deadline", None), name),
        _amount(late, "per_day", f"{name} [late]", most=1.0),
        _amount(late, "at_most", f"{name} [late]", 1.0, most=1.0),
        _amount(hints, "each", f"{name} [hints]"),
        _amount(hints, "solution", f"{name} [hints]"),
    )
    _refuse_rest(late, f"{name} [late]", "deadline, per_day and at_most")
    _refuse_rest(hints, f"{name} [hints]", "each and solution")
    return scheme


def _all_worth(told: dict[str, Any], exercises: Sequence[Exercise], name: str) -> dict[str, ExercisePoints]:
    """What each exercise is worth that has a table."""
    known = {exercise.name: exercise for exercise in exercises}
    for key in told:
        if key not in known:
            meant = get_close_matches(key.lower(), [*known, *RESERVED], n=1)
            raise SchemeError(
                f"{name} has a table [{key}], which is no exercise; "
                + (f"did you mean [{meant[0]}]? " if meant else "")
                + "npae learn list has their names, and your own are named with --exercise ./FOLDER"
            )
    if not told:
        raise SchemeError(f"{name} has no table of an exercise; expected some such as [dense] with points = 6")
    return {key: _worth(_table(told, key, name, take=False), known[key], f"{name} [{key}]") for key in told}


def _refuse_rest(told: Mapping[str, Any], where: str, known: str) -> None:
    if told:
        raise SchemeError(f"{where}: {', '.join(told)} is not known there; expected {known}")


def _table(told: dict[str, Any], key: str, name: str, take: bool = True) -> dict[str, Any]:
    value = told.pop(key, {}) if take else told[key]
    if not isinstance(value, dict):
        raise SchemeError(f"{name}: {key} is {value!r}; expected a table [{key}]")
    return dict(value)


def _worth(told: dict[str, Any], exercise: Exercise, where: str) -> ExercisePoints:
    parts = told.pop("parts", None)
    total = _amount(told, "points", where) if "points" in told else None
    _refuse_rest(told, where, "points and parts")
    if total is None and parts is None:
        raise SchemeError(f"{where} has neither points nor parts; give points = 6, or what it is worth")
    if parts is None:
        assert total is not None
        return ExercisePoints(total)
    if not isinstance(parts, dict) or not parts:
        raise SchemeError(f"{where}: parts is {parts!r}; expected a table such as {{dx = 2, dW = 2, db = 2}}")
    shares = {_part(key, exercise, where): _amount(parts, key, f"{where} parts") for key in list(parts)}
    missing = [key for key in part_names(exercise) if key not in shares]
    if missing:
        raise SchemeError(f"{where}: parts has nothing for {', '.join(missing)}; give 0 where it is worth nothing")
    if total is not None and not math.isclose(total, sum(shares.values()), abs_tol=1e-9):
        raise SchemeError(f"{where}: the parts are {number(sum(shares.values()))} together, and points {number(total)}")
    return ExercisePoints(sum(shares.values()), shares)


def part_names(exercise: Exercise) -> list[str]:
    """Names of an exercise's results: dx, or max_backward.dx where several functions return a dx."""
    pairs = [(f.name, result) for f in exercise.functions for result in _results(exercise, f)]
    results = [result for _, result in pairs]
    return [result if results.count(result) == 1 else f"{function}.{result}" for function, result in pairs]


def _results(exercise: Exercise, function: Any) -> Sequence[str]:
    return (function.name,) if exercise.kind == "fool" else function.returns


def _part(key: str, exercise: Exercise, where: str) -> str:
    names = part_names(exercise)
    full = {f"{f.name}.{result}" for f in exercise.functions for result in _results(exercise, f)}
    if key in names:
        return key
    if key in full and key.partition(".")[2] in names:
        return key.partition(".")[2]
    raise SchemeError(f"{where}: parts has {key}, which is no result of it; expected {', '.join(names)}")


def _amount(told: dict[str, Any], key: str, where: str, default: float = 0.0, most: float = 1e6) -> float:
    value = told.pop(key, default)
    if type(value) not in (int, float) or not 0 <= value <= most:
        raise SchemeError(f"{where}: {key} is {value!r}; expected a number from 0 to {most:,.0f}")
    return float(value)


def _deadline(value: Any, name: str) -> float | None:
    if value is None:
        return None
    if not isinstance(value, datetime):
        raise SchemeError(f"{name} [late]: deadline is {value}; expected a date with a time, 2026-03-01T23:59:00")
    try:
        return value.timestamp()  # without a zone it is local time
    except (ValueError, OverflowError, OSError):
        raise SchemeError(f"{name} [late]: deadline is {value}; expected a year that clocks can count") from None


def points_of(row: Row, submission: Submission, scheme: Scheme, late_days: Mapping[str, float] | None = None) -> Points:
    """The points of a row, with reasons.

    Parameters
    ----------
    row : Row
    submission : Submission
        Of the same learner and exercise.
    scheme : Scheme
    late_days : dict of str to float, optional
        Late days by learner; without it they are counted from the scheme's deadline to the file's time.
    """
    worth = scheme.exercises[row.exercise]
    names = part_names(submission.exercise)
    shares = worth.parts or dict.fromkeys(names, worth.points / len(names))
    found = dict(zip(names, row.parts, strict=True)) if len(row.parts) == len(names) else {}
    parts = []
    for name in names:
        part = found.get(name)
        is_right = part.right if part else row.status == "pass"
        reason = "" if is_right else (part.reason if part else row.text) or row.status
        parts.append(PartPoints(name, shares[name] if is_right else 0.0, shares[name], reason))
    earned = sum(part.points for part in parts)
    left, deductions = earned, []
    days = _days(row, submission, scheme, late_days)
    if days > 0 and scheme.per_day and earned:
        share = min(days * scheme.per_day, scheme.at_most)
        left -= earned * share
        deductions.append(f"{number(days)} day{'s' * (days != 1)} late: −{number(earned * share)}")
    left, told = _without_hints(left, earned, submission, scheme)
    return Points(round(max(left, 0.0), ROUNDED), worth.points, tuple(parts), (*deductions, *told))


def _days(row: Row, submission: Submission, scheme: Scheme, late_days: Mapping[str, float] | None) -> float:
    """Late days: those of the list, else begun days since the deadline."""
    if late_days is not None:
        return late_days.get(row.learner, 0.0)
    if scheme.deadline is None or submission.time is None:
        return 0.0
    return float(max(0, math.ceil((submission.time - scheme.deadline) / DAY)))


def _without_hints(left: float, earned: float, submission: Submission, scheme: Scheme) -> tuple[float, list[str]]:
    """What is left after hints and a revealed solution, and how it is told."""
    told = []
    if earned and (scheme.each_hint or scheme.revealed):
        if submission.hints is None:
            return left, ["hints are not known: no .npae-learn.json was handed in"]
        if submission.hints and scheme.each_hint:
            off = submission.hints * scheme.each_hint
            told.append(f"{submission.hints} hint{'s' * (submission.hints > 1)}: −{number(min(off, left))}")
            left -= min(off, left)
        if submission.revealed and scheme.revealed:
            told.append(f"solution shown before the pass: −{number(min(scheme.revealed, left))}")
            left -= min(scheme.revealed, left)
    return left, told
