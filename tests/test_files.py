"""Files are replaced whole, and only files."""

import errno
import os

import pytest

from npae.utils.files import check_writable, make_folder, remove_unfinished, replacing


def test_a_link_stays_a_link_and_its_file_is_replaced(tmp_path):
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with replacing(tmp_path / "link") as file:
        file.write(b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_pipe_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="no file; give the name of a file"), replacing(tmp_path / "pipe"):
        pytest.fail("opened")
    assert (tmp_path / "pipe").is_fifo()


def test_what_cannot_be_written_is_found_out_before_the_work(tmp_path):
    check_writable(tmp_path / "new")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(IsADirectoryError, match="is no file"):
        check_writable(tmp_path)
    with pytest.raises(FileNotFoundError, match="does not exist; make it"):
        check_writable(tmp_path / "none" / "file")


def test_a_folder_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    def refuse(dir):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    with pytest.raises(OSError, match=r"cannot be written \(Permission denied\); choose another"):
        check_writable(tmp_path / "file")


def test_a_full_disk_is_told_of_in_one_sentence_and_leaves_the_old_file(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "file").write_text("old")
    monkeypatch.setattr("os.fsync", full)
    sentence = r"^\S*/file cannot be written \(No space left on device\); make room, or choose another path$"
    with pytest.raises(OSError, match=sentence), replacing(tmp_path / "file") as file:
        file.write(b"new")
    assert (tmp_path / "file").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_an_error_of_another_kind_stays_what_it_is(tmp_path):
    with pytest.raises(BrokenPipeError, match="not the disk"), replacing(tmp_path / "file"):
        raise BrokenPipeError(errno.EPIPE, "not the disk")


def test_what_a_killed_process_left_is_removed_and_nothing_else(tmp_path):
    for name in (".a.bin.x1", ".b.bin.x2", ".a.txt.x3", "a.bin", ".hidden"):
        (tmp_path / name).touch()
    remove_unfinished(tmp_path, "*.bin")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".a.txt.x3", ".hidden", "a.bin"]


def test_a_folder_is_made_with_those_above_it(tmp_path):
    assert make_folder(tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match="is a file; give a folder"):
        make_folder(tmp_path / "file")
    with pytest.raises(OSError, match=r"the folder .* cannot be made \(.*\); choose another"):
        make_folder(tmp_path / "file" / "below")
