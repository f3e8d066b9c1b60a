"""What the command line says: names are shown and not sent, one is singular, and a reader that ends is no mistake."""

import ast
import os
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from helpers.paths import ROOT
from helpers.small_models import fitted, samples

from npae.cli import main
from npae.datasets import read_labels

pytestmark = pytest.mark.filterwarnings("always::UserWarning")  # which the command line prints
ESCAPE = "b\033[31m"


@pytest.fixture
def model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fitted("vanilla").save("model.safetensors")
    np.save("x.npy", samples(1, 12))
    return "model.safetensors"


def said(capsys):
    both = capsys.readouterr()
    return both.out + both.err


@pytest.mark.skipif(os.name == "nt", reason="no such names on Windows")
@pytest.mark.parametrize(
    "arguments",
    [
        ["sample", "model.safetensors", "-n", "2", "--out", f"{ESCAPE}.npy"],
        ["encode", "model.safetensors", "--data", "x.npy", "--out", f"{ESCAPE}.csv"],
        ["export", "model.safetensors", "--to", "python", "--out", f"{ESCAPE}.py"],
        ["train", "vanilla", "--data", "x.npy", "--epochs", "1", "--code-size", "2", "--no-verbose", "--out", ESCAPE],
        ["encode", f"{ESCAPE}.safetensors", "--data", "x.npy"],
        ["encode", "model.safetensors", ESCAPE],
        ["train", ESCAPE],
    ],
)
def test_escapes_in_names_are_shown_and_not_sent(model, arguments, capsys):
    with suppress(SystemExit):  # of argparse
        main(arguments)
    text = said(capsys)
    assert "\033" not in text
    assert r"\x1b[31m" in text


def test_all_that_the_command_line_prints_goes_through_one_function():
    printing = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in (ROOT / "npae" / "cli").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert printing == []


def test_one_is_singular(model, capsys):
    main(["sample", model, "-n", "1", "--out", "one.npy"])
    main(["encode", model, "--data", "x.npy"])
    main(["reconstruct", model, "--data", "x.npy", "--out", "rebuilt.npy"])
    main(["train", "vanilla", "--data", "x.npy", "--epochs", "1", "--code-size", "1", "--no-verbose", "--out", "run"])
    main(["info", "run/model.safetensors"])
    main(["encode", "run/model.safetensors", "--data", "x.npy", "--out", "one.csv"])
    text = said(capsys)
    for phrase in (
        "1 sample in one.npy",
        "1 code of 4 values in",
        "1 sample rebuilt in",
        "1 sample is fewer than a batch",
        "after 1 epoch;",
        "trained for 1 epoch, 1 step, seed",
        "1 code of 1 value in",
    ):
        assert phrase in text
    main(["sample", model, "-n", "2", "--out", "two.npy"])
    assert "2 samples in two.npy" in said(capsys)


@pytest.mark.parametrize("option", ["--data", "--out"])
def test_a_name_that_is_empty_is_refused(model, option, capsys):
    given = {"--data": "x.npy", "--out": "z.npy", option: ""}
    assert main(["encode", model, *(word for pair in given.items() for word in pair)]) == 2
    assert f"npae encode: {option} is empty; give" in said(capsys)
    assert not Path("z.npy").exists()
    assert main(["train", "vanilla", "--data", "x.npy", option, ""]) == 2
    assert not Path("model", "runs").exists()


def test_a_file_that_may_not_be_read_is_one_sentence_without_a_number(model, capsys, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied", "x.npy")

    monkeypatch.setattr(Path, "open", refuse)  # the tests may run as root, whom nothing is refused
    assert main(["encode", model, "--data", "x.npy"]) == 2
    assert said(capsys).endswith(": permission denied; check that you may use it, or give another\n")


@pytest.mark.parametrize("arguments", [["info", "model.safetensors"], ["--help"], ["train", "vanilla", "--help"]])
@pytest.mark.skipif(os.name == "nt", reason="no SIGPIPE on Windows")
def test_a_reader_that_ends_is_no_mistake(model, arguments):
    reading, writing = os.pipe()
    os.close(reading)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": ""}
    ended = subprocess.run(
        [sys.executable, "-m", "npae", *arguments], stdout=writing, stderr=subprocess.PIPE, text=True, env=environment
    )
    os.close(writing)
    assert ended.stderr == ""
    assert ended.returncode == 141 or (
        ended.returncode == 0 and "--help" in arguments
    )  # argparse drops the error itself


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        ([0, np.nan, 1, np.nan], "holds nan at index 1, but a label is a whole number or a name"),
        ([0, 1, 1.5, 0], r"holds 1\.5 at index 2, but a label"),
        ([0, 1, 1], "holds 3 labels for 4 samples; give one for each"),
    ],
)
def test_a_label_that_is_no_whole_number_is_named_with_its_place(model, labels, sentence, capsys):
    np.save("x4.npy", samples(4, 12))
    np.save("labels.npy", np.array(labels))
    sides = [word for side in ("train", "test") for word in (f"--{side}", "x4.npy", f"--{side}-labels", "labels.npy")]
    assert main(["cluster", model, *sides]) == 2
    text = said(capsys)
    assert re.search(sentence, text), text


def test_labels_of_bytes_in_a_column_keep_their_values(tmp_path):
    np.save(tmp_path / "labels.npy", np.arange(10, dtype="u1")[:, None])
    assert read_labels(tmp_path / "labels.npy").tolist() == list(range(10))


def test_divide_scales_rows_of_pixels_and_the_hint_names_it(model, capsys):
    np.save("bytes.npy", np.rint(255 * samples(30, 64) / samples(30, 64).max()).astype("u1"))
    train = ["train", "vanilla", "--data", "bytes.npy", "--epochs", "1", "--code-size", "2", "--no-verbose", "--out"]
    assert main([*train, "plain"]) == 0
    assert "which are learned better when they are divided by 255 (--divide 255)" in said(capsys)
    assert main([*train, "scaled", "--divide", "255"]) == 0
    assert "255" not in said(capsys)
    encode = ["encode", "scaled/model.safetensors", "--data", "bytes.npy", "--out"]
    assert main([*encode, "a.npy"]) == 0
    assert "the model was trained to rebuild data in [0, 1]; scale" in said(capsys)
    assert main([*encode, "b.npy", "--divide", "255"]) == 0
    assert "255" not in said(capsys)
    with pytest.raises(SystemExit):
        main([*encode, "c.npy", "--divide", "0"])
