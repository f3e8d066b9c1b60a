"""npae classify: labels of any kind and in any order are learned, kept and given to new samples."""

import csv
import json
import sys

import numpy as np
import pytest
from helpers.files import read_rows, work_beside

import npae
from npae.cli import main
from npae.datasets import load_digits

pytest.importorskip("sklearn")

NAMES = {
    "signs": ["-1", "1"],
    "names with spaces": ["big dog", "tabby cat", "Ärger, groß"],
    "forty persons": [f"person {i}" for i in range(40)],
}
SIDES = ["--train", "train.npy", "--train-labels", "train.csv"]
TEST = ["--test", "test.npy", "--test-labels", "test.csv"]


def groups(k, n, seed):
    """Samples of k groups in the order of the groups, and their numbers: each has a pattern of its own, and noise."""
    numbers = np.sort(np.arange(n) % k)
    patterns = np.random.default_rng(5).random((k, 16))
    x = patterns[numbers] + 0.1 * np.random.default_rng(seed).normal(size=(n, 16))
    return np.clip(x, 0, 1).astype(np.float32), numbers


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """For each kind of names a folder: training, test and new samples with labels, in order, and a model."""
    made = tmp_path_factory.mktemp("classify")
    for kind, names in NAMES.items():
        folder = made / kind
        folder.mkdir()
        for seed, (side, n) in enumerate((("train", 400), ("test", 200), ("new", 120))):
            x, numbers = groups(len(names), n, seed)
            np.save(folder / f"{side}.npy", x)
            with open(folder / f"{side}.csv", "w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows([names[i]] for i in numbers)
        x = np.load(folder / "train.npy")
        for seed, name in enumerate(("m.safetensors", "other.safetensors")):
            model = npae.DeepAutoencoder(hidden=(16,), code_size=8, epochs=15, batch_size=20, random_state=seed)
            model.fit(x).save(folder / name)
    return made


@pytest.fixture
def there(made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def go(kind):
        work_beside(made / kind, tmp_path, monkeypatch)

    return go


def labels_of(path):
    with open(path, newline="", encoding="utf-8") as file:
        return [row[0] for row in csv.reader(file)]


def rows(name="labels.csv"):
    return read_rows(name)


@pytest.mark.parametrize("kind", NAMES)
def test_labels_of_any_kind_are_learned_kept_and_given_to_new_samples(kind, there, capsys):
    there(kind)
    assert (
        main(["classify", "m.safetensors", *SIDES, "--save", "c.safetensors", "--data", "new.npy", "--out", "a.csv"])
        == 0
    )
    k = len(NAMES[kind])
    assert f"a classifier of {k} labels, fitted to 400 samples: c.safetensors" in capsys.readouterr().out
    assert main(["classify", "m.safetensors", "--classifier", "c.safetensors", "--data", "new.npy"]) == 0
    printed = capsys.readouterr().out
    assert "120 samples labelled: labels.csv" in printed
    assert ("and 20 more labels" in printed) == (k == 40)
    assert rows() == rows("a.csv")
    assert [row["index"] for row in rows()] == [str(i) for i in range(120)]
    right = [row["label"] == label for row, label in zip(rows(), labels_of("new.csv"), strict=True)]
    assert np.mean(right) > 0.9
    assert all(1 / k <= float(row["probability"]) <= 1 for row in rows())


@pytest.mark.parametrize("kind", NAMES)
def test_labels_in_order_are_learned_from_few_that_are_drawn_at_random(kind, there, capsys):
    there(kind)
    assert main(["classify", "m.safetensors", *SIDES, *TEST, "--few", "120"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(float(line.split()[2]) > 0.8 for line in lines[1:4])
    drawn = "120 of 400 labels were drawn at random, stratified, with the seeds 0 to 9"
    assert lines[4] == f"{drawn}; the accuracy is the mean of these 10"


def test_a_kept_classifier_labels_without_scikit_learn(there, monkeypatch, capsys):
    there("names with spaces")
    assert main(["classify", "m.safetensors", *SIDES, "--save", "c.safetensors"]) == 0
    for name in [name for name in sys.modules if name.split(".")[0] == "sklearn"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sklearn", None)  # so that an import fails
    assert main(["classify", "m.safetensors", "--classifier", "c.safetensors", "--data", "new.npy"]) == 0
    assert len(rows()) == 120


def test_another_seed_draws_other_labels(there, capsys):
    there("names with spaces")
    printed = set()
    for seed in ("0", "1", "0"):
        assert main(["classify", "m.safetensors", *SIDES, *TEST, "--few", "6", "--seed", seed]) == 0
        printed.add(capsys.readouterr().out)
    assert len(printed) == 2


def test_few_that_are_all_are_said_to_be(there, capsys):
    there("signs")
    assert main(["classify", "m.safetensors", *SIDES, *TEST, "--few", "900"]) == 0
    printed = capsys.readouterr().out
    assert "accuracy, 400 labels" in printed
    assert "all labels were used in both columns, since 400 are not more than 900 (--few)" in printed


@pytest.mark.filterwarnings("default")
def test_fewer_than_the_labels_are_said(there, capsys):
    there("forty persons")
    for few, is_said in (("13", True), ("40", False)):
        assert main(["classify", "m.safetensors", *SIDES, *TEST, "--few", few]) == 0
        error = capsys.readouterr().err
        assert ("npae: 13 samples are fewer than the 40 labels, so 27 labels have none" in error) == is_said


def test_files_of_images_are_named_beside_their_labels(there, tmp_path, capsys):
    image = pytest.importorskip("PIL.Image")
    x, numbers = groups(2, 40, 0)
    for pixels, number, i in zip(x.reshape(-1, 4, 4), numbers, range(40), strict=True):
        folder = tmp_path / "photos" / ("big dog", "cat")[number]
        folder.mkdir(parents=True, exist_ok=True)
        image.fromarray((255 * pixels).astype(np.uint8)).save(folder / f"{i:02}.png")
    model = npae.DeepAutoencoder(hidden=(8,), code_size=4, epochs=5, batch_size=8, random_state=0)
    model.fit(x.reshape(-1, 4, 4)).save("m.safetensors")
    arguments = ["classify", "m.safetensors", "--train", "photos", "--data", "photos/cat", "--out", "x.json"]
    assert main(arguments) == 0
    with open("x.json", encoding="utf-8") as file:
        found = json.load(file)
    assert list(found[0]) == ["index", "file", "label", "probability"]
    assert [row["file"] for row in found] == [f"{i}.png" for i in range(20, 40)]
    assert np.mean([row["label"] == "cat" for row in found]) > 0.9


def test_digits_in_order_are_learned_from_few(there, tmp_path, capsys):
    there("signs")
    digits = load_digits()
    for side in ("train", "test"):
        x, y = (getattr(digits, f"{side}_{what}")[:1000] for what in ("images", "labels"))
        order = np.argsort(y, kind="stable")
        np.save(f"{side}-digits.npy", x[order])
        np.save(f"{side}-labels.npy", y[order])
    model = npae.DeepAutoencoder(hidden=(64,), code_size=8, epochs=4, batch_size=50, random_state=0)
    model.fit(np.load("train-digits.npy")).save("digits.safetensors")
    data = ["--train", "train-digits.npy", "--train-labels", "train-labels.npy"]
    data += ["--test", "test-digits.npy", "--test-labels", "test-labels.npy"]
    assert main(["classify", "digits.safetensors", *data]) == 0
    assert float(capsys.readouterr().out.splitlines()[1].split()[2]) > 0.5  # the first 100 are all zeros: 0.1


def test_the_digits_have_labels_of_their_own(there, capsys):
    there("signs")
    x = load_digits().train_images
    npae.DeepAutoencoder(hidden=(8,), code_size=4, epochs=1, batch_size=500, random_state=0).fit(x).save(
        "d.safetensors"
    )
    assert main(["classify", "d.safetensors", "--train", "digits", "--first", "300", "--save", "c.safetensors"]) == 0
    assert "a classifier of 10 labels, fitted to 300 samples" in capsys.readouterr().out


M = ["m.safetensors"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (M, "--train is missing; give a .npy"),
        (
            [*M, "--train", "train.npy", "--save", "c.safetensors"],
            "--train-labels is missing; give a file with a label",
        ),
        ([*M, *SIDES], "--train train.npy was given without --test; give what is to be measured, too"),
        ([*M, *SIDES, "--out", "x.csv"], "--out is for --data, which is not given; give the samples to label"),
        ([*M, *SIDES, "--save", "x.pkl"], "--save x.pkl does not end in .safetensors; give a .safetensors file"),
        (
            [*M, *SIDES, "--save", "c.safetensors", "--few", "9"],
            "--few is for a comparison, which --test asks for; give",
        ),
        (
            [*M, *SIDES, "--data", "new.npy", "--seed", "9"],
            "--seed is for a comparison, which --test asks for; give both",
        ),
        ([*M, "--classifier", "m.safetensors"], "--classifier was given without --data; give the samples to label"),
        (
            [*M, "--classifier", "m.safetensors", "--data", "new.npy"],
            "m.safetensors is no classifier that this version",
        ),
        ([*M, "--classifier", "none", "--data", "new.npy"], "there is no file none; check the path"),
        (
            [*M, *SIDES, "--classifier", "m.safetensors", "--data", "new.npy"],
            "--train is for fitting, but the one of --classifier is fitted already; leave one of the two out",
        ),
        (
            [*M, "--classifier", "m.safetensors", "--data", "new.npy", "--save", "c.safetensors"],
            "--save is for fitting, but the one of --classifier is fitted already",
        ),
        (
            [*M, "--train", "digits", "--train-labels", "train.csv", "--save", "c.safetensors"],
            "--train-labels was given with --train digits, which have their own; leave it out",
        ),
        (
            [*M, *SIDES[:3], "test.csv", "--save", "c.safetensors"],
            "test.csv holds 200 labels for 400 samples; give one",
        ),
        ([*M, *SIDES[:3], "same.csv", "--save", "c.safetensors"], "a classifier needs two different ones at least"),
    ],
)
def test_a_mistake_in_use_is_one_sentence_and_writes_nothing(arguments, sentence, there, tmp_path, capsys):
    there("signs")
    (tmp_path / "same.csv").write_text("cat\n" * 400)
    before = sorted(tmp_path.iterdir())
    assert main(["classify", *arguments]) == 2
    (line,) = capsys.readouterr().err.strip().split("\n")
    assert sentence in line
    assert sorted(tmp_path.iterdir()) == before


def test_a_classifier_of_another_model_is_refused(there, tmp_path, capsys):
    there("signs")
    assert main(["classify", "m.safetensors", *SIDES, "--save", "c.safetensors"]) == 0
    capsys.readouterr()
    assert main(["classify", "other.safetensors", "--classifier", "c.safetensors", "--data", "new.npy"]) == 2
    assert "c.safetensors was fitted to codes of another model, which mean something else" in capsys.readouterr().err
    assert not (tmp_path / "labels.csv").exists()
