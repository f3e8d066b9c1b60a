"""Files of formats that are not read are named for what they are, and files that are read are not taken for them."""

import bz2
import gzip
import io
import lzma
import pickle
import tarfile
import wave
import zipfile

import numpy as np
import pytest

from npae.datasets import other_formats, read
from npae.datasets.arrays import read_npz
from npae.utils.errors import FileFormatError

X = np.arange(12.0).reshape(3, 4)
CSV = b"a,b\n1,2\n3,5\n"


def zipped(*names):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, b"x")
    return file.getvalue()


def tarred(mode):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:
        member = tarfile.TarInfo("a.csv")
        member.size = len(CSV)
        archive.addfile(member, io.BytesIO(CSV))
    return file.getvalue()


def npy():
    file = io.BytesIO()
    np.save(file, X)
    return file.getvalue()


def wav():
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(100))
    return file.getvalue()


#: What a file holds, the suffix it usually has, the sentence.
FILES = [
    (
        zipped("[Content_Types].xml", "xl/workbook.xml"),
        ".xlsx",
        "an Excel workbook, which is not read; export the sheet",
    ),
    (zipped("[Content_Types].xml", "word/document.xml"), ".docx", "a document of an office program"),
    (zipped("mimetype", "content.xml"), ".ods", "an OpenDocument table"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504), ".xls", "an older office program, such as an .xls"),
    (zipped("a.csv", "b.csv"), ".zip", "a zip archive, which is not read; unpack it"),
    (zipped("archive/data.pkl", "archive/data/0"), ".pt", "a file of PyTorch"),
    (zipped("config.json", "model.weights.h5"), ".keras", "a model of Keras"),
    (b"\x89HDF\r\n\x1a\n" + bytes(90), ".h5", r"an HDF5 file"),
    (b"MATLAB 5.0 MAT-file, Platform".ljust(124) + b"\0\1IM", ".mat", r"a MATLAB file.*scipy\.io\.loadmat"),
    (b"MATLAB 7.3 MAT-file, Platform".ljust(128) + bytes(400) + b"\x89HDF\r\n\x1a\n", ".mat", "a MATLAB file"),
    (b"PAR1\x15\x04\0\0" + bytes(90) + b"PAR1", ".parquet", r"a Parquet file"),
    (b"ARROW1\0\0" + bytes(90), ".arrow", "an Arrow or Feather file"),
    (b"FEA1\0\0" + bytes(90), ".feather", "an Arrow or Feather file"),
    (pickle.dumps(X), ".pkl", "a pickle"),
    (tarred("w"), ".tar", "a tar archive, which is not read; unpack it"),
    (tarred("w:gz"), ".tar.gz", "a tar archive, which is not read; unpack it"),
    (b"7z\xbc\xaf\x27\x1c" + bytes(90), ".7z", "a 7z archive"),
    (b"Rar!\x1a\x07\1\0" + bytes(90), ".rar", "a rar archive"),
    (bz2.compress(CSV), ".csv.bz2", "compressed by bzip2.*bunzip2"),
    (lzma.compress(CSV), ".csv.xz", "compressed by xz.*unxz"),
    (b"\x28\xb5\x2f\xfd\x24" + CSV, ".csv.zst", "compressed by zstd.*unzstd"),
    (gzip.compress(npy()), ".npy.gz", "an npy array compressed by gzip.*gunzip"),
    (gzip.compress(zipped("a.csv")), ".zip.gz", "a zip archive compressed by gzip.*gunzip"),
    (gzip.compress(b"\x89HDF\r\n\x1a\n"), ".h5.gz", "an HDF5 file compressed by gzip"),
    (b"SQLite format 3\0" + bytes(90), ".db", "an SQLite database"),
    (b"CDF\x01" + bytes(90), ".nc", "a NetCDF file"),
    (b"SIMPLE  =                    T".ljust(2880), ".fits", "a FITS file"),
    (bytes(128) + b"DICM" + bytes(90), ".dcm", "a DICOM image"),
    (wav(), ".wav", "a sound file"),
    (b"\0\0\0\x18ftypmp42" + bytes(90), ".mp4", "a video"),
    (b"%PDF-1.7\n", ".pdf", "a PDF document"),
    (b"<!DOCTYPE html>\n<html>", ".html", "a web page"),
]


@pytest.mark.parametrize(("content", "suffix", "sentence"), FILES, ids=[suffix for _, suffix, _ in FILES])
@pytest.mark.parametrize("named", ["as usual", "without a suffix"])
def test_a_file_of_another_format_is_named_by_its_first_bytes(tmp_path, content, suffix, sentence, named):
    path = tmp_path / ("x" + (suffix if named == "as usual" else ""))
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match=sentence) as caught:
        read(path)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(("content", "suffix", "sentence"), FILES, ids=[suffix for _, suffix, _ in FILES])
def test_a_file_of_another_format_is_named_also_where_it_is_called_csv(tmp_path, content, suffix, sentence):
    (tmp_path / "x.csv").write_bytes(content)
    with pytest.raises(FileFormatError, match=sentence):
        read(tmp_path / "x.csv")


@pytest.mark.parametrize("suffix", other_formats.BY_SUFFIX)
def test_a_file_whose_bytes_say_nothing_is_named_by_its_suffix(tmp_path, suffix):
    for name in (f"x{suffix}", f"x{suffix.upper()}"):
        (tmp_path / name).write_bytes(b"hello")
        with pytest.raises(FileFormatError, match=r"has the suffix of an? .*, which is not read; "):
            read(tmp_path / name)


@pytest.mark.parametrize("suffix", other_formats.BY_SUFFIX)
def test_an_array_is_read_whatever_its_suffix(tmp_path, suffix):
    (tmp_path / f"x{suffix}").write_bytes(npy())
    np.testing.assert_array_equal(read(tmp_path / f"x{suffix}"), X)


@pytest.mark.parametrize("name", ["ID3", "PAR1", "PK", "FEA1", "ARROW1", "ftyp", "BZh", "MATLAB", "Rar!", "CDF", "%"])
def test_a_table_is_not_taken_for_another_format_by_a_name_in_its_header(tmp_path, name):
    for header in (f"{name},b", f"aaa,{name}", f"1234567,{name}"):
        (tmp_path / "x.csv").write_text(f"{header}\n1,2\n3,5\n")
        assert read(tmp_path / "x.csv", header=True).shape == (2, 2)


def test_an_array_is_not_taken_for_another_format_by_its_numbers(tmp_path):
    for at, magic, _ in other_formats.SIGNATURES + other_formats.SIGNATURES_OF_BINARY:
        content = bytearray(600)
        content[:8] = b"\0\0\x08\x01" + (600 - 8).to_bytes(4, "big")
        if at >= 8:
            content[at : at + len(magic)] = magic
        (tmp_path / "x").write_bytes(content)
        (tmp_path / "x.gz").write_bytes(gzip.compress(content))
        assert read(tmp_path / "x").shape == read(tmp_path / "x.gz").shape == (592,)


def test_a_zip_of_arrays_is_read_beside_other_members(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("x.npy", npy())
        archive.writestr("readme.txt", "x")
    np.testing.assert_array_equal(read(tmp_path / "x.zip"), X)


def test_a_compressed_table_of_another_name_is_told_what_to_be_called(tmp_path):
    (tmp_path / "x.gz").write_bytes(gzip.compress(CSV))
    with pytest.raises(FileFormatError, match=r"or call a compressed table \.csv\.gz"):
        read(tmp_path / "x.gz")
    (tmp_path / "x.txt").write_bytes(CSV)
    with pytest.raises(FileFormatError, match=r"or call it \.csv if each line holds numbers between commas"):
        read(tmp_path / "x.txt")


def test_a_sparse_matrix_is_not_read_as_its_stored_values(tmp_path):
    sparse = pytest.importorskip("scipy.sparse")
    for kind in (sparse.csr_matrix, sparse.csc_array, sparse.coo_matrix, sparse.bsr_matrix, sparse.dia_matrix):
        sparse.save_npz(tmp_path / "x.npz", kind(X))
        with pytest.raises(FileFormatError, match=r"holds a sparse matrix, written by scipy.*toarray\(\)"):
            read(tmp_path / "x.npz")
    np.savez(tmp_path / "x.npz", data=X, shape=X.shape)
    np.testing.assert_array_equal(read(tmp_path / "x.npz"), X)
    assert read_npz(tmp_path / "x.npz", "shape").tolist() == [3, 4]


@pytest.mark.parametrize("value", [2**53 + 1, -(2**53) - 1, 2**63 - 1])
def test_whole_numbers_that_a_float_would_round_are_refused(tmp_path, value):
    np.save(tmp_path / "x.npy", np.array([[1, value]]))
    with pytest.raises(FileFormatError, match=f"whole numbers beyond 2\\*\\*53.*{abs(value)}"):
        read(tmp_path / "x.npy")
    np.save(tmp_path / "x.npy", np.array([[1, 2**53]]))
    assert read(tmp_path / "x.npy")[0, 1] == 2**53
