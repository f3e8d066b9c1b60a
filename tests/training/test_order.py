"""Samples of sources give the bits of arrays, and every order has every row once an epoch."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import npae
from npae.training import order as orders
from npae.training.order import order_of
from npae.training.split import split_off
from npae.utils import sources
from npae.utils.source_rows import SourceRows
from npae.utils.sources import ArraySource
from npae.utils.types import Array


@pytest.fixture
def nothing_is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Arrays that need a conversion are converted batch by batch, however small they are."""
    monkeypatch.setattr("npae.utils.validation.IN_MEMORY", 0)


@pytest.mark.parametrize(
    "other",
    [np.uint8, np.int16, np.float64, ">f4", np.asfortranarray],
    ids=["uint8", "int16", "float64", "big-endian", "Fortran"],
)
@pytest.mark.parametrize("validation_fraction", [0.0, 0.2])
def test_an_array_converted_batch_by_batch_gives_the_bits_of_its_copy(
    other: Any, validation_fraction: float, nothing_is_small: None
) -> None:
    x = np.random.default_rng(0).integers(0, 9, (90, 12)).astype(np.float32)
    given = other(x) if callable(other) and not isinstance(other, type) else x.astype(other)
    settings: dict[str, Any] = {"epochs": 2, "batch_size": 16, "dtype": "float32", "random_state": 0}
    models = [
        npae.VanillaAutoencoder(**settings, code_size=4, validation_fraction=validation_fraction).fit(data)
        for data in (x, given)
    ]
    assert isinstance(models[1].network_.check(given), SourceRows)
    assert models[0].network_.theta.tobytes() == models[1].network_.theta.tobytes()
    assert models[0].transform(x).tobytes() == models[1].transform(given).tobytes()
    assert models[0].score(x) == models[1].score(given)
    np.testing.assert_array_equal(*(model.history_.get("validation_loss", []) for model in models))


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("stored", ["uint8", "int32", "float16", ">f4", "float64"])
def test_stored_numbers_are_divided_in_training_as_numpy_divides_them(stored: str, n_jobs: int) -> None:
    x = np.random.default_rng(0).integers(0, 9, (41, 6)).astype(stored)
    if x.dtype.kind == "f":
        x[::3] *= np.finfo(stored).tiny  # small enough to become subnormal
    settings: dict[str, Any] = {"epochs": 2, "batch_size": 16, "dtype": "float32", "random_state": 0, "n_jobs": n_jobs}
    quotient = x / np.asarray(7, np.promote_types(x.dtype, np.float32))
    models = [
        npae.VanillaAutoencoder(**settings, code_size=4, loss="mse").fit(data)
        for data in (quotient.astype(np.float32), ArraySource(x, divide=7))
    ]
    assert models[0].network_.theta.tobytes() == models[1].network_.theta.tobytes()
    assert models[0].history_["loss"] == models[1].history_["loss"]


def sources_of(lengths: list[int]) -> SourceRows:
    """Rows of a source with chunks of these lengths, each of which holds its own number."""
    source = ArraySource(np.arange(sum(lengths), dtype=np.int32)[:, None])
    vars(source)["bounds"] = np.concatenate([[0], np.cumsum(lengths)])
    return SourceRows(source)


def single_batches(order: orders.Order, epoch: int, done: int = 0) -> list[Array]:
    """The row numbers of each batch."""
    return [batch for batches in order.batches(epoch, done) for batch in batches]


chunk_lengths = st.lists(st.integers(1, 9), min_size=1, max_size=40)


@given(
    lengths=chunk_lengths, batch_size=st.integers(1, 30), fraction=st.sampled_from([0.0, 0.3]), seed=st.integers(0, 9)
)
def test_windows_have_every_row_once_an_epoch_and_only_the_last_batch_is_smaller(
    lengths: list[int], batch_size: int, fraction: float, seed: int
) -> None:
    rows = sources_of(lengths)
    if fraction and not 0 < round(fraction * len(rows)) < len(rows):
        fraction = 0.0
    train, labels, aside, labels_aside = split_off(rows, np.arange(len(rows)), fraction, seed, "window")
    assert isinstance(train, SourceRows)
    np.testing.assert_array_equal(labels, train[:].toarray().ravel())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(orders, "WINDOW_BYTES", 1)
        order = order_of(train, seed, batch_size, "window")
        seen: list[int] = []
        for batch in single_batches(order, epoch=3):
            y = np.empty((len(batch), 1), np.int32)
            train.fill(batch, y)
            np.testing.assert_array_equal(y, train[batch].toarray())  # from memory as read at random
            found = train.found_in_memory(batch)
            assert found is None or (found[0][found[1]] == y).all()
            seen += y.ravel().tolist()
            assert len(batch) == batch_size or len(seen) == len(train)
    set_aside = [] if aside is None else aside[:].toarray().ravel().tolist()
    assert set_aside == ([] if labels_aside is None else labels_aside.tolist())
    assert sorted(seen + set_aside) == list(range(sum(lengths)))


@given(lengths=chunk_lengths, batch_size=st.integers(1, 30), data=st.data())
def test_an_epoch_of_windows_goes_on_at_any_batch(lengths: list[int], batch_size: int, data: st.DataObject) -> None:
    order = order_of(sources_of(lengths), 0, batch_size, "window")
    batches = single_batches(order, epoch=1)
    done = data.draw(st.integers(0, len(batches)))
    for whole, resumed in zip(batches[done:], single_batches(order, epoch=1, done=done), strict=True):
        np.testing.assert_array_equal(whole, resumed)


def test_a_window_has_eight_chunks_or_more_where_there_are_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "WINDOW_BYTES", 1)
    for n in (1, 7, 8, 15, 16, 50):
        order = order_of(sources_of([3] * n), 0, 5, "window")
        assert isinstance(order, orders.WindowOrder)
        assert min(map(len, order.windows(0))) >= min(n, 8)
        assert max(map(len, order.windows(0))) < 16


def test_a_resumed_epoch_reads_no_more_than_the_windows_that_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "WINDOW_BYTES", 1)
    rows = sources_of([4] * 40)
    read: list[int] = []
    whole = rows.source.read

    def counted(start: int, stop: int) -> Array:
        read.append(start)
        return whole(start, stop)

    monkeypatch.setattr(rows.source, "read", counted)
    list(order_of(rows, 0, 10, "window").batches(0, done=12))  # of 16: 40 rows are left of the fourth window's 64
    assert len(read) == 16


def test_batches_depend_on_epoch_and_seed() -> None:
    rows = sources_of([5] * 20)
    orders_seen = {
        np.concatenate(single_batches(order_of(rows, seed, 8, "window"), epoch)).tobytes()
        for seed in (0, 1)
        for epoch in (0, 1)
    }
    assert len(orders_seen) == 4


def test_chunks_are_cut_evenly_and_never_across_parts() -> None:
    bounds = sources.chunk_bounds([10, 0, 3], sources.CHUNK_BYTES // 4)
    assert bounds.tolist() == [0, 3, 6, 10, 13]
    assert all(b - a <= 4 for a, b in pairwise(bounds))


def test_an_order_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="shuffle is 'chunks'; expected one of auto, global, window"):
        order_of(np.zeros((3, 1)), 0, 1, "chunks")
