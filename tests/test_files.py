"""Files are replaced whole, and only files."""

import os

import pytest

from npae.files import check_writable, replacing


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
