"""Parquet, HDF5 and zarr that are damaged or claim what they do not hold: one sentence, before time is spent."""

from pathlib import Path

import numpy as np
import pytest

from npae.datasets import open_source, shard_files
from npae.datasets.shards import ShardSource
from npae.utils.errors import FileFormatError

X = np.arange(12.0).reshape(4, 3)


def refused(name: str | Path, words: str) -> None:
    with pytest.raises(FileFormatError, match=words) as caught:
        open_source(name)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("mark", [b"HEAP", b"TREE", b"SNOD", b"\x89HDF"])
def test_an_hdf5_file_with_a_damaged_part_is_refused_whatever_h5py_raises(mark: bytes, tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("g/x", data=X, chunks=(2, 3), maxshape=(None, 3))
    content = path.read_bytes()
    assert mark in content
    path.write_bytes(content.replace(mark, b"oops"))
    with pytest.raises(FileFormatError, match="is not an HDF5 file, or is damaged"):
        open_source(path).read(0, 4)


def hdf5_of(shape: tuple[int, ...], folder: Path) -> Path:
    with pytest.importorskip("h5py").File(folder / "x.h5", "w") as file:
        file.create_dataset("x", shape, "f4", chunks=(2, 3))
    return folder / "x.h5"


def zarr_of(shape: tuple[int, ...], folder: Path) -> Path:
    pytest.importorskip("zarr").create_array(str(folder / "x.zarr"), shape=shape, chunks=(2**30, 3), dtype="f4")
    return folder / "x.zarr"


@pytest.mark.parametrize("container", [hdf5_of, zarr_of])
def test_samples_of_which_nothing_is_stored_are_refused_before_they_are_counted(container, tmp_path: Path) -> None:
    path = container((10**15, 3), tmp_path)
    refused(path, r"claims an array of shape \(1000000000000000, 3\) and dtype float32, 12,000,000,000,000,000 bytes")


def test_an_array_of_hdf5_in_other_files_may_be_much_larger_than_its_own(tmp_path: Path, monkeypatch) -> None:
    h5py = pytest.importorskip("h5py")
    monkeypatch.setattr(shard_files, "MOST_EXPANDED", 1)
    with h5py.File(tmp_path / "parts.h5", "w") as file:
        file["x"] = np.ones((1000, 3))
    layout = h5py.VirtualLayout((1000, 3), "f8")
    layout[:] = h5py.VirtualSource(tmp_path / "parts.h5", "x", (1000, 3))
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_virtual_dataset("x", layout)
    assert ShardSource(tmp_path / "x.h5").read(0, 1000).sum() == 3000


def test_a_parquet_file_that_expands_beyond_the_limit_is_refused(tmp_path: Path, monkeypatch) -> None:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    pq.write_table(pa.table({"a": np.zeros(10**5)}), tmp_path / "x.parquet")
    assert open_source(tmp_path / "x.parquet").shape == (10**5, 1)
    monkeypatch.setattr(shard_files, "MOST_EXPANDED", 10)
    refused(
        tmp_path / "x.parquet",
        r"claims an array of shape \(100000, 1\) .* 800,000 bytes, but stores .* at most 10 times",
    )


def test_chunks_of_hdf5_that_are_not_stored_are_counted_in_a_warning(tmp_path: Path) -> None:
    path = hdf5_of((8, 3), tmp_path)
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "a") as file:
        file["x"][2:4] = 1
    with pytest.warns(UserWarning, match="has 1 of its 4 chunks; what is missing is read as 0.0, as HDF5 defines it"):
        source = open_source(path)
    assert source.read(0, 8).sum() == 6
    with h5py.File(path, "a") as file:
        file["x"][:] = 1
        file["empty"] = np.zeros((0, 3))
    open_source(f"{path}:/x")  # a warning would be an error
    with h5py.File(tmp_path / "y.h5", "w") as file:
        file.create_dataset("never", (4, 3), "f4")
    with pytest.warns(UserWarning, match="has 0 of its 1 chunks"):
        open_source(tmp_path / "y.h5")


def test_a_parquet_file_whose_counts_of_rows_do_not_fit_is_refused(tmp_path: Path) -> None:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"a": np.arange(5.0)}), path, row_group_size=3, store_schema=False)
    content, places = path.read_bytes(), {}
    for at in range(len(content) - 8 - int.from_bytes(content[-8:-4], "little"), len(content) - 8):
        damaged = content[:at] + bytes([(content[at] + 8) % 256]) + content[at + 1 :]
        try:  # counts are written as twice their number
            metadata = pq.ParquetFile(pa.BufferReader(damaged)).metadata
        except (OSError, ValueError):
            continue
        counts = metadata.num_rows, *(metadata.row_group(i).num_rows for i in range(metadata.num_row_groups))
        if counts in {(9, 3, 2), (5, 7, 2), (5, 3, 6)}:
            places[counts] = at
            path.write_bytes(damaged)
            refused(path, r"has \d rows, but \d in its row groups; it is damaged")
    assert len(places) == 3
    both = bytearray(content)
    for counts in ((9, 3, 2), (5, 7, 2)):
        both[places[counts]] += 8
    path.write_bytes(both)
    with pytest.raises(FileFormatError, match=r"has fewer rows than its list of row groups says, .* of row group 0"):
        ShardSource(path).read(0, 9)
