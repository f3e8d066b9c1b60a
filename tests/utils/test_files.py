"""Atomic writes: files are replaced completely or not at all, and errors name the file."""

import errno
import os
import signal
import stat
import subprocess
import sys
import time

import pytest
from helpers import windows
from helpers.paths import ROOT

from npae.utils.files import (
    OLD,
    UNFINISHED,
    atomic_write,
    check_folder,
    check_writable,
    make_folder,
    remove_unfinished,
)


def test_a_link_stays_a_link_and_its_file_is_replaced(tmp_path):
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with atomic_write(tmp_path / "link") as file:
        file.write(b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_pipe_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="no file; give the name of a file"), atomic_write(tmp_path / "pipe"):
        pytest.fail("opened")
    assert (tmp_path / "pipe").is_fifo()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps one bit of the mask only")
def test_a_write_follows_the_mask_for_new_files_and_leaves_it_as_it_is(tmp_path):
    before = os.umask(0o027)
    try:
        with atomic_write(tmp_path / "file") as file:
            file.write(b"new")
        after = os.umask(0o027)
    finally:
        os.umask(before)
    assert after == 0o027
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640


def test_check_writable_raises_what_atomic_write_would_raise(tmp_path):
    check_writable(tmp_path / "new")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(IsADirectoryError, match="is a folder; give the name of a file"):
        check_writable(tmp_path)
    with pytest.raises(FileNotFoundError, match="does not exist; make it"):
        check_writable(tmp_path / "none" / "file")


def test_a_folder_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    def refuse(dir):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    with pytest.raises(OSError, match=r"cannot be written \(Permission denied\); choose another"):
        check_writable(tmp_path / "file")


def test_a_full_disk_raises_one_sentence_and_keeps_the_old_file(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "file").write_text("old")
    monkeypatch.setattr("os.fsync", full)
    sentence = r"^\S*/file cannot be written \(No space left on device\); make room, or choose another path$"
    with pytest.raises(OSError, match=sentence), atomic_write(tmp_path / "file") as file:
        file.write(b"new")
    assert (tmp_path / "file").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_other_errors_are_raised_unchanged(tmp_path):
    with pytest.raises(BrokenPipeError, match="not the disk"), atomic_write(tmp_path / "file"):
        raise BrokenPipeError(errno.EPIPE, "not the disk")


def test_only_temporary_files_of_killed_processes_are_removed(tmp_path):
    for name in (".a.bin.x1", ".b.bin.x2", ".a.txt.x3", "a.bin", ".hidden"):
        (tmp_path / name).touch()
    remove_unfinished(tmp_path, "*.bin")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".a.txt.x3", ".hidden", "a.bin"]


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_a_replaced_file_keeps_its_mode_and_a_new_one_obeys_the_umask(tmp_path, monkeypatch):
    umask = os.umask
    before = umask(0o027)
    try:
        monkeypatch.setattr(os, "umask", lambda mask: pytest.fail("the umask was changed, for all threads"))
        with atomic_write(tmp_path / "file") as file:
            file.write(b"new")
        assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640
        for mode in (0o600, 0o444, 0o755, 0o664):
            (tmp_path / "file").chmod(mode)
            with atomic_write(tmp_path / "file") as file:
                # Nor may those read the unfinished one who may not read the file.
                assert os.fstat(file.fileno()).st_mode & 0o077 & ~mode == 0
            assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == mode
    finally:
        umask(before)


KILLED = """
import os, signal, sys
from npae.utils.files import atomic_write
with atomic_write(sys.argv[1]) as file:
    file.write(b"half")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this is Windows")
def test_what_a_killed_write_left_goes_with_the_next_and_what_is_being_written_stays(tmp_path):
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "a.npy")], cwd=ROOT, check=False)
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".a.npy.")
    assert left.name.endswith(UNFINISHED)
    (tmp_path / ".a.npy.original").write_text("a file of the user's")
    with atomic_write(tmp_path / "a.npy") as one, atomic_write(tmp_path / "a.npy") as other:
        assert not left.exists()
        one.write(b"one")
        other.write(b"other")
    assert (tmp_path / "a.npy").read_bytes() == b"one"  # it was done last
    assert sorted(path.name for path in tmp_path.iterdir()) == [".a.npy.original", "a.npy"]


def test_where_a_system_has_no_locks_what_is_old_was_left(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "fcntl", None)
    for name, age in (("young", 60), ("old", 2 * OLD)):
        path = tmp_path / f".{name}{UNFINISHED}"
        path.touch()
        os.utime(path, (time.time() - age, time.time() - age))
    with atomic_write(tmp_path / "file"):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == [f".young{UNFINISHED}", "file"]


def test_a_name_as_long_as_the_system_allows_is_written(tmp_path):
    path = tmp_path / ("ä" * 127)
    check_writable(path)
    with atomic_write(path) as file:
        file.write(b"new")
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [(path.name, b"new")]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other names for this")
def test_names_too_long_links_in_a_circle_and_links_to_nothing_are_refused(tmp_path):
    (tmp_path / "round").symlink_to("round")
    (tmp_path / "nowhere").symlink_to("missing")
    sentence = r"cannot be written \((File name too long|Too many levels of symbolic links)\); choose another path$"
    for name in ("n" * 300, "round", "round/file"):
        with pytest.raises(OSError, match=sentence):
            check_writable(tmp_path / name)
        with pytest.raises(OSError, match=sentence), atomic_write(tmp_path / name):
            pytest.fail("opened")
        with pytest.raises(OSError, match=sentence):
            check_folder(tmp_path / name / "folder")
    with pytest.raises(FileNotFoundError, match=r"nowhere is a link to .*missing, which does not exist; give another"):
        check_writable(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="nowhere is a link to a folder that does not exist; choose another"):
        check_folder(tmp_path / "nowhere" / "folder")
    (tmp_path / "missing").touch()
    check_writable(tmp_path / "nowhere")


def test_a_folder_is_looked_at_and_not_made(tmp_path):
    check_folder(tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match="file is a file; give a folder"):
        check_folder(tmp_path / "file" / "b")


def test_a_folder_is_made_with_those_above_it(tmp_path):
    assert make_folder(tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match="is a file; give a folder"):
        make_folder(tmp_path / "file")
    with pytest.raises(OSError, match=r"the folder .* cannot be made \(.*\); choose another"):
        make_folder(tmp_path / "file" / "below")


def test_a_file_that_a_virus_scanner_has_open_for_a_moment_is_replaced_after_retries(tmp_path, monkeypatch):
    refused = []

    def is_scanned(path):
        refused.append(path)
        return len(refused) % 5 not in (4, 0)  # three times

    windows.refuse_where(monkeypatch, is_scanned)
    with atomic_write(tmp_path / "file") as file:
        file.write(b"new")
    with pytest.raises(ZeroDivisionError), atomic_write(tmp_path / "file"):
        raise ZeroDivisionError
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("file", b"new")]
    (tmp_path / ".a.bin.x1").touch()
    remove_unfinished(tmp_path, "*.bin")
    assert len(list(tmp_path.iterdir())) == 1


def test_a_file_that_stays_open_raises_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr("npae.utils.files.PATIENCE", 0.1)
    (tmp_path / "file").write_bytes(b"old")
    windows.refuse_where(monkeypatch, lambda path: path.name == "file")
    sentence = r"file cannot be written \(The process .*\); close the program that has it open, or choose another path$"
    with pytest.raises(OSError, match=sentence), atomic_write(tmp_path / "file") as file:
        file.write(b"new")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("file", b"old")]


def test_a_permanent_error_is_not_retried(tmp_path, monkeypatch):
    tried = []

    def refuse(*paths):
        tried.append(paths)
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OSError, match=r"\(Permission denied\); make room"), atomic_write(tmp_path / "file"):
        pass
    assert len(tried) == 1


@pytest.mark.parametrize("is_able", [True, False])
def test_on_macos_the_cache_of_the_disk_is_flushed(tmp_path, monkeypatch, is_able):
    fcntl = pytest.importorskip("fcntl")
    flushed = []

    def flush(descriptor, command):
        flushed.append((os.fstat(descriptor).st_size, command))
        if not is_able:
            raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(fcntl, "F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", flush)
    with atomic_write(tmp_path / "file") as file:
        file.write(b"new")
    assert flushed == [(3, 51)]
    assert (tmp_path / "file").read_bytes() == b"new"


def test_a_system_without_fcntl_writes_files(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "fcntl", None)
    with atomic_write(tmp_path / "file") as file:
        file.write(b"new")
    assert (tmp_path / "file").read_bytes() == b"new"


@pytest.mark.parametrize("code", [errno.EINVAL, errno.ENOTSUP, errno.EACCES])
def test_a_drive_that_supports_neither_folder_flushes_nor_permissions_is_written_to(tmp_path, monkeypatch, code):
    fsync = os.fsync

    def flush(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(code, os.strerror(code))
        fsync(descriptor)

    def refuse(path, mode):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "fsync", flush)
    monkeypatch.setattr(os, "chmod", refuse)
    with atomic_write(tmp_path / "file") as file:
        file.write(b"new")
    assert (tmp_path / "file").read_bytes() == b"new"


def test_an_error_while_flushing_the_folder_is_raised(tmp_path, monkeypatch):
    fsync = os.fsync

    def flush(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EIO, "Input/output error")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", flush)
    with pytest.raises(OSError, match="Input/output error"), atomic_write(tmp_path / "file"):
        pass


@pytest.mark.parametrize("name", ["CON", "nul.safetensors", "com1", "lpt9.npy", "a:b.npy", "run?", "x. ", "end."])
def test_names_that_windows_does_not_allow_are_refused_there(tmp_path, monkeypatch, name):
    for use in (check_writable, make_folder, lambda path: atomic_write(path).__enter__()):
        monkeypatch.setattr("npae.utils.files.IS_WINDOWS", True)
        with pytest.raises(ValueError, match="is no name for a file or folder on Windows; choose one without"):
            use(tmp_path / name)
        assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr("npae.utils.files.IS_WINDOWS", False)
    make_folder(tmp_path / name)


@pytest.mark.parametrize("name", ["..", "console.npy", "a.con", "nulls", "com", "model.safetensors"])
def test_other_names_are_not_refused(tmp_path, monkeypatch, name):
    monkeypatch.setattr("npae.utils.files.IS_WINDOWS", True)
    make_folder(tmp_path / name)
