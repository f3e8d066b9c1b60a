"""Behaviour on Windows, simulated by hiding what it lacks: grading without resource limits, and yielding threads."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.paths import ROOT

from npae.cli import main
from npae.cli.grade import _notes
from npae.learn.sandbox.process import Worker, _trouble_of_end

SENTENCE = "this system limits neither memory nor processes nor files: only the clock ends a learner's file"
FILES = {
    "right": "def backward(g, x):\n    return g * (x > 0)\n",
    "wrong": "def backward(g, x):\n    return g\n",
    "endless": "def backward(g, x):\n    while True: pass\n",
    "gone": "import os\ndef backward(g, x):\n    os._exit(3)\n",
}
#: A process as on Windows: no groups, no SIGKILL, no limits, no locks.
HIDDEN = """
import os, signal, sys
import npae.utils.folder_lock
for module in ("resource", "fcntl", "termios"):
    sys.modules[module] = None
for name in ("killpg", "setsid", "geteuid"):
    delattr(os, name)
del signal.SIGKILL
from npae.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this is Windows")
def test_a_class_is_marked_without_groups_signals_and_limits_and_that_is_said_once(tmp_path: Path) -> None:
    for name, source in FILES.items():
        (tmp_path / "class" / name).mkdir(parents=True)
        (tmp_path / "class" / name / "relu.py").write_text(source, encoding="utf-8")
    out = tmp_path / "out.csv"
    command = [sys.executable, "-c", HIDDEN, "grade", str(tmp_path / "class"), "--csv", str(out), "--timeout", "3"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count(SENTENCE) == 1
    rows = [line.split(",")[:3] for line in out.read_text(encoding="utf-8-sig").splitlines()[1:]]
    statuses = {learner: status for learner, _, status in rows}
    assert statuses == {"right": "pass", "wrong": "wrong", "endless": "timeout", "gone": "crash"}


def test_where_limits_are_supported_no_message_says_that_they_are_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("resource")
    (tmp_path / "class" / "a").mkdir(parents=True)
    (tmp_path / "class" / "a" / "relu.py").write_text(FILES["right"], encoding="utf-8")
    assert main(["grade", str(tmp_path / "class")]) == 0
    assert SENTENCE not in capsys.readouterr().err


def test_macos_says_what_it_does_not_limit_and_linux_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    said = "macOS does not hold a learner's file to --memory; time and processes are limited"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert said in _notes("class", "folders", [], "none", "")
    monkeypatch.setattr(sys, "platform", "linux")
    assert said not in _notes("class", "folders", [], "none", "")


def test_a_learners_temporary_files_are_in_its_own_folder_under_windows_names_too(tmp_path: Path) -> None:
    source = (
        "import os\ndef f():\n    return [float(os.environ[n] == os.getcwd()) for n in ('TMPDIR', 'TEMP', 'TMP')]\n"
    )
    (tmp_path / "exercise.py").write_text(source, encoding="utf-8")
    with Worker(tmp_path / "exercise.py") as one:
        answer = one.call("f", [])
    assert answer.trouble is None
    assert [value.tolist() for value in answer.values or ()] == [[1.0, 1.0, 1.0]]


def test_a_process_that_was_ended_is_told_of_without_sigkill(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(signal, "SIGKILL", raising=False)
    assert "was killed, or closed its connection" in _trouble_of_end(signal.SIGTERM).text
    assert "ended itself with status 3" in _trouble_of_end(3).text


YIELDS = """
import ctypes, os, sys, types
import numpy as np
from numba import njit
import llvmlite.binding
import npae.kernels.execution.program
calls = []
switch = ctypes.CFUNCTYPE(ctypes.c_int)(lambda: calls.append(1) or 0)
ctypes.windll = types.SimpleNamespace(kernel32=types.SimpleNamespace(SwitchToThread=switch))
platform, sys.platform = sys.platform, "win32"
import npae.kernels.execution.mailbox
sys.platform = platform
offer = npae.kernels.execution.mailbox._offer_processor

@njit(nogil=True)
def wait(n):
    for _ in range(n):
        offer()

wait(3)
print(npae.kernels.execution.mailbox.YIELD, len(calls))
"""


def test_on_windows_a_waiting_thread_offers_its_processor_by_switch_to_thread() -> None:
    pytest.importorskip("numba")
    done = subprocess.run(
        [sys.executable, "-c", YIELDS],
        capture_output=True,
        encoding="utf-8",
        check=False,
        cwd=ROOT,
        env={**os.environ, "NUMBA_DISABLE_JIT": "0"},
    )
    assert (done.stdout, done.stderr) == ("SwitchToThread 3\n", "")
