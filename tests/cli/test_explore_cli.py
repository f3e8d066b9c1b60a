"""npae explore on the command line."""

from pathlib import Path

import numpy as np
import pytest
from helpers.small_models import data_for, fitted, unfitted

from npae.cli import main


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    """A model and its data."""
    fitted("vanilla").save(tmp_path / "<b>.safetensors")
    np.save(tmp_path / "data.npy", data_for("vanilla"))
    return str(tmp_path / "<b>.safetensors"), str(tmp_path / "data.npy")


def test_the_page_is_written_and_its_size_printed(files, tmp_path, capsys):
    model, data = files
    out = tmp_path / "explore.html"
    (tmp_path / "labels.txt").write_text("\n".join(["<i>", "b"] * 12), encoding="utf-8")
    labels = ["--labels", str(tmp_path / "labels.txt")]
    assert main(["explore", model, "--data", data, *labels, "--first", "5", "--out", str(out)]) == 0
    assert "KiB, with the first 5 of 24 samples: open it in a browser" in capsys.readouterr().out
    page = out.read_text(encoding="utf-8")
    assert "<title>&lt;b&gt;: VanillaAutoencoder</title>" in page
    assert "<i>" not in page


def test_float16_makes_the_page_smaller_and_an_existing_one_is_kept_without_force(files, tmp_path, capsys):
    model, data = files
    out = tmp_path / "explore.html"
    command = ["explore", model, "--data", data, "--out", str(out)]
    assert main(command) == 0
    assert main([*command, "--weights", "float16"]) == 2
    assert "exists already" in capsys.readouterr().err
    size = out.stat().st_size
    assert main([*command, "--weights", "float16", "--force"]) == 0
    assert out.stat().st_size < size


def test_the_page_of_a_run_has_the_name_of_its_folder_and_a_conditional_model_needs_labels(tmp_path, capsys):
    X = data_for("variational")
    np.save(tmp_path / "data.npy", X)
    np.save(tmp_path / "labels.npy", np.arange(len(X)) % 3)
    (tmp_path / "my run").mkdir()
    model = unfitted("variational", conditional=True).fit(X, np.arange(len(X)) % 3)
    model.save(tmp_path / "my run" / "model.safetensors")
    out = tmp_path / "explore.html"
    command = ["explore", str(tmp_path / "my run"), "--data", str(tmp_path / "data.npy"), "--out", str(out)]
    assert main(command) == 2
    assert "this model is conditional" in capsys.readouterr().err
    assert main([*command, "--labels", str(tmp_path / "labels.npy")]) == 0
    assert "<title>my run: VariationalAutoencoder</title>" in out.read_text(encoding="utf-8")
