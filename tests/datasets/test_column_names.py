"""The names of a table's columns, as its reader keeps them."""

import gzip

import numpy as np
import pytest

from npae.datasets import read
from npae.datasets.formats import names_of_values


@pytest.mark.parametrize(
    ("text", "options", "names"),
    [
        ("a, b ,c\n1,2,3\n", {}, ["a", "b", "c"]),
        ("\n\na;b\n1;2\n", {}, ["a", "b"]),
        ("a,b,c\n1,2,3\n", {"drop": ["b"]}, ["a", "c"]),
        ("5,6\n1,2\n", {"header": True}, ["5", "6"]),
        ("1,2\n3,1\n", {}, None),
        ("1,2\n3,1\n", {"header": False}, None),
    ],
)
def test_names_are_those_of_the_columns_that_are_read(text, options, names, tmp_path):
    plain, packed = tmp_path / "t.csv", tmp_path / "t.csv.gz"
    plain.write_text(text, encoding="utf-8")
    packed.write_bytes(gzip.compress(text.encode()))
    for path in (plain, packed):
        assert names_of_values(path, **options) == names
        assert names is None or read(path, **options).shape[1] == len(names)


def test_other_sources_have_no_names(tmp_path):
    np.save(tmp_path / "x.npy", np.ones((2, 2)))
    assert names_of_values(tmp_path / "x.npy") is None
    assert names_of_values("digits") is None
