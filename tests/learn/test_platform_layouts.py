"""A class is found in the layout of each learning platform, and what is handed in is read with limits."""

import io
import os
import stat
import zipfile
from pathlib import Path

import pytest
from helpers.classes import LAYOUTS, laid, notebook, write, zipped

from npae.learn.catalogue.catalogue import exercises, find
from npae.learn.grading import tree
from npae.learn.grading.layouts import recognise
from npae.learn.grading.notebooks import without_commands
from npae.learn.grading.submissions import Learner, class_of, handed_in, learners
from npae.learn.grading.times import time_of

HEADER = b"# npae-exercise: dense v1\n"
RIGHT = HEADER + b"def backward(g, x, W): return g @ W.T, x.T @ g, g.sum(0)\n"
OTHER = HEADER + b"def backward(g, x, W): return g, x, W\n"
BARE = RIGHT.removeprefix(HEADER)
DENSE, RELU = find("dense"), find("relu")
EXPECTED = {"zips": "folders", "notebooks": "folders", "exchange": "nbgrader"}


def only(folder: Path):
    """The submission of the only learner."""
    (learner,) = learners(folder)[0]
    return learner.submission(DENSE)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_is_recognised_and_each_learner_is_one_row(tmp_path, layout):
    names = write(layout, tmp_path, {"Ada Lovelace": {"dense.py": RIGHT}, "Ben": {"dense.py": OTHER}, "Cleo": {}})
    if layout == "Canvas":  # no file, no row
        names.pop("Cleo")
    found = recognise(tmp_path)
    assert found.layout == EXPECTED.get(layout, layout)
    everybody = class_of(found)
    assert [learner.name for learner in everybody] == sorted(names.values())
    got = {learner.name: learner.submission(DENSE) for learner in everybody}
    assert got[names["Ada Lovelace"]].source == RIGHT
    assert got[names["Ben"]].source == OTHER
    if "Cleo" in names:
        assert got[names["Cleo"]].status == "missing"
    assert [e.name for e in handed_in(everybody, exercises())] == ["dense"]


def test_a_flat_export_of_moodle_is_read_as_well(tmp_path):
    laid({"Ada_12_assignsubmission_file_dense.py": RIGHT, "Ada_12_assignsubmission_onlinetext_x.html": b""}, tmp_path)
    (learner,) = learners(tmp_path)[0]
    assert (learner.name, learner.submission(DENSE).source) == ("Ada_12", RIGHT)


def test_of_resubmissions_canvas_the_last_counts_and_late_is_noted(tmp_path):
    names = [f"ada_LATE_1_{i}_dense{mark}.py" for i, mark in enumerate(("", "-2", "-10", "-1"))]
    laid({name: HEADER + name.encode() for name in names}, tmp_path)
    submission = only(tmp_path)
    assert submission.source == HEADER + b"ada_LATE_1_2_dense-10.py"
    assert "late" in submission.note


def test_a_zip_file_in_a_flat_export_is_read(tmp_path):
    zipped({"src/dense.py": RIGHT, "src/helper.py": b"x = 1"}, tmp_path / "ada_1_2_homework.zip")
    (learner,) = learners(tmp_path)[0]
    assert learner.submission(DENSE).source == RIGHT
    assert set(learner.files) == {"homework.zip/src/dense.py", "homework.zip/src/helper.py"}


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_is_twice_in_an_archive_is_told(tmp_path):
    with zipfile.ZipFile(tmp_path / "ada.zip", "w") as archive:
        archive.writestr("dense.py", RIGHT)
        archive.writestr("dense.py", OTHER)
    assert only(tmp_path).fault == "dense.py is there twice; keep one"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a pipe")
def test_a_pipe_in_a_flat_export_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "ada_1_2_dense.py")
    assert "is no file" in only(tmp_path).fault


def test_two_files_that_are_meant_to_be_one_exercise_are_an_error(tmp_path):
    for i, (name, content) in enumerate(
        {"dense_resubmitted.py": OTHER, "dense (1).py": OTHER.removeprefix(HEADER), "old/dense.py": OTHER}.items()
    ):
        folder = tmp_path / str(i)
        (folder / "ada" / "old").mkdir(parents=True)
        laid({"dense.py": BARE, name: content}, folder / "ada")
        submission = only(folder)
        assert submission.status == "error"
        assert f"dense.py and {name}" in submission.fault or f"{name} and dense.py" in submission.fault
        assert "are both meant to be dense; keep one" in submission.fault


@pytest.mark.parametrize("other", ["dense_helper.py", "densely.py", "dense (1).txt"])
def test_a_file_that_only_begins_like_an_exercise_is_no_second_one(tmp_path, other):
    laid({"dense.py": BARE, other: b"def helper(): pass"}, tmp_path / "ada")
    assert only(tmp_path).source == BARE


def test_the_same_file_twice_is_one(tmp_path):
    laid({"dense.py": RIGHT, "copy.py": RIGHT}, tmp_path / "ada")
    assert only(tmp_path).source == RIGHT


def test_where_a_file_is_missing_what_lies_there_is_named(tmp_path):
    laid({"desne.py": BARE, "report.docx": b"", "a.txt": b"", "b.txt": b""}, tmp_path / "ada")
    assert only(tmp_path).fault == "there is no dense.py; what lies there: a.txt, b.txt, desne.py and 1 more"
    laid({"dense (1).py": BARE}, tmp_path / "ben")  # one name alone is not guessed
    assert [learner.submission(DENSE).status for learner in learners(tmp_path)[0]] == ["missing", "missing"]


def test_only_cells_with_the_header_are_taken(tmp_path):
    cells = ("1 / 0", RIGHT.decode(), "!rm -rf /", "# npae-exercise: relu v1\nx = 1", HEADER.decode() + "y = 2")
    laid({"work.ipynb": notebook(*cells)}, tmp_path / "ada")
    (learner,) = learners(tmp_path)[0]
    assert learner.submission(DENSE).source == RIGHT + b"\n\n" + HEADER + b"y = 2"
    assert learner.submission(RELU).source.endswith(b"x = 1")
    assert str(learner.submission(RELU).path) == "relu.py"


@pytest.mark.parametrize(
    "content", [b"{", b"[]", b"[" * 10_000, b'{"cells": 3}', b'{"cells": [3, {"cell_type": "code"}]}']
)
def test_any_notebook_is_read(tmp_path, content):
    laid({"work.ipynb": content}, tmp_path / "ada")
    assert only(tmp_path).status in ("error", "missing")
    assert "work.ipynb" in only(tmp_path).fault


def test_zips_within_zips_are_read_to_a_limit(tmp_path):
    inner = zipped({"dense.py": RIGHT}, tmp_path / "x" / "1.zip").read_bytes()
    for depth, status in ((1, ""), (2, ""), (3, "error")):
        inner = zipped({f"{depth}.zip": inner}, tmp_path / "x" / "n.zip").read_bytes()
        laid({"work.zip": inner}, tmp_path / str(depth) / "ada")
        assert only(tmp_path / str(depth)).status == status


def test_a_zip_bomb_is_not_unpacked(tmp_path, monkeypatch):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for i in range(3):
            archive.writestr(f"{i}.py", b"#" * (tree.MOST_BYTES // 100))
    laid({"bomb.zip": buffer.getvalue()}, tmp_path / "ada")
    monkeypatch.setattr(tree, "MOST_BYTES", tree.MOST_BYTES // 50)
    monkeypatch.setattr(tree.Budget, "__init__", lambda self: vars(self).update(entries=9, unpacked=tree.MOST_BYTES))
    assert "bytes unpacked" in only(tmp_path).fault


def test_more_files_than_a_learner_may_have_are_refused(tmp_path):
    zipped({f"{i}.txt": b"" for i in range(tree.MOST_ENTRIES + 1)}, tmp_path / "ada.zip")
    assert "more than 2,000 files" in only(tmp_path).fault


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("../dense.py", "leads out"),
        ("/dense.py", "leads out"),
        ("a\nb/dense.py", "no file can have"),
        ("C:/dense.py", "leads out"),
    ],
)
def test_a_path_in_a_zip_that_leads_elsewhere_is_told(tmp_path, name, said):
    zipped({name: RIGHT}, tmp_path / "ada.zip")
    submission = only(tmp_path)
    assert submission.status == "error"
    assert said in submission.fault


def test_links_and_secrets_in_a_zip_are_told(tmp_path):
    link, secret = zipfile.ZipInfo("dense.py"), zipfile.ZipInfo("dense.py")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    for who, info in (("ada", link), ("ben", secret)):
        with zipfile.ZipFile(tmp_path / f"{who}.zip", "w") as archive:
            archive.writestr(info, "/etc/passwd")
    content = (tmp_path / "ben.zip").read_bytes()
    at = content.index(b"PK\1\2") + 8  # the flags in the table of contents
    (tmp_path / "ben.zip").write_bytes(content[:at] + b"\1\0" + content[at + 2 :])
    laid({"hw.zip": b"no zip"}, tmp_path / "cleo")
    told = [learner.submission(DENSE).fault for learner in learners(tmp_path)[0]]
    assert ["is a link within a zip" in told[0], "is encrypted" in told[1], "is no zip file" in told[2]] == [True] * 3


def test_environments_and_caches_are_not_searched(tmp_path):
    for name in ("__MACOSX", ".ipynb_checkpoints", "venv"):
        laid({"dense.py": OTHER}, tmp_path / "ada" / name)
    laid({"pyvenv.cfg": b""}, tmp_path / "ada" / "venv")
    laid({"dense.py": RIGHT}, tmp_path / "ada")
    assert only(tmp_path).source == RIGHT


def test_gradescopes_learners_of_one_name_are_told_apart(tmp_path):
    write("Gradescope", tmp_path, {"Ada": {"dense.py": RIGHT}})
    laid({"dense.py": OTHER}, tmp_path / "submission_7")
    text = (tmp_path / "submission_metadata.yml").read_text() + "submission_7:\n  :submitters:\n  - :name: Ada\n"
    (tmp_path / "submission_metadata.yml").write_text(text)
    assert [learner.name for learner in learners(tmp_path)[0]] == ["Ada (submission_1000)", "Ada (submission_7)"]


def test_times_of_platforms_are_read_with_and_without_a_zone():
    assert time_of("2026-03-01 10:00:00.000000 UTC") == time_of("2026-03-01T12:00:00+02:00") == 1772359200.0
    assert time_of("2026-03-01 10:00:00") is not None
    assert [time_of(text) for text in ("", "yesterday", "2026-13-01 10:00:00")] == [None] * 3


def test_the_time_of_nbgraders_stamp_counts_and_else_that_of_the_file(tmp_path):
    write("nbgrader", tmp_path / "a", {"Ada": {"dense.py": RIGHT}})
    assert only(tmp_path / "a").time == 1772359200.0
    laid({"dense.py": RIGHT}, tmp_path / "b" / "ada")
    os.utime(tmp_path / "b" / "ada" / "dense.py", (5, 5))
    assert only(tmp_path / "b").time == 5.0


def test_a_learner_of_a_path_is_named_after_it(tmp_path):
    assert Learner(laid({"dense.py": RIGHT}, tmp_path / "ada")).name == "ada"


def test_work_of_several_dates_has_the_time_of_its_own_folder(tmp_path):
    write("nbgrader", tmp_path / "a", {"ada": {"dense.py": RIGHT}})
    relu = {"relu.py": b"# npae-exercise: relu v1\n", "timestamp.txt": b"2026-03-09 10:00:00 UTC"}
    laid(relu, tmp_path / "a" / "submitted" / "ada" / "ps2")
    laid({"dense.py": RIGHT}, tmp_path / "b" / "inbound" / "ada+ps1+2026-03-01 10:00:00 UTC")
    laid(relu, tmp_path / "b" / "inbound" / "ada+ps2+2026-03-09 10:00:00 UTC")
    for name in ("a", "b"):
        (learner,) = learners(tmp_path / name)[0]
        first, second = (learner.submission(exercise).time for exercise in (DENSE, RELU))
        assert (first, second) == (1772359200.0, 1772359200.0 + 8 * 86_400)


def test_a_learner_cannot_date_their_own_file_by_a_stamp(tmp_path):
    laid({"dense.py": RIGHT, "timestamp.txt": b"2000-01-01 10:00:00 UTC"}, tmp_path / "ada" / "x")
    laid({"dense.py": RIGHT}, tmp_path / "ben")
    found = recognise(tmp_path)
    assert (found.layout, [one.times for one in found.deliveries]) == ("folders", [{}, {}])


def test_two_files_of_canvas_that_only_end_in_numbers_are_both_read(tmp_path):
    relu = b"# npae-exercise: relu v1\n"
    laid({"ada_1_10_hw-1.py": RIGHT, "ada_1_11_hw-2.py": relu}, tmp_path)
    (learner,) = learners(tmp_path)[0]
    assert [learner.submission(e).source for e in (DENSE, RELU)] == [RIGHT, relu]
    assert [learner.submission(e).note for e in (DENSE, RELU)] == ["", ""]


def test_files_of_one_name_without_marks_of_canvas_are_an_error(tmp_path):
    laid({"ada_1_10_dense.py": RIGHT, "ada_1_11_dense.py": OTHER}, tmp_path)
    assert (only(tmp_path).status, only(tmp_path).fault) == ("error", "dense.py is there twice; keep one")


def test_every_learner_of_canvas_is_a_row_also_without_a_name_or_a_file(tmp_path):
    typed = b"<h1>HW: Ada</h1><p># npae-exercise: dense v1</p><p>def backward(g, x, W): return g, x, W</p>"
    laid({"ada_LATE_1_text.html": typed, "ben_2_link.html": b"", "anon_aB3dE_10_dense.py": RIGHT}, tmp_path)
    laid({"anon_LATE_xY9zZ_11_dense.py": OTHER}, tmp_path)
    found = recognise(tmp_path)
    got = {learner.name: learner.submission(DENSE) for learner in class_of(found)}
    assert {name: one.status for name, one in got.items()} == {
        "ada_1": "", "ben_2": "missing", "anon_aB3dE": "", "anon_xY9zZ": ""
    }  # fmt: skip
    assert got["ada_1"].note == got["anon_xY9zZ"].note == "the platform marks it as late"
    assert [one.feedback for one in found.deliveries if one.learner == "ada_1"] == ["ada_LATE_1_"]


@pytest.mark.parametrize(
    "page",
    [
        "<p># npae-exercise: dense v1<br>def f(x):<br>&nbsp; &nbsp; return x &lt; 1</p>",
        "<p>Dear all,</p><pre># npae-exercise: dense v1\r\ndef f(x):\n    return x &lt; 1</pre>",
        "<!DOCTYPE html><html><head><title># npae-exercise: relu v1</title></head><body><div>\n"
        "<p># npae-exercise:\ndense v1</p>\n<p>def f(x):</p>\n<p>&nbsp;&nbsp;&nbsp; return <b>x &lt; 1</b></p>\n</div>",
    ],
)
def test_what_was_typed_in_moodle_is_read_from_its_header_on(tmp_path, page):
    laid({"onlinetext.html": page.encode()}, tmp_path / "Ada L_12_assignsubmission_onlinetext_")
    submission = only(tmp_path)
    assert submission.source.split() == b"# npae-exercise: dense v1 def f(x): return x < 1".split()
    found: dict[str, object] = {}
    exec(submission.source, found)
    assert found["f"](0)
    assert str(submission.path) == "dense.py"


def test_what_was_typed_without_the_header_is_told(tmp_path):
    laid({"onlinetext.html": b"<p>def backward(g, x, W): pass</p>"}, tmp_path / "Ada_12_assignsubmission_onlinetext_")
    assert only(tmp_path).fault == "there is no dense.py, and onlinetext.html has no line # npae-exercise: dense v1"


def test_any_folder_of_moodle_makes_a_row(tmp_path):
    laid({"x.txt": b""}, tmp_path / "Ada_12_assignsubmission_comments_")
    laid({"dense.py": RIGHT}, tmp_path / "Ben_13_assignsubmission_file_")
    found = recognise(tmp_path)
    assert [one.learner for one in found.deliveries], found.others == (["Ada_12", "Ben_13"], [])


def test_submitters_of_gradescope_are_read_and_those_of_earlier_submissions_not(tmp_path):
    laid({"dense.py": RIGHT}, tmp_path / "submission_1")
    text = (
        "submission_1:\n  :submitters:\n  - :name: 'O''Neil'\n    :sid: '1'\n  - :name: \"M\\xFCller \\\"X\\\"\"\n"
        "  :created_at: 2026-03-01 10:00:00 Z\n  :history:\n  - :id: 2\n    :submitters:\n    - :name: Zed\n"
        "    :created_at: 2025-03-01 10:00:00 Z\n"
    )
    (tmp_path / "submission_metadata.yml").write_text(text)
    (learner,) = learners(tmp_path)[0]
    assert (learner.name, learner.submission(DENSE).time) == ('O\'Neil, Müller "X"', 1772359200.0)


def test_commands_of_ipython_in_a_cell_are_left_out_and_told(tmp_path):
    cell = f"\n%%time\n{HEADER.decode()}%matplotlib inline\n"
    cell += "def backward(g, x, W):\n    !ls\n    return g % 2, x, W\n"
    laid({"hw.ipynb": notebook(cell)}, tmp_path / "ada")
    submission = only(tmp_path)
    exec(submission.source, {})
    assert b"return g % 2" in submission.source
    assert submission.note == "left out, as a command of IPython: %%time and 2 more"


@pytest.mark.parametrize("source", [b"x = (3\n% 2)\n", b's = """\n%a\n"""\n', b"# what?\n", b"%a\nx = (\n", b"x = (\n"])
def test_source_without_commands_of_ipython_is_not_changed(source):
    assert without_commands(source) == (source, [])


def test_a_notebook_without_the_header_is_told(tmp_path):
    laid({"dense.ipynb": notebook("def backward(g, x, W): pass")}, tmp_path / "ada")
    assert "dense.ipynb has no cell that begins with # npae-exercise: dense v1" in only(tmp_path).fault
