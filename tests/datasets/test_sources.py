"""Sources: what they read is what was written, and what cannot be read is refused in one sentence that names it."""

import os
import pickle
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import npae
from npae.datasets import ArraySource, ShardSource, StreamSource, open_source
from npae.training import order as orders
from npae.training.checkpoint import Checkpoints
from npae.training.order import order_of
from npae.training.run import TrainingRun
from npae.utils import sources
from npae.utils.errors import CheckpointError, FileFormatError
from npae.utils.source_rows import SourceRows
from npae.utils.types import Array

X = np.random.default_rng(0).integers(0, 256, (120, 6), np.uint8)
SETTINGS: dict[str, Any] = {"code_size": 3, "epochs": 3, "batch_size": 16, "random_state": 0, "loss": "mse"}


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    """A folder of three shards, of 50, 30 and 40 rows of X."""
    folder = tmp_path / "shards"
    folder.mkdir()
    for name, part in zip("abc", np.split(X, [50, 80]), strict=True):
        np.save(folder / f"{name}.npy", part)
    return folder


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of 8 rows and windows of 8 chunks, of whatever is no array."""
    monkeypatch.setattr(sources, "CHUNK_BYTES", 8 * 6)
    monkeypatch.setattr(orders, "WINDOW_BYTES", 1)
    monkeypatch.setattr(orders, "IN_MEMORY", 0)


def fitted(data: Any, **settings: Any) -> npae.VanillaAutoencoder:
    return npae.VanillaAutoencoder(**{**SETTINGS, **settings}).fit(data)


def theta(model: Any) -> bytes:
    found: bytes = model.network_.theta.tobytes()
    return found


# What is read


def test_a_folder_a_pattern_a_list_and_arrays_are_the_same_samples(shards: Path) -> None:
    files = [shards / f"{name}.npy" for name in "abc"]
    for parts in (shards, str(shards / "*.npy"), files, list(map(str, files)), list(map(np.load, files))):
        source = ShardSource(parts)
        np.testing.assert_array_equal(source.read(0, 120), X)
        np.testing.assert_array_equal(source.read(45, 85), X[45:85])
        np.testing.assert_array_equal(source.take(np.array([119, 0, 50, 49])), X[[119, 0, 50, 49]])
        assert source.place(80) == f"row 0 of {source.shards[2].name}"


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["u1", ">i2", "f2", "<f8"])
def test_an_npy_of_any_order_and_dtype_is_read_in_parts(tmp_path: Path, dtype: str, order: Any) -> None:
    x = np.asarray(X.reshape(120, 3, 2).astype(dtype), order=order)
    np.save(tmp_path / "x.npy", x)
    source = ShardSource(tmp_path / "x.npy")
    np.testing.assert_array_equal(source.read(7, 90), x[7:90])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(source)).take(np.array([3, 1])), x[[3, 1]])


def parquet(path: Path) -> str:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    pq.write_table(pa.table({f"v{j}": X[:, j] for j in range(6)}), path / "x.parquet", row_group_size=35)
    return str(path / "x.parquet")


def hdf5(path: Path) -> str:
    with pytest.importorskip("h5py").File(path / "x.h5", "w") as file:
        file.create_dataset("deep/x", data=X, chunks=(25, 6), compression="gzip")
        file["other"] = X[:3]
    return f"{path / 'x.h5'}:/deep/x"


def zarr(path: Path) -> str:
    pytest.importorskip("zarr").save(str(path / "x.zarr"), X)
    return str(path / "x.zarr")


@pytest.mark.parametrize("container", [parquet, hdf5, zarr])
def test_containers_of_other_libraries_are_read_in_parts(tmp_path: Path, container: Any, small_chunks: None) -> None:
    name = container(tmp_path)
    source = open_source(name)
    np.testing.assert_array_equal(source.read(11, 77), X[11:77])
    np.testing.assert_array_equal(source.take(np.array([90, 4, 30])), X[[90, 4, 30]])
    np.testing.assert_array_equal(npae.datasets.read(name), X.astype(np.float32))
    model = fitted(source)
    assert theta(model) == theta(fitted(pickle.loads(pickle.dumps(source))))
    assert model.transform(source).shape == (120, 3)
    assert (model.network_.columns is not None) == (container is parquet)
    with pytest.raises(ValueError, match="cannot be read row by row at random"):
        fitted(source, shuffle="global")


# Training


def test_shards_give_the_bits_of_one_array_in_memory_and_their_division(shards: Path) -> None:
    whole = fitted(X.astype(np.float32) / 255)
    source = ShardSource(shards, divide=255)
    model = fitted(source)
    assert theta(model) == theta(whole)
    assert model.score(source) == whole.score(X.astype(np.float32) / 255)
    np.testing.assert_array_equal(model.reconstruct(source), whole.reconstruct(X.astype(np.float32) / 255))
    assert theta(whole.partial_fit(X.astype(np.float32) / 255)) == theta(model.partial_fit(source))


@pytest.mark.parametrize("kind", npae.estimators.ESTIMATORS)
def test_windows_train_every_type_alike_from_an_array_and_from_its_file(
    kind: str, tmp_path: Path, small_chunks: None
) -> None:
    images = X[:, :4].reshape(120, 2, 2)
    np.save(tmp_path / "x.npy", images)
    settings = {**SETTINGS, "epochs": 1, "validation_fraction": 0.1, "shuffle": "window"}
    models = [
        npae.estimators.ESTIMATORS[kind](**settings).fit(data)
        for data in (ArraySource(images, divide=255), ShardSource(tmp_path / "x.npy", divide=255))
    ]
    assert theta(models[0]) == theta(models[1])
    codes = [models[0].transform(ArraySource(images, divide=255)), models[0].transform(images / np.float32(255))]
    np.testing.assert_array_equal(*codes)


@contextmanager
def heard(number: signal.Signals) -> Iterator[None]:
    """Within, a signal is not ignored, as SIGINT is by what a shell has started in the background."""
    before = signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(number, before)


@pytest.mark.parametrize("done", [1, 4, 9])
def test_a_run_over_shards_goes_on_at_any_step_to_the_same_bits(
    shards: Path, tmp_path: Path, small_chunks: None, done: int
) -> None:
    settings = {**SETTINGS, "validation_fraction": 0.1}
    whole = fitted(ShardSource(shards), validation_fraction=0.1)
    step, steps = TrainingRun._steps, iter(range(1, 1000))

    def interrupted(self: TrainingRun, *arguments: Any) -> float:
        loss = step(self, *arguments)
        if next(steps) == done:
            os.kill(os.getpid(), signal.SIGINT)
        return loss

    with pytest.MonkeyPatch.context() as patch, heard(signal.SIGINT):
        patch.setattr(TrainingRun, "_steps", interrupted)
        patch.setattr("npae.training.run.AT_ONCE", 0.0)
        stopped = npae.VanillaAutoencoder(**settings)
        with pytest.warns(UserWarning, match="interrupted"):
            stopped.fit(ShardSource(shards), checkpoints=Checkpoints(tmp_path / "run"))
    assert stopped.network_.run.step == done
    resumed = npae.VanillaAutoencoder(**settings)
    resumed.fit(ShardSource(shards), checkpoints=Checkpoints(tmp_path / "run", resume=True))
    assert theta(resumed) == theta(whole)


def test_a_run_is_not_resumed_with_other_shards(shards: Path, tmp_path: Path) -> None:
    fitted_with = {"checkpoints": Checkpoints(tmp_path / "run")}
    npae.VanillaAutoencoder(**SETTINGS).fit(ShardSource(shards), **fitted_with)
    np.save(shards / "b.npy", X[:30])
    with pytest.raises(CheckpointError, match="content of the training data: not the same"):
        npae.VanillaAutoencoder(**SETTINGS).fit(
            ShardSource(shards), checkpoints=Checkpoints(tmp_path / "run", resume=True)
        )


def test_validation_is_row_numbers_or_samples_of_their_own(shards: Path) -> None:
    x = X.astype(np.float32) / 255
    own = fitted(x[20:])
    beside = npae.VanillaAutoencoder(**SETTINGS).fit(x, validation=np.arange(20))
    other = npae.VanillaAutoencoder(**SETTINGS).fit(x[20:], validation=ArraySource(X[:20], divide=255))
    assert theta(own) == theta(beside) == theta(other)
    assert beside.history_["validation_loss"] == other.history_["validation_loss"]
    for rows in ([0, 0], [120], range(120)):
        with pytest.raises(ValueError, match=r"row numbers? of 120 samples; expected different ones from 0 to 119"):
            npae.VanillaAutoencoder(**SETTINGS).fit(x, validation=list(rows))


def test_the_optimizer_goes_on_where_a_file_keeps_what_it_remembers(tmp_path: Path) -> None:
    model = fitted(X.astype(np.float32))
    model.save(tmp_path / "with", optimizer=True)
    model.save(tmp_path / "without")
    loaded, fresh = npae.load(tmp_path / "with"), npae.load(tmp_path / "without")
    again = tmp_path / "again"
    loaded.save(again, optimizer=True)
    with pytest.raises(ValueError, match="remembers nothing of its optimizer"):
        fresh.save(again, optimizer=True)
    for other in (model, loaded, fresh):
        other.partial_fit(X.astype(np.float32))
    assert theta(loaded) == theta(model) == theta(npae.load(again).partial_fit(X.astype(np.float32)))
    assert theta(fresh) != theta(model)


# Streams


def epochs_of(epoch: int) -> Any:
    return (part + np.uint8(epoch) for part in np.split(X // 2, [7, 7, 60]))


def test_a_stream_gives_every_row_of_each_epoch_once(small_chunks: None) -> None:
    rows = SourceRows(StreamSource(epochs_of))
    order = order_of(rows, 0, 16, "auto")
    for epoch in (0, 2):
        seen = []
        for batch in (batch for batches in order.batches(epoch, 0) for batch in batches):
            y = np.empty((len(batch), 6), np.uint8)
            rows.fill(batch, y)
            seen.append(y)
        expected = X // 2 + np.uint8(epoch)
        assert sorted(map(bytes, np.concatenate(seen))) == sorted(map(bytes, expected))
    model = fitted(StreamSource(epochs_of))
    np.testing.assert_array_equal(model.transform(StreamSource(epochs_of)), model.transform(X // 2))


@pytest.mark.parametrize(
    ("later", "sentence"),
    [
        (lambda: [X[:100]], "fewer samples for epoch 1 than the 120 of epoch 0"),
        (lambda: [X, X[:1]], "more samples for epoch 1 than the 120 of epoch 0"),
        (lambda: [X.astype(np.float32)], "dtype float32 in epoch 1, but its first"),
        (lambda: [X[:, :5]], r"shape \(120, 5\) and dtype uint8 in epoch 1"),
    ],
)
def test_a_stream_that_is_another_in_a_later_epoch_is_refused(later: Any, sentence: str, small_chunks: None) -> None:
    with pytest.raises(ValueError, match=sentence):
        fitted(StreamSource(lambda epoch: later() if epoch else [X]))


def test_what_can_be_read_once_is_refused() -> None:
    for once in ((row for row in X), iter(list(X))):
        with pytest.raises(TypeError, match=r"can be read once.*StreamSource\(function\)"):
            npae.VanillaAutoencoder().fit(once)
    with pytest.raises(TypeError, match=r"is a function.*StreamSource\(epochs_of\)"):
        npae.VanillaAutoencoder().fit(epochs_of)
    with pytest.raises(TypeError, match="has one epoch only"):
        StreamSource(epochs_of(0))
    bad = X.astype(np.float32)
    bad[70] = np.nan
    with pytest.raises(ValueError, match="NaN or infinity in row 70 of epoch 0"):
        StreamSource(lambda epoch: np.split(bad, 3))


# What cannot be read


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        (X[:, :5], r"'.*b.npy' has samples of shape \(5,\), but '.*a.npy' of shape \(6,\)"),
        (X.astype(np.int16), r"'.*b.npy' has dtype int16, but '.*a.npy' has uint8"),
    ],
)
def test_shards_that_do_not_fit_each_other_are_refused(shards: Path, other: Array, sentence: str) -> None:
    np.save(shards / "b.npy", other)
    with pytest.raises(FileFormatError, match=sentence):
        ShardSource(shards)


def test_one_shard_with_nan_is_named_with_the_row(tmp_path: Path) -> None:
    bad = X.astype(np.float32)
    bad[63, 2] = np.inf
    for i, part in enumerate(np.split(bad, 3)):
        np.save(tmp_path / f"{i}.npy", part)
    source = ShardSource(tmp_path)
    model = fitted(X.astype(np.float32))
    for call in (fitted, model.score, model.transform, model.partial_fit):
        with pytest.raises(ValueError, match=r"NaN or infinity, first in row 23 of '.*1.npy'"):
            call(source)


@pytest.mark.parametrize("change", ["vanishes", "is cut", "changes"])
def test_a_shard_that_is_another_in_the_next_epoch_ends_training_with_its_name(
    shards: Path, change: str, small_chunks: None
) -> None:
    def between(training: Any) -> None:
        if change == "vanishes":
            (shards / "b.npy").unlink()
        elif change == "is cut":
            (shards / "b.npy").write_bytes((shards / "b.npy").read_bytes()[:-50])
        else:
            np.save(shards / "b.npy", X[:29])

    expected = FileNotFoundError if change == "vanishes" else FileFormatError
    model = npae.VanillaAutoencoder(**SETTINGS)
    with pytest.raises(expected, match=r"'.*b.npy' (does not exist, or does not any more|changed while)"):
        model.fit(ShardSource(shards), callbacks=[between])
    assert model.n_iter_ == 1  # what was learned is kept


def test_names_that_stand_for_nothing_are_refused(tmp_path: Path) -> None:
    for name, error, sentence in (
        (tmp_path / "x.npy", FileNotFoundError, "does not exist"),
        (str(tmp_path / "*.npy"), FileNotFoundError, "no file matches"),
        (tmp_path, FileFormatError, "holds no shards"),
        (tmp_path / "x.txt", FileNotFoundError, "does not exist; expected is .npy, .parquet, .zarr"),
        ("", ValueError, "the path of the data is empty"),
        (5, TypeError, "parts is a int; expected a folder, a pattern, a file or an array, or a list"),
        ({"x.npy"}, TypeError, "parts is a set"),
    ):
        with pytest.raises(error, match=sentence):
            ShardSource(name)
    np.save(tmp_path / "a.npy", X)
    (tmp_path / "notes.txt").write_text("x", encoding="utf-8")
    with pytest.raises(FileFormatError, match=r"notes\.txt' is no shard; expected is .npy, .parquet, .zarr"):
        ShardSource(tmp_path / "notes.txt")
    with pytest.warns(UserWarning, match=r"1 entry that is no shard is passed over in .*: 'notes.txt'") as caught:
        assert ShardSource(tmp_path).shape == (120, 6)
    assert [warning.filename for warning in caught] == [__file__]
    content = (tmp_path / "a.npy").read_bytes()
    (tmp_path / "a.npy").write_bytes(content[:-1])
    with pytest.raises(FileFormatError, match="promises an array of shape"):
        ShardSource(tmp_path / "a.npy")


def test_one_array_in_a_folder_of_images_is_passed_over_and_shards_among_images_are_refused(tmp_path: Path) -> None:
    pictures = pytest.importorskip("PIL.Image")
    for label in ("cat", "dog"):
        (tmp_path / label).mkdir()
        pictures.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / label / "a.png")
    np.save(tmp_path / "stray.npy", X)
    with pytest.warns(UserWarning, match=r"stray\.npy"):
        assert npae.datasets.read(tmp_path).shape == (2, 4, 4)
    np.save(tmp_path / "other.npy", X)
    with pytest.raises(FileFormatError, match=r"holds shards, such as 'other\.npy', and images; give the shards alone"):
        npae.datasets.read(tmp_path)
    assert open_source(str(tmp_path / "*.npy")).shape == (240, 6)


@given(lengths=st.lists(st.integers(0, 9), min_size=1, max_size=9).filter(any), data=st.data())
def test_any_rows_of_shards_of_any_lengths_are_those_of_the_whole(lengths: list[int], data: st.DataObject) -> None:
    whole = np.arange(sum(lengths))[:, None]
    source = ShardSource(np.split(whole, np.cumsum(lengths)[:-1]))
    start = data.draw(st.integers(0, len(whole) - 1))
    stop = data.draw(st.integers(start + 1, len(whole)))
    np.testing.assert_array_equal(source.read(start, stop), whole[start:stop])
    rows = np.asarray(data.draw(st.lists(st.integers(0, len(whole) - 1), min_size=1)))
    np.testing.assert_array_equal(source.take(rows), whole[rows])
