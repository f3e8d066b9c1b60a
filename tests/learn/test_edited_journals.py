"""A journal or a progress file that was edited by hand ends in one sentence, never in a traceback."""

import json

import pytest

from npae.cli import main
from npae.learn.workspace import progress

RIGHT = "# npae-exercise: dense v1\ndef backward(g, x, W): return g @ W.T, x.T @ g, g.sum(0)\n"
ESCAPE = "\x1b[31mred"


@pytest.fixture
def course(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["learn", "start", "."]) == 0
    return tmp_path


def edit(course, **values) -> None:
    told = {"npae-learn": 1, "present": "dense", "exercises": {"dense": values}}
    (course / progress.FILE).write_text(json.dumps(told), encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "value"),
    [("hints", -5), ("hints", "3"), ("status", "done"), ("attempts", 10**30), ("folder", ["x"]), ("revealed", 1)],
)
def test_a_value_that_is_never_written_is_told_of_once(course, capsys, name, value):
    edit(course, **{name: value})
    capsys.readouterr()
    assert main(["learn", "hint"]) == 0
    said = capsys.readouterr().err
    assert f"in {progress.FILE} {name!r} has no value that npae learn writes" in said
    assert said.count("\n") == 1
    assert main(["learn", "hint"]) == 0
    assert capsys.readouterr().err == ""


def test_values_that_are_written_are_not_told_of(course, capsys):
    edit(course, status="passed", hints=3, attempts=7, file_hash="a", version=1, revealed=True, folder="")
    capsys.readouterr()
    assert main(["learn", "list"]) == 0
    assert capsys.readouterr().err == ""


def test_a_progress_file_cannot_name_a_path_as_the_present_exercise(course, capsys):
    (course / "evil").mkdir()
    (course / "evil" / "reference.py").write_text("open('mark', 'w')", encoding="utf-8")
    told = {"npae-learn": 1, "present": "./evil", "exercises": {}}
    (course / progress.FILE).write_text(json.dumps(told), encoding="utf-8")
    capsys.readouterr()
    assert main(["learn", "text"]) == 0
    assert "'present' has no value" in capsys.readouterr().err
    assert not (course / "mark").exists()


@pytest.mark.filterwarnings("always:the journal says")
@pytest.mark.parametrize(
    ("name", "value"), [("status", "good"), ("status", ["pass"]), ("yours", "x"), ("seconds", None), ("text", 3)]
)
def test_an_edited_line_of_the_journal_is_told_of_and_the_file_examined_anew(tmp_path, capsys, name, value):
    (tmp_path / "class" / "anna").mkdir(parents=True)
    (tmp_path / "class" / "anna" / "dense.py").write_text(RIGHT, encoding="utf-8")
    command = ["grade", str(tmp_path / "class"), "--csv", str(tmp_path / "out.csv"), "--resume"]
    assert main(command) == 0
    journal = tmp_path / "out.csv.journal"
    entry = json.loads(journal.read_text(encoding="utf-8").splitlines()[-1])
    capsys.readouterr()
    assert main(command) == 0
    assert "journal" not in capsys.readouterr().err
    journal.write_text(json.dumps({**entry, name: value}) + "\n", encoding="utf-8")
    assert main(command) == 0
    assert f"the journal says for dense of anna that {name} is {json.dumps(value)}, which" in capsys.readouterr().err
    assert "anna,dense,pass" in (tmp_path / "out.csv").read_text(encoding="utf-8")


def test_escapes_in_names_are_shown_and_not_sent(course, capsys):
    edit(course, folder=f"/nowhere/{ESCAPE}")
    (course / "class" / ESCAPE).mkdir(parents=True)
    (course / "class" / f"{ESCAPE}.txt").write_text("")
    (course / "class" / ESCAPE / "dense.py").write_text(RIGHT, encoding="utf-8")
    assert main(["learn", "check"]) == 2
    assert main(["learn", "next", ESCAPE]) == 2
    assert main(["learn", "check", "--dir", ESCAPE]) == 2
    assert main(["info", f"{ESCAPE}.safetensors"]) == 2
    assert main(["grade", "class"]) == 0
    printed = capsys.readouterr()
    assert "\x1b" not in printed.out + printed.err
    assert "\\x1b[31mred.safetensors" in printed.err
