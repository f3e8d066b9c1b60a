"""Shards in files of other libraries: Parquet, HDF5 and zarr, each read by its own library, an optional extra.

No file is kept open between two readings, since a process may have a thousand of them open and data more.
"""

from contextlib import suppress
from importlib import import_module
from itertools import product
from math import prod
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from npae.datasets.shard_files import FileShard, stamp_of
from npae.utils.errors import FileFormatError, MissingExtraError, listed, one_line
from npae.utils.sources import CHUNK_BYTES
from npae.utils.types import Array

HDF5_SEPARATOR = ":/"
ZARR_FILES = (".zarray", "zarr.json", ".zgroup")
LARGE_GROUP = 2**26  # bytes of a row group of Parquet, above which reading it again and again is felt
#: Errors of opening a file that say nothing of what is in it.
NOT_DAMAGED: dict[type[OSError], str] = {
    PermissionError: "cannot be opened (permission denied); check that you may read it",
    BlockingIOError: "is being written by another program; wait for its end",
}


def library(name: str, extra: str, what: str) -> Any:
    """A library that reads files of a format; raises MissingExtraError where it is not installed."""
    try:
        return import_module(name)
    except ImportError:
        raise MissingExtraError(
            f"{what} needs {name.partition('.')[0]}, which is not installed; pip install 'npae[{extra}]'"
        ) from None


def is_zarr(path: Path) -> bool:
    """Whether a folder is one of zarr, an array or a group, or is called so."""
    return path.is_dir() and (path.suffix.lower() == ".zarr" or any((path / name).exists() for name in ZARR_FILES))


class ParquetShard(FileShard):
    """A Parquet file, each of whose columns is a value of a sample, except for an index that pandas wrote.

    Attributes
    ----------
    columns : list of str
    """

    def __init__(self, path: Path, name: str) -> None:
        super().__init__(path, name)
        self._library = library("pyarrow.parquet", "parquet", f"to read {name}")
        try:
            with self._library.ParquetFile(path) as file:
                metadata, schema = file.metadata, file.schema_arrow
        except Exception as error:
            raise _unreadable(name, "a Parquet file", error) from None
        index = _index_columns(schema)
        self._places = [i for i, column in enumerate(schema.names) if column not in index]
        self.columns = [schema.names[i] for i in self._places]
        if index:
            self.notes["index"] = (
                f"{name} has the index of a dataframe as {'a column' if len(index) == 1 else 'columns'}, "
                f"{listed(index)}, which {'is' if len(index) == 1 else 'are'} passed over"
            )
        dtypes = [_numpy_dtype(schema.field(i), name) for i in self._places]
        self.dtype = np.result_type(*dtypes) if dtypes else np.dtype(np.float32)
        self._metadata, self.shape = metadata, (metadata.num_rows, len(self.columns))
        self.refuse_claim()
        sizes = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
        if sum(sizes) != metadata.num_rows or min(sizes, default=0) < 0:
            raise FileFormatError(
                f"{name} has {metadata.num_rows:,} rows, but {sum(sizes):,} in its row groups; it is damaged: fetch or "
                f"write it again"
            )
        self._starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        largest = max(sizes, default=0) * self.row_bytes
        if largest > LARGE_GROUP:
            self.notes["row groups"] = (
                f"{name} has row groups of up to {largest >> 20:,} MiB, each of which is read whole for every "
                f"{CHUNK_BYTES >> 20} MiB of it, which takes long; write it with "
                f"row_group_size={max(CHUNK_BYTES // self.row_bytes, 1)}"
            )

    def read(self, start: int, stop: int) -> Array:
        self.refuse_change()
        first = int(np.searchsorted(self._starts, start, side="right")) - 1
        last = int(np.searchsorted(self._starts, max(stop - 1, start), side="right")) - 1
        try:
            # Checksums are compared where the file has some.
            with self._library.ParquetFile(self.path, metadata=self._metadata, page_checksum_verification=True) as file:
                table = file.read_row_groups(list(range(first, last + 1)))
        except Exception as error:
            raise _unreadable(self.name, "a Parquet file", error) from None
        own = table.slice(start - int(self._starts[first]), stop - start)
        if own.num_rows != stop - start:
            raise FileFormatError(
                f"{self.name} has fewer rows than its list of row groups says, {table.num_rows:,} of row group {first}"
                f"{f' to {last}' if last > first else ''}; it is damaged: fetch or write it again"
            )
        rows = np.empty((stop - start, len(self.columns)), self.dtype)
        for j, column in enumerate(own.column(i) for i in self._places):
            if column.null_count:
                at = next(i for i, value in enumerate(column) if not value.is_valid)
                raise FileFormatError(
                    f"{self.name} has no value in row {start + at} of column {self.columns[j]!r}; fill missing values, "
                    f"or remove their rows"
                )
            rows[:, j] = column.to_numpy()
        return rows

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "name": self.name}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]


def _index_columns(schema: Any) -> list[str]:
    """The columns in which pandas, and so Dask, has kept the index of a dataframe; a range is kept elsewhere."""
    described = (schema.pandas_metadata or {}).get("index_columns", [])
    return [column for column in described if isinstance(column, str) and column in schema.names]


def _numpy_dtype(field: Any, name: str) -> np.dtype[Any]:
    dtype = np.dtype(object)
    with suppress(NotImplementedError, TypeError):
        dtype = np.dtype(field.type.to_pandas_dtype())
    if dtype.kind not in "biuf":
        raise FileFormatError(
            f"{name} has a column {field.name!r} of {one_line(str(field.type), 60)}, which are no numbers; write the "
            f"file without it"
        )
    return dtype


class Hdf5Shard(FileShard):
    """An array of an HDF5 file.

    Parameters
    ----------
    path : Path
    inner : str
        The array's name in the file; empty for the only one.
    name : str
    """

    def __init__(self, path: Path, inner: str, name: str) -> None:
        super().__init__(path, name)
        self._library = library("h5py", "hdf5", f"to read {name}")
        try:
            with self._library.File(path, "r") as file:
                self._inner = self._name_of(file, inner)
                array = file[self._inner or "/"]
                self.shape, self.dtype = tuple(array.shape or ()), np.dtype(array.dtype)
                is_elsewhere, (present, expected) = bool(array.is_virtual or array.external), _stored_chunks(array)
                fill = array.fillvalue
        except FileFormatError:
            raise
        except Exception as error:  # h5py raises whatever comes up
            raise _unreadable(name, "an HDF5 file", error) from None
        _refuse_no_numbers(self.dtype, name)
        if is_elsewhere:
            return
        self.refuse_claim()
        if present < expected:
            self.notes["chunks"] = _missing_chunks(name, present, expected, fill, "HDF5")

    def _name_of(self, file: Any, inner: str) -> str:
        """The name by which the array is found in a file."""
        kind, arrays = self._library.Dataset, list[str]()
        file.visititems(lambda key, item: arrays.append(f"/{key}") if isinstance(item, kind) else None)
        inner = arrays[0] if not inner and len(arrays) == 1 else inner
        array = None
        with suppress(KeyError, OSError):  # a link that leads nowhere
            array = file[inner or "/"]
        if not isinstance(array, kind):
            _refuse_name(self.name, [f"{self.path}:{key}" for key in arrays])
        return inner

    def read(self, start: int, stop: int) -> Array:
        self.refuse_change()
        try:
            with self._library.File(self.path, "r") as file:
                return np.asarray(file[self._inner][start:stop])
        except Exception as error:
            raise _unreadable(self.name, "an HDF5 file", error) from None

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "inner": self._inner, "name": self.name}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]


class ZarrShard(FileShard):
    """An array of zarr: a folder with a file that describes it, and one for each of its chunks.

    That a chunk has changed is found out at the next reading of it. One that is not there reads as a fixed value, as
    zarr defines it, which a warning says.
    """

    def __init__(self, path: Path, name: str) -> None:
        found = next((path / file for file in ZARR_FILES if (path / file).exists()), path)
        super().__init__(found, name)
        zarr = library("zarr", "zarr", f"to read {name}")
        try:
            self._array = zarr.open(str(path), mode="r")
        except Exception as error:
            raise _unreadable(name, "a zarr array", error) from None
        if not hasattr(self._array, "shape"):
            members = self._array.members(max_depth=None)
            _refuse_name(name, sorted(f"{path / key}" for key, member in members if hasattr(member, "shape")))
        present, expected = self._array.nchunks_initialized, self._array.nchunks
        if present < expected:
            self.notes["chunks"] = _missing_chunks(name, present, expected, self._array.fill_value, "zarr")
        self._folder, self._stamps = path, dict[Path, Any]()
        self.shape, self.dtype = tuple(self._array.shape), np.dtype(self._array.dtype)
        _refuse_no_numbers(self.dtype, name)
        self.refuse_claim()

    def stored_bytes(self) -> int:
        return sum(file.stat().st_size for file in self._folder.rglob("*") if file.is_file())

    def read(self, start: int, stop: int) -> Array:
        self.refuse_change()
        for file in self._files(start, stop):
            stamp = None
            with suppress(FileNotFoundError):
                stamp = stamp_of(file)
            if self._stamps.setdefault(file, stamp) != stamp:
                self.refuse_as_changed()
        try:
            return np.asarray(self._array[start:stop])
        except Exception as error:
            raise _unreadable(self.name, "a zarr array", error) from None

    def _files(self, start: int, stop: int) -> list[Path]:
        """The files in which some of the rows are, whether they are there or not."""
        tile = self._array.shards or self._array.chunks
        rows = range(start // tile[0], -(-stop // tile[0]))
        others = [range(-(-n // length)) for n, length in zip(self.shape[1:], tile[1:], strict=True)]
        return [self._folder / self._array.metadata.encode_chunk_key(place) for place in product(rows, *others)]

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self._folder, "name": self.name}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]


def _refuse_no_numbers(dtype: np.dtype[Any], name: str) -> None:
    if dtype.kind not in "biuf":
        raise FileFormatError(
            f"{name} holds dtype {str(dtype)[:80]}, but real numbers are expected; give another array"
        )


def _stored_chunks(array: Any) -> tuple[int, int]:
    """How many chunks of an array of HDF5 are stored, and of how many; one that is not chunked is one of 1, or none."""
    if not array.size:
        return 0, 0
    if not array.chunks:
        return int(array.id.get_storage_size() > 0), 1
    expected = prod(-(-n // length) for n, length in zip(array.shape, array.chunks, strict=True))
    return array.id.get_num_chunks(), expected


def _missing_chunks(name: str, present: int, expected: int, fill: Any, library_name: str) -> str:
    return (
        f"{name} has {present:,} of its {expected:,} chunks; what is missing is read as {fill}, as {library_name} "
        f"defines it; fetch it again if it should be there"
    )


def _refuse_name(name: str, arrays: list[str]) -> NoReturn:
    """Raise the FileFormatError of a name that stands for none of the arrays of a file."""
    advice = f"give one of: {listed(arrays, one_line)}" if arrays else "there is none; give another file"
    raise FileFormatError(f"{name} names no array; {advice}")


def _unreadable(name: str, kind: str, error: Exception) -> Exception:
    for error_type, sentence in NOT_DAMAGED.items():
        if isinstance(error, error_type):
            return error_type(f"{name} {sentence}")
    reason = one_line(f"{type(error).__name__}: {error}")
    return FileFormatError(f"{name} is not {kind}, or is damaged ({reason}); fetch or write it again")
