"""Labels on the command line, for every verb that takes some: numbers, names, folders, and how many there must be."""

import argparse

import numpy as np
import pytest
from helpers.same_sides import SAME_SIDES
from helpers.small_models import samples

import npae
from npae.cli import main
from npae.cli.sides import add_sides, read_sides
from npae.utils.errors import Hint

pytestmark = SAME_SIDES

N = 24


@pytest.fixture(autouse=True)
def there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", samples(N, 6))


def sides(*arguments, labels=True):
    parser = argparse.ArgumentParser()
    add_sides(parser)
    return read_sides(parser.parse_args(["--train", "x.npy", "--test", "x.npy", *arguments]), labels=labels)


def lines(values, name="y.csv", header=""):
    with open(name, "w", encoding="utf-8") as file:
        file.write(header + "".join(f"{value}\n" for value in values))
    return name


KINDS = {
    "signs": ["-1", "+1"] * (N // 2),
    "names with spaces": ["big dog", "tabby cat"] * (N // 2),
    "many": [f"person {i % 12}" for i in range(N)],
    "numbers that do not begin at 0": ["7", "12", "3"] * (N // 3),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("verb", ["classify", "cluster", "retrieve", "reduce"])
def test_every_verb_takes_labels_of_any_kind(verb, kind, capsys):
    pytest.importorskip("sklearn")
    npae.DeepAutoencoder(code_size=3, hidden=(4,), epochs=1, batch_size=8, random_state=0).fit(np.load("x.npy")).save(
        "m"
    )
    file = lines(KINDS[kind])
    arguments = ["--train", "x.npy", "--test", "x.npy", "--train-labels", file, "--test-labels", file]
    if verb == "reduce":
        pytest.importorskip("matplotlib")
        arguments += ["--out", "map.svg"]
    assert main([verb, "m", *arguments]) == 0
    assert "autoencoder" in capsys.readouterr().out


def test_names_and_numbers_come_as_they_are():
    read = sides("--train-labels", lines(KINDS["signs"]), "--test-labels", lines(KINDS["signs"], "z.txt"))
    assert read.train_labels.tolist() == read.test_labels.tolist() == [-1, 1] * (N // 2)
    file = lines(KINDS["names with spaces"])
    assert sides("--train-labels", file, "--test-labels", file).test_labels.tolist() == KINDS["names with spaces"]


def test_numbers_beside_names_of_the_same_labels_are_names_too():
    names, numbers = lines(["1", "2", "other"] * (N // 3)), lines(["1", "2"] * (N // 2), "z.csv")
    read = sides("--train-labels", names, "--test-labels", numbers)
    assert set(read.train_labels) == {"1", "2", "other"}
    assert set(read.test_labels) == {"1", "2"}


def test_numbers_beside_names_of_other_labels_are_refused():
    names, numbers = lines(["cat", "dog"] * (N // 2)), lines(["1", "2"] * (N // 2), "z.csv")
    with pytest.raises(ValueError, match=r"--test has labels that are numbers, but those of --train are names; give"):
        sides("--train-labels", names, "--test-labels", numbers)


def test_a_first_line_more_than_samples_is_a_name_and_said_to_be():
    file = lines(["cat", "dog"] * (N // 2), header="species\n")
    with pytest.warns(
        Hint, match="y.csv holds 25 lines for 24 samples, so its first, 'species', was taken for the name"
    ):
        read = sides("--train-labels", file, "--test-labels", lines(["cat", "dog"] * (N // 2), "z.csv"))
    assert read.train_labels.tolist() == ["cat", "dog"] * (N // 2)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("0\n" + "1\n" * 24, "holds 25 labels for 24 samples; give one for each, without a header that is a number$"),
        ("1\n" * 23, "holds 23 labels for 24 samples; give one for each$"),
        ("cat\n" + "cat\ndog\n" * 12, "holds 25 labels for 24 samples; give one for each"),
        (",0\n0,1\n1,2\n", "line 1 has 2 columns, but a file of labels has one"),
    ],
)
def test_a_file_of_another_number_of_labels_is_refused(content, sentence):
    with open("y.csv", "w", encoding="utf-8") as file:
        file.write(content)
    with pytest.raises(ValueError, match=sentence):
        sides("--train-labels", "y.csv")
