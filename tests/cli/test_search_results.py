"""npae search hands over what it found: every query, with the files of folders."""

import json

import numpy as np
import pytest
from helpers.files import read_rows

import npae
from npae.cli import main


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model, an array, a folder of the same images, and an index of each."""
    Image = pytest.importorskip("PIL.Image")
    path = tmp_path_factory.mktemp("search")
    images = (np.random.default_rng(0).integers(0, 256, (9, 6, 6)) / 255).astype(np.float32)
    np.save(path / "x.npy", images)
    for i, image in enumerate(images):
        name = path / "images" / "ab c"[i % 2 :: 3] / f"{i}.png"
        name.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.rint(image * 255).astype(np.uint8)).save(name)
    model = npae.DeepAutoencoder(code_size=3, hidden=(8,), epochs=1, batch_size=4, random_state=0, verbose=False)
    model.fit(images).save(path / "model.safetensors")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(path)
        assert main(["index", "model.safetensors", "--data", "x.npy", "--out", "of-array"]) == 0
        assert main(["index", "model.safetensors", "--data", "images", "--out", "of-folder"]) == 0
    return path


@pytest.fixture(autouse=True)
def there(folder, monkeypatch):
    monkeypatch.chdir(folder)


def search(*arguments):
    return main(["search", "model.safetensors", *arguments, "--force"])


def test_a_csv_has_a_row_for_each_result_with_both_files(folder, capsys):
    assert search("of-folder", "images", "-k", "2", "--out", "found.csv") == 0
    assert "18 results of 9 queries in found.csv" in capsys.readouterr().out
    rows = read_rows("found.csv")
    assert list(rows[0]) == ["query", "query_file", "rank", "index", "file", "distance"]
    assert [(int(row["query"]), int(row["rank"])) for row in rows] == [(i, rank) for i in range(9) for rank in (1, 2)]
    assert all(row["file"] == row["query_file"] and row["index"] == row["query"] for row in rows[::2])
    assert all((folder / "images" / row["file"]).is_file() for row in rows)


def test_a_json_of_arrays_names_no_files():
    assert search("of-array", "x.npy", "-k", "1", "--first", "3", "--out", "found.json") == 0
    with open("found.json", encoding="utf-8") as file:
        rows = json.load(file)
    assert [list(row) for row in rows] == [["query", "rank", "index", "distance"]] * 3
    assert [row["index"] for row in rows] == [0, 1, 2]


def test_queries_that_are_left_out_are_told(capsys):
    assert search("of-array", "x.npy") == 0
    assert "the first 5 of 9 queries; choose how many with --first" in capsys.readouterr().out
    assert search("of-array", "x.npy", "--first", "2", "--out", "found.csv") == 0
    assert "the first 2 of 9 queries" in capsys.readouterr().out
    assert search("of-array", "x.npy", "--first", "9") == 0
    assert "queries;" not in capsys.readouterr().out


def test_the_table_fits_the_terminal(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "48")
    assert search("of-folder", "images", "--first", "9") == 0
    assert max(map(len, capsys.readouterr().out.split("\n"))) <= 48


@pytest.mark.parametrize("out", [[], ["--out", "found.csv"]])
def test_data_for_a_picture_is_refused_where_there_is_none(out, capsys):
    assert search("of-array", "x.npy", "--data", "x.npy", *out) == 2
    assert (
        "--data is for the picture that --out draws; give --out a .png, or leave --data out" in capsys.readouterr().err
    )
