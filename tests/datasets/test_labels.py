"""Labels from files: numbers and names as they are written, and a sentence for what is none."""

import gzip

import numpy as np
import pytest

from npae.datasets import load_digits, read_labels
from npae.utils.errors import FileFormatError


def written(folder, content, name="labels.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("0\n1\n2\n", [0, 1, 2]),
        ("-1\n+1\n-1\n", [-1, 1, -1]),
        ("0.000e+00\n3.0\n", [0, 3]),  # as numpy.savetxt writes them
        ("label\n1\n2\n", [1, 2]),
        ("cat\ndog\n", ["cat", "dog"]),
        (" tabby cat \r\nbig dog\r\n\r\n", ["tabby cat", "big dog"]),
        ('"cat, black"\n"cat, white"\n', ["cat, black", "cat, white"]),
        ("1\n2\ncat\n", ["1", "2", "cat"]),
        ("007\n7\n", ["007", "7"]),
        ("nan\nNaN\nZoe\n", ["nan", "NaN", "Zoe"]),
        ("\ufeffÅse\nJörg\n", ["Åse", "Jörg"]),
    ],
)
@pytest.mark.parametrize("name", ["labels.csv", "labels.txt", "labels.csv.gz"])
def test_labels_are_numbers_or_names_as_written(tmp_path, content, expected, name):
    packed = gzip.compress(content.encode()) if name.endswith("gz") else content
    labels = read_labels(written(tmp_path, packed, name))
    assert labels.tolist() == expected
    assert labels.dtype.kind == ("i" if isinstance(expected[0], int) else "U")


def test_a_name_above_names_is_a_header_only_if_that_is_said(tmp_path):
    path = written(tmp_path, "species\ncat\ndog\n")
    assert read_labels(path).tolist() == ["species", "cat", "dog"]
    assert read_labels(path, header=True).tolist() == ["cat", "dog"]
    path = written(tmp_path, "label\n1\n2\n")
    assert read_labels(path, header=False).tolist() == ["label", "1", "2"]


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.array([-1.0, 1.0]), [-1, 1]),
        (np.array([[3], [4]], np.uint8), [3, 4]),
        (np.array([True, False]), [1, 0]),
        (np.array(["Ann Lee ", "Bo"]), ["Ann Lee", "Bo"]),
    ],
)
def test_arrays_of_numbers_and_of_texts_are_labels(tmp_path, array, expected):
    np.save(tmp_path / "y.npy", array)
    assert read_labels(tmp_path / "y.npy").tolist() == expected
    if array.dtype.kind != "U":
        np.savez(tmp_path / "y.npz", y=array)
        assert read_labels(tmp_path / "y.npz").tolist() == expected


def test_the_digits_have_their_labels():
    assert read_labels("digits").tolist() == load_digits().train_labels.tolist()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("cat\n\ndog\n", "line 2 is empty between others, where a label may be missing; fill the gap or remove"),
        ('cat\n""\n', "line 2 is empty, but a label is expected; fill the gap"),
        (
            "0,cat\n1,dog\n",
            "line 1 has 2 columns, but a file of labels has one; leave out the others, such as an index",
        ),
        ("1\n0.5\n", "line 2 holds '0.5', but a label is a whole number or a name; write whole numbers"),
        ("label\n1\nnan\n", "line 3 holds 'nan', but a label is a whole number or a name; write whole numbers"),
        ("1\n1e300\n", "line 2 holds '1e300', but a label is a whole number"),
        ("\n", "holds no labels; give one a line"),
        ("x" * 201, "line 1 has 201 characters, but a label may have 200; shorten it"),
        (b"cat\n\xff\xfe\n", "is not UTF-8 text .*, but a text of labels was expected; save it as UTF-8$"),
        ("cat\ndog\n".encode("utf-16"), "is UTF-16 text, but a text of labels in UTF-8 was expected; save it as UTF-8"),
    ],
)
def test_a_text_that_holds_no_labels_is_refused_with_its_line(tmp_path, content, sentence):
    with pytest.raises(FileFormatError, match=sentence):
        read_labels(written(tmp_path, content))


@pytest.mark.parametrize(
    ("array", "sentence"),
    [
        (np.eye(3), r"shape \(3, 3\), but labels have one value a sample; give the number of each sample's label"),
        (np.array([0.0, 0.25]), "holds 0.25 at index 1, but a label is a whole number or a name"),
        (np.array([0.0, np.nan]), "holds nan at index 1, but a label is a whole number or a name"),
        (np.array(["a", " "]), "holds an empty text at index 1, but a label is expected"),
        (np.array([b"a"]), "holds dtype |S1, but numbers or texts are expected; save one array of one dtype, such as"),
    ],
)
def test_an_array_that_holds_no_labels_is_refused(tmp_path, array, sentence):
    np.save(tmp_path / "y.npy", array)
    with pytest.raises(FileFormatError, match=sentence):
        read_labels(tmp_path / "y.npy")


def test_a_header_of_what_is_no_text_is_refused(tmp_path):
    np.save(tmp_path / "y.npy", [1, 2])
    for source in (tmp_path / "y.npy", tmp_path):
        with pytest.raises(ValueError, match=r"header=True was given with .*, but is for a text of labels; leave it"):
            read_labels(source, header=True)


@pytest.mark.parametrize("code", [0xD800, 0x110000, 0x0200_00C4, 0x7FFF_FFFF, 0xFFFF_FFFF])
@pytest.mark.parametrize("order", "<>")
def test_an_array_of_texts_with_what_is_no_character_is_refused(code, order, tmp_path):
    texts = np.frombuffer(np.array([0x61, code], f"{order}u4").tobytes(), f"{order}U1")
    np.save(tmp_path / "labels.npy", texts)
    with pytest.raises(FileFormatError, match="holds texts with what is no character; write it again"):
        read_labels(tmp_path / "labels.npy")
