"""Shards in files of other libraries: Parquet, HDF5 and zarr, each read by its own library, an optional extra."""

from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from npae.datasets.shard_files import FileShard
from npae.utils.errors import FileFormatError, MissingExtraError, one_line
from npae.utils.types import Array

HDF5_SEPARATOR = ":/"
ZARR_FILES = (".zarray", "zarr.json", ".zgroup")


def library(name: str, extra: str, what: str) -> Any:
    """A library that reads files of a format; raises MissingExtraError where it is not installed."""
    try:
        return import_module(name)
    except ImportError:
        raise MissingExtraError(
            f"{what} needs {name.partition('.')[0]}, which is not installed; pip install 'npae[{extra}]'"
        ) from None


def is_zarr(path: Path) -> bool:
    """Whether a folder is one of zarr."""
    return path.is_dir() and any((path / name).exists() for name in ZARR_FILES)


class ParquetShard(FileShard):
    """A Parquet file, each of whose columns is a value of a sample.

    Attributes
    ----------
    columns : list of str
    """

    def __init__(self, path: Path, name: str) -> None:
        super().__init__(path, name)
        parquet = library("pyarrow.parquet", "parquet", f"to read {name}")
        try:
            self._file = parquet.ParquetFile(path)
        except Exception as error:
            raise _unreadable(name, "a Parquet file", error) from None
        schema = self._file.schema_arrow
        self.columns = list(schema.names)
        dtypes = [_numpy_dtype(field, name) for field in schema]
        self.dtype = np.result_type(*dtypes) if dtypes else np.dtype(np.float32)
        metadata = self._file.metadata
        self.shape = metadata.num_rows, len(self.columns)
        sizes = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
        self._starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)

    def read(self, start: int, stop: int) -> Array:
        self.refuse_change()
        first = int(np.searchsorted(self._starts, start, side="right")) - 1
        last = int(np.searchsorted(self._starts, max(stop - 1, start), side="right")) - 1
        try:
            table = self._file.read_row_groups(list(range(first, last + 1)))
        except Exception as error:
            raise _unreadable(self.name, "a Parquet file", error) from None
        own = table.slice(start - int(self._starts[first]), stop - start)
        rows = np.empty((stop - start, len(self.columns)), self.dtype)
        for j, column in enumerate(own.columns):
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
        h5py = library("h5py", "hdf5", f"to read {name}")
        try:
            self._file = h5py.File(path, "r")
        except OSError as error:
            raise _unreadable(name, "an HDF5 file", error) from None
        arrays: list[str] = []
        self._file.visititems(lambda key, item: arrays.append(f"/{key}") if isinstance(item, h5py.Dataset) else None)
        if not inner and len(arrays) == 1:
            inner = arrays[0]
        if inner not in arrays:
            listing = ", ".join(f"{path}:{key}" for key in arrays[:20]) or "(it holds none)"
            raise FileFormatError(f"{name} names no array; give one of: {listing}")
        self._inner = inner
        self._array = self._file[inner]
        self.shape, self.dtype = tuple(self._array.shape), np.dtype(self._array.dtype)
        _refuse_no_numbers(self.dtype, name)

    def read(self, start: int, stop: int) -> Array:
        self.refuse_change()
        try:
            return np.asarray(self._array[start:stop])
        except OSError as error:
            raise _unreadable(self.name, "an HDF5 file", error) from None

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "inner": self._inner, "name": self.name}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]


class ZarrShard(FileShard):
    """An array of zarr: a folder, whose size and time are those of the file that describes it."""

    def __init__(self, path: Path, name: str) -> None:
        found = next((path / file for file in ZARR_FILES if (path / file).exists()), path)
        super().__init__(found, name)
        zarr = library("zarr", "zarr", f"to read {name}")
        try:
            self._array = zarr.open(str(path), mode="r")
        except Exception as error:
            raise _unreadable(name, "a zarr array", error) from None
        if not hasattr(self._array, "shape"):
            raise FileFormatError(f"{name} is a group of zarr arrays; give one of them, a folder in it")
        self._folder = path
        self.shape, self.dtype = tuple(self._array.shape), np.dtype(self._array.dtype)
        _refuse_no_numbers(self.dtype, name)

    def read(self, start: int, stop: int) -> Array:
        self.refuse_change()
        try:
            return np.asarray(self._array[start:stop])
        except Exception as error:
            raise _unreadable(self.name, "a zarr array", error) from None

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self._folder, "name": self.name}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]


def _refuse_no_numbers(dtype: np.dtype[Any], name: str) -> None:
    if dtype.kind not in "biuf":
        raise FileFormatError(
            f"{name} holds dtype {str(dtype)[:80]}, but real numbers are expected; give another array"
        )


def _unreadable(name: str, kind: str, error: Exception) -> FileFormatError:
    reason = one_line(f"{type(error).__name__}: {error}")
    return FileFormatError(f"{name} is not {kind}, or is damaged ({reason}); fetch or write it again")
