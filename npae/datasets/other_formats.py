"""Files of formats that are not read, named for what they are: by their first bytes, or else by their suffix."""

import gzip
import zipfile
from pathlib import Path

from npae.datasets.streams import GZIP_MAGIC, open_file
from npae.utils.errors import FileFormatError

ZIP_MAGIC = (b"PK\3\4", b"PK\5\6")
NPY_MAGIC = b"\x93NUMPY"
HEAD = 512  # bytes that are looked at; a tar says what it is behind 257

CSV = "write its numbers as csv"
ARRAY = "save the array in it with numpy.save"
UNPACK = "unpack it, and give a file or folder of it"
NUMPY = "save the numbers in it with numpy.save, where you trust it"

#: What a format is called, and what to do with it.
EXCEL = ("an Excel workbook", "export the sheet as csv")
ODS = ("an OpenDocument table", "export the sheet as csv")
OFFICE = ("a document of an office program", CSV)
HDF5 = ("an HDF5 file", "call it .h5, and give one of its arrays, as in x.h5:/name")
MAT = ("a MATLAB file", f"{ARRAY} (with scipy.io.loadmat, or h5py for version 7.3)")
PARQUET = ("a Parquet file", "call it .parquet")
ARROW = (
    "an Arrow or Feather file",
    "write it as csv (with pandas.read_feather, to_csv(index=False)), or use numpy.save",
)
PICKLE = ("a pickle (to read it could run code)", NUMPY)
TORCH = ("a file of PyTorch", NUMPY)
KERAS = ("a model of Keras", "give data")
MODEL = (
    "a file of weights (safetensors)",
    "give data; on the command line a model stands before --data",
)
COMPRESSED = ("a file that npae compress wrote", "expand it with npae decompress, or give the samples")
ZIP = ("a zip archive", UNPACK)
TAR = ("a tar archive", UNPACK)
SEVEN_ZIP = ("a 7z archive", UNPACK)
RAR = ("a rar archive", UNPACK)
BZIP2 = ("a file compressed by bzip2", "expand it with bunzip2")
XZ = ("a file compressed by xz", "expand it with unxz")
ZSTD = ("a file compressed by zstd", "expand it with unzstd")
JSON = ("a JSON file", f"{CSV}, or use numpy.save")
SQLITE = ("an SQLite database", f"{CSV} (with pandas.read_sql and to_csv(index=False))")
NETCDF = ("a NetCDF file", f"{ARRAY} (with xarray or netCDF4)")
FITS = ("a FITS file", f"{ARRAY} (with astropy)")
DICOM = ("a DICOM image", f"{ARRAY} (with pydicom), or convert it to PNG")
NIFTI = ("a NIfTI image", f"{ARRAY} (with nibabel)")
SOUND = ("a sound file", "save its samples with numpy.save, one clip a row")
VIDEO = ("a video", "write its frames as PNG into a folder, or save them with numpy.save")
PDF = ("a PDF document", CSV)
HTML = ("a web page or XML", "fetch the file that it links to")
ARFF = ("an ARFF table", CSV)

Format = tuple[str, str]

#: By the bytes at a place.
SIGNATURES: tuple[tuple[int, bytes, Format], ...] = (
    (0, b"\x89HDF\r\n\x1a\n", HDF5),
    (0, b"MATLAB 5.0 MAT-file", MAT),
    (0, b"MATLAB 7.3 MAT-file", MAT),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ("a document of an older office program, such as an .xls", CSV)),
    (0, b"7z\xbc\xaf\x27\x1c", SEVEN_ZIP),
    (0, b"Rar!\x1a\x07", RAR),
    (4, b"1AY&SY", BZIP2),
    (0, b"\xfd7zXZ\0", XZ),
    (0, b"\x28\xb5\x2f\xfd", ZSTD),
    (0, b"SQLite format 3\0", SQLITE),
    (0, b"CDF\1", NETCDF),
    (0, b"CDF\2", NETCDF),
    (0, b"SIMPLE  =     ", FITS),
    (0, b"%PDF-", PDF),
    (0, b"<!DOCTYPE", HTML),
    (0, b"<!doctype", HTML),
    (0, b"<html", HTML),
    (0, b"<?xml", HTML),
    *((0, b"\x80" + bytes([version]), PICKLE) for version in range(2, 6)),
)
#: Of bytes that may also stand in a text, which has no zero byte beside them.
SIGNATURES_OF_BINARY: tuple[tuple[int, bytes, Format], ...] = (
    (0, b"PAR1", PARQUET),
    (0, b"ARROW1", ARROW),
    (0, b"FEA1", ARROW),
    (257, b"ustar", TAR),
    (128, b"DICM", DICOM),
    (344, b"n+1", NIFTI),
    (8, b"WAVE", SOUND),
    (0, b"fLaC", SOUND),
    (0, b"OggS", SOUND),
    (0, b"ID3", SOUND),
    (8, b"AVI ", VIDEO),
    (4, b"ftyp", VIDEO),
)

#: By a member of a zip: what its name is, or what it ends in.
ZIP_MEMBERS: tuple[tuple[str, Format], ...] = (
    ("xl/workbook.xml", EXCEL),
    ("xl/workbook.bin", EXCEL),
    ("word/document.xml", OFFICE),
    ("content.xml", ODS),
    ("data.pkl", TORCH),
    ("model.weights.h5", KERAS),
)

#: Where the bytes do not tell.
BY_SUFFIX: dict[str, Format] = {
    **dict.fromkeys((".xlsx", ".xlsm", ".xlsb", ".xls"), EXCEL),
    ".ods": ODS,
    ".mat": MAT,
    **dict.fromkeys((".feather", ".arrow"), ARROW),
    **dict.fromkeys((".pkl", ".pickle", ".joblib"), PICKLE),
    **dict.fromkeys((".pt", ".pth"), TORCH),
    ".keras": KERAS,
    ".safetensors": MODEL,
    ".npaez": COMPRESSED,
    ".zip": ZIP,
    **dict.fromkeys((".tar", ".tgz"), TAR),
    ".7z": SEVEN_ZIP,
    ".rar": RAR,
    ".bz2": BZIP2,
    ".xz": XZ,
    ".zst": ZSTD,
    **dict.fromkeys((".json", ".jsonl"), JSON),
    **dict.fromkeys((".sqlite", ".sqlite3", ".db"), SQLITE),
    **dict.fromkeys((".nc", ".netcdf"), NETCDF),
    **dict.fromkeys((".fits", ".fit"), FITS),
    ".dcm": DICOM,
    ".nii": NIFTI,
    **dict.fromkeys((".wav", ".flac", ".ogg", ".mp3"), SOUND),
    **dict.fromkeys((".mp4", ".avi", ".mov", ".mkv", ".webm"), VIDEO),
    ".pdf": PDF,
    **dict.fromkeys((".html", ".htm"), HTML),
    ".arff": ARFF,
}


def refuse_by_content(path: Path) -> None:
    """Refuse a file whose first bytes, or those of what gzip packed in it, are of a format that is not read.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FileFormatError
        If it is of such a format, or is not a regular file.
    """
    with open_file(path) as file:
        head = file.read(HEAD)
        if head.startswith(ZIP_MAGIC):
            found = _in_zip(path)
        elif head.startswith(GZIP_MAGIC):
            file.seek(0)
            found = _in_gzip(gzip.GzipFile(fileobj=file))
        else:
            found = _by_signature(head)
    if found is not None:
        what, advice = found
        raise FileFormatError(f"{str(path)!r} is {what}, which is not read; {advice}")


def refuse_by_suffix(path: Path) -> None:
    """Refuse a file whose content says nothing, if its suffix is that of a format that is not read.

    Raises
    ------
    FileFormatError
        If it is.
    """
    found = BY_SUFFIX.get(path.suffix.lower())
    if found is not None:
        what, advice = found
        raise FileFormatError(f"{str(path)!r} has the suffix of {what}, which is not read; {advice}")


def _by_signature(head: bytes) -> Format | None:
    if head.startswith(NPY_MAGIC) or (head.startswith(b"\0\0") and head[2:3] != b"\0"):  # npy and idx
        return None
    signatures = SIGNATURES + (SIGNATURES_OF_BINARY if b"\0" in head else ())
    return next((found for at, magic, found in signatures if head[at : at + len(magic)] == magic), None)


def _in_zip(path: Path) -> Format | None:
    """What a zip is, unless it holds arrays or nothing at all."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except Exception:  # whatever zipfile raises on damage: the reader of npz says so
        return None
    if not names or any(name.endswith(".npy") for name in names):
        return None
    return next((found for end, found in ZIP_MEMBERS if any(name.endswith(end) for name in names)), ZIP)


def _in_gzip(stream: gzip.GzipFile) -> Format | None:
    try:
        head = stream.read(HEAD)
    except Exception:  # whatever gzip raises on damage: the reader says so
        return None
    found = _by_signature(head)
    if head.startswith(NPY_MAGIC):
        found = ("an npy array", UNPACK)
    elif head.startswith(ZIP_MAGIC):
        found = ZIP
    if found is None or found is TAR:
        return found
    return f"{found[0]} compressed by gzip", "expand it with gunzip"
