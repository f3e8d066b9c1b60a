"""The safetensors format, read and written with json and NumPy: named arrays and text, no code, memory-mapped.

A file is the length of the header (8 bytes, little-endian), the header (JSON: each name's dtype, shape and place), and
the arrays' bytes in C order without gaps (https://github.com/huggingface/safetensors, "Format").
"""

import json
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from npae.errors import FileFormatError
from npae.files import replacing
from npae.types import Array

LARGEST_HEADER = 100_000_000  # bytes; the format's own limit
LARGEST_ARRAY = 2**62  # bytes; NumPy counts an empty dimension as one
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


def write(path: str | Path, arrays: Mapping[str, Array], metadata: Mapping[str, str]) -> None:
    """Write arrays and text; ``path`` keeps its old content until the new one is complete.

    Parameters
    ----------
    path : str or Path
    arrays : mapping of str to ndarray
        Of float, integer or bool dtype; any memory layout, written in C order.
    metadata : mapping of str to str
    """
    for name, a in arrays.items():
        if a.dtype.newbyteorder("<") not in NAMES:
            raise ValueError(f"the array {name!r} has dtype {a.dtype}; expected one of {', '.join(map(str, NAMES))}")
    contiguous = {
        name: np.asarray(a, order="C").astype(a.dtype.newbyteorder("<"), copy=False) for name, a in arrays.items()
    }
    header: dict[str, Any] = {"__metadata__": dict(metadata)}
    start = 0
    for name, a in contiguous.items():
        header[name] = {"dtype": NAMES[a.dtype], "shape": list(a.shape), "data_offsets": [start, start + a.nbytes]}
        start += a.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # so that the arrays start at a multiple of 8
    with replacing(path) as file:
        file.write(len(text).to_bytes(8, "little"))
        file.write(text)
        for a in contiguous.values():
            file.write(a.data)


def read(path: str | Path) -> tuple[dict[str, Array], dict[str, str]]:
    """Arrays, read-only and memory-mapped, and text.

    Nothing is allocated for what the header merely claims: every array must lie within the file.

    Raises
    ------
    FileNotFoundError
    FileFormatError
        If the file is not a complete safetensors file of the dtypes in ``DTYPES``.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}; check the path")
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > min(LARGEST_HEADER, size - 8):
            raise _broken(path, f"its {size} bytes do not hold the header of {length} bytes that it announces")
        text = file.read(length)
    header = _parse(path, text)
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise _broken(path, "its metadata is not a table of texts")
    places = sorted(((_place(path, name, entry), name) for name, entry in header.items()), key=lambda p: p[0][2:])
    end = 0
    for (_, _, start, stop), name in places:
        if start != end:
            raise _broken(path, f"the array {name!r} starts at {start}, where {end} was expected")
        end = stop
    if end != size - 8 - length:
        raise _broken(path, f"its arrays take {end} bytes, but {size - 8 - length} are there")
    if end == 0:
        return {name: np.zeros(shape, dtype) for (dtype, shape, _, _), name in places}, metadata
    data = np.memmap(path, dtype=np.uint8, mode="r", offset=8 + length)
    return {name: data[start:stop].view(dtype).reshape(shape) for (dtype, shape, start, stop), name in places}, metadata


def _parse(path: Path, text: bytes) -> dict[str, Any]:
    def without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        table = dict(pairs)
        if len(table) != len(pairs):
            raise ValueError("a name stands twice")
        return table

    try:
        header = json.loads(text.decode("utf-8"), object_pairs_hook=without_duplicates)
    except (ValueError, RecursionError) as error:
        raise _broken(path, f"its header cannot be read ({error})") from None
    if not isinstance(header, dict):
        raise _broken(path, "its header is not a table")
    return header


def _place(path: Path, name: str, entry: Any) -> tuple[np.dtype[Any], tuple[int, ...], int, int]:
    """(dtype, shape, start, stop) of one array."""
    try:
        dtype, shape, (start, stop) = np.dtype(DTYPES[entry["dtype"]]), entry["shape"], entry["data_offsets"]
        numbers = [*shape, start, stop]
    except (KeyError, TypeError, ValueError):
        raise _broken(path, f"the array {name!r} is described in a way this version does not know") from None
    if not isinstance(shape, list) or not all(type(n) is int and n >= 0 for n in numbers) or len(shape) > 32:
        raise _broken(path, f"the array {name!r} has a shape or a place that is none")
    if prod(max(n, 1) for n in shape) * dtype.itemsize > LARGEST_ARRAY:
        raise _broken(path, f"the array {name!r} has a shape that no array can have")
    if stop - start != prod(shape) * dtype.itemsize:
        raise _broken(path, f"the array {name!r} of shape {tuple(shape)} does not fit its {stop - start} bytes")
    return dtype, tuple(shape), start, stop


def _broken(path: Path, what: str) -> FileFormatError:
    return FileFormatError(f"{path} is not a complete safetensors file: {what}; make or fetch it again")
