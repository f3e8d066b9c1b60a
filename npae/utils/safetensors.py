"""Reader and writer of safetensors files: named arrays and text, memory-mapped, without executable content.

A file has the length of the header (8 bytes, little-endian), the header (JSON: dtype, shape and offsets by name), and
the arrays' bytes in C order without gaps (https://github.com/huggingface/safetensors, "Format").

Files may come from untrusted sources. A header has at most 100 MB, the format's own limit, and 4 million values, which
take less than 1 GiB after parsing. Sizes of arrays are checked against the size of the file.
"""

import json
from collections.abc import Iterable, Mapping
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from npae.utils import files
from npae.utils.errors import FileFormatError, one_line, quoted
from npae.utils.files import atomic_write, require_file
from npae.utils.types import Array

LARGEST_HEADER = 100_000_000  # bytes
MOST_VALUES = 2**22  # in the header and in the text that it holds; the history of 500,000 epochs fits
LARGEST_ARRAY = 2**62  # bytes; NumPy counts an empty dimension as one
MOST_AXES = 32
DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "|i1",
    "U64": "<u8",
    "U32": "<u4",
    "U16": "<u2",
    "U8": "|u1",
    "BOOL": "|b1",
}
NAMES = {np.dtype(code): name for name, code in DTYPES.items()}


class InParts(NamedTuple):
    """An array that comes in parts, one after the other, so that it is never all in memory."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    parts: Iterable[Array]

    @property
    def nbytes(self) -> int:
        """Bytes of the whole array."""
        return prod(self.shape) * self.dtype.itemsize


def write(path: str | Path, arrays: Mapping[str, Array | InParts], metadata: Mapping[str, str]) -> None:
    """Write arrays and text to a file, which is replaced atomically.

    Parameters
    ----------
    path : str or Path
    arrays : mapping of str to ndarray or InParts
        Of float, integer or bool dtype; any memory layout, written in C order.
    metadata : mapping of str to str
        With the names of the arrays, at most 100 MB and 4 million values of JSON: more is refused before anything is
        written.
    """
    for name, a in arrays.items():
        if a.dtype.newbyteorder("<") not in NAMES:
            raise ValueError(f"the array {name!r} has dtype {a.dtype}; expected one of {', '.join(map(str, NAMES))}")
    whole = {name: a if isinstance(a, InParts) else InParts(a.shape, a.dtype, [a]) for name, a in arrays.items()}
    header: dict[str, Any] = {"__metadata__": dict(metadata)}
    start = 0
    for name, a in whole.items():
        dtype, stop = NAMES[a.dtype.newbyteorder("<")], start + a.nbytes
        header[name] = {"dtype": dtype, "shape": list(a.shape), "data_offsets": [start, stop]}
        start = stop
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # so that the arrays start at a multiple of 8
    if too_large := _is_too_large(text):
        raise ValueError(
            f"{path} would have a header of {too_large} are read again; save a shorter history, or less text"
        )
    with atomic_write(path) as file:
        file.write(len(text).to_bytes(8, "little"))
        file.write(text)
        for a in whole.values():
            for part in a.parts:
                file.write(np.asarray(part, order="C").astype(a.dtype.newbyteorder("<"), copy=False).data)


def read(path: str | Path) -> tuple[dict[str, Array], dict[str, str]]:
    """Read the arrays, read-only and memory-mapped, and the text of a file.

    On Windows, where a mapped file cannot be replaced, arrays are read into memory.

    Every array must be within the file, so no memory is allocated for announced sizes. The header has at most 100 MB
    and 4 million values, an array at most 32 axes. Only the dtypes in ``DTYPES`` are read: neither BF16 nor floats of 8
    bits and fewer, such as F8_E4M3, which NumPy does not have.

    The file must not be truncated while the arrays are in use. npae itself replaces files by new ones, so arrays of the
    old file stay valid.

    Raises
    ------
    FileNotFoundError
    FileFormatError
        If the file is not a complete safetensors file of the dtypes in ``DTYPES``.
    """
    path = Path(path)
    require_file(path)
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size <= 8:
            raise _broken(path, f"it has {size} bytes")
        if length > LARGEST_HEADER and file.read(1) != b"{":
            raise FileFormatError(
                f"{path} is no safetensors file, by its first bytes; give one (in Python npae.datasets.read reads data)"
            )
        file.seek(8)
        if length > size - 8:
            raise _broken(path, f"its {size} bytes do not hold the header of {length} bytes that it announces")
        text = file.read(min(length, LARGEST_HEADER + 1))
    if too_large := _is_too_large(text):
        raise FileFormatError(f"{path} has a header of {too_large} are read; save fewer arrays or less text in it")
    header = _parse(path, text)
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise _broken(path, "its metadata is not a table of texts")
    places = sorted(((_place(path, name, entry), name) for name, entry in header.items()), key=lambda p: p[0][2:])
    end = 0
    for (_, _, start, stop), name in places:
        if start != end:
            raise _broken(path, f"the array {quoted(name)} starts at {start}, where {end} was expected")
        end = stop
    if end != size - 8 - length:
        raise _broken(path, f"its arrays take {end} bytes, but {size - 8 - length} are there")
    if end == 0:
        return {name: np.zeros(shape, dtype) for (dtype, shape, _, _), name in places}, metadata
    data = _data(path, 8 + length, end)
    return {name: data[start:stop].view(dtype).reshape(shape) for (dtype, shape, start, stop), name in places}, metadata


def _data(path: Path, start: int, nbytes: int) -> Array:
    """The bytes of all arrays."""
    if not files.IS_WINDOWS:
        return np.memmap(path, dtype=np.uint8, mode="r", offset=start)
    data = np.fromfile(path, np.uint8, nbytes, offset=start)
    if len(data) < nbytes:
        raise _broken(path, f"its arrays take {nbytes} bytes, but {len(data)} are there")
    data.flags.writeable = False
    return data


def _is_too_large(text: bytes) -> str:
    """The limit that a header exceeds, as text, or an empty string."""
    if len(text) > LARGEST_HEADER:
        return f"{len(text):,} bytes or more, but at most {LARGEST_HEADER:,}"
    values = sum(map(text.count, (b",", b"[", b"{")))  # each is followed by a value
    return f"{values:,} values, but at most {MOST_VALUES:,}" if values > MOST_VALUES else ""


def _parse(path: Path, text: bytes) -> dict[str, Any]:
    def without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        table = dict(pairs)
        if len(table) != len(pairs):
            raise ValueError("a name stands twice")
        return table

    if not text.startswith(b"{") or not text.rstrip(b" ").endswith(b"}"):
        raise _broken(path, "its header is not a table between { and }, with nothing but spaces after it")
    try:
        header: dict[str, Any] = json.loads(
            text.decode("utf-8"), object_pairs_hook=without_duplicates, parse_constant=_no_constant
        )
        if b"\\u" in text:  # half of a pair of escapes can be parsed, and is no text
            json.dumps(header, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise _broken(path, f"its header cannot be read ({one_line(error)})") from None
    return header


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _place(path: Path, name: str, entry: Any) -> tuple[np.dtype[Any], tuple[int, ...], int, int]:
    """(dtype, shape, start, stop) of one array."""
    if isinstance(entry, dict) and isinstance(entry.get("dtype"), str) and entry["dtype"] not in DTYPES:
        raise FileFormatError(
            f"{path} holds the array {quoted(name)} of dtype {quoted(entry['dtype'])}, which npae does not read; "
            f"convert it to one of {', '.join(DTYPES)}"
        )
    try:
        dtype, shape, (start, stop) = np.dtype(DTYPES[entry["dtype"]]), entry["shape"], entry["data_offsets"]
        numbers = [*shape, start, stop]
    except (KeyError, TypeError, ValueError):
        raise _broken(path, f"the array {quoted(name)} is described in a way this version does not know") from None
    if not isinstance(shape, list) or len(shape) > MOST_AXES or not all(type(n) is int and n >= 0 for n in numbers):
        raise _broken(path, f"the array {quoted(name)} has a shape or a place that is none")
    if prod(max(n, 1) for n in shape) * dtype.itemsize > LARGEST_ARRAY:
        raise _broken(path, f"the array {quoted(name)} has a shape that no array can have")
    if stop - start != prod(shape) * dtype.itemsize:
        raise _broken(path, f"the array {quoted(name)} of shape {tuple(shape)} does not fit its place")
    return dtype, tuple(shape), start, stop


def _broken(path: Path, what: str) -> FileFormatError:
    return FileFormatError(f"{path} is not a complete safetensors file: {what}; make or fetch it again")
