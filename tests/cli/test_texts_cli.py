"""npae texts: compare, keep and label; every combination of options that cannot be is refused in one sentence."""

import csv
import json

import numpy as np
import pytest
from helpers.files import read_rows, work_beside
from helpers.same_sides import SAME_SIDES

from npae.cli import main

pytestmark = SAME_SIDES

pytest.importorskip("sklearn")

SUBJECTS = {"grain trade": "wheat corn harvest bushel acre", "money": "bank rate dollar loan credit"}


def mails(n, seed):
    """Texts and labels, in the order of the labels."""
    rng = np.random.default_rng(seed)
    labels = [list(SUBJECTS)[2 * i // n] for i in range(n)]
    return [" ".join(rng.choice(SUBJECTS[label].split(), 4)) for label in labels], labels


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("texts")
    for side, seed in (("train", 0), ("test", 1)):
        lines = list(zip(*mails(80, seed), strict=True))
        with open(folder / f"{side}.csv", "w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("text", "label"), *lines])
        (folder / f"{side}.tsv").write_text("label\ttext\n" + "".join(f"{label}\t{text}\n" for text, label in lines))
        (folder / f"{side}.tab").write_text(
            "Category\tText\nd\tstring\nclass\t\n" + "".join(f"{label}\t{text}\n" for text, label in lines)
        )
        for i, (text, label) in enumerate(lines):
            (folder / side / label).mkdir(parents=True, exist_ok=True)
            (folder / side / label / f"{i:03}.txt").write_text(text)
    (folder / "new.txt").write_text("".join(f"{text}\n" for text in mails(20, 2)[0]))
    return folder


@pytest.fixture(autouse=True)
def there(made, tmp_path, monkeypatch):
    work_beside(made, tmp_path, monkeypatch)


def rows(name="labels.csv"):
    return read_rows(name)


@pytest.mark.parametrize(("train", "test"), [("train.tsv", "test.tab"), ("train.csv", "test"), ("train", "test.csv")])
def test_texts_of_every_kind_are_compared(train, test, capsys):
    assert main(["texts", train, test, "--code-size", "2", "--few", "10"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "80 texts to learn from, 80 to test, 2 labels"
    assert lines[1].split() == ["features", "values", "accuracy,", "10", "labels", "accuracy,", "all", "labels"]
    assert all(float(line.split()[-1]) > 0.9 for line in lines[2:5])
    assert lines[5] == (
        "10 of 80 labels were drawn at random, stratified, with the seeds 0 to 9; the accuracy is the mean of these 10"
    )


def test_what_was_learned_is_kept_and_labels_new_texts_as_at_once(capsys):
    assert main(["texts", "train", "--code-size", "2", "--save", "kept", "--data", "new.txt", "--out", "once.csv"]) == 0
    assert "what was learned is in kept" in capsys.readouterr().out
    assert main(["texts", "--model", "kept", "--data", "new.txt"]) == 0
    assert "20 samples labelled: labels.csv" in capsys.readouterr().out
    assert rows() == rows("once.csv")
    assert [row["label"] for row in rows()] == mails(20, 2)[1]
    assert list(rows()[0]) == ["index", "label", "probability"]
    assert main(["texts", "--model", "kept", "--data", "test", "--out", "named.json"]) == 0
    with open("named.json", encoding="utf-8") as file:
        first = json.load(file)[0]
    assert (first["index"], first["file"], first["label"]) == (0, "grain trade/000.txt", "grain trade")
    assert main(["encode", "kept/model.safetensors", "--data", "train.csv"]) == 2  # a model of vectors, not of texts


def test_texts_without_a_known_word_are_said_and_others_are_not(capsys):
    assert main(["texts", "train.csv", "--code-size", "2", "--save", "kept"]) == 0
    with open("odd.txt", "w", encoding="utf-8") as file:
        file.write("wheat\nquantum physics\nbank\nentropy\n")
    capsys.readouterr()
    assert main(["texts", "--model", "kept", "--data", "odd.txt"]) == 0
    sentence = "2 texts without any word that the model knows, the first at index 1: the label is that of an empty text"
    assert sentence in capsys.readouterr().out
    assert main(["texts", "--model", "kept", "--data", "new.txt", "--out", "n.csv"]) == 0
    assert "without any word" not in capsys.readouterr().out


def test_columns_and_encoding_go_to_the_sources_that_have_a_use_for_them(capsys):
    with open("latin.csv", "wb") as file:
        lines = "".join(f"{label},{text} caf\xe9\n" for text, label in zip(*mails(60, 3), strict=True))
        file.write(b"v1,v2\n" + lines.encode("latin-1"))
    options = ["--text-column", "v2", "--label-column", "v1", "--encoding", "latin-1", "--code-size", "2"]
    assert main(["texts", "latin.csv", "--data", "new.txt", *options]) == 0
    assert "60 texts to learn from, 2 labels" in capsys.readouterr().out
    assert len(rows()) == 20


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "TRAIN is missing; give texts to learn from, or --model"),
        (["train.csv"], "TRAIN was given alone; give TEST to measure, --save to keep what is learned, or --data"),
        (["train.csv", "--out", "x.csv"], "--out is for --data, which is not given; give the texts to label"),
        (["train.csv", "--save", "m", "--few", "5"], "--few is for the comparison, which TEST asks for; give both"),
        (["train.csv", "--save", "m", "--seed", "5"], "--seed is for the comparison, which TEST asks for; give both"),
        (["--model", "m"], "--model was given without --data; give the texts to label"),
        (
            ["train.csv", "--model", "m", "--data", "new.txt"],
            "TRAIN train.csv is for learning, but --model has learned",
        ),
        (
            ["--model", "m", "--data", "new.txt", "--code-size", "4"],
            "--code-size is for learning, but --model has learned",
        ),
        (
            ["--model", "m", "--data", "new.txt", "--save", "n"],
            "--save is for learning, but --model has learned already",
        ),
        (
            ["--model", "none", "--data", "new.txt"],
            "there is no file none/model.safetensors; give a folder that npae texts",
        ),
        (
            ["train", "test", "--text-column", "a"],
            "--text-column was given with train, test, but is for a .csv or .tsv",
        ),
        (["train", "test", "--no-header"], "--no-header was given with train, test, but is for a .csv or .tsv; leave"),
        (
            ["--model", "m", "--data", "new.txt", "--text-column", "a"],
            "--text-column was given with new.txt, but is for",
        ),
        (["train.csv", "test.csv", "--text-column", "body"], "has no column 'body'; give one of: 'text', 'label'"),
        (
            ["train.csv", "test.csv", "--encoding", "x"],
            "--encoding is 'x', but Python has no such encoding; exp",
        ),
        (["train.csv", "test.csv", "--text-column", "label"], "given as --text-column and as --label-column; give"),
        (["train.csv", "test.csv", "--label-column", "1"], "given as --text-column and as --label-column; give"),
        (["train.csv", "--data", "new.txt", "--out", "x.txt"], "--out x.txt does not end in .csv or .json"),
    ],
)
def test_a_mistake_in_use_is_one_sentence_and_writes_nothing(arguments, sentence, capsys, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    assert main(["texts", *arguments]) == 2
    (line,) = capsys.readouterr().err.strip().split("\n")
    assert sentence in line
    assert sorted(tmp_path.rglob("*")) == before


def test_a_seed_that_is_none_is_refused(capsys):
    with pytest.raises(SystemExit):
        main(["texts", "train.csv", "test.csv", "--seed", "-1"])
    assert "-1 is not a whole number of at least 0" in capsys.readouterr().err
