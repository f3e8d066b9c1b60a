"""What the README and the documentation show is run, on little data."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from npae import datasets
from npae.cli import main
from npae.datasets import Digits, load_digits

ROOT = Path(__file__).parent.parent


def blocks(path: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / path).read_text(), re.DOTALL)


@pytest.fixture
def few_digits(monkeypatch) -> Digits:
    digits = load_digits()
    few = Digits(
        digits.train_images[:300], digits.train_labels[:300], digits.test_images[:150], digits.test_labels[:150]
    )
    monkeypatch.setattr(datasets, "load_digits", lambda: few)
    return few


def run_all(path: str, names: dict) -> dict:
    for block in blocks(path, "python"):
        # Shown with the epochs one would use; tried with one.
        exec(re.sub(r"epochs=\d+", "epochs=1", block).replace("verbose=True", "verbose=False"), names)
    return names


def test_the_readmes_python_runs(few_digits, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    names = run_all("README.md", {})
    assert names["codes"].shape == (150, 16)
    assert names["loss"] > 0
    assert np.allclose(names["encoder"].transform(few_digits.test_images), names["codes"], atol=1e-5)


def test_the_guides_python_runs(few_digits, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    names = run_all("docs/guide.md", {"X": few_digits.test_images})
    assert np.allclose(names["encoder"].transform(few_digits.test_images), names["codes"], atol=1e-5)


def test_the_layer_of_ones_own_has_a_right_gradient():
    names = run_all("docs/reading.md", {})
    x = np.random.default_rng(0).normal(size=(5, 8))
    net = type(names["net"]).from_config(names["net"].config(), [names["Scale"]]).build((8,), dtype="float64")
    net.gradient(x)
    layer = net.encoder.layers[0]
    slope, h = layer.ds[3], 1e-6
    layer.s[3] += h
    above = net.gradient(x)
    layer.s[3] -= 2 * h
    assert (above - net.gradient(x)) / (2 * h) == pytest.approx(slope, rel=1e-6)


def test_the_gradient_checkers_page_runs_and_says_what_is_printed(capsys):
    names = run_all("docs/gradcheck.md", {})
    printed = capsys.readouterr().out
    for line in blocks("docs/gradcheck.md", "text")[0].splitlines():
        # Rounding errors differ from one machine to another.
        assert re.sub(r"error \d.\de-1\d", "error", line) in re.sub(r"error \d.\de-1\d", "error", printed)
    assert "\nKINK WRONG\nno-mask\nencoder.1: Leaky()\n" in printed
    assert names["report"].passed


def test_the_gradient_checkers_page_has_the_real_numbers():
    from npae.gradcheck.bugs import BUGS

    assert f"There are {len(BUGS)} of them" in (ROOT / "docs/gradcheck.md").read_text()


@pytest.mark.parametrize("path", ["README.md", "docs/guide.md", "docs/gradcheck.md"])
def test_the_commands_that_are_shown_run(path, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    np.save("images.npy", np.random.default_rng(0).random((40, 8, 8), dtype="float32"))
    lines = [line for block in blocks(path, "sh") for line in block.splitlines() if line.startswith("npae ")]
    assert lines
    for line in lines:
        command = shlex.split(line.replace("--data digits", "--data images.npy"))[1:]
        if command[0] == "train":
            command += ["--data", "images.npy", "--epochs", "1", "--batch-size", "20", "--no-verbose"]
        assert main(command) == 0, line
