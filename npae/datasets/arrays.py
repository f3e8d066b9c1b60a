"""Readers for NumPy's files: npy (one array) and npz (a zip archive of arrays), without pickle."""

import io
import math
import os
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from npae.datasets.streams import MAX_BYTES, Stream, damage_is_reported, open_file, read_array
from npae.utils.errors import FileFormatError, listed, quoted
from npae.utils.types import Array, Shape

MAX_HEADER = 10_000  # bytes, as in numpy.load; the header of an array of numbers has 128
SAMPLE_NAMES = ("x", "X", "images", "data", "train_images", "x_train", "X_train")
#: What scipy.sparse.save_npz writes of every matrix, and where the stored values lie, by its format.
SPARSE = {"format", "shape", "data"}
PLACES: tuple[set[str], ...] = ({"indices", "indptr"}, {"row", "col"}, {"coords"}, {"offsets"})
COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # what savez and savez_compressed use


def read_npy(path: str | os.PathLike[str], *, texts: bool = False) -> Array:
    """Read an npy file of real numbers, or if ``texts`` allows them of texts.

    At most 4 GiB are read, and memory is allocated only for bytes that the file has. A header may have at most 10,000
    bytes, an array at most 64 axes. Arrays of Python objects (which need pickle), text, structured and complex arrays
    are refused.

    Parameters
    ----------
    path : str or PathLike
        The file.
    texts : bool, default False
        Whether an array of str is read, too.

    Returns
    -------
    ndarray of bool, integers or floating-point numbers, or of str
        C-contiguous, in native byte order.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FileFormatError
        If it is not an npy file of real numbers, if bytes are missing or left over, or if it is too large.
    """
    path = Path(path)
    with open_file(path) as file:
        return _read(file, path, os.fstat(file.fileno()).st_size, texts=texts)


def read_npz(path: str | os.PathLike[str], name: str | None = None) -> Array:
    """Read one array of an npz file.

    The array is the one called ``name``. Without a name it is the only array, or else the only one that is called
    x, X, images, data, train_images, x_train or X_train. A sparse matrix of scipy is refused.

    At most 4 GiB are read, whatever the compressed size, and nothing but the chosen array is expanded, piece by piece.
    Stored and deflated members are read, without encryption; the table of members takes some 20 times its size in the
    file.

    Parameters
    ----------
    path : str or PathLike
        The file.
    name : str, optional
        Name of the array. By default it is the only array, or else the only one that is called x, X, images, data,
        train_images, x_train or X_train.

    Returns
    -------
    ndarray of bool, integers or floating-point numbers
        C-contiguous, in native byte order.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FileFormatError
        If it is not an npz file, if it is not clear which array is meant, if the array is refused as by
        :func:`read_npy`, or if scipy.sparse.save_npz wrote the file, whose arrays are parts of one sparse matrix.
    """
    path = Path(path)
    with open_file(path) as file, damage_is_reported(path, "an npz file"), zipfile.ZipFile(file) as archive:
        members = {info.filename[:-4]: info for info in archive.infolist() if info.filename.endswith(".npy")}
        if members.keys() >= SPARSE and any(members.keys() >= places for places in PLACES):
            raise FileFormatError(
                f"{str(path)!r} holds a sparse matrix, written by scipy.sparse.save_npz, but one array of all values "
                f"is expected; give what scipy.sparse.load_npz reads to fit or transform, or write its .toarray() with "
                f"numpy.savez"
            )
        member = members[_choose(list(members), name, path)]
        if member.compress_type not in COMPRESSIONS:
            raise FileFormatError(
                f"{str(path)!r} uses zip method {member.compress_type}, but only stored and deflated arrays are read; "
                f"write it with numpy.savez_compressed"
            )
        with archive.open(member) as stream:
            return _read(stream, path, member.file_size)


def _choose(names: list[str], name: str | None, path: Path) -> str:
    if name is not None:
        if name in names:
            return name
        known = listed(names) or "(it is empty)"
        raise FileFormatError(f"{str(path)!r} holds no array {quoted(name)}; give one of: {known}")
    if not names:
        raise FileFormatError(f"{str(path)!r} holds no arrays, but one was expected; write it with numpy.savez")
    chosen = names if len(names) == 1 else [known for known in SAMPLE_NAMES if known in names]
    if len(chosen) != 1:
        raise FileFormatError(
            f"{str(path)!r} holds {len(names)} arrays and it is not clear which is meant; write one of them into a "
            f"file of its own (in Python choose it with name=): {listed(names)}"
        )
    return chosen[0]


def npy_layout(path: Path) -> tuple[Shape, bool, np.dtype[Any], int]:
    """Shape, whether the first axis varies fastest, dtype, and where the numbers begin, of an npy file of real numbers.

    Raises
    ------
    FileNotFoundError, FileFormatError
        As :func:`read_npy`, but of any size.
    """
    with open_file(path) as file:
        shape, fortran_order, dtype = _numeric_header(file, path)
        offset, size = file.tell(), os.fstat(file.fileno()).st_size
    promised = math.prod(shape) * dtype.itemsize
    if size - offset != promised:
        raise FileFormatError(
            f"{str(path)!r} promises an array of shape {shape} and dtype {dtype}, {promised:,} bytes, but holds "
            f"{size - offset:,}; it is damaged: fetch or write it again"
        )
    return shape, fortran_order, dtype, offset


def _read(stream: Stream, path: Path, size: int, *, texts: bool = False) -> Array:
    """One npy array from a stream of ``size`` bytes, a file or a member of a zip."""
    shape, fortran_order, dtype = _numeric_header(stream, path, texts=texts)
    x = read_array(stream, dtype, shape[::-1] if fortran_order else shape, path, size)
    return np.ascontiguousarray(x.T if fortran_order else x, dtype.newbyteorder("=")).reshape(shape)


def _numeric_header(stream: Stream, path: Path, *, texts: bool = False) -> tuple[Shape, bool, np.dtype[Any]]:
    """The header of an array of real numbers, or if ``texts`` allows them of texts; others are refused."""
    shape, fortran_order, dtype = _header(stream, path)
    if dtype.kind not in ("biufU" if texts else "biuf"):
        what = "Python objects, which only pickle could read" if dtype.hasobject else f"dtype {str(dtype)[:80]}"
        expected, dtypes = ("numbers or texts", "dtype, such as str") if texts else ("real numbers", "numeric dtype")
        raise FileFormatError(
            f"{str(path)!r} holds {what}, but {expected} are expected; save one array of one {dtypes}"
        )
    if len(shape) > 64 or not all(0 <= n <= MAX_BYTES for n in shape):
        raise FileFormatError(f"{str(path)!r} promises an impossible shape; it is damaged: fetch or write it again")
    return shape, fortran_order, dtype


def _header(stream: Stream, path: Path) -> tuple[Shape, bool, np.dtype[Any]]:
    try:
        version = npy.read_magic(stream)
    except ValueError:
        raise FileFormatError(f"{str(path)!r} is not an npy array; write it with numpy.save") from None
    # Version 3 differs in one thing: the fields of a structured array may have names outside of latin-1.
    readers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    if version not in readers:
        raise FileFormatError(f"{str(path)!r} has npy version {version}, but 1.0 or 2.0 are read; save plain numbers")
    length = stream.read(2 if version == (1, 0) else 4)
    promised = int.from_bytes(length, "little")
    if promised > MAX_HEADER:
        raise FileFormatError(
            f"{str(path)!r} has an npy header of {promised:,} bytes, but at most {MAX_HEADER:,} are read; "
            f"save one array of one numeric dtype"
        )
    text = io.BytesIO(length + stream.read(promised))
    try:
        with warnings.catch_warnings(
            action="ignore"
        ):  # the header is Python source, which may cause deprecation warnings
            shape, fortran_order, dtype = readers[version](text)
    except Exception:  # source that is nested too deeply may even raise MemoryError
        raise FileFormatError(f"{str(path)!r} has a damaged npy header; fetch or write it again") from None
    return tuple(int(n) for n in shape), fortran_order, dtype
