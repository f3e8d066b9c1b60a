"""Sources of one's own data: nothing is converted, left out, or read a second time otherwise, without a word."""

import os
import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import npae
from npae.applications import reduction
from npae.datasets import ArraySource, ShardSource, StreamSource, containers, open_source
from npae.utils.errors import FileFormatError
from npae.utils.source_rows import SourceRows
from npae.utils.types import Array
from npae.utils.validation import check_numeric

X = np.random.default_rng(0).random((30, 4)).astype(np.float32)


@pytest.mark.parametrize(
    ("array", "error", "sentence"),
    [
        (X.astype(complex), ValueError, "Complex data not supported: array have dtype complex128"),
        (np.zeros((3, 2), "M8[D]"), TypeError, "array holds dates"),
        (np.ma.masked_greater(X, 0.5), ValueError, "array contains masked values"),
        (np.array([[1, None]], dtype=object), ValueError, "array contains NaN or other marks of missing values"),
        (X.tolist(), TypeError, "array is a list, but an array of NumPy is expected"),
        (X[:, 0], ValueError, r"array has shape \(30,\), but holds samples"),
    ],
)
def test_an_array_that_is_no_table_of_real_numbers_is_refused_as_by_fit(
    array: Any, error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        ArraySource(array)


@pytest.mark.parametrize("divide", [0, -1, np.nan, "255"])
def test_every_source_refuses_to_divide_by_what_is_no_number_above_0(divide: Any) -> None:
    for source, data in ((ArraySource, X), (ShardSource, [X]), (StreamSource, lambda epoch: [X])):
        with pytest.raises(ValueError, match=r"divide is .*; expected a number above 0"):
            source(data, divide=divide)


@pytest.mark.parametrize("source_of", [ArraySource, lambda X: ShardSource([X[:10], X[10:]])])
def test_an_array_that_was_changed_since_is_looked_at_anew(source_of: Any) -> None:
    own = X.copy()
    source = source_of(own)
    assert check_numeric(source, "X").max() == X.max()
    own[20, 1] = 7
    assert check_numeric(source, "X").max() == 7
    own[20, 1] = np.nan
    with pytest.raises(ValueError, match=r"NaN or infinity, first in row (20|10 of part 1)"):
        npae.VanillaAutoencoder(epochs=1).fit(source)


def test_a_function_may_fill_one_array_again_and_again() -> None:
    def filled(epoch: int) -> Any:
        array = np.empty((3, 4), np.float32)
        for start in range(0, 30, 3):
            array[...] = X[start : start + 3]
            yield array

    source = StreamSource(filled)
    assert np.array_equal(source.read(2, 29), X[2:29])
    assert np.array_equal(SourceRows(source)[5:25].toarray(), X[5:25])


def test_rows_that_are_passed_over_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    source = StreamSource(lambda epoch: (X[i : i + 1] for i in range(30)))
    made: list[int] = []
    monkeypatch.setattr(np, "empty", lambda shape, dtype: made.append(shape[0]) or np.zeros(shape, dtype))
    assert np.array_equal(source.read(27, 29), X[27:29])
    assert made == [2]


@pytest.mark.parametrize("returned", [X.reshape(30, 2, 2), None, 5])
def test_a_function_that_returns_no_iterable_of_arrays_is_refused(returned: Any) -> None:
    with pytest.raises(TypeError, match=r"for epoch 0, but an iterable of arrays is expected; give \[X\]"):
        StreamSource(lambda epoch: returned)


def test_where_an_array_is_needed_a_source_is_refused_in_words() -> None:
    source = ArraySource(X, divide=2)
    assert repr(source) == "<ArraySource of (30, 4) float32, divide=2>"
    for use in (np.asarray, lambda source: np.unique(source, axis=0), reduction.plane):
        with pytest.raises(TypeError, match="ArraySource was given, but an array is needed here"):
            use(source)


def test_the_index_of_a_dataframe_is_passed_over_with_a_word(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    frame = pandas.DataFrame(X, columns=list("abcd"))
    frame[:10].to_parquet(tmp_path / "0.parquet")  # whose range is no column
    frame[10:20].sample(frac=1, random_state=0).to_parquet(tmp_path / "1.parquet")
    frame[20:].rename(index=str).to_parquet(tmp_path / "2.parquet")
    with pytest.warns(UserWarning, match="has the index of a dataframe") as caught:
        source = ShardSource(tmp_path)
    assert [str(warning.message).removeprefix(repr(str(tmp_path))[:-1]) for warning in caught] == [
        "/1.parquet' has the index of a dataframe as a column, '__index_level_0__', which is passed over; so it is "
        "with 1 more file"
    ]
    assert [warning.filename for warning in caught] == [__file__]
    assert (source.shape, source.columns) == ((30, 4), list("abcd"))
    assert np.array_equal(np.sort(source.read(0, 30), axis=0), np.sort(X, axis=0))


def test_row_groups_that_are_read_again_and_again_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    frame = pandas.DataFrame(X, columns=list("abcd"))
    monkeypatch.setattr(containers, "LARGE_GROUP", 10 * 16)
    frame.to_parquet(tmp_path / "small.parquet", row_group_size=10)
    with warnings.catch_warnings(action="error"):
        ShardSource(tmp_path / "small.parquet")
    frame.sample(frac=1, random_state=0).to_parquet(tmp_path / "large.parquet", row_group_size=20)
    with pytest.warns(UserWarning, match=r"index of a dataframe|row_group_size=262144$") as caught:
        ShardSource(tmp_path)
    assert len(caught) == 2


def test_arrays_of_hdf5_may_be_links_and_what_is_none_is_refused(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file["g/a"], file["flat"], file["none"] = X, X[:, 0], h5py.Empty("f4")
        file["link"], file["lost"] = h5py.SoftLink("/g/a"), h5py.SoftLink("/nowhere")
    assert np.array_equal(ShardSource(f"{path}:/link").read(0, 30), X)
    for name in ("flat", "none"):
        with pytest.raises(FileFormatError, match="but a shard holds samples"):
            ShardSource(f"{path}:/{name}")
    for name in ("lost", "g", "nothing"):
        with pytest.raises(FileFormatError, match=r"names no array; give one of: .*:/flat, .*:/g/a, .*:/none"):
            ShardSource(f"{path}:/{name}")


def test_files_of_other_libraries_are_not_kept_open(tmp_path: Path) -> None:
    pandas, h5py = pytest.importorskip("pandas"), pytest.importorskip("h5py")
    pytest.importorskip("pyarrow")
    opened = Path("/proc/self/fd")
    if not opened.exists():
        pytest.skip("this system does not list open files")
    for i in range(3):
        pandas.DataFrame(X, columns=list("abcd")).to_parquet(tmp_path / f"{i}.parquet")
        with h5py.File(tmp_path / f"{i}.h5", "w") as file:
            file["a"] = X
    for pattern in ("*.parquet", "*.h5"):
        source = ShardSource(str(tmp_path / pattern))
        assert np.array_equal(source.read(20, 70), np.concatenate([X, X, X])[20:70])
        assert not [link for link in opened.iterdir() if str(tmp_path) in os.path.realpath(link)]


def test_a_file_that_another_program_writes_is_not_called_damaged(tmp_path: Path) -> None:
    h5py, fcntl = pytest.importorskip("h5py"), pytest.importorskip("fcntl")
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file["a"] = X
    with path.open("r+b") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        try:
            h5py.File(path, "r").close()
        except BlockingIOError:
            with pytest.raises(BlockingIOError, match=r"x\.h5' is being written by another program; wait for its end"):
                ShardSource(path)
        else:
            pytest.skip("HDF5 takes no notice of locks here")


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_an_array_of_a_zarr_group_is_named_by_its_folder(tmp_path: Path, zarr_format: int) -> None:
    zarr = pytest.importorskip("zarr")
    group = zarr.open_group(tmp_path / "x.zarr", mode="w", zarr_format=zarr_format)
    group.create_array("inner/a", data=X, chunks=(10, 2))
    with pytest.raises(FileFormatError, match=r"names no array; give one of: (.*)") as caught:
        ShardSource(tmp_path / "x.zarr")
    advised = str(caught.value).rpartition(": ")[2]
    assert np.array_equal(open_source(advised).read(0, 30), X)


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_a_chunk_of_zarr_that_changes_or_is_not_there_is_told(tmp_path: Path, zarr_format: int) -> None:
    zarr = pytest.importorskip("zarr")
    path = tmp_path / "x.zarr"
    array = zarr.create_array(path, data=X, chunks=(10, 2), zarr_format=zarr_format)
    source = ShardSource(path)
    assert source.survey.bad is None
    lost = path / array.metadata.encode_chunk_key((1, 1))
    lost.unlink()
    with pytest.raises(FileFormatError, match="changed while it was in use"):
        check_numeric(source, "X").toarray()
    with pytest.warns(UserWarning, match=r"has 5 of its 6 chunks; what is missing is read as 0.0"):
        damaged = ShardSource(path)
    assert (damaged.read(10, 20)[:, 2:] == 0).all()
    shutil.rmtree(path)
    path.mkdir()
    with pytest.raises(FileFormatError, match="is not a zarr array, or is damaged"):
        ShardSource(path)


def test_a_pattern_reaches_folders_of_any_depth_and_brackets_of_a_folder_are_its_name(tmp_path: Path) -> None:
    parts: list[Array] = []
    for i, folder in enumerate((tmp_path, tmp_path / "b [1]", tmp_path / "b [1]" / "c")):
        folder.mkdir(exist_ok=True)
        parts.append(X[i * 10 :][:10])
        np.save(folder / "part.npy", parts[-1])
    assert ShardSource(str(tmp_path / "**" / "*.npy")).shape == (30, 4)
    assert np.array_equal(ShardSource(str(tmp_path / "b [1]" / "*.npy")).read(0, 10), parts[1])


def test_a_link_that_leads_nowhere_is_no_shard_to_pass_over(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", X)
    try:
        (tmp_path / "b.npy").symlink_to(tmp_path / "gone.npy")
    except OSError:
        pytest.skip("no links here")
    with pytest.raises(FileNotFoundError, match=r"b\.npy' does not exist"):
        ShardSource(tmp_path)
