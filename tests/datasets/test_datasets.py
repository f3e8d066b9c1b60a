"""Readers return what was written, and raise one-sentence errors for everything else."""

import contextlib
import gzip
import io
import pickle
import struct
import sys
import tempfile
import tracemalloc
import zipfile
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npae.datasets import Digits, load_digits, read
from npae.datasets import images as images_module
from npae.datasets import streams as streams_module
from npae.datasets.arrays import read_npy, read_npz
from npae.datasets.idx import DTYPES, read_idx
from npae.datasets.images import read_images
from npae.datasets.table import read_table
from npae.utils.errors import FileFormatError, MissingExtraError

CODES = {dtype: code for code, dtype in DTYPES.items()}
PIXELS = np.arange(5 * 4 * 3, dtype=np.uint8).reshape(5, 4, 3) * 4


def idx_bytes(x, dtype=None):
    dtype = np.dtype(dtype or x.dtype).newbyteorder(">")
    return bytes([0, 0, CODES[dtype], x.ndim]) + struct.pack(f">{x.ndim}I", *x.shape) + x.astype(dtype).tobytes()


def npy_bytes(x, **options):
    file = io.BytesIO()
    np.save(file, x, **options)
    return file.getvalue()


def npz_bytes(*, compressed=False, **arrays):
    file = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(file, **arrays)
    return file.getvalue()


def npy_with_header(header, body=b"", version=1):
    text = header.encode("latin-1") + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(text)) + text + body


def write(folder, name, content):
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def save_image(folder, name, x, **options):
    image_type = pytest.importorskip("PIL.Image")
    image_type.fromarray(x).save(folder / name, **options)
    return folder / name


def assert_same(x, expected):
    assert x.shape == expected.shape
    assert x.dtype == expected.dtype
    assert x.flags.c_contiguous
    assert x.flags.writeable
    np.testing.assert_array_equal(x, expected)


def peak_bytes(function):
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


# --- the digits ------------------------------------------------------------------------------------------------------


def test_digits_have_the_promised_shapes_types_and_range():
    digits = load_digits()
    assert isinstance(digits, Digits)
    for images, labels, n in [(*digits[:2], 5000), (*digits[2:], 1000)]:
        assert images.shape == (n, 28, 28)
        assert images.dtype == np.float32
        assert (images.min(), images.max()) == (0, 1)
        assert labels.shape == (n,)
        assert labels.dtype == np.int64


def test_digits_have_the_label_counts_of_the_first_images_of_mnist():
    digits = load_digits()
    assert np.bincount(digits.train_labels).tolist() == [479, 563, 488, 493, 535, 434, 501, 550, 462, 495]
    assert np.bincount(digits.test_labels).tolist() == [85, 126, 116, 107, 110, 87, 87, 99, 89, 94]


def test_digits_equal_the_raw_file():
    digits = load_digits()
    with np.load(str(resources.files("npae.datasets") / "data" / "mnist-small.npz")) as raw:
        for name, images in zip(("train_images", "test_images"), digits[::2], strict=True):
            np.testing.assert_array_equal(np.round(images * 255).astype(np.uint8), raw[name])
        for name, labels in zip(("train_labels", "test_labels"), digits[1::2], strict=True):
            np.testing.assert_array_equal(labels, raw[name])


def test_digits_are_fresh_at_every_call():
    load_digits().train_images[:] = 7
    assert load_digits().train_images.max() == 1


def test_the_licence_of_the_digits_lies_beside_them():
    text = (resources.files("npae.datasets") / "data" / "LICENSE-MNIST.md").read_text(encoding="utf-8")
    assert "CC BY-SA 3.0" in text
    assert "Burges" in text


# --- idx -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", CODES, ids=str)
@pytest.mark.parametrize("compress", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("shape", [(6,), (2, 3), (3, 2, 4), (0, 3), (1, 1, 1, 2)])
def test_idx_comes_back(tmp_path, dtype, compress, shape):
    x = np.random.default_rng(0).integers(-100, 100, shape).astype(dtype)
    x = read_idx(write(tmp_path, "x", compress(idx_bytes(x)))), x.astype(dtype.newbyteorder("="))
    assert_same(*x)
    assert x[0].dtype.isnative


@pytest.mark.parametrize("compress", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_idx_of_any_other_length_is_refused(tmp_path, compress):
    content = idx_bytes(PIXELS)
    for length in range(len(content)):
        with pytest.raises(FileFormatError, match=r"x\.idx"):
            read_idx(write(tmp_path, "x.idx", compress(content[:length])))
    with pytest.raises(FileFormatError, match="holds"):
        read_idx(write(tmp_path, "x.idx", compress(content + b"\0")))


def test_a_gzip_file_cut_anywhere_is_refused(tmp_path):
    content = gzip.compress(idx_bytes(PIXELS))
    for length in range(len(content)):
        with pytest.raises(FileFormatError):
            read_idx(write(tmp_path, "x.gz", content[:length]))


def test_a_gzip_file_with_a_wrong_checksum_is_refused(tmp_path):
    content = bytearray(gzip.compress(idx_bytes(PIXELS)))
    content[-6] ^= 1
    with pytest.raises(FileFormatError, match="CRC"):
        read_idx(write(tmp_path, "x.gz", content))


@pytest.mark.parametrize("magic", ["", "00", "01000801", "00000701", "00000a01", "00000800", "00000841"])
def test_idx_of_wrong_magic_is_refused(tmp_path, magic):
    with pytest.raises(FileFormatError, match="begins with the bytes"):
        read_idx(write(tmp_path, "x", bytes.fromhex(magic) + (bytes(99) if len(magic) == 8 else b"")))


# --- npy and npz -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["?", "u1", "i1", "<u2", ">i2", "<i4", ">u8", "<f2", "<f4", ">f4", "<f8", ">f8", "g"])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("shape", [(), (5,), (3, 4), (2, 3, 4), (0, 3)])
def test_npy_and_npz_come_back(tmp_path, dtype, order, shape):
    x = np.random.default_rng(0).integers(0, 100, shape).astype(dtype, order=order)
    expected = x.astype(x.dtype.newbyteorder("="), order="C")
    assert_same(read_npy(write(tmp_path, "x.npy", npy_bytes(x))), expected)
    for compressed in (False, True):
        assert_same(read_npz(write(tmp_path, "x.npz", npz_bytes(x=x, compressed=compressed))), expected)


def test_npy_of_version_2_comes_back(tmp_path):
    file = io.BytesIO()
    np.lib.format.write_array(file, PIXELS, version=(2, 0))
    assert_same(read_npy(write(tmp_path, "x.npy", file.getvalue())), PIXELS)


def test_npy_and_npz_of_any_other_length_are_refused(tmp_path):
    content = npy_bytes(PIXELS)
    for changed in [*(content[:length] for length in range(len(content))), content + b"\0"]:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("x.npy", changed)
        for reader, name, data in [(read_npy, "x.npy", changed), (read_npz, "x.npz", archive.getvalue())]:
            with pytest.raises(FileFormatError, match=rf"x\.{name[2:]}"):
                reader(write(tmp_path, name, data))


def test_npz_cut_anywhere_is_refused(tmp_path):
    content = npz_bytes(x=PIXELS, compressed=True)
    for length in range(len(content)):
        with pytest.raises(FileFormatError):
            read_npz(write(tmp_path, "x.npz", content[:length]))


class Bomb:
    """Unpickling it fails the test."""

    def __reduce__(self):
        return pytest.fail, ("a file was unpickled",)


def test_pickles_are_refused_and_not_run(tmp_path):
    x = np.array([Bomb(), None], dtype=object)
    for reader, name, content in [
        (read_npy, "x.npy", npy_bytes(x, allow_pickle=True)),
        (read_npz, "x.npz", npz_bytes(x=x)),
        (read_npy, "p.npy", pickle.dumps(Bomb())),
        (read_npz, "p.npz", pickle.dumps(Bomb())),
    ]:
        with pytest.raises(FileFormatError):
            reader(write(tmp_path, name, content))
    with pytest.raises(FileFormatError, match="pickle"):
        read_npy(tmp_path / "x.npy")


@pytest.mark.parametrize(
    "x", [np.zeros(3, "f4,i4"), np.zeros(3, "c8"), np.array(["a"]), np.array([b"a"]), np.zeros(2, "M8[s]")], ids=str
)
def test_arrays_of_other_things_than_real_numbers_are_refused(tmp_path, x):
    with pytest.raises(FileFormatError, match="real numbers are expected"):
        read_npy(write(tmp_path, "x.npy", npy_bytes(x)))


def test_structured_arrays_of_npy_version_3_are_refused(tmp_path):
    file = io.BytesIO()
    np.lib.format.write_array(file, np.zeros(3, [("Ω", "f4")]), version=(3, 0))
    with pytest.raises(FileFormatError, match="version"):
        read_npy(write(tmp_path, "x.npy", file.getvalue()))


@pytest.mark.parametrize(
    "header",
    [
        "",
        "[]",
        "{'descr': '<f4'}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (0x" + "f" * 5000 + ",)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (" + "1," * 65 + ")}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 4294967296, 4294967296, 4294967296)}",
        "{'descr': '<f4', 'fortran_order': 1, 'shape': (1,)}",
        "{'descr': 'nonsense', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': ('<f4', (2,)), 'fortran_order': False, 'shape': (1,)}",
        "{'descr': 'V0', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1L,)}",
        "{'descr': '\\d', 'fortran_order': False, 'shape': (1,)}",
        "-" * 9000 + "1",
        "(" * 9000,
        "1" + "+1" * 4000,
        "{" * 20_000,
    ],
)
@pytest.mark.parametrize("version", [1, 2])
def test_npy_with_a_senseless_header_is_refused(tmp_path, header, version):
    with pytest.raises(FileFormatError):
        read_npy(write(tmp_path, "x.npy", npy_with_header(header, b"\0\0\0", version)))


@pytest.mark.parametrize("other", ["y", "arr_1", "x_test", "train_labels"])
@pytest.mark.parametrize("known", ["x", "X", "images", "data", "train_images", "x_train", "X_train"])
def test_the_samples_of_an_npz_are_known_by_their_name(tmp_path, known, other):
    path = write(tmp_path, "x.npz", npz_bytes(**{other: np.zeros(3), known: PIXELS}))
    assert_same(read_npz(path), PIXELS)
    assert_same(read_npz(path, other), np.zeros(3))


def test_an_unclear_npz_is_refused_with_the_names(tmp_path):
    for names in (["a", "b"], ["x", "images"]):
        path = write(tmp_path, "x.npz", npz_bytes(**dict.fromkeys(names, PIXELS)))
        with pytest.raises(FileFormatError, match=f"'{names[0]}', '{names[1]}'"):
            read_npz(path)
        with pytest.raises(FileFormatError, match="no array 'c'"):
            read_npz(path, "c")
        assert_same(read_npz(path, names[1]), PIXELS)
    with pytest.raises(FileFormatError, match="no arrays"):
        read_npz(write(tmp_path, "empty.npz", npz_bytes()))


@pytest.mark.parametrize(("n", "end"), [(20, "'a19'$"), (21, "'a19' and 1 more$")])
def test_names_that_are_all_listed_are_not_followed_by_more(tmp_path, n, end):
    path = write(tmp_path, "x.npz", npz_bytes(**{f"a{i}": np.zeros(1) for i in range(n)}))
    with pytest.raises(FileFormatError, match=end):
        read_npz(path)


def test_a_zip_of_an_unusual_method_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.npz", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("x.npy", npy_bytes(PIXELS))
    with pytest.raises(FileFormatError, match="method 14"):
        read_npz(tmp_path / "x.npz")


# --- what headers claim ----------------------------------------------------------------------------------------------

CLAIM = "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000, 1000000)}"
SMALLER_CLAIM = "{'descr': '|u1', 'fortran_order': False, 'shape': (4000000000,)}"
IDX_CLAIM = bytes([0, 0, 8, 2]) + struct.pack(">2I", 10**6, 10**6)
IDX_SMALLER_CLAIM = bytes([0, 0, 8, 1]) + struct.pack(">I", 4 * 10**9)


def zipped(content):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("x.npy", content)
    return file.getvalue()


@pytest.mark.parametrize(
    ("reader", "content"),
    [
        (read_idx, IDX_CLAIM + bytes(90)),
        (read_idx, IDX_SMALLER_CLAIM + bytes(90)),
        (read_idx, gzip.compress(IDX_CLAIM + bytes(90), mtime=0)),
        (read_idx, gzip.compress(IDX_SMALLER_CLAIM + bytes(90), mtime=0)),
        (read_npy, npy_with_header(CLAIM)),
        (read_npy, npy_with_header(SMALLER_CLAIM)),
        (read_npy, b"\x93NUMPY\2\0" + b"\xff\xff\xff\xff" + bytes(90)),
        (read_npz, zipped(npy_with_header(CLAIM))),
        (read_npz, zipped(npy_with_header(SMALLER_CLAIM))),
        # a zip whose directory tells the same lie
        (
            read_npz,
            zipped(npy_with_header(SMALLER_CLAIM)).replace(
                struct.pack("<I", len(npy_with_header(SMALLER_CLAIM))),
                struct.pack("<I", 4 * 10**9 + len(npy_with_header(SMALLER_CLAIM))),
            ),
        ),
    ],
)
def test_memory_is_not_allocated_for_the_announced_shape(tmp_path, reader, content):
    path = write(tmp_path, "x", content)

    def refused():
        with pytest.raises(FileFormatError):
            reader(path)

    assert peak_bytes(refused) < 4_000_000


def test_a_compressed_file_is_expanded_no_further_than_its_header_promises(tmp_path):
    surplus = bytes(50_000_000)
    gz = write(tmp_path, "x.idx.gz", gzip.compress(idx_bytes(PIXELS) + surplus, 1))
    with zipfile.ZipFile(tmp_path / "x.npz", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("x.npy", npy_bytes(PIXELS) + surplus)
    for reader, path in [(read_idx, gz), (read_npz, tmp_path / "x.npz")]:

        def refused(reader=reader, path=path):
            with pytest.raises(FileFormatError, match="holds"):
                reader(path)

        assert peak_bytes(refused) < 4_000_000


def test_only_the_chosen_array_of_an_npz_is_expanded(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.npz", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("y.npy", bytes(50_000_000))
        archive.writestr("x.npy", npy_bytes(PIXELS))
    assert peak_bytes(lambda: read_npz(tmp_path / "x.npz")) < 4_000_000


# --- tables ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("header", [None, ["a", "b", "c"], ['"width, mm"', "b", ""]])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_tables_come_back(tmp_path, delimiter, header, newline, mark):
    x = np.random.default_rng(0).standard_normal((4, 3))
    lines = ([delimiter.join(header)] if header else []) + [delimiter.join(map(repr, row)) for row in x.tolist()]
    path = write(tmp_path, "x.csv", mark + newline.join(lines) + newline)
    assert_same(read_table(path), x)


def test_numpy_s_own_tables_come_back(tmp_path):
    x = np.random.default_rng(0).random((3, 2))
    np.savetxt(tmp_path / "x.csv", x, delimiter=",")
    assert_same(read_table(tmp_path / "x.csv"), x)


def test_blank_lines_quotes_and_spaces_do_not_change_a_table(tmp_path):
    path = write(tmp_path, "x.csv", '\n  \n"1"; 2 \n\n  \n3;4e0\n\n')
    assert_same(read_table(path), np.array([[1.0, 2.0], [3.0, 4.0]]))


def test_a_single_column_and_a_last_line_without_end_are_read(tmp_path):
    assert_same(read_table(write(tmp_path, "x.csv", "x\n1\n2")), np.array([[1.0], [2.0]]))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("1,2\n3,\n", r"line 2, column 2 is empty"),
        ("a,b\n1,2\n , 4\n", r"line 3, column 1 \('a'\) is empty"),
        ("1,,3\n4,5,6\n", r"line 1, column 2 is empty"),
        (",,\n1,2,3\n", r"line 1, column 1 is empty"),
        ("1,2\n3,four\n", r"line 2, column 2 holds the text 'four'"),
        ("a,b\n1,2\n3,four\n", r"line 3, column 2 \('b'\) holds the text 'four'"),
        ("1,setosa\n2,virginica\n", r"line 1, column 2 holds the text 'setosa'"),
        ("1,2\n3,1_000\n", r"line 2, column 2 holds the text '1_000'"),
        ("a;b\n1,5;2\n", r"line 2, column 1 \('a'\) holds the text '1,5'"),
        ("1,2\n3,nan\n", r"line 2, column 2 holds the text 'nan', which usually stands for a missing value"),
        ("1,2\n-1e999,3\n", r"line 2, column 1 holds '-1e999', which is not a finite number"),
        ("1,2\n3,4,5\n", r"line 2: 3 columns, but line 1 has 2"),
        ("a,b,c\n\n1,2\n", r"line 3: 2 columns, but line 1 has 3"),
        ('1,"2\n3,4\n', r"line 2"),
        ('1,"2"3\n', r"line 1"),
        ("1," + "2" * 200_000, r"line 1.*limit"),
        ("", "no lines of numbers"),
        ("\n \n", "no lines of numbers"),
        ("a,b\n", "no lines of numbers"),
        (b"1,2\n3,\xff\n", "UTF-8"),
        ("1,2\n".encode("utf-16"), "UTF-8"),
    ],
)
def test_a_fault_in_a_table_is_named_with_its_place(tmp_path, content, sentence):
    with pytest.raises(FileFormatError, match=sentence):
        read_table(write(tmp_path, "x.csv", content))


def test_a_line_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("npae.datasets.table_rows.MAX_LINE", 100)
    assert read_table(write(tmp_path, "x.csv", "1," * 49 + "1\n")).shape == (1, 50)
    with pytest.raises(FileFormatError, match="more than 100 characters"):
        read_table(write(tmp_path, "x.csv", "1," * 50 + "1\n"))


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_a_line_has_as_many_cells_as_the_limit_and_not_one_more(tmp_path, monkeypatch, mark):
    monkeypatch.setattr("npae.datasets.table_rows.MAX_COLUMNS", 4)
    assert read_table(write(tmp_path, "x.csv", mark.join("1234") + "\n" + mark.join("5678") + "\n")).shape == (2, 4)
    with pytest.raises(FileFormatError, match=r"a row of more than .* or 4 cells"):
        read_table(write(tmp_path, "x.csv", mark.join("12345") + "\n"))


# --- folders of images -----------------------------------------------------------------------------------------------

GREY = np.arange(6 * 5, dtype=np.uint8).reshape(6, 5) * 8
COLOUR = np.arange(6 * 5 * 3, dtype=np.uint8).reshape(6, 5, 3) * 2


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".pgm", ".PNG"])
def test_grey_images_come_back_sorted_by_name(tmp_path, suffix):
    for i in (2, 0, 1):
        save_image(tmp_path, f"{i}{suffix}", GREY + np.uint8(i))
    assert_same(read_images(tmp_path), np.stack([GREY, GREY + 1, GREY + 2]) / np.float32(255))


def test_colour_images_come_back(tmp_path):
    save_image(tmp_path, "a.png", COLOUR)
    save_image(tmp_path, "b.ppm", COLOUR[::-1].copy())
    assert_same(read_images(tmp_path), np.stack([COLOUR, COLOUR[::-1]]) / np.float32(255))


def test_grey_images_among_colour_images_become_colour(tmp_path):
    save_image(tmp_path, "a.png", GREY)
    save_image(tmp_path, "b.png", COLOUR)
    expected = np.stack([np.repeat(GREY[..., None], 3, axis=2), COLOUR]) / np.float32(255)
    assert_same(read_images(tmp_path), expected)


@pytest.mark.parametrize(("mode", "channels"), [("1", 0), ("L", 0), ("LA", 0), ("P", 3), ("RGB", 3), ("RGBA", 3)])
def test_every_mode_of_8_bits_is_read(tmp_path, mode, channels):
    image_type = pytest.importorskip("PIL.Image")
    image_type.fromarray(COLOUR).convert(mode).save(tmp_path / "a.png")
    x = read_images(tmp_path)
    assert x.shape == (1, 6, 5, *([channels] if channels else []))
    assert 0 <= x.min() < x.max() <= 1


def test_lossy_images_come_back_nearly(tmp_path):
    smooth = np.add.outer(np.arange(32), np.arange(24)).astype(np.uint8) * 4
    save_image(tmp_path, "a.jpg", smooth, quality=95)
    np.testing.assert_allclose(read_images(tmp_path)[0], smooth / 255, atol=0.03)


def test_mixed_sizes_are_refused_unless_a_size_is_given(tmp_path):
    save_image(tmp_path, "a.png", np.full((6, 5), 51, np.uint8))
    save_image(tmp_path, "b.png", np.full((4, 9), 51, np.uint8))
    with pytest.raises(FileFormatError, match=r"b\.png' has 4×9 pixels, but 'a\.png' has 6×5"):
        read_images(tmp_path)
    assert_same(read_images(tmp_path, size=(3, 2)), np.full((2, 3, 2), 51, np.uint8) / np.float32(255))


def test_only_files_with_the_suffix_of_an_image_are_taken(tmp_path):
    save_image(tmp_path, "a.png", GREY)
    write(tmp_path, "readme.txt", "no image")
    write(tmp_path, "labels.csv", "1\n")
    (tmp_path / "folder.png").mkdir()
    with pytest.warns(
        UserWarning, match=r"^2 files in .* are no images and were passed over: 'labels.csv', 'readme.txt"
    ):
        assert read_images(tmp_path).shape == (1, 6, 5)
    write(tmp_path, "b.jpg", "no image")
    with (
        pytest.warns(UserWarning, match="passed over"),
        pytest.raises(FileFormatError, match=r"b\.jpg' is not an image"),
    ):
        read_images(tmp_path)


def test_truncated_images_are_refused(tmp_path):
    content = save_image(tmp_path, "a.png", COLOUR).read_bytes()
    for length in range(0, len(content) - 16, 7):
        with pytest.raises(FileFormatError, match=r"a\.png"):
            read_images(write(tmp_path, "a.png", content[:length]).parent)


def test_images_of_16_bits_are_refused_rather_than_clipped(tmp_path):
    save_image(tmp_path, "a.png", GREY.astype(np.uint16) * 257)
    with pytest.raises(FileFormatError, match="8 bits"):
        read_images(tmp_path)


@pytest.mark.parametrize("limit", [9_999, 3_000])
def test_a_decompression_bomb_is_refused(tmp_path, monkeypatch, limit):
    save_image(tmp_path, "a.png", np.zeros((100, 100), np.uint8))
    monkeypatch.setattr("PIL.Image.MAX_IMAGE_PIXELS", limit)
    with pytest.raises(FileFormatError, match="bomb"):
        read_images(tmp_path)


def test_a_damaged_length_within_an_image_allocates_no_memory(tmp_path):
    path = save_image(tmp_path, "a.png", GREY)
    content = bytearray(path.read_bytes())
    length = content.index(b"IDAT") - 4
    content[length : length + 4] = b"\x7f\xff\xff\xff"
    path.write_bytes(content)

    def answered():
        with contextlib.suppress(FileFormatError):
            read_images(tmp_path)

    answered()  # Pillow imports what it needs, which is not to be measured
    assert peak_bytes(answered) < 4_000_000


def test_an_empty_folder_and_one_of_other_things_are_refused(tmp_path):
    with pytest.raises(FileFormatError, match="no images"):
        read_images(tmp_path)
    with pytest.raises(FileFormatError, match="not a folder"):
        read_images(write(tmp_path, "a.png", ""))
    with pytest.raises(FileNotFoundError, match="does not exist"):
        read_images(tmp_path / "none")


def test_more_images_than_memory_should_hold_are_refused(tmp_path, monkeypatch):
    save_image(tmp_path, "a.png", GREY)
    with pytest.raises(FileFormatError, match="made smaller"):
        read_images(tmp_path, size=(10**6, 10**6))
    monkeypatch.setattr(images_module, "MAX_BYTES", 100)
    with pytest.raises(FileFormatError, match="give fewer"):
        read_images(tmp_path)
    with pytest.raises(ValueError, match="size is"):
        read_images(tmp_path, size=(0, 3))


def test_without_pillow_the_extra_is_named(tmp_path, monkeypatch):
    write(tmp_path, "a.png", "")
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'npae\[plot\]'"):
        read_images(tmp_path)


# --- read ------------------------------------------------------------------------------------------------------------


def test_read_finds_the_format_by_name_or_content(tmp_path):
    scaled = PIXELS / np.float32(255)
    idx, npy, npz = idx_bytes(PIXELS), npy_bytes(PIXELS), npz_bytes(x=PIXELS)
    for name, content in [
        ("train-images-idx3-ubyte", idx),
        ("train-images-idx3-ubyte.gz", gzip.compress(idx)),
        ("train-images.idx3-ubyte", idx),
        ("x.idx", idx),
        ("x.IDX.GZ", gzip.compress(idx)),
        ("noname", gzip.compress(idx)),
        ("x.npy", npy),
        ("npy", npy),
        ("x.NPZ", npz),
        ("x.dat", npz),
    ]:
        assert_same(read(write(tmp_path, name, content)), scaled)
        assert_same(read(str(tmp_path / name)), scaled)
    for name, content in [("x.csv", "a,b\n1,2\n"), ("x.tsv", "a\tb\n1\t2\n")]:
        assert_same(read(write(tmp_path, name, content)), np.array([[1.0, 2.0]]))


def test_read_returns_the_digits_and_images_of_folders(tmp_path):
    assert_same(read("digits"), load_digits().train_images)
    save_image(tmp_path, "a.png", GREY)
    assert_same(read(tmp_path), GREY[None] / np.float32(255))
    assert read(tmp_path, size=(3, 4)).shape == (1, 3, 4)


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        (np.array([[[0, 255]]], np.uint8), np.array([[[0, 1]]], np.float32)),
        (np.array([[[[0, 51]]]], np.uint8), np.array([[[[0, 0.2]]]], np.float32)),
        (np.array([[[0, 1]]], np.uint8), np.array([[[0, 1]]], np.float32)),
        (np.array([[0, 255]], np.uint8), np.array([[0, 255]], np.float32)),
        (np.array([[0], [9]], np.uint8), np.array([[0], [9]], np.float32)),
        (np.array([0, 9], np.uint8), np.array([0, 9], np.float32)),
        (np.array([[0, 9]], np.int8), np.array([[0, 9]], np.float32)),
        (np.array([[True, False]]), np.array([[1, 0]], np.float32)),
        (np.array([[65535]], np.uint16), np.array([[65535]], np.float32)),
        (np.array([[2**31 - 1]], np.int32), np.array([[2**31 - 1]], np.float64)),
        (np.array([[2**40]], np.int64), np.array([[2**40]], np.float64)),
        (np.array([[1.5]], np.float16), np.array([[1.5]], np.float32)),
        (np.array([[0.1]], np.float32), np.array([[0.1]], np.float32)),
        (np.array([[0.1]], np.float64), np.array([[0.1]], np.float64)),
        (np.array([[0.5]], np.longdouble), np.array([[0.5]], np.float64)),
    ],
)
def test_read_scales_images_of_bytes_and_keeps_all_other_numbers(tmp_path, x, expected):
    assert_same(read(write(tmp_path, "x.npy", npy_bytes(x))), expected)


@pytest.mark.parametrize("name", ["x.npy", "x.npz", "x.idx", "x.csv"])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16])
def test_all_numbers_of_a_file_are_divided_where_that_is_asked_for(tmp_path, name, dtype):
    x = np.array([[0, 51], [255, 1]], dtype)
    csv = "\n".join(",".join(map(str, row)) for row in x.tolist()).encode()
    content = {"x.npy": npy_bytes(x), "x.npz": npz_bytes(x=x), "x.idx": idx_bytes(x), "x.csv": csv}[name]
    np.testing.assert_array_equal(
        read(write(tmp_path, name, content), divide=255), x / read(tmp_path / name, divide=1).dtype.type(255)
    )
    np.testing.assert_array_equal(read(tmp_path / name), x)


def test_images_of_bytes_are_divided_by_what_is_asked_for_alone(tmp_path):
    path = write(tmp_path, "x.npy", npy_bytes(PIXELS))
    assert_same(read(path, divide=1), PIXELS.astype(np.float32))
    assert_same(read(path, divide=2), PIXELS / np.float32(2))
    for divide in (0, -1, np.nan, "255", True):
        with pytest.raises(ValueError, match=r"divide is .*; expected a number above 0"):
            read(path, divide=divide)


def test_a_row_of_bytes_does_not_depend_on_the_other_rows(tmp_path):
    rows = np.array([[0, 1, 1], [1, 0, 0], [2, 1, 0]], np.uint8)
    few, all_ = (read(write(tmp_path, "x.npy", npy_bytes(x))) for x in (rows[:2], rows))
    assert_same(few, all_[:2])


def test_read_takes_the_name_of_an_array(tmp_path):
    path = write(tmp_path, "x.npz", npz_bytes(a=np.zeros(3), b=PIXELS))
    assert_same(read(path, name="b"), PIXELS / np.float32(255))


def test_an_option_that_the_source_does_not_use_is_refused(tmp_path):
    path = write(tmp_path, "x.npy", npy_bytes(PIXELS))
    for source, options in [
        (path, {"name": "x"}),
        (path, {"size": (3, 4)}),
        (tmp_path, {"name": "x"}),
        ("digits", {"size": (3, 4)}),
    ]:
        with pytest.raises(ValueError, match="leave it out"):
            read(source, **options)


@pytest.mark.parametrize("content", [b"", b"x", b"\x89PNG\r\n", b"some text\n"])
def test_an_unknown_format_is_refused_with_the_known_ones(tmp_path, content):
    with pytest.raises(FileFormatError, match="npy, npz, csv, tsv, idx"):
        read(write(tmp_path, "x.dat", content))
    with pytest.raises(FileFormatError, match="the folder that the image is in"):
        read(write(tmp_path, "x.png", content))


def test_a_missing_file_is_named(tmp_path):
    for name in ("x", "x.npy", "x.npz", "x.csv", "x.idx.gz", "x\0y"):
        with pytest.raises(FileNotFoundError, match=r"does not exist; check"):
            read(tmp_path / name)


def test_a_device_is_not_read():
    if Path("/dev/zero").exists():
        for reader in (read, read_idx, read_npy, read_npz, read_table):
            with pytest.raises(FileFormatError, match="not a regular file"):
                reader("/dev/zero")


def test_every_refusal_is_one_sentence_on_one_line(tmp_path):
    for reader, content in [
        (read_idx, b"\n\n\n\n"),
        (read_idx, b"\x1f\x8b\n\n\n"),
        (read_npy, b"\n\n"),
        (read_npz, b"\n\n"),
        (read_table, b'1,"\n\n2\n'),
        (read, b"\n\n"),
    ]:
        with pytest.raises(FileFormatError) as caught:
            reader(write(tmp_path, "x", content))
        assert "\n" not in str(caught.value)
        assert ";" in str(caught.value)


# --- any bytes -------------------------------------------------------------------------------------------------------


def valid_files():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (3, 4, 5)).astype(np.uint8)
    y = rng.standard_normal((3, 4))
    return {
        "idx": (read_idx, [idx_bytes(x), idx_bytes(y, ">f4"), gzip.compress(idx_bytes(x))]),
        "npy": (read_npy, [npy_bytes(x), npy_bytes(np.asfortranarray(y)), npy_bytes(y.astype("g"))]),
        "npz": (read_npz, [npz_bytes(x=x, y=y), npz_bytes(x=x, compressed=True)]),
        "csv": (read_table, [b"a,b\n1,2\n3,4\n", b"1;2\n3;4\n", b'"1"\t2\n']),
    }


READERS = valid_files()


def answers(reader, content, name="x"):
    """The reader's answer to any bytes: an array or a FileFormatError."""
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder), name, content)
        try:
            x = reader(path)
        except FileFormatError as error:
            assert len(str(error)) < 1000  # noqa: PT017
            assert "\n" not in str(error)  # noqa: PT017
        else:
            assert isinstance(x, np.ndarray)
            assert x.dtype.kind in "biuf"


def mutated(contents):
    """Valid files with some bytes changed, cut out, or put in."""

    def mutate(content, edits, cut):
        content = bytearray(content)
        for place, removed, inserted in edits:
            at = place % (len(content) + 1)
            content[at : at + removed] = inserted
        return bytes(content[: len(content) - cut])

    edit = st.tuples(st.integers(0, 2**16), st.integers(0, 4), st.binary(max_size=4))
    cuts = st.one_of(st.just(0), st.integers(0, 64))
    return st.builds(mutate, st.sampled_from(contents), st.lists(edit, max_size=4), cuts)


@pytest.mark.parametrize("kind", READERS)
@given(data=st.data())
@settings(deadline=None, max_examples=150)
def test_mutated_files_end_in_an_array_or_a_refusal(kind, data):
    reader, contents = READERS[kind]
    content = data.draw(mutated(contents))
    answers(reader, content)
    answers(read, content)


@given(content=st.one_of(st.binary(max_size=300), st.text(alphabet='0123456789.,;\t\n"e- ax').map(str.encode)))
@settings(deadline=None, max_examples=200)
def test_any_bytes_end_in_an_array_or_a_refusal(content):
    for reader, valid in READERS.values():
        answers(reader, content)
        answers(reader, valid[0][:8] + content)


def encoded_images():
    image_type = pytest.importorskip("PIL.Image")
    contents = []
    for suffix in ("png", "jpeg", "gif", "bmp", "tiff", "ppm"):
        file = io.BytesIO()
        image_type.fromarray(COLOUR).save(file, suffix)
        contents.append((f"a.{suffix}", file.getvalue()))
    return contents


@given(data=st.data())
@settings(deadline=None, max_examples=300)
def test_mutated_images_end_in_an_array_or_a_refusal(data):
    name, content = data.draw(st.sampled_from(encoded_images()))
    answers(lambda path: read_images(path.parent), data.draw(mutated([content])), name)


@given(header=st.text(alphabet=st.characters(max_codepoint=255), max_size=100), body=st.binary(max_size=8))
@settings(deadline=None, max_examples=200)
def test_any_npy_header_ends_in_an_array_or_a_refusal(header, body):
    answers(read_npy, npy_with_header(header, body))
    answers(read_npy, npy_with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (" + header + ",)}", body))
    answers(read_npy, npy_with_header("{'descr': " + repr(header) + ", 'fortran_order': True, 'shape': (2,)}", body))


def test_memory_that_is_really_missing_is_not_called_damage(tmp_path, monkeypatch):
    def exhausted(*_):
        raise MemoryError

    monkeypatch.setattr("npae.datasets.idx.read_array", exhausted)
    path = write(tmp_path, "x", gzip.compress(idx_bytes(PIXELS)))
    with pytest.raises(MemoryError):
        read_idx(path)
    assert streams_module.MAX_BYTES == 2**32
