"""``partial_fit`` and ``transform`` of a few rows, called often: what of a long stream is kept, and what is checked."""

import numpy as np
import pytest
from helpers.small_models import unfitted

from npae.estimators import sample_record
from npae.estimators.recent_codes import RecentCodes
from npae.estimators.sample_record import SampleRecord
from npae.training.state import EarlyStopping

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
    hashes_of = sample_record.hashes_of

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


def test_of_a_long_stream_of_small_calls_one_in_eight_is_recorded_and_each_of_some_that_come_in_turn(
    small_record: SampleRecord,
) -> None:
    calls = [call for call in range(800) if small_record.extended(X[:9], call) is not small_record]
    assert 95 <= len(calls) <= 105
    for n in (2, 3, 8, 13, 60):
        assert {call % n for call in calls} == set(range(n))
    assert np.diff(calls).max() <= 13


def test_partial_fit_records_few_of_the_small_calls_of_a_long_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample_record, "MOST", 40)
    monkeypatch.setattr(sample_record, "EACH", 40)
    model, hashed = unfitted("vanilla", code_size=2), []
    hashes_of = sample_record.hashes_of
    monkeypatch.setattr(sample_record, "hashes_of", lambda rows: (hashed.append(rows.copy()), hashes_of(rows))[1])
    for i in range(80):
        model.partial_fit(X[i % 40 * 10 : i % 40 * 10 + 10])
    assert 5 + 5 <= len(hashed) <= 5 + 15  # the first five fill the record


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
