"""Files that tests share: a folder made once, seen in a folder of each test's own, and tables that were written."""

import csv
from pathlib import Path

import pytest


def work_beside(folder: Path, own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make ``own`` the working directory, with links to the files of ``folder``."""
    for path in folder.iterdir():
        (own / path.name).symlink_to(path)
    monkeypatch.chdir(own)


def read_rows(path: str | Path) -> list[dict[str, str]]:
    """The rows of a csv file, by the names of its header."""
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
