"""Cells of tables that other programs write: long identifiers, failed computations, zero bytes, a last separator."""

import numpy as np
import pytest
from npae.errors import FileFormatError

from npae.datasets import read


def table(tmp_path, text: str | bytes):
    path = tmp_path / "t.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    "number", ["9007199254740993", "-9007199254740993", "+1700000000123456789", " 90071992547409931 "]
)
def test_a_whole_number_that_would_be_rounded_is_refused_with_its_place(tmp_path, number):
    path = table(tmp_path, f"id,b\n1,2\n{number},4\n")
    with pytest.raises(
        FileFormatError, match=r"line 3, column 1 \('id'\) holds the whole number .*; leave .* --drop id"
    ):
        read(path)
    assert np.array_equal(read(path, drop=["id"]), [[2], [4]])


@pytest.mark.parametrize(
    "number", ["9007199254740992", "18014398509481984", "10000000000000000000", "9007199254740993.5", "1e19"]
)
def test_a_large_number_that_is_not_rounded_or_no_whole_one_is_read(tmp_path, number):
    assert read(table(tmp_path, f"id,b\n1,2\n{number},4\n"))[1, 0] == float(number)


@pytest.mark.parametrize("cell", ["#DIV/0!", "#REF!", "1.#QNAN", "-1.#IND", "-nan(ind)"])
def test_a_failed_computation_is_no_comment_and_no_text(tmp_path, cell):
    with pytest.raises(
        FileFormatError, match=r"line 2, column 1 holds .*, which is not a finite number; replace it or"
    ):
        read(table(tmp_path, f"1,2\n{cell},4\n"))


def test_zero_bytes_are_said_to_be_those_of_utf_16(tmp_path):
    with pytest.raises(FileFormatError, match="with zero bytes, as UTF-16 text has them; save the file as UTF-8"):
        read(table(tmp_path, "a,b\n1.5,2\n3,4\n".encode("utf-16-le")))


def test_a_separator_at_the_end_of_each_line_is_left_out_as_the_sentence_says(tmp_path):
    path = table(tmp_path, "1,2,\n3,4,\n")
    with pytest.raises(FileFormatError, match=r"every line ends in a separator leave out the column with --drop 3 \("):
        read(path)
    assert np.array_equal(read(path, drop=[3]), [[1, 2], [3, 4]])


def test_a_gap_before_the_last_column_is_no_last_separator(tmp_path):
    with pytest.raises(FileFormatError, match=r"fill the gap or leave out the line$"):
        read(table(tmp_path, "1,2,3\n4,,6\n"))
