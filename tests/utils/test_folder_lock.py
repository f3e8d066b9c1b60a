"""The lock of a folder: exclusive among processes and threads, released at their end, named in errors."""

import errno
import importlib.util
import os
import subprocess
import sys
import threading
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from helpers import windows
from helpers.small_models import data_for, unfitted

from npae import Checkpoints
from npae.cli import main
from npae.utils.errors import FolderInUseError
from npae.utils.folder_lock import locked

HOLD = (
    "import sys, time\n"
    "from npae.utils.folder_lock import locked\nwith locked(sys.argv[1]):\n    print('held', flush=True)\n"
)


@contextmanager
def holder(folder: Path, then: str = "time.sleep(600)") -> Iterator["subprocess.Popen[str]"]:
    """Another process that has the lock; it is killed at the end."""
    command = [sys.executable, "-c", f"{HOLD}    {then}", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


def test_a_second_process_is_refused_until_the_first_ends_however_it_ends(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        refusal = rf"the folder .* is in use: process {process.pid} writes into it; wait for its end, or choose another"
        with pytest.raises(FolderInUseError, match=refusal), locked(tmp_path):
            pytest.fail("the lock was given twice")
        with pytest.raises(FolderInUseError, match=refusal):
            unfitted("vanilla").fit(data_for("vanilla"), checkpoints=Checkpoints(tmp_path))
    assert (tmp_path / ".lock").exists()  # a killed process cannot remove it, which does no harm
    with locked(tmp_path):
        assert (tmp_path / ".lock").read_text() == str(os.getpid())
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_of_a_longer_process_number_that_a_killed_process_wrote(tmp_path: Path) -> None:
    (tmp_path / ".lock").write_text("4" * 19)
    with locked(tmp_path):
        assert (tmp_path / ".lock").read_text() == str(os.getpid())


def test_the_command_line_refuses_a_run_that_goes_on_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "x.npy", data_for("vanilla"))
    arguments = ["train", "vanilla", "--data", str(tmp_path / "x.npy"), "--epochs", "1", "--no-verbose", "--out"]
    (tmp_path / "a").mkdir()
    with holder(tmp_path / "a") as process:
        assert main([*arguments, str(tmp_path / "a"), "--batch-size", "8"]) == 2
        (line,) = capsys.readouterr().err.strip().split("\n")
        assert line.startswith("npae train: the folder ")
        assert f"process {process.pid} writes into it" in line
        assert main([*arguments, str(tmp_path / "b"), "--batch-size", "8"]) == 0
    assert main([*arguments, str(tmp_path / "a"), "--batch-size", "8"]) == 0


def test_a_second_thread_of_the_same_process_is_refused(tmp_path: Path) -> None:
    errors: list[Exception] = []

    def second() -> None:
        try:
            with locked(tmp_path):
                pass
        except FolderInUseError as error:
            errors.append(error)

    with locked(tmp_path):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
    assert len(errors) == 1


FORK = """import os
    if os.fork():
        os.wait()
        print("waited", flush=True)
        time.sleep(600)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_does_not_give_back_its_parents_lock(tmp_path: Path) -> None:
    with holder(tmp_path, FORK) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waited\n"
        with pytest.raises(FolderInUseError), locked(tmp_path):
            pytest.fail("the lock was given twice")


def test_a_lock_file_that_its_owner_removed_meanwhile_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import npae.utils.folder_lock

    try_to_lock, times = npae.utils.folder_lock._try_to_lock, []

    def removed_before(descriptor: int) -> None:
        times.append(1)
        if len(times) == 1:
            (tmp_path / ".lock").unlink()
        try_to_lock(descriptor)

    monkeypatch.setattr(npae.utils.folder_lock, "_try_to_lock", removed_before)
    with locked(tmp_path):
        assert len(times) == 2
        monkeypatch.undo()
        with pytest.raises(FolderInUseError), locked(tmp_path):
            pytest.fail("the lock was given twice")


def test_where_a_folder_cannot_be_locked_a_warning_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("npae.utils.folder_lock._try_to_lock", refuse)
    with pytest.warns(UserWarning, match=r"cannot be locked \(No locks available\); take care"), locked(tmp_path):
        pass


def test_a_folder_that_cannot_be_written_cannot_be_locked(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"cannot be written \(.*\); choose another"), locked(tmp_path / "none"):
        pytest.fail("locked")


def test_a_full_disk_can_be_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a run could not even say that its checkpoint cannot be written."""

    def refuse(descriptor: int, content: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", refuse)
    with locked(tmp_path), pytest.raises(FolderInUseError, match="process unknown writes into it"), locked(tmp_path):
        pytest.fail("the lock was given twice")
    assert list(tmp_path.iterdir()) == []


def test_a_drive_with_changing_inode_numbers_gives_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os.path, "samestat", lambda one, other: False)
    sentence = r"cannot be locked \(its drive gives .*\); take care"
    with pytest.warns(UserWarning, match=sentence), locked(tmp_path), pytest.raises(FolderInUseError), locked(tmp_path):
        pytest.fail("the lock was given twice")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not windows.CAN_SIMULATE, reason="the system does not tell which files are open")
def test_the_lock_of_windows_names_its_owner_and_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulated: msvcrt locks bytes from where the file stands, and a file that is open is not removed."""
    import fcntl

    def locking(descriptor: int, mode: int, length: int) -> None:
        assert os.lseek(descriptor, 0, os.SEEK_CUR) >= 2**30
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PermissionError(errno.EACCES, "Permission denied") from None

    msvcrt = types.ModuleType("msvcrt")
    vars(msvcrt).update(locking=locking, LK_NBLCK=2)
    monkeypatch.setitem(sys.modules, "msvcrt", msvcrt)
    windows.simulate(monkeypatch)
    spec = importlib.util.find_spec("npae.utils.folder_lock")
    assert spec is not None
    assert spec.loader is not None
    of_windows = importlib.util.module_from_spec(spec)
    with monkeypatch.context() as platform:
        platform.setattr(sys, "platform", "win32")
        spec.loader.exec_module(of_windows)
    with of_windows.locked(tmp_path):
        refusal = f"process {os.getpid()} writes into it"
        with pytest.raises(FolderInUseError, match=refusal), of_windows.locked(tmp_path):
            pytest.fail("the lock was given twice")
    assert list(tmp_path.iterdir()) == []
