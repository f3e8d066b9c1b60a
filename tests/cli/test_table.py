"""Tables that fit the terminal and keep every character."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from npae.cli.tables import table

LETTERS = st.text("ab c", max_size=30)


@pytest.fixture
def terminal(monkeypatch):
    def of(columns):
        monkeypatch.setenv("COLUMNS", str(columns))

    return of


def test_a_table_that_fits_has_a_line_for_each_row(terminal):
    terminal(80)
    assert table(("name", "n", "x"), [("a b", 1200, 0.5), ("c", None, 2.0)]) == (
        "name      n       x\n" + "a b   1,200  0.5000\n" + "c            2.0000"
    )


@given(
    rows=st.lists(st.tuples(LETTERS, st.integers(-(10**6), 10**6), LETTERS), min_size=1), columns=st.integers(24, 70)
)
def test_a_table_is_no_wider_than_the_terminal_and_loses_no_letter(rows, columns):
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("COLUMNS", str(columns))
        text = table(("name", "n", "file"), rows)
    assert max(map(len, text.split("\n"))) <= columns
    for letter in "abc":
        told = sum(cell.count(letter) for row in rows for cell in (row[0], row[2]))
        assert text.split("file", 1)[1].count(letter) == told
    for _, n, _ in rows:
        assert f"{n:,}" in text


def test_without_a_terminal_a_table_has_at_most_80_characters(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr("sys.__stdout__", None)  # as where the output is a file
    assert max(map(len, table(("name", "file"), [("a", "bcd " * 50)]).split("\n"))) <= 80


def test_texts_are_broken_at_spaces_and_words_only_where_that_is_not_enough(terminal):
    terminal(12)
    head = "n  file     "
    assert table(("n", "file"), [("1", "abc def ghi jkl")]).split("\n") == [head, "1  abc def  ", "   ghi jkl  "]
    assert table(("n", "file"), [("1", "abcdefghijklm")]).split("\n") == [head, "1  abcdefghi", "   jklm     "]


def test_a_number_is_never_broken(terminal):
    terminal(5)
    assert "1,234,567" in table(("n", "x"), [("a b c d", 1234567)])


def test_a_name_with_a_line_break_stays_in_its_row(terminal):
    terminal(80)
    assert table(("name",), [("a\nb",)]).split("\n")[1].strip() == r"a\nb"
