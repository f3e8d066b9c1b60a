"""Tables that the command line writes can be read again as they are: with the names of their columns, and exactly."""

import csv
import warnings

import numpy as np
import pytest
from helpers.same_sides import SAME_SIDES

import npae
from npae.cli import main
from npae.datasets import formats
from npae.datasets.named_columns import NamedColumns

X = np.random.default_rng(0).random((40, 3))
NAMES = ["width, in cm", 'the "height"', "mass;kg"]


def save(name, X, *, dtype="auto"):
    model = npae.VanillaAutoencoder(code_size=2, epochs=1, batch_size=20, random_state=0, dtype=dtype).fit(X)
    model.save(name)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("written")
    save(folder / "named.safetensors", NamedColumns.of(X, NAMES))
    save(folder / "exact.safetensors", NamedColumns.of(X, NAMES), dtype="float64")
    save(folder / "years.safetensors", NamedColumns.of(X, ["1990", "2000", "2010"]))
    save(folder / "one.safetensors", NamedColumns.of(X[:, :1], ["mass;kg"]))
    save(folder / "nameless.safetensors", X)
    for name, x in (("x.csv", X), ("few.csv", X[:9])):
        with (folder / name).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, quoting=csv.QUOTE_ALL).writerows([NAMES, *x.tolist()])
    return folder


@pytest.fixture(autouse=True)
def there(folder, monkeypatch):
    monkeypatch.chdir(folder)


def run(*arguments):
    assert main([*map(str, arguments), "--force"]) == 0


def rows_of(name):
    with open(name, newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


@pytest.mark.parametrize("model", ["named", "exact"])
def test_every_verb_that_writes_samples_names_their_columns(model, capsys, tmp_path):
    model = f"{model}.safetensors"
    run("encode", model, "--data", "x.csv", "--out", tmp_path / "codes.csv")
    run("compress", model, "--data", "x.csv", "--out", tmp_path / "x.npaez")
    for verb in (
        ["decode", model, tmp_path / "codes.csv"],
        ["reconstruct", model, "--data", "x.csv"],
        ["sample", model, "-n", "5"],
        ["interpolate", model, "--data", "x.csv"],
        ["decompress", model, tmp_path / "x.npaez"],
    ):
        out = tmp_path / f"{verb[0]}.csv"
        run(*verb, "--out", out)
        run(*verb, "--out", out.with_suffix(".npy"))
        capsys.readouterr()
        assert rows_of(out)[0] == NAMES
        read = formats.read_data(out)
        assert read.X.columns == tuple(NAMES)
        expected = np.load(out.with_suffix(".npy"))
        np.testing.assert_array_equal(read.X.astype(expected.dtype), expected)
        run("encode", model, "--data", out, "--out", tmp_path / "again.npy")
        assert capsys.readouterr().err == ""


def test_codes_of_float64_are_written_with_all_their_digits(tmp_path):
    run("encode", "exact.safetensors", "--data", "x.csv", "--out", tmp_path / "codes.csv")
    run("encode", "exact.safetensors", "--data", "x.csv", "--out", tmp_path / "codes.npy")
    np.testing.assert_array_equal(formats.read_data(tmp_path / "codes.csv").X, np.load(tmp_path / "codes.npy"))


def test_one_column_is_named_whatever_its_name_holds(tmp_path):
    run("sample", "one.safetensors", "-n", "4", "--out", tmp_path / "one.csv")
    assert formats.read_data(tmp_path / "one.csv").X.columns == ("mass;kg",)


def test_a_table_of_a_model_without_names_has_no_header(tmp_path, capsys):
    run("sample", "nameless.safetensors", "-n", "4", "--out", tmp_path / "plain.csv")
    assert len(rows_of(tmp_path / "plain.csv")) == 4
    assert "look like values" not in capsys.readouterr().err


def test_names_that_look_like_values_are_said_to_need_header(tmp_path, capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        run("sample", "years.safetensors", "-n", "4", "--out", tmp_path / "years.csv")
    assert "look like values; give --header where the file is read" in capsys.readouterr().err
    run("encode", "years.safetensors", "--data", tmp_path / "years.csv", "--header", "--out", tmp_path / "codes.npy")
    assert capsys.readouterr().err == ""
    run("sample", "named.safetensors", "-n", "4", "--out", tmp_path / "named.csv")
    assert "look like" not in capsys.readouterr().err


@SAME_SIDES
def test_a_table_of_changed_samples_names_each_column_at_each_strength(tmp_path):
    sides = ["--plus", "few.csv", "--minus", "x.csv", "--data", "x.csv", "--steps", "3"]
    run("attribute", "named.safetensors", *sides, "--out", tmp_path / "changed.csv")
    header, *rows = rows_of(tmp_path / "changed.csv")
    assert header == [f"{name} at {strength}" for strength in ("-1", "0", "1") for name in NAMES]
    assert len(rows) == 40
