"""Points by a scheme: partial credit with reasons, late days, hints, and gradebooks."""

import csv
import json
import os
from pathlib import Path

import pytest
from helpers.classes import laid

from npae.cli import main
from npae.learn.catalogue.catalogue import exercises, find
from npae.learn.grading.grade import Part, Row
from npae.learn.grading.late_days import LateDaysError, read_late_days
from npae.learn.grading.points import SchemeError, number, part_names, points_of, read_scheme
from npae.learn.grading.submissions import Submission
from npae.learn.workspace import progress

DENSE, POOLING = find("dense"), find("pooling")
SCHEME = "[dense]\npoints = 6\nparts = {dx = 1, dW = 2, db = 3}\n"
LATE = SCHEME + "[late]\ndeadline = 2026-03-01T12:00:00Z\nper_day = 0.1\nat_most = 0.5\n"
DEADLINE = 1772366400.0
BODY = "# npae-exercise: dense v1\ndef backward(g, x, W): return g @ W.T, x.T @ g, "
RIGHT, MEAN = (BODY + "g.sum(0)\n").encode(), (BODY + "g.mean(0)\n").encode()
FLAT = (BODY + "g.sum(0)[None]\n").encode()


def scheme_of(folder: Path, text: str):
    (folder / "scheme.toml").write_text(text, encoding="utf-8")
    return read_scheme(folder / "scheme.toml", exercises())


def row(right: str, exercise: str = "dense", status: str = "wrong") -> Row:
    parts = tuple(
        Part("backward", n, n in right.split(), "" if n in right.split() else "why") for n in ("dx", "dW", "db")
    )
    return Row("ada", exercise, status, parts=parts)


def test_each_part_counts_as_the_scheme_says_and_else_all_alike(tmp_path):
    weighted, even = scheme_of(tmp_path, SCHEME), scheme_of(tmp_path, "[dense]\npoints = 6\n")
    submission = Submission("ada", DENSE)
    assert points_of(row("dx db"), submission, weighted).points == 4.0
    assert points_of(row("dx db"), submission, even).points == 4.0
    assert points_of(row("db"), submission, weighted).points == 3.0
    assert points_of(row("db"), submission, even).reasons == "dx 0 of 2: why; dW 0 of 2: why"
    missing = Row("ada", "dense", "missing", text="there is no dense.py")
    assert points_of(missing, submission, weighted).points == 0.0
    assert points_of(missing, submission, weighted).reasons == "0 of 6: there is no dense.py"
    whole = points_of(row("dx dW db", status="pass"), submission, weighted)
    assert (whole.points, whole.most, whole.reasons) == (6.0, 6.0, "")


@pytest.mark.parametrize(("late", "left"), [(-1.0, 6.0), (0.0, 6.0), (1.0, 5.4), (86_401.0, 4.8), (1e7, 3.0)])
def test_begun_days_after_the_deadline_take_their_share(tmp_path, late, left):
    scheme = scheme_of(tmp_path, LATE)
    submission = Submission("ada", DENSE, time=DEADLINE + late)
    assert points_of(row("dx dW db"), submission, scheme).points == pytest.approx(left)
    assert points_of(row("dx dW db"), submission, scheme, {"ada": 2.0}).points == pytest.approx(4.8)
    assert points_of(row("dx dW db"), submission, scheme, {"ben": 2.0}).points == 6.0


def test_hints_and_a_revealed_solution_take_points_where_they_are_known(tmp_path):
    scheme = scheme_of(tmp_path, SCHEME + "[hints]\neach = 0.5\nsolution = 10\n")
    given = [
        Submission("ada", DENSE, hints=h, revealed=r) for h, r in ((0, False), (2, False), (2, True), (None, False))
    ]
    found = [points_of(row("dx dW db"), s, scheme) for s in given]
    assert [p.points for p in found] == [6.0, 5.0, 0.0, 6.0]
    assert found[1].reasons == "2 hints: −1"
    assert "not known" in found[3].reasons


def test_results_of_one_name_are_told_apart_by_their_function(tmp_path):
    assert part_names(POOLING) == ["max_backward.dx", "average_backward.dx"]
    scheme = scheme_of(tmp_path, '[pooling]\nparts = {"max_backward.dx" = 3, "average_backward.dx" = 1}\n')
    parts = (Part("max_backward", "dx", False, "why"), Part("average_backward", "dx", True))
    points = points_of(Row("ada", "pooling", "wrong", parts=parts), Submission("ada", POOLING), scheme)
    assert (points.points, points.most) == (1.0, 4.0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[dense", "is no TOML"),
        ("", "no table of an exercise"),
        ("[desne]\npoints = 3", "which is no exercise"),
        ("[dense]\npoints = '3'", "expected a number"),
        ("[dense]\npoints = -1", "expected a number"),
        ("[dense]\npoints = nan", "expected a number"),
        ("[dense]\npoints = true", "expected a number"),
        ("[dense]", "neither points nor parts"),
        ("[dense]\nparts = {}", "expected a table"),
        ("[dense]\nparts = {dx = 1, dw = 1, db = 1}", "dw, which is no result"),
        ("[dense]\nparts = {dx = 1, dW = 1}", "nothing for db"),
        ("[dense]\npoints = 4\nparts = {dx = 1, dW = 1, db = 1}", "3 together, and points 4"),
        ("[dense]\npoints = 4\nlate = 1", "late is not known there"),
        ("dense = 3", "expected a table"),
        (SCHEME + "[late]\nper_day = 0.1\ndeadline = 3", "expected a date with a time"),
        (SCHEME + "[late]\nper_day = 10", "from 0 to 1"),
        (SCHEME + "[late]\ndays = 10", "days is not known"),
        (SCHEME + "[hints]\nfirst = 10", "first is not known there; expected each and solution"),
        (SCHEME + "[late]\ndeadline = 2026-03-01T00:00:00", "deadline, but no per_day"),
        (SCHEME + "[late]\nat_most = 0.5", "at_most, but no per_day"),
        (SCHEME + "[late]\nper_day = 0.1\ndeadline = 2026-03-01", "deadline is 2026-03-01; expected"),
        (SCHEME + "[late]\nper_day = 0.1\ndeadline = 0001-01-01T00:00:00", "clocks can count"),
        (SCHEME + "[hint]\neach = 1", "did you mean [hints]?"),
    ],
)
def test_a_scheme_that_cannot_be_used_is_told_in_one_sentence(tmp_path, text, said):
    with pytest.raises(SchemeError, match=r"scheme\.toml") as caught:
        scheme_of(tmp_path, text)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value).strip() or "TOML" in said


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("\ufefflearner,days\nJosé,1.5\nben,0\n", {"José": 1.5, "ben": 0.0}),
        ("Learner; Days\r\nJosé;1,5\r\n\r\nben;0\r\n", {"José": 1.5, "ben": 0.0}),  # as a German Excel writes it
        ("days,note,learner\n 2 ,ill, ben \n", {"ben": 2.0}),
        ("learner,days\n", {}),
    ],
)
def test_late_days_are_read_as_spreadsheets_write_them(tmp_path, text, days):
    (tmp_path / "days.csv").write_bytes(text.encode())
    assert read_late_days(tmp_path / "days.csv") == days


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("who,days\na,1\n", "has who, days; expected the columns"),
        ("", "has nothing; expected the columns"),
        ("learner,days,days\na,1,2\n", "once each"),
        ("learner,days\na,x\n", "'x' days"),
        ("learner,days\na,2026-03-01\n", "'2026-03-01' days"),
        ("learner,days\na,1_0\n", "'1_0' days"),
        ("learner,days\na,1,5\nb\n", "a line without"),
        ("learner,days\na,1\na,2\n", "twice"),
        ("learner,days\nJos\xe9,1\n", "no UTF-8"),
    ],
)
def test_late_days_that_cannot_be_used_are_told(tmp_path, text, said):
    (tmp_path / "days.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(LateDaysError, match=said):
        read_late_days(tmp_path / "days.csv")


def test_a_scheme_may_begin_with_the_mark_of_an_editor(tmp_path):
    (tmp_path / "scheme.toml").write_text(SCHEME, encoding="utf-8-sig")
    assert read_scheme(tmp_path / "scheme.toml", [DENSE]).exercises["dense"].points


def test_numbers_of_points_have_no_needless_zeros():
    assert [number(v) for v in (6.0, 4.5, 4 / 3, -0.0, 0.1 + 0.2)] == ["6", "4.5", "1.333", "0", "0.3"]


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """Files of a graded class: one learner has two parts right in a wrong shape, one is late, one has shown hints."""
    folder = tmp_path_factory.mktemp("graded")
    shown = json.dumps({"npae-learn": 1, "present": "dense", "exercises": {"dense": {"hints": 2}}}).encode()
    sources = {"ada": RIGHT, "ben": MEAN, "José": FLAT, "late": RIGHT}
    for who, source in sources.items():
        laid({"dense.py": source, progress.FILE: shown if who == "ada" else b"{}"}, folder / "class" / who)
        time = DEADLINE + (90_000 if who == "late" else -5)
        os.utime(folder / "class" / who / "dense.py", (time, time))
    laid({"relu.py": b""}, folder / "class" / "none")
    (folder / "scheme.toml").write_text(LATE + "[hints]\neach = 0.5\n", encoding="utf-8")
    outs = [word for kind in ("csv", "json") for word in (f"--{kind}", str(folder / f"rows.{kind}"))]
    command = ["grade", str(folder / "class"), *outs, "--points", str(folder / "scheme.toml"), "--excel"]
    assert main([*command, "--gradebook", str(folder / "book.csv")]) == 0
    assert main([*command, "--gradebook", str(folder / "book.json"), "--resume"]) == 0
    return folder


def test_the_rows_have_points_and_reasons(graded):
    content = (graded / "rows.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    rows = {r["learner"]: r for r in csv.DictReader(content.decode("utf-8-sig").splitlines())}
    assert {who: r["points"] for who, r in rows.items()} == {
        "ada": "5",
        "ben": "3",
        "José": "3",
        "late": "4.8",
        "none": "0",
    }
    assert {r["of"] for r in rows.values()} == {"6"}
    assert rows["ben"]["text"].startswith("2 of 3 right; db-mean: Broadcast forward means sum backward.")
    assert rows["José"]["status"] == "shape"
    assert rows["José"]["reasons"].startswith("db 0 of 3: db has shape")
    assert rows["late"]["reasons"].split("; ")[0] == "2 days late: −1.2"
    assert rows["ada"]["reasons"] == "2 hints: −1"


def test_the_gradebook_has_a_row_for_each_learner_and_json_the_parts(graded):
    table = list(csv.reader((graded / "book.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert table[:3] == [["learner", "dense", "total"], ["points that can be had", "6", "6"], ["José", "3", "3"]]
    told = json.loads((graded / "book.json").read_text(encoding="utf-8"))
    assert told["of"] == {"dense": 6.0, "total": 6.0}
    ben = next(one for one in told["learners"] if one["learner"] == "ben")["exercises"]["dense"]
    assert [(p["name"], p["points"], p["most"]) for p in ben["parts"]] == [("dx", 1, 1), ("dW", 2, 2), ("db", 0, 3)]
    rows = json.loads((graded / "rows.json").read_text(encoding="utf-8"))["rows"]
    assert rows[1]["points"]["points"] == 5.0


def test_exercises_without_a_table_are_not_graded_and_that_is_said(graded, capsys):
    assert main(["grade", str(graded / "class"), "--points", str(graded / "scheme.toml")]) == 0
    told = capsys.readouterr()
    assert "without a table of --points, so not graded: relu" in told.err
    assert "relu" not in told.out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--gradebook", "b.csv"], "--gradebook needs --points"),
        (["--late", "d.csv"], "--late needs --points"),
        (["--points", "{}/scheme.toml", "--exercise", "relu"], "no table [relu]"),
        (["--points", "{}/none.toml"], "none.toml"),
        (["--points", "{}/plain.toml", "--late", "{}/days.csv"], "takes nothing for a day"),
        (["--points", "{}/open.toml"], "not when the deadline was"),
    ],
)
def test_options_that_do_not_fit_together_are_refused(graded, capsys, options, said):
    (graded / "plain.toml").write_text(SCHEME)
    (graded / "open.toml").write_text(SCHEME + "[late]\nper_day = 0.1\n")
    (graded / "days.csv").write_text("learner,days\n")
    assert main(["grade", str(graded / "class"), *(o.format(graded) for o in options)]) == 2
    assert said in capsys.readouterr().err


def test_late_days_of_names_that_are_not_there_are_told(graded, capsys):
    (graded / "days.csv").write_text("learner,days\nbenn,1\nada,1\n")
    command = ["grade", str(graded / "class"), "--points", str(graded / "scheme.toml")]
    assert main([*command, "--late", str(graded / "days.csv")]) == 0
    assert "--late has benn, who handed in nothing" in capsys.readouterr().err
