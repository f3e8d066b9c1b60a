"""Texts with labels: no line is left out without a word."""

import pytest

from npae.cli import main
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
    for blank in ("", "\n", "\r\n \n"):
        assert read_texts(written(tmp_path, f"label\ttext\nd\tstring\nclass\t\n{blank}{lines}", "x.tab")) == expected
        assert read_texts(written(tmp_path, f"label\ttext\n{blank}{lines}")) == expected


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
    ],
)
def test_a_line_without_label_or_text_is_refused_with_its_number(tmp_path, lines, sentence):
    with pytest.raises(
        FileFormatError, match=f"{sentence}, but a label and a text were expected; correct or remove the line$"
    ):
        read_texts(written(tmp_path, "label\ttext\n" + lines))


ORANGE = "Category\tText\nd\tstring\nclass\t\n"


@pytest.mark.parametrize("name", ["x.tsv", "x.tab"])
@pytest.mark.parametrize(
    "head",
    ["label\ttext\n", "Class\tMessage\n", ORANGE, "c\tt\na b c\tstring\nclass\tmeta;include=True\n"],
)
def test_a_header_of_usual_names_or_of_orange_is_known(tmp_path, head, name):
    path = written(tmp_path, f"{head}spam\tfoo bar\nham\tzoo\n", name)
    assert read_texts(path) == read_texts(path, header=True) == (["foo bar", "zoo"], ["spam", "ham"])


@pytest.mark.parametrize("name", ["x.tsv", "x.tab"])
@pytest.mark.parametrize(
    "lines",
    [
        "spam\tfoo bar\nham\tbar foo\nham\tzoo\n",
        "spam\tfoo bar\n",
        "v1\tv2\nham\ta\n",
        "spam\tfoo\nd\tstring\nham\tzoo\n",
        "spam\tfoo\nham\tbar\nclass\tmeta\n",
        "label\ttext\nlabel\ta\nclass\tb\n",
    ],
)
def test_a_first_line_that_may_be_a_sample_is_refused_until_it_is_said_what_it_is(tmp_path, lines, name):
    path = written(tmp_path, lines, name)
    with pytest.raises(FileFormatError, match=r"line 1 holds '.*' and '.*', which may be.*--header if.*--no-header if"):
        read_texts(path)
    cells = [line.split("\t") for line in lines.splitlines()]
    assert read_texts(path, header=False) == ([text for _, text in cells], [label for label, _ in cells])
    if len(cells) > 1:
        assert read_texts(path, header=True) == ([text for _, text in cells[1:]], [label for label, _ in cells[1:]])
    else:
        with pytest.raises(FileFormatError, match="holds no texts behind the header of 1 line; give lines of label"):
            read_texts(path, header=True)


def test_lines_of_orange_s_header_are_samples_where_that_is_said(tmp_path):
    assert read_texts(written(tmp_path, ORANGE.replace("class\t", "class\tx")), header=False)[1][1] == "d"
    with pytest.raises(FileFormatError, match="holds no texts behind the header of 3 lines"):
        read_texts(written(tmp_path, ORANGE))


@pytest.mark.parametrize("name", ["x.tsv", "x.tab"])
@pytest.mark.parametrize("content", ["", "\n", " \n\n"])
def test_an_empty_file_is_not_said_to_have_a_header(tmp_path, content, name):
    with pytest.raises(FileFormatError, match=r"holds no texts; give lines of label, tab and text$"):
        read_texts(written(tmp_path, content, name))


@pytest.mark.parametrize("head", ["text\tlabel\n", "T\tC\nstring\td\nmeta\tclass\n"])
def test_texts_before_their_labels_are_not_taken_for_labels(tmp_path, head):
    with pytest.raises(FileFormatError, match=r"has the text in its first column, by its header.*swap the columns$"):
        read_texts(written(tmp_path, f"{head}foo bar\tspam\nzoo\tham\n"))


@pytest.mark.parametrize("line", ["spam,foo bar", "spam;foo", "spam|foo"])
def test_another_separator_than_a_tab_is_named(tmp_path, line):
    with pytest.raises(
        FileFormatError, match=r"line 1: 1 columns.*write a tab between label and text, or remove the line"
    ):
        read_texts(written(tmp_path, f"{line}\n"))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("label\ttext\n1\ta\n".encode("utf-16"), "is UTF-16 text, but lines of label, tab and text in UTF-8"),
        (b"%PDF-1.7\n", "is a PDF document, which is not read"),
        (b"label\ttext\n1\t\xff\n", "is not UTF-8 text"),
    ],
)
def test_what_is_no_text_is_named_for_what_it_is(tmp_path, content, sentence):
    (tmp_path / "x.tsv").write_bytes(content)
    with pytest.raises(FileFormatError, match=sentence):
        read_texts(tmp_path / "x.tsv")


@pytest.mark.filterwarnings("ignore:.* (is|are) in .*, too:npae.errors.Hint")
def test_the_texts_verb_takes_headers_as_it_is_told(tmp_path, capsys):
    pytest.importorskip("sklearn")
    path = written(tmp_path, "v1\tv2\nham\ta\n")
    assert main(["texts", str(path), str(path)]) == 2
    assert "give --header if it names them" in capsys.readouterr().err
    assert main(["texts", str(path), str(path), "--header"]) == 2
    assert capsys.readouterr().out.startswith("1 text to learn from, 1 to test, 1 label")
    assert main(["texts", str(path), str(path), "--no-header"]) == 2
    assert capsys.readouterr().out.startswith("2 texts to learn from, 2 to test, 2 labels")
