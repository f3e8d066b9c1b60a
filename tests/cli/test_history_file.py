"""history.csv has a row for each epoch as soon as it is over, whatever the disk and the process do."""

import csv
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from helpers.small_models import samples

import npae
from npae.cli import main
from npae.cli.history_file import HistoryFile
from npae.training.run import TrainingRun


def history(n: int, **columns: float) -> dict[str, list[float]]:
    return {"loss": [1 / (epoch + 1) for epoch in range(n)], **{name: [value] * n for name, value in columns.items()}}


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def is_that(path: Path, expected: dict[str, list[float]]) -> bool:
    rows = read(path)
    found = {name: [float(row[name]) for row in rows] for name in rows[0] if name != "epoch"}
    return [row["epoch"] for row in rows] == [str(n + 1) for n in range(len(rows))] and found == expected


def test_each_epoch_adds_a_row_to_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    file = HistoryFile(path)
    for n in range(1, 6):
        file.write(history(n))
        assert is_that(path, history(n))
        if n == 1:
            number = path.stat().st_ino
    assert path.stat().st_ino == number
    file.write(history(5))
    assert is_that(path, history(5))
    assert list(tmp_path.iterdir()) == [path]


def test_a_run_that_goes_on_neither_loses_nor_doubles_a_row(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    HistoryFile(path).write(history(7))  # killed after its seventh epoch, and its checkpoint is that of the fifth
    file = HistoryFile(path)
    for n in (6, 7, 8):
        file.write(history(n))
        assert is_that(path, history(n))


def test_a_file_that_was_changed_or_removed_meanwhile_is_written_anew(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    file = HistoryFile(path)
    file.write(history(2))
    path.unlink()
    file.write(history(3))
    assert is_that(path, history(3))
    path.write_text("notes")
    file.write(history(4))
    assert is_that(path, history(4))
    file.write(history(5, kl=2.0))  # a column more
    assert is_that(path, history(5, kl=2.0))


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits")
def test_a_full_disk_is_said_once_and_the_rows_follow_once_there_is_room(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    path = tmp_path / "history.csv"
    file = HistoryFile(path)
    file.write(history(3))
    before, limits = path.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    for room in (0, 5):  # none at all, and for a part of a row
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + room, limits[1]))
        try:
            with warnings.catch_warnings(record=True) as said:
                warnings.simplefilter("always")
                file.write(history(4))
                file.write(history(5))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        expected = [f"{path} lacks epoch 4 (File too large); training goes on, and each later epoch tries again"]
        assert [str(w.message) for w in said] == (expected if room == 0 else [])
        assert path.read_bytes() == before
        assert not file.is_complete
    file.write(history(6))
    assert is_that(path, history(6))
    assert file.is_complete


def test_a_disk_that_is_full_from_the_beginning_ends_no_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "x.npy", samples(30, 8))
    whole = tmp_path / "run" / "history.csv"
    whole.mkdir(parents=True)  # nothing can be written in its place
    monkeypatch.setattr("npae.cli.paths._check", lambda args: None)
    quick = ["--epochs", "2", "--batch-size", "20", "--no-verbose", "--code-size", "2", "--out", str(tmp_path / "run")]
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert main(["train", "vanilla", "--data", str(tmp_path / "x.npy"), *quick]) == 0
    printed = capsys.readouterr()
    assert printed.err.count("lacks epoch 1") == 1
    assert "model.safetensors\n" in printed.out  # and no word of a history
    assert npae.load(tmp_path / "run" / "model.safetensors").n_iter_ == 2


def test_the_command_writes_a_row_before_the_next_epoch_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.save(tmp_path / "x.npy", samples(30, 8))
    path, seen = tmp_path / "run" / "history.csv", []
    run_epoch = TrainingRun._epoch

    def watched(self: TrainingRun, *arguments: object) -> None:
        seen.append(len(read(path)) if path.exists() else 0)
        run_epoch(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(TrainingRun, "_epoch", watched)
    arguments = ["--epochs", "4", "--batch-size", "20", "--no-verbose", "--code-size", "2", "--out", str(path.parent)]
    assert main(["train", "vanilla", "--data", str(tmp_path / "x.npy"), *arguments]) == 0
    assert seen == [0, 1, 2, 3]
    assert is_that(path, npae.load(path.parent / "model.safetensors").history_)
