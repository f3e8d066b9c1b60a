"""Texts from folders, csv columns and lines: each with its label or place, and what is left out or empty is said."""

import gzip

import pytest

from npae.datasets import read_new_texts, read_texts
from npae.utils.errors import FileFormatError, Hint


def written(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


MAILS = {"spam/1.txt": "Win\nnow", "spam/2.txt": "Pills", "no spam/1.txt": "\ufeffGrüße"}


def test_a_folder_of_folders_gives_texts_with_the_folders_as_labels(tmp_path):
    assert read_texts(written(tmp_path, MAILS)) == (["Grüße", "Win\nnow", "Pills"], ["no spam", "spam", "spam"])


def test_files_without_a_suffix_are_texts_where_no_txt_is(tmp_path):
    written(tmp_path, {"sci.space/60001": "orbit", "sci.space/60002": "moon", "rec.autos/101": "car"})
    assert read_texts(tmp_path) == (["car", "orbit", "moon"], ["rec.autos", "sci.space", "sci.space"])


def test_files_that_are_left_out_are_said_and_hidden_ones_are_not(tmp_path):
    written(tmp_path, MAILS | {".DS_Store": "x", "spam/.hidden": "x"})
    read_texts(tmp_path)  # a warning would be an error
    written(tmp_path, {"urls_pos.txt": "x", "spam/notes.pdf": "x", "spam/README": "x"})
    with pytest.warns(
        Hint, match=r"3 other files in .* left out, such as 'urls_pos.txt'; only texts in its sub-folders"
    ):
        assert len(read_texts(tmp_path)[0]) == 3


def test_texts_that_lie_deeper_are_refused(tmp_path):
    with pytest.raises(FileFormatError, match=r"2\.txt' lies more than one folder below .*; give '.*mails'"):
        read_texts(written(tmp_path, {"mails/a.txt": "x", "mails/old/2.txt": "y"}))


def test_texts_of_a_folder_itself_have_no_labels(tmp_path):
    written(tmp_path, {"b.txt": "two", "a.txt": "one"})
    with pytest.raises(FileFormatError, match="holds texts itself, so they have no labels; put those of each label"):
        read_texts(tmp_path)
    assert read_new_texts(tmp_path) == (["one", "two"], ["a.txt", "b.txt"])


def test_new_texts_of_folders_are_named_with_their_folder(tmp_path):
    names = ["no spam/1.txt", "spam/1.txt", "spam/2.txt"]
    assert read_new_texts(written(tmp_path, MAILS)) == (["Grüße", "Win\nnow", "Pills"], names)


@pytest.mark.parametrize("files", [{}, {"a.pdf": "x"}, {"a/b.pdf": "x"}])
def test_a_folder_without_texts_is_refused(files, tmp_path):
    with pytest.raises(FileFormatError, match=r"holds no texts; put some into it, as \.txt files"):
        read_texts(written(tmp_path, files))


def test_columns_are_read_by_name_or_number(tmp_path):
    content = 'id,kind,words\n1,spam,"Win, ""win""!"\n2,ham,See\n\n3,ham,"two\nlines"\n'
    expected = (['Win, "win"!', "See", "two\nlines"], ["spam", "ham", "ham"])
    written(tmp_path, {"a.csv": content, "a.csv.gz": gzip.compress(content.encode())})
    for name in ("a.csv", "a.csv.gz"):
        assert read_texts(tmp_path / name, text_column="words", label_column="kind") == expected
        assert read_texts(tmp_path / name, text_column=3, label_column="2") == expected
        assert read_new_texts(tmp_path / name, text_column="words") == (expected[0], None)
    written(tmp_path, {"b.csv": "label;text\nspam;x, y\n", "c.csv": "spam,x\nham,y\n", "d.tsv": "t\tl\nx\tspam\n"})
    assert read_texts(tmp_path / "b.csv") == (["x, y"], ["spam"])
    assert read_texts(tmp_path / "c.csv", text_column=2, label_column=1, header=False) == (["x", "y"], ["spam", "ham"])
    assert read_texts(tmp_path / "d.tsv", text_column="t", label_column="l") == (["x"], ["spam"])
    assert read_new_texts(tmp_path / "d.tsv", text_column="t") == (["x"], None)


@pytest.mark.parametrize(
    ("content", "options", "sentence"),
    [
        ("a,b\nx,y\n", {}, "has no column 'text'; give one of: 'a', 'b'"),
        ("text,text\nx,y\n", {}, "has 2 columns of the name 'text'; give the number of one, from 1"),
        ("text,label\nx,y\n", {"text_column": 3}, "has no column 3; give a number from 1 to 2"),
        ("text,label\nx,y\n", {"text_column": 0}, "has no column 0; give a number from 1 to 2"),
        ("x,y\n", {"header": False}, "has no column 'text'; its columns have no names, so give a number, from 1"),
        (
            "text,label\nx,y\nx,y,z\n",
            {},
            "line 3: 3 columns, but the first line has 2; give every line as many, and put",
        ),
        ("text,label\n", {}, "holds no texts below its header; give at least one"),
        ("", {}, "holds no texts below its header; give at least one"),
        ("text,label\nx, \n", {}, r"has an empty label at index 0 \('x'\); fill it or leave out the line"),
        ('text,label\n"x,y\n', {}, "line 2: unexpected end of data; correct the line"),
        (b"text,label\n\xe9,y\n", {}, "is not UTF-8 text .*, but csv or tsv was expected; save it as UTF-8"),
    ],
)
def test_a_table_that_does_not_give_texts_is_refused(content, options, sentence, tmp_path):
    written(tmp_path, {"x.csv": content})
    with pytest.raises(FileFormatError, match=sentence):
        read_texts(tmp_path / "x.csv", **options)


def test_empty_texts_are_kept_and_said(tmp_path):
    written(tmp_path, {"x.csv": "text,label\na,1\n ,2\n,1\n", "x.txt": "a\n\nb\n", "f/a/1.txt": "x", "f/a/2.txt": "\n"})
    with pytest.warns(Hint, match=r"2 empty texts of 3 kept, the first index 1 of .*x\.csv; remove what is no text"):
        assert read_texts(tmp_path / "x.csv") == (["a", " ", ""], ["1", "2", "1"])
    with pytest.warns(Hint, match=r"1 empty text of 3 kept, the first index 1 of .*x\.txt; remove what is no text"):
        assert read_new_texts(tmp_path / "x.txt") == (["a", "", "b"], None)
    with pytest.warns(Hint, match=r"1 empty text of 2 kept, the first .*2\.txt; remove what is no text"):
        assert read_texts(tmp_path / "f")[0] == ["x", "\n"]


def test_lines_are_texts_and_labels_of_a_tsv_are_passed_over(tmp_path):
    written(tmp_path, {"x.txt": "one line\r\nand another", "x.tsv": "label\ttext\nspam\tx\n"})
    assert read_new_texts(tmp_path / "x.txt") == (["one line", "and another"], None)
    assert read_new_texts(tmp_path / "x.tsv") == (["x"], None)


@pytest.mark.parametrize("name", ["x.csv", "x.tsv", "f"])
def test_another_encoding_is_read_where_it_is_given_and_refused_where_not(name, tmp_path):
    written(
        tmp_path,
        {"x.csv": b"label,text\na,\xe9t\xe9\n", "x.tsv": b"label\ttext\na\t\xe9t\xe9\n", "f/a/1": b"\xe9t\xe9"},
    )
    assert read_texts(tmp_path / name, encoding="latin-1") == (["été"], ["a"])
    for encoding in (None, "utf-8"):
        with pytest.raises(
            FileFormatError, match=r"is not UTF-8 text \(.*\), but .* was expected; save it as UTF-8, or name its enc"
        ):
            read_texts(tmp_path / name, encoding=encoding)


@pytest.mark.parametrize("encoding", ["klingon", "hex", "a\0b", ""])
def test_an_encoding_that_there_is_not_is_refused(encoding, tmp_path):
    with pytest.raises(ValueError, match=r"Python has no such encoding; expected one such as utf-8, latin-1"):
        read_texts(written(tmp_path, MAILS), encoding=encoding)


@pytest.mark.parametrize("option", [{"text_column": "a"}, {"label_column": "a"}, {"header": True}])
def test_an_option_for_columns_is_refused_where_there_are_none(option, tmp_path):
    written(tmp_path, MAILS | {"x.txt": "a"})
    with pytest.raises(ValueError, match=r"was given with .*, but is for named columns of a \.csv or \.tsv; leave it"):
        read_texts(tmp_path, **option)
    if "label_column" not in option:
        for source in (tmp_path, tmp_path / "x.txt"):
            with pytest.raises(ValueError, match="but is for named columns"):
                read_new_texts(source, **option)


def test_other_formats_are_refused_with_those_that_are_read(tmp_path):
    written(tmp_path, {"x.txt": "a", "x.doc": "a"})
    with pytest.raises(
        FileFormatError, match=r"is of no format of texts with labels; give a \.csv, \.tsv or \.tab file"
    ):
        read_texts(tmp_path / "x.txt")
    with pytest.raises(FileFormatError, match=r"is of no format of texts; give a \.txt with one text a line"):
        read_new_texts(tmp_path / "x.doc")
    for read in (read_texts, read_new_texts):
        with pytest.raises(FileNotFoundError, match=r"none\.csv' does not exist"):
            read(tmp_path / "none.csv")


def test_a_text_that_is_too_large_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("npae.datasets.text_folders.LARGEST_TEXT", 5)
    with pytest.raises(FileFormatError, match="has more than 5 characters; split it into smaller ones"):
        read_texts(written(tmp_path, MAILS))


@pytest.mark.parametrize("name", ["x.csv", "x.tsv", "x.txt"])
def test_too_many_texts_are_refused(name, tmp_path, monkeypatch):
    written(tmp_path, {"x.csv": "text\na\nb\nc\n", "x.tsv": "label\ttext\n1\ta\n1\tb\n2\tc\n", "x.txt": "a\nb\nc\n"})
    monkeypatch.setattr("npae.datasets.text_files.MOST_TEXTS", 3)
    assert read_new_texts(tmp_path / name)[0] == ["a", "b", "c"]
    monkeypatch.setattr("npae.datasets.text_files.MOST_TEXTS", 2)
    with pytest.raises(FileFormatError, match="has more than 2 texts; split it into smaller files"):
        read_new_texts(tmp_path / name)
