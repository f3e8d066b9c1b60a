"""A grader that is killed leaves neither processes of learners nor their folders."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers.paths import ROOT

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no signal that cannot be caught here")

ENDLESS = """import os
with open({mark!r}, "a") as file:
    print(os.getpid(), file=file)
while True:
    pass
"""
#: Two processes more: a session of its own is not in the worker's group. For the administrator, who may fork.
FORKING = """import os
if os.geteuid() == 0 and os.fork() == 0:
    os.setsid()
"""


def wait_until(holds, seconds: float = 120.0) -> bool:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{process}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


def processes(mark: Path) -> list[int]:
    return [int(line) for line in mark.read_text().split()] if mark.exists() else []


@pytest.mark.parametrize("forking", ["", FORKING])
@pytest.mark.parametrize("guard_too", [False, True])
def test_no_process_and_no_folder_outlives_a_killed_grader(tmp_path, forking, guard_too):
    if guard_too and (forking or sys.platform != "linux"):
        pytest.skip("without its guard only what Linux itself ends is ended")
    mark, temporary = tmp_path / "mark", tmp_path / "tmp"
    temporary.mkdir()
    for name in ("anna", "ben"):
        (tmp_path / "class" / name).mkdir(parents=True)
        (tmp_path / "class" / name / "dense.py").write_text(forking + ENDLESS.format(mark=str(mark)))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(temporary)}
    command = [sys.executable, "-m", "npae", "grade", str(tmp_path / "class"), "-j", "2", "--timeout", "60"]
    command += ["--sandbox", "none"]  # in one they could not write down their numbers
    expected = 4 if forking and os.geteuid() == 0 else 2
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as grader:
        try:
            assert wait_until(lambda: len(processes(mark)) == expected)
            if guard_too:
                for process in guards_of(grader.pid):
                    os.kill(process, signal.SIGKILL)
        finally:
            grader.kill()
    assert wait_until(lambda: not any(map(alive, processes(mark))), 10)
    if not guard_too:
        assert wait_until(lambda: not list(temporary.iterdir()), 10)


def guards_of(parent: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if b"sandbox.guard" in path.read_bytes() and int((path.parent / "stat").read_text().split()[3]) == parent:
                found.append(int(path.parent.name))
        except (OSError, ValueError):
            continue
    assert found
    return found


def test_a_grader_that_ends_by_itself_leaves_no_guard(tmp_path):
    program = (
        "from pathlib import Path\nfrom npae.learn.sandbox import guard\n"
        "from npae.learn.sandbox.process import Worker\n"
        f"with Worker(Path({str(tmp_path / 'f.py')!r}), source=b'def f(): return 1.0') as worker:\n"
        "    print(worker.call('f', []).values[0], guard._process.pid)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", program], env=environment, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    value, guard = done.stdout.split()
    assert value == "1.0"
    assert not alive(int(guard))
    assert list(tmp_path.iterdir()) == []
