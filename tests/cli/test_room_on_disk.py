"""A disk without room for the model is named after the first epoch of ``npae train``, and no other disk is."""

import shutil
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from npae.cli import main


@pytest.mark.parametrize(("free", "is_said"), [(0, True), (3839, True), (3840, False), (10**9, False)])
def test_a_disk_without_room_for_the_model_is_named_once(
    free: int, is_said: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[Any] = []

    def usage(path: Any) -> Any:
        asked.append(Path(path))
        return SimpleNamespace(free=free)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    np.save(tmp_path / "x.npy", np.random.default_rng(0).random((64, 40), dtype="float32"))
    out = tmp_path / "run"
    command = ["train", "vanilla", "--data", tmp_path / "x.npy", "--code-size", 3, "--epochs", 3, "--out", out]
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert main([str(a) for a in [*command, "--batch-size", 32]]) == 0
    said = capsys.readouterr().err
    assert asked == [out]
    assert said.count("the model will take about 3.75 KiB, but the disk of") == is_said
    assert (
        said.count("make room before the training ends, or interrupt it and give another folder with --out") == is_said
    )
    assert (out / "model.safetensors").exists()
