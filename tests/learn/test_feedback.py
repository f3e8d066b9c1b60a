"""Feedback that can be handed back, and submissions that are alike."""

import csv
import html
import zipfile

import pytest
from helpers.classes import laid, write

from npae.cli import main
from npae.learn.catalogue.catalogue import find
from npae.learn.grading.copies import find_copies
from npae.learn.grading.submissions import learners

BODY = "def backward(g, x, W):\n    dx = g @ W.T\n    dW = x.T @ g\n    db = g.sum(axis=0)\n    return dx, dW, db\n"
RENAMED = """# mine
def backward(a, b, c):
    'Text.'
    p = a @ c.T
    q = b.T @ a
    r = a.sum(axis=0)
    return p, q, r
"""
LOOP = """def backward(g, x, W):
    dx, dW, db = 0 * x, 0 * W, 0 * g[0]
    for n in range(len(x)):
        dx[n] = W @ g[n]
        dW = dW + x[n][:, None] * g[n][None]
        db += g[n]
    return dx, dW, db
"""
NEAR = LOOP.replace("db += g[n]", "db = db + g[n]")
WRONG = BODY.replace("sum", "mean")


@pytest.mark.parametrize("layout", ["folders", "Moodle", "Canvas", "Gradescope"])
def test_each_learner_gets_a_page_and_a_text_where_the_platform_looks(tmp_path, layout):
    header = "# npae-exercise: dense v1\n"
    names = write(
        layout,
        tmp_path / "class",
        {"Ada": {"dense.py": (header + WRONG).encode()}, "B<i>": {"dense.py": header.encode()}},
    )
    (tmp_path / "s.toml").write_text("[dense]\npoints = 6\n")
    out = tmp_path / "feedback.zip"
    command = ["grade", str(tmp_path / "class"), "--feedback", str(out), "--points", str(tmp_path / "s.toml")]
    assert main([*command, "--sandbox", "none"]) == 0
    starts = {
        "Moodle": "Ada_1000_assignsubmission_file_/",
        "Canvas": "ada_1000_6000_",
        "Gradescope": "submission_1000/",
    }
    with zipfile.ZipFile(out) as archive:
        start = starts.get(layout, "Ada/")
        assert len(archive.namelist()) == 4
        text = archive.read(f"{start}feedback.txt").decode()
        page = archive.read(f"{start}feedback.html").decode()
        others = "".join(archive.read(n).decode() for n in archive.namelist() if n.endswith("html"))
    assert text.splitlines()[:2] == [names["Ada"], "4 of 6 points"]
    assert "dense: wrong, 4 of 6 points" in text
    assert "✗ db: db-mean: Broadcast forward means sum backward." in text
    assert "4 of 6 points" in page
    assert "<i>" not in others
    assert html.escape(names["B<i>"]) in others


def alike(tmp_path, **sources):
    for who, source in sources.items():
        laid({"dense.py": source.encode()}, tmp_path / who)
    return find_copies([learner.submission(find("dense")) for learner in learners(tmp_path)[0]])


def test_equal_and_nearly_equal_files_are_found_by_their_structure(tmp_path):
    found = alike(tmp_path, ada=LOOP, ben=LOOP, cleo=NEAR, dora=BODY, eve=RENAMED, finn="raise (")
    told = [(c.how, c.learners) for c in found]
    assert told == [("text", ("ada", "ben")), ("structure", ("dora", "eve")), ("near", ("ada", "ben", "cleo"))]
    assert found[0].size > found[1].size
    assert 0.8 <= found[2].similarity < 1


def test_what_the_stub_gives_is_no_copy(tmp_path):
    stub = find("stride").stub
    for who in ("ada", "ben"):
        laid({"stride.py": (stub + f"\ndef own(): return {who!r}\n").encode()}, tmp_path / who)
    laid({"stride.py": stub.encode()}, tmp_path / "cleo")
    submissions = [learner.submission(find("stride")) for learner in learners(tmp_path)[0]]
    assert find_copies(submissions) == []


def test_the_report_is_a_table(tmp_path):
    for who in ("ada", "ben"):
        laid({"dense.py": LOOP.encode()}, tmp_path / "class" / who)
    assert main(["grade", str(tmp_path / "class"), "--copies", str(tmp_path / "c.csv"), "--sandbox", "none"]) == 0
    with open(tmp_path / "c.csv", encoding="utf-8", newline="") as file:
        (line,) = csv.DictReader(file)
    assert (line["exercise"], line["learners"], line["how"], line["number"]) == ("dense", "ada, ben", "text", "2")
