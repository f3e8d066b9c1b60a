"""Result files with one row a sample: what was written is read back as it was, by csv, json and pandas."""

import csv
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npae.cli.rows import sample_names, write_rows

TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
ROWS = st.lists(st.tuples(st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXTS, st.booleans()))
HEADER = ("index", "score", "file", "is_anomaly")


@given(ROWS)
def test_a_csv_gives_the_same_numbers_and_names_again(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("rows") / "r.csv"
    write_rows(str(path), HEADER, rows)
    with path.open(encoding="utf-8", newline="") as file:
        header, *found = csv.reader(file)
    assert tuple(header) == HEADER
    assert [(int(i), float(x), name, bool(int(flag))) for i, x, name, flag in found] == rows


@given(ROWS)
def test_a_json_is_a_list_of_objects(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("rows") / "r.json"
    write_rows(str(path), HEADER, rows)
    assert json.loads(path.read_text(encoding="utf-8")) == [dict(zip(HEADER, row, strict=True)) for row in rows]


def test_numbers_of_numpy_are_written_as_those_of_python(tmp_path):
    row = (np.int64(3), np.float32(0.1), np.str_("a b"), np.bool_(True))
    write_rows(str(tmp_path / "r.csv"), HEADER, [row])
    assert (tmp_path / "r.csv").read_text(encoding="utf-8").splitlines()[1] == "3,0.10000000149011612,a b,1"
    write_rows(str(tmp_path / "r.json"), HEADER, [row])
    assert json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))[0]["is_anomaly"] is True


def test_a_name_that_is_not_utf_8_keeps_its_bytes(tmp_path):
    name = b"\xff.png".decode("utf-8", "surrogateescape")
    write_rows(str(tmp_path / "r.csv"), ("file",), [(name,)])
    assert b"\xff.png" in (tmp_path / "r.csv").read_bytes()
    write_rows(str(tmp_path / "r.json"), ("file",), [(name,)])
    assert json.loads((tmp_path / "r.json").read_text(encoding="utf-8")) == [{"file": name}]


def test_json_has_no_nan_and_nothing_is_left_behind(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_rows(str(tmp_path / "r.json"), ("score",), [(math.nan,)])
    assert not any(tmp_path.iterdir())


def test_images_are_named_by_their_files_and_other_data_is_not(tmp_path):
    for name in ("b c/2.png", "a/10.png"):
        (tmp_path / "images" / name).parent.mkdir(parents=True)
        (tmp_path / "images" / name).write_bytes(b"only its name is looked at")
    assert sample_names(str(tmp_path / "images")) == ["a/10.png", "b c/2.png"]
    assert sample_names("digits") is None
    assert sample_names(str(tmp_path / "x.npy")) is None
