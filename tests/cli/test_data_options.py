"""How data is read on the command line: --header, --drop, --size, and labels from folders."""

import argparse

import numpy as np
import pytest
from helpers.same_sides import SAME_SIDES

import npae
from npae import datasets
from npae.cli import main
from npae.cli.sides import add_sides, read_sides

pytestmark = SAME_SIDES

RNG = np.random.default_rng(0)
X = RNG.random((24, 6))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Tables, folders of images in folders, and a model for each of the two."""
    folder = tmp_path_factory.mktemp("options")
    quick = {"code_size": 2, "epochs": 1, "batch_size": 8, "random_state": 0}
    npae.VanillaAutoencoder(**quick).fit(X).save(folder / "table.safetensors")
    npae.VanillaAutoencoder(**quick).fit(RNG.random((24, 4, 5), "float32")).save(folder / "images.safetensors")
    np.savetxt(folder / "named.csv", np.c_[X, RNG.random(24)], delimiter=",", header="a,b,c,d,e,f,g h", comments="")
    np.savetxt(folder / "numbered.csv", X, delimiter=",", header="0,1,2,3,4,5", comments="")
    np.save(folder / "x.npy", X)
    return folder


@pytest.fixture(autouse=True)
def there(folder, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "200")  # so that each row of a table is one line


@pytest.fixture(scope="module")
def classes(folder):
    """Two folders of images of two labels, of which every other image is higher by a row."""
    image = pytest.importorskip("PIL.Image")
    for side, n in (("train", 12), ("test", 4)):
        for label in ("cat", "dog"):
            (folder / side / label).mkdir(parents=True)
            for i in range(n):
                pixels = RNG.integers(0, 128, (4 + i % 2, 5), dtype=np.uint8) + np.uint8(100 * (label == "dog"))
                image.fromarray(pixels).save(folder / side / label / f"{i}.png")
    return folder


def sides(*arguments, labels=True):
    parser = argparse.ArgumentParser()
    add_sides(parser)
    return read_sides(parser.parse_args(arguments), labels=labels)


def test_columns_and_headers_are_as_the_options_say(capsys):
    assert main(["encode", "table.safetensors", "--data", "numbered.csv", "--out", "other.npy"]) == 2
    assert "give --header if it names the columns, --no-header if it is data" in capsys.readouterr().err
    for data, options in [
        ("numbered.csv", ["--header"]),
        ("named.csv", ["--drop", "g h"]),
        ("named.csv", ["--drop", "7"]),
    ]:
        assert main(["encode", "table.safetensors", "--data", data, *options, "--out", "z.npy", "--force"]) == 0
        assert np.load("z.npy").shape == (24, 2)
    assert (
        main(["encode", "table.safetensors", "--data", "numbered.csv", "--no-header", "--out", "z.npy", "--force"]) == 0
    )
    assert np.load("z.npy").shape == (25, 2)


def test_drop_may_be_given_several_times_and_without_a_name(capsys):
    np.savetxt(
        "wide.csv", np.c_[np.arange(24), X, X], delimiter=",", header="id," + ",".join("abcdefuvwxyz"), comments=""
    )
    options = ["--drop", "id", "u", "v", "--drop", "w", "x", "y", "z"]
    assert main(["encode", "table.safetensors", "--data", "wide.csv", *options, "--out", "z.npy", "--force"]) == 0
    np.savetxt("counted.csv", np.c_[np.arange(24), X[:, 1:]], delimiter=",")
    assert main(["encode", "table.safetensors", "--data", "counted.csv", "--out", "z.npy", "--force"]) == 2
    assert "or keep it with --drop and no name" in capsys.readouterr().err
    assert main(["encode", "table.safetensors", "--data", "counted.csv", "--out", "z.npy", "--force", "--drop"]) == 0


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--header"], "--header was given with x.npy, but is for a csv or tsv; leave it out"),
        (["--no-header"], "--no-header was given with x.npy, but is for a csv or tsv; leave it out"),
        (["--drop", "a"], "--drop was given with x.npy, but is for a csv or tsv; leave it out"),
        (["--size", "4,5"], "--size was given with x.npy, but is for a folder of images; leave it out"),
    ],
)
def test_an_option_that_no_source_has_a_use_for_is_refused(options, sentence, capsys):
    assert main(["encode", "table.safetensors", "--data", "x.npy", *options, "--force"]) == 2
    assert sentence in capsys.readouterr().err


def test_an_option_goes_to_the_sources_that_have_a_use_for_it():
    read = sides("--train", "named.csv", "--test", "x.npy", "--drop", "g h", labels=False)
    assert read.train.shape == read.test.shape == (24, 6)
    with pytest.raises(ValueError, match="--drop was given with digits, but is for a csv or tsv"):
        sides("--train", "digits", "--drop", "a")


def test_images_of_mixed_sizes_are_resized_as_the_refusal_says(classes, capsys):
    assert main(["encode", "images.safetensors", "--data", "train", "--force"]) == 2
    assert "or have them resized (--size HEIGHT,WIDTH)" in capsys.readouterr().err
    assert main(["encode", "images.safetensors", "--data", "train", "--size", "4,5", "--out", "z.npy", "--force"]) == 0
    assert np.load("z.npy").shape == (24, 2)


@pytest.mark.parametrize("text", ["4", "4x5", "0,5", "4,5,3", "a,b", "-4,5", ""])
def test_a_size_that_is_none_is_refused(text, capsys):
    with pytest.raises(SystemExit):
        main(["encode", "images.safetensors", "--data", "train", f"--size={text}"])
    assert "is not a height and a width, such as 28,28" in capsys.readouterr().err


def test_the_outliers_of_detect_are_read_with_the_same_options(classes, capsys):
    pytest.importorskip("sklearn")
    arguments = ["--train", "train", "--test", "test", "--size", "4,5", "--outliers", "train/dog"]
    assert main(["detect", "images.safetensors", *arguments]) == 0
    assert "train/dog" in capsys.readouterr().out
    np.save("strange.npy", RNG.random((9, 4, 5)))
    assert main(["detect", "images.safetensors", *arguments, "--outliers", "strange.npy"]) == 0


def test_labels_are_the_folders_of_the_images(classes, capsys):
    read = sides("--train", "train", "--test", "test", "--size", "4,5")
    for samples, labels, side in ((read.train, read.train_labels, "train"), (read.test, read.test_labels, "test")):
        assert labels.tolist() == ["cat", "dog"] * (len(samples) // 2)  # one of each in turn
        np.testing.assert_array_equal(samples.mean(axis=(1, 2)) > 0.4, labels == "dog")
        assert datasets.read_labels(side).tolist() == ["cat"] * (len(samples) // 2) + ["dog"] * (len(samples) // 2)
    assert set(sides("--train", "train", "--test", "test", "--size", "4,5", "--first", "4").train_labels) == {
        "cat",
        "dog",
    }
    pytest.importorskip("sklearn")
    arguments = ["--train", "train", "--test", "test", "--size", "4,5"]
    assert main(["classify", "images.safetensors", *arguments, "--few", "6"]) == 0
    assert capsys.readouterr().out.splitlines()[3].split()[-1] == "1.0000"  # raw features tell light from dark


def test_folders_of_numbers_are_labels_of_these_numbers_beside_files_of_labels(tmp_path):
    image = pytest.importorskip("PIL.Image")
    folder = tmp_path / "images"
    for label in ("7", "10"):
        (folder / label).mkdir(parents=True)
        image.fromarray(np.zeros((4, 5), np.uint8)).save(folder / label / "0.png")
    np.save(tmp_path / "labels.npy", [3, 4])
    test = ["--test", str(folder), "--test-labels", str(tmp_path / "labels.npy")]
    read = sides("--train", str(folder), *test)
    assert read.train_labels.tolist() == [10, 7]
    assert read.test_labels.tolist() == [3, 4]
    (folder / "7").rename(folder / "seven")
    with pytest.raises(
        ValueError, match="--test has labels that are numbers, but those of --train are names; give labels of one"
    ):
        sides("--train", str(folder), *test)


def test_names_that_one_side_alone_has_are_kept(tmp_path):
    image = pytest.importorskip("PIL.Image")
    for label in ("train/a", "train/c", "test/b", "test/c"):
        (tmp_path / label).mkdir(parents=True)
        image.fromarray(np.zeros((4, 5), np.uint8)).save(tmp_path / label / "0.png")
    read = sides("--train", str(tmp_path / "train"), "--test", str(tmp_path / "test"))
    assert read.train_labels.tolist() == ["a", "c"]
    assert read.test_labels.tolist() == ["b", "c"]


def test_missing_labels_are_asked_for_as_file_or_folders(classes):
    with pytest.raises(
        ValueError, match=r"--train-labels is missing; give a file.*or images in one folder for each label"
    ):
        sides("--train", "train/cat", "--test", "test", "--size", "4,5")


def test_codes_in_a_table_are_decoded_with_the_same_options():
    assert main(["encode", "table.safetensors", "--data", "x.npy", "--out", "codes.csv"]) == 0
    assert main(["decode", "table.safetensors", "codes.csv", "--out", "decoded.npy"]) == 0
    codes = np.loadtxt("codes.csv", delimiter=",")
    np.savetxt("indexed.csv", np.c_[np.arange(24), codes], delimiter=",", fmt="%.17g")
    assert main(["decode", "table.safetensors", "indexed.csv", "--drop", "index", "--out", "again.npy"]) == 0
    np.testing.assert_array_equal(np.load("again.npy"), np.load("decoded.npy"))


def test_queries_and_data_of_a_search_are_read_with_the_same_options(classes, capsys):
    assert main(["index", "images.safetensors", "--data", "train", "--size", "4,5", "--out", "i.safetensors"]) == 0
    search = ["search", "images.safetensors", "i.safetensors", "test", "-k", "2", "--size", "4,5"]
    assert main([*search, "--data", "train", "--out", "found.png"]) == 0
    assert main([*search[:3], "test/cat", "--size", "4,5"]) == 0
