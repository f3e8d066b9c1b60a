"""Python files that a stranger has laid in a folder are not run because npae is used there."""

import json
import shutil
from pathlib import Path

import pytest

from npae.cli import main
from npae.learn import check
from npae.learn.catalogue import catalogue
from npae.learn.catalogue.exercise import ExerciseError
from npae.learn.workspace import named, progress
from npae.learn.workspace.workspace import Workspace

RIGHT = "# npae-exercise: dense v1\ndef backward(g, x, W): return g @ W.T, x.T @ g, g.sum(0)\n"


@pytest.fixture(autouse=True)
def nothing_named(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))


def trap(folder: Path, mark: Path) -> Path:
    """The exercise dense, whose Python files leave a mark when they are run."""
    shutil.copytree(catalogue.find("dense").folder, folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("reference.py", "stub.py", "mutants.py"):
        text = (folder / name).read_text(encoding="utf-8") if (folder / name).exists() else ""
        (folder / name).write_text(f"open({str(mark)!r}, 'a').close()\n{text}", encoding="utf-8")
    return folder


def journal(folder: Path, exercise: Path | str, name: str = "dense") -> None:
    told = {"npae-learn": 1, "present": name, "exercises": {name: {"status": "begun", "folder": str(exercise)}}}
    (folder / progress.FILE).write_text(json.dumps(told), encoding="utf-8")


def test_a_bare_name_means_no_folder_of_the_working_directory(tmp_path, monkeypatch, capsys):
    mark = tmp_path / "mark"
    trap(tmp_path / "dense", mark)
    (tmp_path / "dense" / "dense.py").write_text(RIGHT, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert main(["grade", ".", "--exercise", "dense", "--csv", "out.csv"]) == 0
    assert "dense,dense,pass" in (tmp_path / "out.csv").read_text(encoding="utf-8")
    assert check("dense", lambda g, x, W: (g @ W.T, x.T @ g, g.sum(0))).passed
    assert main(["learn", "start", "mine"]) == 0
    assert main(["learn", "next", "dense", "--dir", "mine"]) == 0
    assert not mark.exists()
    assert catalogue.find("./dense").folder == (tmp_path / "dense").resolve()  # a path is the user's word


def test_a_bare_name_of_a_folder_is_told_how_to_give_its_path(tmp_path, monkeypatch):
    trap(tmp_path / "scale", tmp_path / "mark")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ExerciseError, match=r"give its path: \.[/\\]scale$"):
        catalogue.find("scale")
    with pytest.raises(ExerciseError, match="there is no exercise 'scales'"):
        catalogue.find("scales")
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize("verb", [["check"], ["check", "dense"], ["solution", "dense", "--reveal"], ["hint"], ["text"]])
@pytest.mark.parametrize("relative", [False, True])
def test_a_progress_file_does_not_name_what_is_run(tmp_path, monkeypatch, capsys, verb, relative):
    trap(tmp_path / "exercise", tmp_path / "mark")
    journal(tmp_path, "exercise" if relative else tmp_path / "exercise")
    (tmp_path / "dense.py").write_text(RIGHT, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert main(["learn", *verb]) == 2
    said = capsys.readouterr().err
    assert "which you have not named here" in said
    assert said.count("\n") == 1
    assert not (tmp_path / "mark").exists()


def test_a_folder_above_is_used_only_where_the_user_has_begun_or_named_it(tmp_path, monkeypatch, capsys):
    (tmp_path / "data").mkdir()
    (tmp_path / "chain_rule.py").write_text("", encoding="utf-8")
    journal(tmp_path, "", "chain_rule")
    monkeypatch.chdir(tmp_path / "data")
    assert main(["learn", "list"]) == 2
    assert f"npae learn list --dir {tmp_path}" in capsys.readouterr().err
    assert main(["learn", "list", "--dir", str(tmp_path)]) == 0
    assert main(["learn", "list"]) == 0  # it is remembered
    assert main(["learn", "start", str(tmp_path / "mine")]) == 0
    (tmp_path / "mine" / "deeper").mkdir()
    monkeypatch.chdir(tmp_path / "mine" / "deeper")
    assert main(["learn", "hint"]) == 0


def test_an_exercise_that_was_given_by_its_path_is_found_again_by_its_name(tmp_path, monkeypatch):
    mark = tmp_path / "mark"
    exercise = trap(tmp_path / "exercise", mark)
    monkeypatch.chdir(tmp_path)
    course, _ = Workspace.begin(tmp_path / "mine")
    assert course.chosen("./exercise").folder == exercise.resolve()
    course.open("./exercise")
    assert course.chosen().folder == course.chosen("dense").folder == exercise.resolve()


@pytest.mark.parametrize("content", ["{", "[[1], null]", '{"a": 1}', "[" * 100_000])
def test_a_damaged_list_of_named_folders_names_none(tmp_path, content):
    named.file().parent.mkdir(parents=True)
    named.file().write_text(content, encoding="utf-8")
    assert not named.is_named(tmp_path)
    named.remember(tmp_path)
    assert named.is_named(tmp_path)


def test_where_nothing_can_be_remembered_a_warning_says_so(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    with pytest.warns(UserWarning, match="set XDG_STATE_HOME to a folder that can be written"):
        named.remember(tmp_path)


def test_the_list_does_not_lie_in_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", "state")
    assert named.file().is_relative_to(Path.home())
