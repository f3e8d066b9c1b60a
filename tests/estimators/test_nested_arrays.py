"""Arrays and tables whose cells hold several values each, and tables of pyarrow and pandas with nothing to read."""

import numpy as np
import pytest

import npae
from npae.utils.validation import check_numeric


def nested(kind):
    samples = np.empty(3, object)
    for i in range(3):
        samples[i] = kind([i, 1.0])
    return samples


@pytest.mark.parametrize("kind", [np.array, list, tuple])
def test_an_array_of_arrays_is_refused_with_how_to_join_them(kind):
    X = nested(kind)
    with pytest.raises(
        ValueError, match=r"shape \(3,\) that holds values of type .*; join them: np.stack\(list\(X\)\)$"
    ):
        check_numeric(X, "X")
    assert check_numeric(np.stack(list(X)), "X").shape == (3, 2)


def test_a_cell_that_is_a_list_is_named_with_its_column():
    pandas = pytest.importorskip("pandas")
    X = pandas.DataFrame({"a": [1.0, 2.0], "b": [[1, 2], [3]]})
    with pytest.raises(ValueError, match="type list, not numbers, first in the column 'b'; give each value a column"):
        check_numeric(X, "X")


def test_what_holds_no_sequence_is_still_refused_as_text_or_object():
    with pytest.raises(TypeError, match="are not all numbers"):
        check_numeric(np.full((2, 2), {}), "X")


def test_a_table_without_columns_is_refused_for_that():
    pandas = pytest.importorskip("pandas")
    X = pandas.DataFrame({"a": [1.0, 2.0]})[[]]
    with pytest.raises(ValueError, match="0 feature"):
        npae.VanillaAutoencoder(code_size=1).fit(X)


@pytest.mark.parametrize("kind", ["timestamp", "date32", "duration", "time64"])
def test_dates_in_a_table_of_pyarrow_are_named_with_their_column(kind):
    pyarrow = pytest.importorskip("pyarrow")
    of = {"timestamp": pyarrow.timestamp("s"), "date32": pyarrow.date32(), "duration": pyarrow.duration("s")}
    days = pyarrow.array([1, 2], pyarrow.int32() if kind == "date32" else pyarrow.int64())
    X = pyarrow.table({"when": days.cast(of.get(kind, pyarrow.time64("us"))), "b": [1.0, 2.0]})
    with pytest.raises(TypeError, match="the column 'when' of X holds dates"):
        check_numeric(X, "X")


def test_text_in_a_table_of_pyarrow_is_named_with_its_column():
    pyarrow = pytest.importorskip("pyarrow")
    with pytest.raises(ValueError, match="first in the column 'a'; encode"):
        check_numeric(pyarrow.table({"b": [1.0, 2.0], "a": ["x", "y"]}), "X")
