"""Streams, JSON, tables and messages where a command prints no table, and where data is in the order of its labels."""

import io
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from fuzzing.seeds import music_model
from helpers.small_models import data_for, fitted

import npae
from npae.cli import main, make_parser
from npae.cli.tables import as_json, say_json, say_table, table
from npae.datasets.music import Layout


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the command runs: a model, its 24 samples, and labels in their order."""
    monkeypatch.chdir(tmp_path)
    fitted("variational").save("m.safetensors")
    np.save("X.npy", data_for("variational"))
    Path("labels.txt").write_text("\n".join("a" if i < 12 else "b" for i in range(24)), encoding="utf-8")
    return tmp_path


def standard_input(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


# Help


def test_no_line_of_the_list_of_verbs_ends_within_a_sentence() -> None:
    lines = [line for line in make_parser().format_help().splitlines() if re.match(r"  [a-z]+ {2,}", line)]
    assert len(lines) > 20
    assert not [line for line in lines if re.search(r"\b(without it|with|or|and|of|a|the)$", line)]


# --json


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(
    "words",
    [
        ["detect", "m.safetensors", "--train", "X.npy", "--data", "X.npy"],
        ["cluster", "m.safetensors", "--data", "X.npy", "--clusters", "2", "--out", "g.csv"],
        ["compress", "m.safetensors", "--data", "X.npy", "--out", "x.npaez"],
    ],
    ids=lambda words: words[0],
)
def test_json_is_an_empty_list_where_there_is_no_table(words: list[str], capsys) -> None:
    if words[0] == "cluster":
        pytest.importorskip("sklearn")
    assert main([*words, "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out) == []
    assert said.err


def test_nothing_is_added_to_other_json(capsys) -> None:
    with as_json():
        say_json({"a": 1})
    assert json.loads(capsys.readouterr().out) == {"a": 1}


def test_what_is_true_or_not_is_so_in_json_and_a_word_in_the_text(capsys) -> None:
    with as_json():
        say_table("a", ("is",), [(np.bool_(True),), (False,)])
    assert json.loads(capsys.readouterr().out) == [{"is": True}, {"is": False}]
    say_table("a", ("is",), [(True,), (False,)])
    assert capsys.readouterr().out.split() == ["is", "yes", "no"]


def test_generate_says_in_json_which_dimensions_are_active(capsys) -> None:
    pytest.importorskip("PIL")
    assert main(["generate", "m.safetensors", "--data", "X.npy", "--draws", "2", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    rows = printed["dimensions"] if isinstance(printed, dict) else printed
    assert {type(row["active"]) for row in rows} == {bool}


# Tables


def test_a_table_whose_header_is_wide_fits_nevertheless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    header = (
        "outliers",
        "reconstruction",
        "mahalanobis",
        "joint",
        "elbo",
        "PCA",
        "Mahalanobis, raw",
        "IsolationForest",
    )
    text = table(header, [("clothes.npy", *[0.5] * 7)])
    assert max(map(len, text.splitlines())) <= 80
    assert text.count("0.5000") == 7


# - for a stream


def test_an_empty_standard_input_is_said_to_be_empty(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    standard_input(b"", monkeypatch)
    assert main(["encode", "m.safetensors", "--data", "-", "--out", "c.npy"]) == 2
    assert "--data - read nothing from standard input" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (["encode", "-", "--data", "X.npy"], "MODEL"),
        (["generate", "m.safetensors", "--data", "X.npy", "--labels", "-"], "--labels"),
        (["train", "deep", "--data", "X.npy", "--out", "-"], "--out"),
        (["search", "m.safetensors", "-", "X.npy"], "INDEX"),
    ],
)
def test_a_stream_in_place_of_anything_but_one_array_is_refused(words: list[str], option: str, capsys) -> None:
    assert main(words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert f": {option} is -, but standard " in said.err
    assert not Path("-").exists()


def test_a_file_that_is_called_like_the_stream_can_be_named(capsys) -> None:
    Path("-").write_bytes(Path("m.safetensors").read_bytes())
    assert main(["info", "./-"]) == 0


@pytest.mark.filterwarnings("default")
def test_one_of_several_names_may_be_standard_input(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    pytest.importorskip("sklearn")
    stream = io.BytesIO()
    np.save(stream, 1 - data_for("variational"))
    standard_input(stream.getvalue(), monkeypatch)
    sides = ["--train", "X.npy", "--test", "X.npy"]
    assert main(["detect", "m.safetensors", *sides, "--outliers", "X.npy", "--outliers", "-", "--json"]) == 0
    assert [row["outliers"] for row in json.loads(capsys.readouterr().out)] == ["X.npy", "standard input", "noise"]
    assert main(["detect", "m.safetensors", *sides, "--outliers", "-", "--outliers", "-"]) == 2
    assert "--outliers is - twice; standard input can be read once only" in capsys.readouterr().err


# Mistakes


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["train", "deep", "--epochs", "x"], "argument --epochs: 'x' is not a whole number"),
        (["sample", "m.safetensors", "-n", "2.5"], "argument -n/--number: '2.5' is not a whole number"),
        (["train", "deep", "--learning-rate", "fast"], "argument --learning-rate: 'fast' is not a number"),
        (["encode", "m.safetensors", "--divide", "x"], "argument --divide: 'x' is not a number"),
        (["sample", "m.safetensors", "-n", "0"], "argument -n/--number: 0 is not a whole number of at least 1"),
    ],
)
def test_a_word_that_is_no_number_is_said_to_be_none(words: list[str], said: str, capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert capsys.readouterr().err.rstrip().endswith(said)


def test_a_folder_without_a_model_is_not_called_missing(capsys) -> None:
    Path("runs").mkdir()
    assert main(["encode", "runs", "--data", "X.npy"]) == 2
    assert "runs is a folder without model.safetensors; give the folder of one npae train" in capsys.readouterr().err
    assert main(["encode", "run", "--data", "X.npy"]) == 2
    assert "there is no file run;" in capsys.readouterr().err


# Data in the order of its labels

HINT = "the first 12 samples of {} have 1 of 2 labels; if they are in the order of their labels"


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("first", ["12", "13"])
@pytest.mark.parametrize("verb", ["retrieve", "explore", "generate"])
def test_a_hint_says_where_the_first_samples_lack_a_label(verb: str, first: str, capsys) -> None:
    pytest.importorskip("PIL")
    words = ["--data", "X.npy", "--labels", "labels.txt"]
    if verb == "retrieve":
        words = ["--train", "X.npy", "--train-labels", "labels.txt", "--test", "X.npy", "--test-labels", "labels.txt"]
        words += ["-k", "3"]
    assert main([verb, "m.safetensors", *words, "--first", first]) == 0
    option = "--train" if verb == "retrieve" else "--data"
    assert (HINT.format(option) in capsys.readouterr().err) is (first == "12")


@pytest.mark.filterwarnings("default")
def test_outliers_are_drawn_from_all_that_were_given(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    from npae.applications import anomaly

    X = data_for("variational")
    np.save("many.npy", np.concatenate([np.zeros_like(X), np.ones_like(X)]))  # in the order of their kinds
    given = {}
    monkeypatch.setattr(anomaly, "compare", lambda model, train, test, found: given.update(found) or {"noise": {}})
    words = ["detect", "m.safetensors", "--train", "X.npy", "--test", "X.npy", "--outliers"]
    assert main([*words, "many.npy"]) == 0
    assert "24 of the 48 outliers in many.npy were drawn at random" in capsys.readouterr().out
    assert given["many.npy"].shape == X.shape
    assert 0 < given["many.npy"].mean() < 1
    assert main([*words, "X.npy"]) == 0
    assert "drawn at random" not in capsys.readouterr().out


def test_bounds_are_of_samples_drawn_from_all_unless_the_first_are_asked_for(monkeypatch, capsys) -> None:
    pytest.importorskip("PIL")
    from npae.applications import generation
    from npae.cli import generate

    monkeypatch.setattr(generate, "JUDGED", 10)
    seen = []
    real = generation.bounds
    monkeypatch.setattr(generation, "bounds", lambda model, X, draws, labels: seen.append(X) or real(model, X, draws))
    X = np.load("X.npy")
    words = ["generate", "m.safetensors", "--data", "X.npy", "--draws", "2", "--force"]
    assert main(words) == 0
    assert ", of 10, drawn at random, of 24 samples\n" in capsys.readouterr().out
    assert len(seen[-1]) == 10
    assert any((x == seen[-1]).reshape(10, -1).all(axis=1).any() for x in X[12:])
    assert main([*words, "--first", "10"]) == 0
    assert ", of the first 10 of 24 samples\n" in capsys.readouterr().out
    np.testing.assert_array_equal(seen[-1], X[:10])
    assert main([*words, "--first", "24"]) == 0
    assert "of 24 samples" not in capsys.readouterr().out


# Music


def test_generate_draws_piano_rolls_of_a_model_of_music(capsys) -> None:
    pytest.importorskip("matplotlib")
    pytest.importorskip("PIL")
    music_model().save("music.safetensors")
    model = npae.load("music.safetensors")
    assert Layout.from_metadata(model.metadata_) is not None
    np.save("bars.npy", np.random.default_rng(0).random((8, *model.network_.input_shape)).astype(np.float32))
    assert main(["generate", "music.safetensors", "--data", "bars.npy", "--out", "drawn"]) == 0
    assert "piano rolls in drawn, bar after bar: " in capsys.readouterr().out
    drawn = {path.name: path.read_bytes() for path in Path("drawn").iterdir()}
    assert set(drawn) == {"samples.png", "walks.png", "traversals.png"}
    assert all(content.startswith(b"\x89PNG") for content in drawn.values())
