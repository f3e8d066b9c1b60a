"""Texts with labels: no line is left out without a word."""

import pytest

from npae.datasets import read_texts
from npae.utils.errors import FileFormatError


def written(folder, content, name="x.tsv"):
    (folder / name).write_bytes(content.encode())
    return folder / name


def test_texts_and_labels_come_back_in_order(tmp_path):
    expected = (['a "quoted" text', "ein Wörtchen"], ["1", "0"])
    lines = '1\ta "quoted" text\n0\tein Wörtchen\n'
    assert read_texts(written(tmp_path, f"label\ttext\n{lines}")) == expected
    assert read_texts(written(tmp_path, f"label\ttext\r\n{lines}\n\n \n")) == expected
    assert read_texts(written(tmp_path, f"label\ttext\nd\tstring\nclass\t\n{lines}", "x.tab")) == expected


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ("1\ta\n0\n", "line 3: 1 columns"),
        ("1\ta\n0\t\n", "line 3 has an empty text"),
        ("1\ta\n0\t  \n", "line 3 has an empty text"),
        ("1\ta\n\tb\n", "line 3 has an empty label"),
        ("1\ta\n\t\n", "line 3 has an empty label"),
        ("1\ta\n\n0\tb\n", "line 3 is empty"),
        ("1\ta\n \n\n0\tb\n", "line 3 is empty"),
        ("\n1\ta\n", "line 2 is empty"),
    ],
)
def test_a_line_without_label_or_text_is_refused_with_its_number(tmp_path, lines, sentence):
    with pytest.raises(
        FileFormatError, match=f"{sentence}, but a label and a text were expected; correct or remove the line$"
    ):
        read_texts(written(tmp_path, "label\ttext\n" + lines))


def test_a_first_line_that_is_no_header_is_not_left_out(tmp_path):
    with pytest.raises(
        FileFormatError, match=r"line 1 has the label 'spam' that further lines have, too.*put a header above"
    ):
        read_texts(written(tmp_path, "spam\ta\nham\tb\nspam\tc\n"))
