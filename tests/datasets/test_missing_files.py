"""What is said of a file or folder that is not there."""

import sys
from pathlib import Path

import pytest

from npae.datasets import read
from npae.datasets.streams import require_existing


def test_what_is_not_there_is_said_to_be_misspelt(tmp_path):
    for name in ("missing.csv", "a:b.npy"):
        with pytest.raises(FileNotFoundError, match=r"does not exist; check its spelling and the folder you are in$"):
            read(tmp_path / name)
    require_existing(tmp_path)


@pytest.mark.parametrize("address", ["https://example.org/a.csv", "s3://bucket/a.npy", "file:///a/b.csv"])
def test_an_address_is_said_to_be_one(address):
    with pytest.raises(FileNotFoundError, match="is an address, but files of this machine are read; download it first"):
        read(address)


def test_the_drive_of_a_path_is_no_address():
    with pytest.raises(FileNotFoundError, match="check its spelling"):
        require_existing(Path("C:/data/a.csv"))


@pytest.mark.skipif(sys.platform == "win32", reason="needs rights to make links there")
@pytest.mark.parametrize("name", ["a.csv", "folder/a.png"])
def test_a_link_to_nothing_is_said_to_be_one(tmp_path, name):
    link = tmp_path / name
    link.parent.mkdir(exist_ok=True)
    link.symlink_to("gone.csv")
    with pytest.raises(FileNotFoundError, match=r"is a link to 'gone.csv', which does not exist; remove the link"):
        read(link if link.suffix == ".csv" else link.parent)
