"""``partial_fit`` and ``transform`` of a few rows, called often: what of a long stream is kept, and what is checked."""

import copy
import pickle
from pathlib import Path

import numpy as np
import pytest
from helpers.small_models import unfitted

import npae
from npae.estimators import sample_record
from npae.estimators.recent_codes import RecentCodes
from npae.estimators.sample_record import GrowingRecord, SampleRecord, hashes_of
from npae.training.state import EarlyStopping
from npae.utils.samples import Samples
from npae.utils.types import Array

X = np.random.default_rng(0).random((400, 12), dtype="float32")


@pytest.mark.parametrize("sizes", [[7], [2, 2, 2], [3, 9, 1], [5, 5], [1] * 12])
def test_recent_codes_are_the_last_of_all_that_were_added(sizes: list[int]) -> None:
    kept, whole = RecentCodes(), np.zeros((0, 1))
    for n in sizes:
        codes = len(whole) + np.arange(n)[:, None]
        whole = np.concatenate([whole, codes])
        kept.add(codes, most=5)
        assert len(kept) == len(whole[-5:])
        if n != 2:  # read in between, or not
            np.testing.assert_array_equal(kept.array(), whole[-5:])
        assert len(kept._parts) <= 5
    np.testing.assert_array_equal(kept.array(), whole[-5:])


def test_codes_that_are_added_copy_none_of_the_others() -> None:
    kept, first = RecentCodes(), np.zeros((3, 2))
    kept.add(first, most=9)
    assert kept.array() is first
    kept.add(np.ones((3, 2)), most=9)
    assert kept._parts[0] is first


@pytest.fixture
def small_record(monkeypatch: pytest.MonkeyPatch) -> SampleRecord:
    """The record of 64 samples of which it has room for 40."""
    monkeypatch.setattr(sample_record, "MOST", 40)
    monkeypatch.setattr(sample_record, "EACH", 40)
    monkeypatch.setattr(sample_record, "EACH_LATER", 12)
    record = SampleRecord.none().extended(X[:32])
    assert record.count_in(X[:32]) == 32
    record = record.extended(X[32:64])
    assert not record.is_complete
    return record


def test_a_record_that_lacks_samples_takes_one_of_eight_or_fewer_of_many(
    small_record: SampleRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[int] = []

    def watched(rows: np.ndarray) -> np.ndarray:
        looked_at.append(len(rows))
        return hashes_of(rows)

    monkeypatch.setattr(sample_record, "hashes_of", watched)
    more = small_record.extended(X[64:96])
    assert looked_at == [4]
    small_record.extended(X[64:364])
    assert looked_at == [4, 12]  # of many samples no more than that
    assert len(more.hashes) == 40
    assert (np.diff(more.hashes.astype(object)) > 0).all()


def test_samples_of_eight_small_calls_are_hashed_at_once_and_each_call_is_recorded(
    small_record: SampleRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample_record, "MOST", 400)
    hashed: list[int] = []

    def watched(rows: Samples) -> Array:
        hashed.append(len(rows))
        return hashes_of(rows)

    monkeypatch.setattr(sample_record, "hashes_of", watched)
    growing = GrowingRecord(small_record)
    for start in range(64, 64 + 19 * 9, 9):
        growing.add(X[start : start + 9])
    assert hashed == [16, 16]  # of each call its first and its ninth
    for start in range(64, 64 + 19 * 9, 9):
        assert growing.present.count_in(X[start : start + 9]) == 2
    assert growing.present.count_in(X) == 40 + 2 * 19


@pytest.mark.parametrize("n", [4, 64])
def test_samples_that_wait_are_copies_and_none_is_lost(small_record: SampleRecord, n: int) -> None:
    growing, x = GrowingRecord(small_record), X[64:73].copy()
    growing.add(x)
    x[...] = 0
    growing.add(X[100 : 100 + n])
    looked_at = [*hashes_of(X[[64, 72]]), *hashes_of(X[100 : 100 + n : 8])]
    assert growing.present.hashes.tolist() == sorted({*small_record.hashes, *looked_at})[:40]


def test_a_call_of_many_values_does_not_wait(small_record: SampleRecord, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sample_record.FEW_VALUES * 4 == 2**20  # of float32, of eight calls an eighth each
    monkeypatch.setattr(sample_record, "FEW_VALUES", 9 * 12)
    growing = GrowingRecord(small_record)
    growing.add(X[64:73])
    assert len(growing._waiting) == 1
    growing.add(X[73:83])  # too large, and comes after those that wait
    assert growing._waiting == []
    assert growing.present.hashes.tolist() == sorted({*small_record.hashes, *hashes_of(X[[64, 72, 73, 81]])})[:40]


def test_a_small_part_that_is_learned_after_fit_is_known_at_once_in_a_copy_and_in_a_file(tmp_path: Path) -> None:
    x = np.random.default_rng(1).random((1020, 12), dtype="float32")
    model = unfitted("vanilla", code_size=2, epochs=1).fit(x[20:])
    assert model.fitted_to_.count_in(x[:20]) == 0
    model.partial_fit(x[:20])
    model.save(tmp_path / "m.safetensors")
    content = pickle.dumps(model)
    for same in (model, copy.deepcopy(model), pickle.loads(content), npae.load(tmp_path / "m.safetensors")):
        assert same.fitted_to_.count_in(x[:20]) == 3
        same.partial_fit(x[:20])
    assert x[0].tobytes() not in content


def test_a_pickle_has_the_record_itself_as_those_of_earlier_versions() -> None:
    model = unfitted("vanilla", code_size=2, epochs=1).fit(X)
    assert isinstance(model.__getstate__()["_fitted_to"], SampleRecord)
    assert isinstance(model._fitted_to, GrowingRecord)


def test_a_full_record_of_all_samples_stays_complete_when_they_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample_record, "MOST", 40)
    record = SampleRecord.none().extended(X[:40])
    assert record.extended(X[8:40]).is_complete
    assert not record.extended(X[40:72]).is_complete
    assert not record.extended(X[[0, 40, 41]]).is_complete  # of which one in eight would be a known one


def test_joined_records_hold_each_hash_once_in_order() -> None:
    a, b = SampleRecord.of(X[:20]), SampleRecord.of(X[10:30])
    expected = np.union1d(a.hashes, b.hashes)
    for joined in (a.joined(b), b.joined(a), a.joined(b).joined(a), SampleRecord.none().joined(a).joined(b)):
        np.testing.assert_array_equal(joined.hashes, expected)


def test_the_history_of_a_stream_has_a_number_for_each_call() -> None:
    model = unfitted("vanilla", code_size=2)
    for start in range(0, 40, 8):
        model.partial_fit(X[start : start + 8])
    assert {name: len(values) for name, values in model.history_.items()} == dict.fromkeys(model.history_, 5)


def test_a_run_without_validation_copies_no_parameters_for_early_stopping() -> None:
    theta = np.arange(3.0)
    stopping = EarlyStopping(theta, None)
    assert stopping._best_theta is None
    stopping.record(1.0)
    theta += 1
    stopping.restore()
    assert theta.tolist() == [0, 1, 2]


def test_parameters_that_overflow_when_squared_are_finite_and_others_are_not() -> None:
    from npae.training.run import _is_finite

    theta = np.array([1e30, -1e30, 1], "float32")
    assert _is_finite(theta)
    for bad in (np.nan, np.inf, -np.inf):
        theta[1] = bad
        assert not _is_finite(theta)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 9])
def test_rows_with_zeros_are_encoded_as_without(n: int) -> None:
    """Fewer rows than four have a kernel of their own, which skips zeros."""
    model = unfitted("vanilla", code_size=5, loss="mse").partial_fit(X)
    x = np.where(np.arange(12) % 12 < 8, 0, X[:n]).astype("float32")
    W, b = model.network_.encoder.layers[0].W, model.network_.encoder.layers[0].b
    np.testing.assert_allclose(model.transform(x), np.maximum(x @ W + b, 0), rtol=1e-5, atol=1e-6)


def test_a_parameter_that_is_changed_in_place_is_noticed() -> None:
    hidden = [6, 4]
    model = unfitted("deep", hidden=hidden, code_size=2).partial_fit(X)
    model.partial_fit(X)
    hidden[0] = 7
    with pytest.raises(ValueError, match=r"hidden was \(6, 4\) .* and is \(7, 4\) now"):
        model.partial_fit(X)


def test_a_parameter_that_is_set_between_two_parts_is_checked_and_one_that_is_left_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = unfitted("vanilla").partial_fit(X[:32])
    with monkeypatch.context() as watched:
        watched.setattr(type(model), "_checked", lambda *_: pytest.fail("the parameters are those of the part before"))
        model.partial_fit(X[32:64])
    for name, value in (("random_state", -1), ("learning_rate", -1.0), ("patience", 0), ("code_size", 5)):
        before = getattr(model, name)
        setattr(model, name, value)
        with pytest.raises(ValueError, match=name):
            model.partial_fit(X[32:64])
        setattr(model, name, before)
    assert model.partial_fit(X[:32]).n_iter_ == 3
