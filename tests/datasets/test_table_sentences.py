"""What is said of a csv that is not read: the reason, and what to do; and when it is not said."""

import numpy as np
import pytest

from npae.datasets import read
from npae.utils.errors import FileFormatError


def refusal(folder, content, **options):
    (folder / "x.csv").write_text(content, encoding="utf-8")
    with pytest.raises(FileFormatError) as caught:
        read(folder / "x.csv", **options)
    return str(caught.value)


def table(folder, content, **options):
    (folder / "x.csv").write_text(content, encoding="utf-8")
    return read(folder / "x.csv", **options).tolist()


@pytest.mark.parametrize(
    ("content", "advice"),
    [
        ("# made by lab\na,b,c\n1,2,3\n", "remove line 1 if it is a comment"),
        ("# made, by\na,b\n1,2\n", "remove line 1 if it is a comment"),
        ("a,b\n1,2\n# note\n3,4\n", "remove the line if it is a comment"),
        ("a,b\n1,2\n# note, more\n3,4\n", "remove the line if it is a comment"),
        ("sep=;\na;b;c;d\n1;2;3;4\n", "remove line 1, in which Excel names the separator"),
        ("sep=,\na,b\n1,2\n", "remove line 1, in which Excel names the separator"),
        ("Report;;\na;b;c\n1;2;3\n", "remove line 1 if it is a title"),
        ("Report\na;b;c\n1;2;3\n", "remove line 1 if it is a title"),
        ("Report\n\na\tb\n1\t2\n", "remove line 1 if it is a title"),
        ("a,b\n1,2\nTotal\n", "remove the line if it is no sample, such as a total or a note"),
        (
            "a,b\n1,2\nTotal,3\n",
            "correct it, remove the line if it is no sample, such as a total or a note, or leave the",
        ),
        ("a,b\n12%,3\n", "a percentage; write numbers alone, such as 12 or 0.12 for 12 %"),
        ("a,b\n\u22121,3\n", "with a dash for a minus; write negative numbers with a hyphen, as -1"),
        ("a,b\n$5,3\n", "an amount of money; write numbers alone"),
        ("a,b\n<0.5,3\n", "a bound or an estimate; write numbers alone"),
        *(
            (f"a,b\n1{mark}000,3\n", "with marks between thousands; write numbers as 1234.5")
            for mark in "'\u2019 \xa0\u2009"
        ),
        ("a|b\n1|2\n", "write commas between the numbers instead of |"),
    ],
)
def test_the_advice_names_what_is_wrong(tmp_path, content, advice):
    assert advice in refusal(tmp_path, content)


@pytest.mark.parametrize("cell", ["NA", "n/a", "NaN", "null", "None", "?", "-", "#N/A", "<NA>"])
def test_a_missing_value_is_called_one_and_placed(tmp_path, cell):
    said = refusal(tmp_path, f"a,b\n1,2\n3,{cell}\n")
    assert f"line 3, column 2 ('b') holds the text '{cell}', which usually stands for a missing value; fill it" in said
    said = refusal(tmp_path, f"{cell},1\n2,3\n")
    assert "give --header if this line names the columns (in Python header=True), else fill it" in said
    assert table(tmp_path, f"{cell},1\n2,3\n", header=True) == [[2, 3]]


@pytest.mark.parametrize(
    "row", ["12%,13%", "\u22121,\u22122", "1'000,2'000", "$5,\u20ac6", "<1,>2", "\u22121,b", "1\xa0000,b"]
)
def test_a_first_line_of_numbers_that_are_written_otherwise_is_not_left_out_as_a_header(tmp_path, row):
    assert "line 1, column 1 holds the text" in refusal(tmp_path, f"{row}\n3,4\n")
    assert table(tmp_path, f"{row}\n3,4\n", header=True) == [[3, 4]]


@pytest.mark.parametrize("row", ["mean,50%", "<60,sum", "a-1,b-2", "5 kg,b", "2024-01,2024-02", "# a,b", "C$,D"])
def test_names_with_such_marks_are_names(tmp_path, row):
    assert table(tmp_path, f"{row}\n3,4\n") == [[3, 4]]


@pytest.mark.parametrize(
    ("content", "unsaid"),
    [
        ("a,b,c\n1,2\n", "remove line 1"),
        ("a,b\n1,2,3\n", "title"),
        ("1,2\n3,4,5\n", "remove"),
        ("a,b\n1,2\n3\n", "total"),
        ("a,b\nx,y\n", "title"),
        ("a,b\n1,x\n", "correct it"),
        ("a,b\n1,inf\n", "missing"),
        ("a,b\n1,x%\n", "percentage"),
        ("a,b\n1,1'00\n", "thousands"),
        ("a,b\n1,x\u2212y\n", "minus"),
        ("a,b\n1,$x\n", "money"),
        ("a,b\n1,<x>\n", "bound"),
        ("a,b\n1,2\nx,#\n", "comment"),
    ],
)
def test_what_does_not_fit_is_not_said(tmp_path, content, unsaid):
    assert unsaid not in refusal(tmp_path, content)


def test_what_is_advised_is_read(tmp_path):
    assert table(tmp_path, "a;b;c;d\n1;2;3;4\n") == [[1, 2, 3, 4]]
    assert table(tmp_path, "a,b\n1,2\n3,4\n") == [[1, 2], [3, 4]]
    assert table(tmp_path, "a,b\n0.12,-1\n1234.5,2\n") == [[0.12, -1], [1234.5, 2]]
    np.testing.assert_array_equal(table(tmp_path, "a,b\nTotal,2\n", drop=["a"]), [[2]])
