"""Points that may stand between thousands are told where nothing in the table shows that they are decimal points."""

import warnings

import pytest

from npae import datasets
from npae.utils.errors import FileFormatError, Hint


def written(tmp_path, text):
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("text", ["1.234;2.000\n3.500;1.250\n", "a;b\n0;1.234\n-2.000;999\n"])
def test_points_that_may_stand_between_thousands_are_said_to_be_read_as_decimal_points(tmp_path, text):
    with pytest.warns(Hint, match=r"is read with decimal points: 1\.234 is not 1234; .*, write 1234$") as said:
        x = datasets.read(written(tmp_path, text))
    assert 1.234 in x
    assert said[0].filename == __file__


@pytest.mark.parametrize(
    "text",
    [
        "0.234;2.000\n3.500;1.250\n",  # nothing begins with a zero before thousands
        "1.234;2.00\n3.500;1.250\n",
        "1.234;2.000\n3500;1.250\n",  # a thousand without a point
        "1.234;2.000\n1e3;1.250\n",
        "1.234,2.000\n3.500,1.250\n",  # commas between cells: points are decimal
        "1;2\n3;5\n",
    ],
)
def test_nothing_is_said_of_points_that_a_table_shows_to_be_decimal(tmp_path, text):
    with warnings.catch_warnings(action="error"):
        datasets.read(written(tmp_path, text))


def test_a_number_with_two_points_is_said_to_have_marks_between_thousands(tmp_path):
    with pytest.raises(FileFormatError, match=r"'1\.234\.567', with marks between thousands; write numbers as"):
        datasets.read(written(tmp_path, "a;b\n1.234.567;2.000\n"))
