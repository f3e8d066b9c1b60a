"""The record of the samples that a model was fitted to: what it holds, what it finds, and its place in a model file."""

import copy

import numpy as np
import pytest
from helpers.small_models import TYPES, data_for, fitted, unfitted

import npae
from npae.estimators import sample_record
from npae.estimators.sample_record import SampleRecord
from npae.utils import safetensors
from npae.utils.errors import FileFormatError

X = np.random.default_rng(0).random((1200, 3), dtype="float32")


def test_up_to_500_samples_are_all_recorded_and_found_in_any_order():
    record = SampleRecord.of(X[:500])
    assert record.is_complete
    assert record.count_in(X[:500][::-1]) == record.count_in(X) == 500
    assert record.count_in(X[499:520]) == 1
    assert record.count_in(X[500:]) == record.count_in(X[:0]) == 0


def test_of_more_samples_evenly_spaced_ones_are_recorded():
    record = SampleRecord.of(X)
    assert not record.is_complete
    assert len(record.hashes) == 400
    assert record.count_in(X) == 400
    assert record.count_in(X[:600]) == 200


def test_records_join_and_stay_small(monkeypatch):
    half, rest = SampleRecord.of(X[:300]), SampleRecord.of(X[200:700])
    both = half.joined(rest)
    assert both.is_complete
    assert both.count_in(X[:700]) == len(both.hashes) == 700
    assert SampleRecord.none().joined(half).hashes.tolist() == half.hashes.tolist()
    monkeypatch.setattr(sample_record, "MOST", 600)
    cut = half.joined(rest)
    assert len(cut.hashes) == 600
    assert not cut.is_complete
    assert set(cut.hashes) < set(both.hashes)


def test_a_sample_is_known_by_its_values_alone():
    x = np.array([[0.0, 1.0]], dtype="float32")
    record = SampleRecord.of(x)
    assert record.count_in(np.array([[-0.0, 1.0]], "float32")) == 1
    assert record.count_in(np.nextafter(x, np.float32(2))) == 0
    sparse = pytest.importorskip("scipy.sparse")
    from npae.utils.sparse import SparseRows

    rows = SparseRows.of(sparse.csr_array(X[:20]))
    assert SampleRecord.of(rows).hashes.tolist() == SampleRecord.of(X[:20]).hashes.tolist()


def test_hashes_are_the_same_on_every_machine_and_of_the_words_alone():
    def mixed(z):
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
        return z ^ (z >> 31)

    keys = [mixed(i * 0x9E3779B97F4A7C15 % 2**64) for i in range(1, 4)]
    words = X[:7].view(np.uint32).tolist()
    expected = [mixed(sum(k * w for k, w in zip(keys, row, strict=True)) % 2**64) for row in words]
    assert sample_record.hashes_of(X[:7]).tolist() == expected
    doubles = X[:300].astype("float64").reshape(300, 3, 1)
    assert len(set(sample_record.hashes_of(doubles))) == 300


def test_hashes_of_nearly_equal_samples_differ():
    binary = (np.arange(2**12)[:, None] >> np.arange(12) & 1).astype("float32")
    assert len(set(sample_record.hashes_of(binary))) == len(binary)
    steps = np.float32(0.5) + np.spacing(np.float32(0.5)) * np.arange(4096, dtype="float32")
    rows = np.ones((4096, 5), "float32")
    rows[:, 2] = steps
    hashes = sample_record.hashes_of(rows)
    assert len(set(hashes)) == len(rows)
    assert abs(np.mean(hashes / 2.0**64) - 0.5) < 0.03  # spread evenly, so that the smallest are a random choice


@pytest.mark.parametrize("kind", TYPES)
def test_a_model_knows_what_it_was_fitted_to_from_fit_partial_fit_copies_and_files(kind, tmp_path):
    x, later = data_for(kind), data_for(kind, 9, seed=5)
    model = fitted(kind)
    assert (model.fitted_to_.count_in(x), model.fitted_to_.count_in(later)) == (24, 0)
    model.partial_fit(later)
    assert model.fitted_to_.count_in(later) == 9
    model.save(tmp_path / "m.safetensors")
    for same in (npae.load(tmp_path / "m.safetensors"), copy.deepcopy(model)):
        assert same.fitted_to_.is_complete
        assert same.fitted_to_.hashes.tolist() == model.fitted_to_.hashes.tolist()
    model.fit(later)
    assert model.fitted_to_.count_in(x) == 0
    assert unfitted(kind).partial_fit(later).fitted_to_.count_in(later) == 9


def test_a_file_without_a_record_gives_none_even_after_more_training(tmp_path):
    path = tmp_path / "m.safetensors"
    fitted("deep").save(path)
    arrays, metadata = safetensors.read(path)
    older = {name: values.copy() for name, values in arrays.items() if name != sample_record.HASHES}
    safetensors.write(path, older, metadata)
    model = npae.load(path)
    assert model.fitted_to_ is None
    model.partial_fit(data_for("deep"))
    assert model.fitted_to_ is None  # some of its samples are unknown
    model.save(path)
    assert npae.load(path).fitted_to_ is None


@pytest.mark.parametrize(
    "hashes",
    [
        np.array([2, 1], "uint64"),
        np.array([1, 1], "uint64"),
        np.array([1, 2], "int64"),
        np.array([[1]], "uint64"),
        np.arange(2001, dtype="uint64"),
    ],
    ids=["falling", "twice", "signed", "table", "too many"],
)
def test_a_damaged_record_is_refused(hashes, tmp_path):
    path = tmp_path / "m.safetensors"
    fitted("deep").save(path)
    arrays, metadata = safetensors.read(path)
    others = {name: values.copy() for name, values in arrays.items()}
    safetensors.write(path, others | {sample_record.HASHES: hashes}, metadata)
    with pytest.raises(FileFormatError, match="the hashes of the samples that it was fitted to are no"):
        npae.load(path)
