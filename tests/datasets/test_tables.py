"""Tables that other programs write: read as they are meant, or refused in one sentence that says how to read them."""

import gzip
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npae.datasets import read
from npae.datasets import streams as streams_module
from npae.datasets.table import read_table
from npae.utils.errors import FileFormatError

RNG = np.random.default_rng(0)
X = RNG.random((20, 5))


def written(folder, content, name="x.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def text(x, names=None, *, index=None, mark=","):
    """A table as pandas writes it: names if there are any, and an index before the columns."""
    lines = [] if names is None else [[*([] if index is None else [""]), *map(str, names)]]
    for i, row in enumerate(x.tolist()):
        lines.append([*([] if index is None else [str(index[i])]), *map(repr, row)])
    return "".join(mark.join(line) + "\n" for line in lines)


# --- the index and the names that pandas writes ----------------------------------------------------------------------


@pytest.mark.parametrize("names", [range(5), [f"x{i}" for i in range(5)], np.linspace(400, 1000, 5)], ids=str)
@pytest.mark.parametrize(
    "index", [range(20), RNG.permutation(20), [f"s{i}" for i in range(20)]], ids=["0…", "mixed", "text"]
)
def test_an_index_without_a_name_is_refused_and_left_out_on_request(tmp_path, names, index):
    path = written(tmp_path, text(X, names, index=index))
    with pytest.raises(FileFormatError, match=r"--drop index \(in Python drop=\['index'\]\)"):
        read(path)
    np.testing.assert_array_equal(read(path, drop=["index"]), X)
    np.testing.assert_array_equal(read(path, drop=["index"], header=True), X)


def test_what_pandas_itself_writes_comes_back(tmp_path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X)
    for options, sentence, right in [
        ({}, "index", {"drop": ["index"]}),
        ({"index": False}, "header", {"header": True}),
        ({"header": False}, "index", {"drop": ["index"]}),
        ({"sep": "\t"}, "index", {"drop": ["index"]}),
        ({"compression": "gzip"}, "index", {"drop": ["index"]}),
    ]:
        frame.to_csv(tmp_path / "x.csv", **options)
        with pytest.raises(FileFormatError, match=sentence):
            read(tmp_path / "x.csv")
        np.testing.assert_array_equal(read(tmp_path / "x.csv", **right), X)
    frame.to_csv(tmp_path / "x.csv", index=False, header=False)
    np.testing.assert_array_equal(read(tmp_path / "x.csv"), X)


def test_an_index_that_was_read_and_written_again_is_known(tmp_path):
    path = written(tmp_path, text(np.c_[np.arange(20), X], ["Unnamed: 0", *"abcde"]))
    with pytest.raises(FileFormatError, match="column 1 has no name in the header"):
        read(path)
    assert read(path, drop=[]).shape == (20, 6)
    np.testing.assert_array_equal(read(path, drop=["index"]), X)


@pytest.mark.parametrize("names", ["a,b", "0,1"])
def test_an_index_of_several_levels_is_left_out_as_one(tmp_path, names):
    path = written(tmp_path, f",,{names}\nx,0,0.5,0.25\nx,1,0.75,1.5\n")
    with pytest.raises(FileFormatError, match="--drop index"):
        read(path)
    np.testing.assert_array_equal(read(path, drop=["index"]), [[0.5, 0.25], [0.75, 1.5]])
    with pytest.raises(FileFormatError, match="column 2 has no name in the header"):
        read(path, header=True, drop=["1"] if names == "a,b" else [1])


@pytest.mark.parametrize("name", ["index", "id", "ID", "#"])
@pytest.mark.parametrize("start", [0, 1])
def test_a_column_called_index_that_counts_the_rows_is_refused(tmp_path, name, start):
    counted = text(np.c_[np.arange(20) + start, X], [name, *"abcde"])
    path = written(tmp_path, counted)
    with pytest.raises(FileFormatError, match=f"column 1 \\('{name}'\\) counts the rows from {start}"):
        read(path)
    np.testing.assert_array_equal(read(path, drop=[name]), X)
    assert read(path, drop=[]).shape == (20, 6)
    for other in (
        text(np.c_[np.arange(20) + start, X], ["time", *"abcde"]),
        text(np.c_[X[:, :1], X], [name, *"abcde"]),
    ):
        assert read(written(tmp_path, other)).shape == (20, 6)


def test_a_first_column_that_counts_ten_rows_or_more_is_refused(tmp_path):
    with pytest.raises(FileFormatError, match="column 1 counts the rows from 0 to 9, as an index does"):
        read(written(tmp_path, text(X[:10], index=range(10))))
    np.testing.assert_array_equal(read(tmp_path / "x.csv", drop=["index"]), X[:10])
    np.testing.assert_array_equal(read(tmp_path / "x.csv", drop=["1"]), X[:10])
    assert read(tmp_path / "x.csv", drop=[]).shape == (10, 6)
    for content in (text(X[:9], index=range(9)), text(np.arange(12.0)[:, None]), text(X, index=range(2, 22))):
        read(written(tmp_path, content))


@pytest.mark.parametrize(
    "names",
    [range(5), range(1, 6), np.linspace(400, 1000, 5), np.linspace(1000, 400, 5), [400, 410, 420, 430, 440]],
    ids=str,
)
def test_a_header_of_numbers_is_refused_until_it_is_said_what_it_is(tmp_path, names):
    path = written(tmp_path, text(X, names))
    with pytest.raises(FileFormatError, match=r"line 1 (counts|rises|falls).*--header if.*--no-header if"):
        read(path)
    np.testing.assert_array_equal(read(path, header=True), X)
    np.testing.assert_array_equal(read(path, header=False), np.vstack([np.array(names, float), X]))


def test_a_long_header_of_numbers_in_the_range_of_the_data_is_refused(tmp_path):
    path = written(tmp_path, text(RNG.random((6, 9)), 0.05 + 0.9 * np.linspace(0, 1, 9) ** 2))
    with pytest.raises(FileFormatError, match=r"line 1 rises from 0\.05 to 0\.95"):
        read(path)


@pytest.mark.parametrize(
    "content",
    [
        "0,1\n1,0\n0,0\n",
        "1,2\n3,4\n",
        "0,1,2,3\n4,5,6,7\n8,9,10,11\n",
        "5\n1\n3\n",
        "9\n0\n0\n1\n0\n",
        "0\n1\n0\n",
        "0.1,0.2\n0.3,0.1\n",
        "1,2,3\n",
        "3,1,2\n0.5,0.25,0.5\n",
    ],
)
def test_a_first_line_of_data_is_not_called_a_header(tmp_path, content):
    rows = [list(map(float, line.split(","))) for line in content.splitlines()]
    np.testing.assert_array_equal(read(written(tmp_path, content)), rows)


@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(4, 12), columns=st.integers(1, 12))
def test_tables_of_random_numbers_are_data_throughout(tmp_path_factory, seed, rows, columns):
    x = np.random.default_rng(seed).standard_normal((rows, columns))
    if columns == 1:
        x[0] = x[1]  # of a single column, a first number far from all others is asked about
    np.testing.assert_array_equal(read(written(tmp_path_factory.getbasetemp(), text(x))), x)


@given(
    seed=st.integers(0, 2**32 - 1),
    columns=st.integers(1, 12),
    kind=st.sampled_from(["counted", "wavelengths", "text", "none"]),
    has_index=st.booleans(),
    mark=st.sampled_from(",;\t"),
    compress=st.sampled_from([bytes, gzip.compress]),
)
def test_a_table_comes_back_or_is_refused_by_name_whatever_it_was_written_with(
    tmp_path_factory, seed, columns, kind, has_index, mark, compress
):
    x = np.random.default_rng(seed).random((12, columns))
    names = {
        "counted": range(columns),
        "wavelengths": np.linspace(400.5, 1000, columns),
        "text": [f"name {i}" for i in range(columns)],
        "none": None,
    }[kind]
    content = text(x, names, index=range(12) if has_index else None, mark=mark)
    path = written(tmp_path_factory.getbasetemp(), compress(content.encode()))
    try:
        np.testing.assert_array_equal(read(path), x)
    except FileFormatError as error:
        assert "index" in str(error) or "header" in str(error)  # noqa: PT017
    right = {"header": kind != "none", "drop": ["index"] if has_index else None}
    np.testing.assert_array_equal(read(path, **right), x)


# --- options ---------------------------------------------------------------------------------------------------------


def test_columns_are_left_out_by_name_and_by_number(tmp_path):
    path = written(tmp_path, '"a;b",c d,e\n1,2,setosa\n3,4,virginica\n')
    np.testing.assert_array_equal(read(path, drop=["e"]), [[1, 2], [3, 4]])
    np.testing.assert_array_equal(read(path, drop=["3", "a;b"]), [[2], [4]])
    np.testing.assert_array_equal(read(path, drop=(3, 2)), [[1], [3]])
    for drop, sentence in [
        (["f"], r"no column 'f' to drop; name one of: 'a;b', 'c d', 'e'"),
        (["4"], "no column 4 to drop; give a number from 1 to 3"),
        ([0], "no column 0 to drop"),
        ([1, 2, 3], "none is left"),
        (["index"], "no column 'index'"),
    ]:
        with pytest.raises(FileFormatError, match=sentence):
            read(path, drop=drop)


def test_a_name_that_is_a_number_is_a_name_first(tmp_path):
    path = written(tmp_path, text(X, [2, 1, 3, 4, 5]))
    np.testing.assert_array_equal(read(path, header=True, drop=["1"]), X[:, [0, 2, 3, 4]])
    np.testing.assert_array_equal(read(path, header=True, drop=[1]), X[:, 1:])


def test_a_name_of_two_columns_is_refused_to_be_dropped(tmp_path):
    path = written(tmp_path, text(X, list("aacde")))
    with pytest.raises(FileFormatError, match="2 columns of the name 'a'; drop them by their numbers"):
        read(path, drop=["a"])
    np.testing.assert_array_equal(read(path, drop=["2"]), X[:, [0, 2, 3, 4]])


def test_a_table_without_header_has_no_names_to_drop(tmp_path):
    path = written(tmp_path, "1,2,setosa\n3,4,virginica\n")
    np.testing.assert_array_equal(read(path, drop=["3"]), [[1, 2], [3, 4]])
    with pytest.raises(FileFormatError, match="it has no header, so give the number of the column, from 1"):
        read(path, drop=["species"])


def test_an_index_is_refused_beside_dropped_columns_too(tmp_path):
    path = written(tmp_path, text(np.c_[np.arange(20), X], ["id", *"abcde"]))
    with pytest.raises(FileFormatError, match=r"counts the rows.*--drop id .*or give it another name in the header"):
        read(path, drop=["a"])
    np.testing.assert_array_equal(read(path, drop=["a", "id"]), X[:, 1:])
    path = written(tmp_path, text(X, "abcde", index=range(20)))
    with pytest.raises(FileFormatError, match=r"has no name.*or give it another name in the header"):
        read(path, drop=["a"])


@pytest.mark.parametrize(
    "options",
    [{"header": 0}, {"header": "infer"}, {"header": 1}, {"drop": "a"}, {"drop": 3}, {"drop": [None]}, {"drop": [1.5]}],
)
def test_options_of_other_types_are_refused(tmp_path, options):
    path = written(tmp_path, text(X, "abcde"))
    with pytest.raises(ValueError, match=r"is expected; give (True or False|e\.g\.)"):
        read(path, **options)


@pytest.mark.parametrize("options", [{"header": True}, {"header": False}, {"drop": []}])
def test_options_of_tables_are_refused_for_other_sources(tmp_path, options):
    np.save(tmp_path / "x.npy", X)
    for source in (tmp_path / "x.npy", tmp_path, "digits"):
        with pytest.raises(ValueError, match="is for a csv or tsv; leave it out"):
            read(source, **options)


def test_the_advice_of_a_text_column_can_be_followed(tmp_path):
    path = written(tmp_path, "a,sepal length,species\n1,2,setosa\n")
    with pytest.raises(FileFormatError, match=r"column 3 \('species'\).*leave it out with --drop species \(in Python"):
        read(path)
    path = written(tmp_path, "name\nname\n")
    with pytest.raises(FileFormatError, match="holds the text 'name'"):
        read(path)
    path = written(tmp_path, "day,b\n2024-01-01,1\n")
    with pytest.raises(FileFormatError, match=r"if it is an index leave it out with --drop day \(in Python"):
        read(path)
    np.testing.assert_array_equal(read(path, drop=["day"]), [[1]])
    path = written(tmp_path, "1,x,5\n2,y,6\n")
    with pytest.raises(
        FileFormatError,
        match=r"--header if this line names.*or leave the column out with --drop 2 \(",
    ):
        read(path)
    np.testing.assert_array_equal(read(path, drop=["2"]), [[1, 5], [2, 6]])


# --- what else is in tables ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "row", "columns"),
    [
        ('"a;b",c', "1,2", 2),
        ('"a,b";c', "1;2", 2),
        ("a (x;y),b", "1,2", 2),
        ('"a\tb",c', '"1","2"', 2),
        ('"a ""x;y""",b', "1,2", 2),
        ('"a;\nb",c', "1,2", 2),
        ("a;b,c;d", "1;2;3", 3),
    ],
)
def test_separators_in_quotes_and_names_do_not_separate(tmp_path, header, row, columns):
    np.testing.assert_array_equal(read(written(tmp_path, f"{header}\n{row}\n")), [[1, 2, 3][:columns]])


@pytest.mark.parametrize("content", ["a;b\n1,5;2,5\n", "1,5;2\n3;4\n", '"1,5","2,5"\n', "1,5\t2\n", '"1,234.5",2\n'])
def test_decimal_commas_are_named(tmp_path, content):
    with pytest.raises(
        FileFormatError, match=r"holds the text '1,.*', with a decimal comma, or commas between thousands"
    ):
        read(written(tmp_path, content))


def test_decimal_commas_between_commas_are_suspected_only_there(tmp_path):
    with pytest.raises(FileFormatError, match="4 columns, but line 1 has 2; write decimal points if"):
        read(written(tmp_path, "a,b\n1,5,2,5\n"))
    with pytest.raises(FileFormatError, match="3 columns, but line 1 has 2; give every line as many"):
        read(written(tmp_path, "1,2\n1,5,2\n"))


def test_row_names_of_r_are_named(tmp_path):
    with pytest.raises(
        FileFormatError, match=r"3 columns, but line 1 has 2.*the index, if the first column is one, a name"
    ):
        read(written(tmp_path, "a\tb\n1\t0.5\t0.6\n"))


@pytest.mark.parametrize("content", ["0.5 1.5\n2.5 3.5\n", "1 2 3\n"])
def test_numbers_between_spaces_are_named(tmp_path, content):
    with pytest.raises(FileFormatError, match="write commas between the numbers instead of spaces"):
        read(written(tmp_path, content))


@pytest.mark.parametrize("content", ["True,False\n1,0\n", "?,NA\n1,0\n", "NA,NA\n1,2\n", "1,5;1,6\n3;4\n"])
def test_a_first_line_of_values_that_are_no_numbers_is_not_taken_for_a_header(tmp_path, content):
    with pytest.raises(FileFormatError, match="line 1, column 1 holds the text"):
        read(written(tmp_path, content))


def test_truth_values_and_second_headers_are_named(tmp_path):
    with pytest.raises(FileFormatError, match="write 1 and 0 for true and false"):
        read(written(tmp_path, "a,b\nTrue,1\n"))
    with pytest.raises(FileFormatError, match="remove the line if it is a second header"):
        read(written(tmp_path, "a,a\nx,y\n1,2\n"))
    with pytest.raises(FileFormatError, match="encode the column"):
        read(written(tmp_path, "a,b\nx,1\n1,2\n"))


@pytest.mark.parametrize("content", ["a\n1\n\n3\n", "1\n\n3\n", "a\n\n3\n"])
def test_a_gap_in_a_single_column_is_not_skipped(tmp_path, content):
    with pytest.raises(FileFormatError, match=r"line \d is empty between others, but the table has one column"):
        read(written(tmp_path, content))


def test_a_missing_number_that_pandas_writes_as_quotation_marks_is_not_skipped(tmp_path):
    with pytest.raises(FileFormatError, match=r"line 3, column 1 \('a'\) is empty"):
        read(written(tmp_path, 'a\n1\n""\n3\n'))


def test_blank_lines_around_a_single_column_are_no_matter(tmp_path):
    np.testing.assert_array_equal(read(written(tmp_path, "\n\na\n1\n3\n\n\n")), [[1], [3]])


def test_utf_16_is_named(tmp_path):
    with pytest.raises(FileFormatError, match="UTF-16"):
        read(written(tmp_path, "a,b\n1,2\n".encode("utf-16")))


# --- gzip ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "mark"), [("x.csv.gz", ","), ("x.tsv.gz", "\t"), ("x.CSV.GZ", ";"), ("a.b.csv.gz", ",")]
)
def test_a_compressed_table_comes_back(tmp_path, name, mark):
    content = text(X, list("abcde"), mark=mark).encode()
    np.testing.assert_array_equal(read(written(tmp_path, gzip.compress(content), name)), X)
    np.testing.assert_array_equal(
        read(written(tmp_path, gzip.compress(content[:99]) + gzip.compress(content[99:]), name)), X
    )


def test_a_compressed_table_that_is_cut_or_changed_is_refused(tmp_path):
    content = gzip.compress(text(X).encode(), mtime=0)
    for length in range(0, len(content), 7):
        with pytest.raises(FileFormatError):
            read(written(tmp_path, content[:length], "x.csv.gz"))
    changed = bytearray(content)
    changed[-6] ^= 1
    with pytest.raises(FileFormatError, match="CRC"):
        read(written(tmp_path, bytes(changed), "x.csv.gz"))


def test_a_compressed_table_is_expanded_no_further_than_the_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(streams_module, "MAX_BYTES", 10_000)
    path = written(tmp_path, gzip.compress(b"\n" * 1_000_000), "x.csv.gz")
    with pytest.raises(FileFormatError, match="more than 10,000 characters when it is expanded"):
        read_table(path)
    assert read_table(written(tmp_path, gzip.compress(b"1\n" * 5_000), "x.csv.gz")).shape == (5000, 1)


def test_a_long_line_in_a_compressed_table_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("npae.datasets.table_rows.MAX_LINE", 100)
    with pytest.raises(FileFormatError, match="more than 100 characters"):
        read_table(written(tmp_path, gzip.compress(b"1" * 10_000), "x.csv.gz"))


def test_an_idx_file_called_csv_gz_is_not_read_as_text(tmp_path):
    with pytest.raises(FileFormatError, match=r"UTF-8|text"):
        read(written(tmp_path, gzip.compress(b"\0\0\x08\x01\0\0\0\x02\xff\xfe"), "x.csv.gz"))


def test_numpy_s_own_codes_of_the_command_line_come_back(tmp_path):
    for seed in range(50):
        codes = np.random.default_rng(seed).standard_normal((5, 16)).astype(np.float32)
        file = io.BytesIO()
        np.savetxt(file, codes, delimiter=",", fmt="%.9g")
        np.testing.assert_array_equal(read(written(tmp_path, file.getvalue())).astype(np.float32), codes)


@pytest.mark.parametrize("name", ["0", "400.5"])
def test_a_number_above_a_single_column_of_fractions_may_be_its_name(tmp_path, name):
    path = written(tmp_path, text(X[:, :1], [name]))
    with pytest.raises(FileFormatError, match=r"line 1 (counts the columns from 0|holds 400\.5, far from).*--header"):
        read(path)
    np.testing.assert_array_equal(read(path, header=True), X[:, :1])


def test_blank_lines_do_not_go_on_forever(tmp_path, monkeypatch):
    monkeypatch.setattr("npae.datasets.table_rows.MAX_LINE", 100)
    assert read_table(written(tmp_path, ("\n" * 90 + "1,2\n") * 3)).shape == (3, 2)
    for content in ("\n" * 101, "1,2\n" + "\n" * 101, "1,2\n" + " \r\n" * 50 + "3,4\n"):
        with pytest.raises(FileFormatError, match="more than 100 characters"):
            read_table(written(tmp_path, gzip.compress(content.encode())))


@pytest.mark.parametrize(
    ("content", "advice"),
    [
        ("a|b|c\n1|2|3\n4|5|6\n", r"write commas between the numbers instead of \|$"),
        ("1:2\n3:4\n", "write commas between the numbers instead of colons$"),
        ("1 2\n3 4\n", "write commas between the numbers instead of spaces$"),
        ("sep=;\na;b\n1;2\n3;4\n", "remove line 1, in which Excel names the separator$"),
    ],
)
def test_another_separator_is_named(content, advice, tmp_path):
    (tmp_path / "x.csv").write_text(content, encoding="utf-8")
    with pytest.raises(FileFormatError, match=advice):
        read(tmp_path / "x.csv")


def test_a_single_text_without_a_separator_is_not_said_to_have_one(tmp_path):
    (tmp_path / "x.csv").write_text("a\n1\nb|c\n", encoding="utf-8")
    with pytest.raises(FileFormatError) as caught:
        read(tmp_path / "x.csv")
    assert "write commas" not in str(caught.value)
