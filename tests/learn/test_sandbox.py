"""What a learner's file can do in bubblewrap: compute, and nothing to the grader, the network, the disk or others."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers.classes import laid
from helpers.hostile import HOSTILE
from helpers.paths import ROOT

from npae.cli import main
from npae.learn.catalogue.catalogue import find
from npae.learn.grading.grade import grade
from npae.learn.grading.journal import Journal
from npae.learn.grading.submissions import learners
from npae.learn.sandbox import isolation
from npae.learn.sandbox.process import Limits, Worker

needs_bwrap = pytest.mark.skipif(bool(isolation.why_not()), reason=isolation.why_not())
RIGHT = b"# npae-exercise: dense v1\ndef backward(g, x, W): return g @ W.T, x.T @ g, g.sum(0)\n"


def tried(lines: str, files: dict[str, bytes] | None = None) -> str:
    """What lines of a learner's file print in the sandbox."""
    body = "\n".join("    " + line for line in lines.splitlines())
    source = f"import os, signal, socket, subprocess, sys\ndef f():\n{body}\n    return 1.0\n".encode()
    with Worker(Path("f.py"), Limits(), source, {**(files or {}), "f.py": source}, isolation.BWRAP) as worker:
        result = worker.call("f", [])
    assert result.trouble is None, result.trouble
    return result.printed


def refused(action: str) -> str:
    return f"try: {action}; print('done')\nexcept Exception as error: print('refused', type(error).__name__)"


@needs_bwrap
def test_nothing_of_the_teacher_can_be_read(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("42")
    solution = find("dense").folder / "reference.py"
    paths = (secret, solution, Path("/etc/passwd"), Path("/proc/1/root", *secret.parts[1:]))
    home = os.path.expanduser("~")
    lines = [refused(f"open({str(path)!r}).read()") for path in paths]
    told = tried("\n".join([*lines, f"print(os.path.isdir({home!r}) and os.listdir({home!r}))"])).splitlines()
    assert [line.split()[0] for line in told[: len(paths)]] == ["refused"] * len(paths)
    assert not re.search(r"\.(ssh|bash|config|cache)", told[-1])


@needs_bwrap
def test_the_grader_cannot_be_seen_signalled_or_traced():
    lines = [
        "print(sorted(p for p in os.listdir('/proc') if p.isdigit()))",
        refused(f"os.kill({os.getpid()}, 0)"),
        "os.kill(os.getppid(), signal.SIGKILL)",  # the namespace's first process, which takes no signal from within
        f"import ctypes\nprint(ctypes.CDLL(None).ptrace(16, {os.getpid()}, 0, 0))",
    ]
    assert tried("\n".join(lines)).splitlines() == ["['1', '2']", "refused ProcessLookupError", "-1"]


@needs_bwrap
def test_there_is_no_network(tmp_path):
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        assert "refused" in tried(refused(f"socket.create_connection(('127.0.0.1', {server.getsockname()[1]}), 2)"))


@needs_bwrap
def test_the_disk_cannot_be_written_or_filled():
    paths = ("/x", "/dev/x", "/dev/shm/x", "/usr/x", "/learner/files/x", "/proc/x")
    lines = [refused(f"open({path!r}, 'w').write('x')") for path in paths]
    write = "    while n < 500: open(str(n), 'wb').write(b'x' * (1 << 20)); n += 1"
    fill = f"n = 0\ntry:\n{write}\nexcept OSError: print(n)"
    *told, written = tried("\n".join([*lines, fill])).splitlines()
    assert [line.split()[0] for line in told] == ["refused"] * len(paths)
    assert int(written) <= isolation.WORKING_BYTES >> 20


@needs_bwrap
def test_files_beside_it_can_be_imported_and_others_not(tmp_path):
    assert tried("import helper\nprint(helper.x)", {"helper.py": b"x = 7"}).strip() == "7"
    assert "refused ModuleNotFoundError" in tried(refused("import npae"))


@needs_bwrap
def test_a_signal_that_ends_a_file_is_told_as_without_a_sandbox():
    source = b"import os, signal\ndef f(): os.kill(os.getpid(), signal.SIGSEGV)\ndef g(): os._exit(3)\n"
    for function, said in (("f", "segmentation fault"), ("g", "ended itself with status 3")):
        with Worker(Path("f.py"), Limits(), source, {"f.py": source}, isolation.BWRAP) as worker:
            trouble = worker.call(function, []).trouble
        assert trouble is not None
        assert said in trouble.text


@needs_bwrap
def test_hostile_files_get_their_status_in_the_sandbox_too(tmp_path):
    names = [n for n in HOSTILE if n in ("all descriptors closed", "100 GB", "huge frame", "infinite loop")]
    for name in names:
        source = HOSTILE[name][0]
        laid({"dense.py": source.encode() if isinstance(source, str) else source}, tmp_path / name)
    submissions = [learner.submission(find("dense")) for learner in learners(tmp_path)[0]]
    rows = grade(submissions, Limits(2.0, 512), jobs=2, sandbox=isolation.BWRAP)
    for row in rows:
        assert row.status in HOSTILE[row.learner][1].split(), row
        assert row.sandbox == "bwrap"


@needs_bwrap
def test_no_process_in_a_sandbox_outlives_a_killed_grader_and_the_run_is_resumed(tmp_path):
    endless = b"# npae-exercise: dense v1\nwhile True: pass\n"
    laid({"dense.py": RIGHT}, tmp_path / "class" / "ada")
    laid({"dense.py": endless}, tmp_path / "class" / "ben")
    out, journal = tmp_path / "out.csv", tmp_path / "out.csv.journal"
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(temporary)}
    command = [sys.executable, "-m", "npae", "grade", str(tmp_path / "class"), "--csv", str(out)]
    with subprocess.Popen([*command, "--timeout", "60", "--sandbox", "bwrap"], env=environment) as grader:
        deadline = time.monotonic() + 60
        while '"learner": "ben"' not in (journal.read_text() if journal.exists() else "") or not inside(temporary):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        grader.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 60
    while inside(temporary) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert inside(temporary) == []
    with Journal(journal, resume=True) as read:
        assert {key[0]: entry["sandbox"] for key, entry in read.ended.items()} == {"ada": "bwrap"}
        assert set(read.begun) == {("ben", "dense")}
    laid({"dense.py": RIGHT}, tmp_path / "class" / "ben")
    assert main(["grade", str(tmp_path / "class"), "--csv", str(out), "--resume"]) == 0
    assert out.read_text(encoding="utf-8").count("dense,pass") == 2


def inside(folder: Path) -> list[str]:
    """Command lines of the processes that name this temporary folder, as bubblewrap's do."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if f"{folder}/npae-" in line:
            found.append(line)
    return found


def test_without_bubblewrap_auto_says_so_and_bwrap_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(isolation, "bubblewrap", lambda: "")
    isolation.why_not.cache_clear()
    laid({"dense.py": RIGHT}, tmp_path / "ada")
    try:
        assert main(["grade", str(tmp_path)]) == 0
        assert "npae grade: no sandbox, but limits of time and memory" in capsys.readouterr().err
        assert main(["grade", str(tmp_path), "--sandbox", "bwrap"]) == 2
        assert "--sandbox bwrap is not possible" in capsys.readouterr().err
    finally:
        isolation.why_not.cache_clear()


@pytest.mark.skipif(sys.platform != "linux", reason="bubblewrap is a program of Linux")
def test_a_bubblewrap_that_fails_is_told_with_its_reason(tmp_path, monkeypatch):
    program = tmp_path / "bwrap"
    program.write_text("#!/bin/sh\necho 'no permission for namespaces' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(isolation, "bubblewrap", lambda: str(program))
    for cached in (isolation.why_not, isolation._help):
        cached.cache_clear()
    try:
        assert isolation.chosen("auto") == ("none", "bubblewrap does not run here (no permission for namespaces)")
        assert "--remount-ro /learner/work" in " ".join(isolation.isolated(["x"], tmp_path))  # it knows no --size
    finally:
        for cached in (isolation.why_not, isolation._help):
            cached.cache_clear()
