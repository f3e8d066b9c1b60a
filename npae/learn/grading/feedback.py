"""Feedback for each learner as HTML and text, zipped in the layout that the platform takes back."""

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path, PurePosixPath

from npae.learn.grading.grade import Row
from npae.learn.grading.journal import Key
from npae.learn.grading.points import Points, number
from npae.learn.grading.submissions import Learner
from npae.learn.judging.messages import RIGHT, WRONG
from npae.utils.files import atomic_write

STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse}td{padding:.2rem .8rem .2rem 0;vertical-align:top}.right{color:#1a7f37}"
    ".wrong{color:#cf222e}"
)


def write_feedback(
    path: str | Path,
    learners: Sequence[Learner],
    rows: Sequence[Row],
    points: Mapping[Key, Points] | None = None,
) -> None:
    """Write a zip file with ``feedback.html`` and ``feedback.txt`` for each learner.

    They lie where the platform looks for them: in the folder with the learner's name, or, for Canvas, under names that
    begin as those of the learner's files do.
    """
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for learner in learners:
            own = [row for row in rows if row.learner == learner.name]
            start = _safe(learner.delivery.feedback)
            archive.writestr(f"{start}feedback.html", _page(learner.name, own, points))
            archive.writestr(f"{start}feedback.txt", "\n".join(_text(learner.name, own, points)) + "\n")
    with atomic_write(path) as file:
        file.write(content.getvalue())


def _safe(start: str) -> str:
    """The start of a name in the archive, which stays below its root whatever a learner's folder is called."""
    parts = [part for part in PurePosixPath(start.encode("utf-8", "replace").decode()).parts if part not in ("/", "..")]
    return "/".join(parts) + ("/" if start.endswith("/") else "")


def _text(learner: str, rows: Sequence[Row], points: Mapping[Key, Points] | None) -> Iterator[str]:
    yield learner
    if points is not None:
        yield f"{_total(rows, points)} points"
    for row in rows:
        yield ""
        yield f"{row.exercise}: {row.status}{_worth(row, points)}"
        for part in row.parts:
            yield f"  {RIGHT if part.right else WRONG} {_named(row, part.function, part.name)}" + (
                f": {part.reason}" if part.reason else ""
            )
        if not row.parts and row.text:
            yield f"  {row.text}"
        for deduction in points[row.key].deductions if points is not None else ():
            yield f"  {deduction}"


def _named(row: Row, function: str, name: str) -> str:
    """The name of a result, with its function where the exercise has several."""
    return name if len({part.function for part in row.parts}) == 1 or function == name else f"{function}: {name}"


def _worth(row: Row, points: Mapping[Key, Points] | None) -> str:
    return "" if points is None else f", {number(points[row.key].points)} of {number(points[row.key].most)} points"


def _total(rows: Sequence[Row], points: Mapping[Key, Points]) -> str:
    given = [points[row.key] for row in rows]
    return f"{number(sum(p.points for p in given))} of {number(sum(p.most for p in given))}"


def _page(learner: str, rows: Sequence[Row], points: Mapping[Key, Points] | None) -> str:
    body = [f"<h1>{escape(learner)}</h1>"]
    if points is not None:
        body.append(f"<p>{escape(_total(rows, points))} points</p>")
    for row in rows:
        body.append(f"<h2>{escape(row.exercise)}: {escape(row.status)}{escape(_worth(row, points))}</h2>")
        lines = [
            f'<tr><td class="{"right" if part.right else "wrong"}">{RIGHT if part.right else WRONG}</td>'
            f"<td>{escape(_named(row, part.function, part.name))}</td><td>{escape(part.reason)}</td></tr>"
            for part in row.parts
        ]
        body.append(f"<table>{''.join(lines)}</table>" if lines else f"<p>{escape(row.text)}</p>")
        body += [f"<p>{escape(text)}</p>" for text in (points[row.key].deductions if points is not None else ())]
    text = "\n".join(body).encode("utf-8", "replace").decode()
    return (
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{escape(learner)}</title>'
        f"<style>{STYLE}</style>\n{text}\n</html>\n"
    )
