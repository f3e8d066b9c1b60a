"""A failing case in hand: as a script for the debugger, in a debugged check, and the line of an endless loop."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers.paths import ROOT

from npae.cli import main
from npae.learn.sandbox.process import Limits, Worker

MEAN = "# npae-exercise: dense v1\ndef backward(g, x, W):\n    return g @ W.T, x.T @ g, g.mean(0)\n"
RIGHT = MEAN.replace("mean", "sum")
STOPS = RIGHT.replace("    return", "    breakpoint()\n    return")


@pytest.fixture
def course(tmp_path, monkeypatch, capsys) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    assert main(["learn", "start", "calculus"]) == 0
    monkeypatch.chdir(tmp_path / "calculus")
    assert main(["learn", "next", "dense"]) == 0
    capsys.readouterr()
    return tmp_path / "calculus"


def test_show_writes_the_failing_case_with_all_digits_and_runs_it_in_the_debugger(course, capsys):
    (course / "dense.py").write_text(MEAN)
    assert main(["learn", "show"]) == 0
    text = (course / "case.py").read_text(encoding="utf-8")
    names: dict = {"__name__": "case"}
    sys.path.insert(0, str(course))
    try:
        exec(text, names)
    finally:
        sys.path.remove(str(course))
        sys.modules.pop("dense")
    g, x, W = names["g"], names["x"], names["W"]
    for name, right in (("dx", g @ W.T), ("dW", x.T @ g), ("db", g.sum(0))):
        np.testing.assert_allclose(names[f"true_{name}"], right, rtol=1e-8)
        assert f"  # {right.shape}\n" in text
    assert "# db[" in text
    done = subprocess.run(
        [sys.executable, "case.py"], cwd=course, input="n\np g.shape\nc\n", capture_output=True, text=True, timeout=300
    )
    assert str(g.shape) in done.stdout
    assert "db, true, of shape" in done.stdout
    assert main(["learn", "show"]) == 0  # it is its own, and written again


def test_show_says_that_nothing_fails_and_keeps_the_files_of_others(course, capsys):
    (course / "dense.py").write_text(RIGHT)
    assert main(["learn", "show"]) == 0
    assert "dense passes; there is no failing case" in capsys.readouterr().out
    (course / "dense.py").write_text("import nothing_of_this_name\n" + MEAN)
    assert main(["learn", "show"]) == 1 or "case.py has" in capsys.readouterr().out
    (course / "dense.py").write_text(MEAN)
    (course / "case.py").write_text("mine")
    assert main(["learn", "show"]) == 1
    assert (course / "case.py").read_text() == "mine"


def test_inputs_that_are_no_arrays_are_written_as_code(course):
    assert main(["learn", "next", "pooling"]) == 0
    assert main(["learn", "show", "pooling"]) == 0
    names: dict = {"__name__": "case"}
    sys.path.insert(0, str(course))
    try:
        exec((course / "case.py").read_text(encoding="utf-8"), names)
    finally:
        sys.path.remove(str(course))
        sys.modules.pop("pooling")
    assert sorted(names["size"]) == [2, 3]


def test_breakpoint_works_in_a_debugged_check_and_else_says_where_it_does(course, capsys):
    (course / "dense.py").write_text(STOPS)
    assert main(["learn", "check"]) == 1
    assert "breakpoint() works in: npae learn check --debug" in capsys.readouterr().out
    command = [sys.executable, "-m", "npae", "learn", "check", "--debug"]
    commands = "p g.shape\n" + "c\n" * 100
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=course, input=commands, capture_output=True, text=True, timeout=300, env=environment
    )
    assert done.returncode == 0
    assert "(Pdb)" in done.stdout
    assert "Right in every entry" in done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="needs the system's timer")
@pytest.mark.parametrize("at", ["import", "call"])
def test_a_timeout_names_the_line(tmp_path, at):
    source = "def helper():\n    while True:\n        pass\ndef f():\n    print('mine', flush=True)\n    helper()\n"
    (tmp_path / "f.py").write_text(source + ("f()\n" if at == "import" else ""))
    with Worker(tmp_path / "f.py", Limits(seconds=1.0)) as worker:
        result = worker.call("f", [])
    assert result.trouble is not None
    assert result.trouble.status == "timeout"
    assert "it was in line 3 of f.py" in result.trouble.text or "it was in line 2 of f.py" in result.trouble.text
    assert "most recent call" not in result.printed
    if at == "call":
        assert result.printed == "mine\n"


def test_a_second_call_is_not_interrupted_by_the_timer_of_the_first(tmp_path):
    (tmp_path / "f.py").write_text("import time\ndef f(): return 1.0\ndef g():\n    time.sleep(0.5)\n    return 2.0\n")
    with Worker(tmp_path / "f.py", Limits(seconds=5.0)) as worker:
        assert worker.call("f", []).values is not None
        result = worker.call("g", [])
    assert result.printed == ""
