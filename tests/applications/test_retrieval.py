"""Retrieval: the search compared with all distances, the file of an index with damage, and precision."""

import numpy as np
import pytest
from helpers.small_models import data_for, fitted
from hypothesis import given, settings
from hypothesis import strategies as st

from npae.applications import retrieval
from npae.applications.retrieval import Index
from npae.applications.retrieval import nearest as search
from npae.utils.errors import FileFormatError


def brute_force(codes, queries, metric):
    if metric == "cosine":
        codes, queries = (a / np.linalg.norm(a, axis=1, keepdims=True) for a in (codes, queries))
        return 1 - queries @ codes.T
    return np.linalg.norm(queries[:, None] - codes[None], axis=2)


@given(
    n=st.integers(1, 40),
    m=st.integers(1, 9),
    k=st.integers(1, 50),
    metric=st.sampled_from(retrieval.METRICS),
    block=st.integers(1, 12),
    seed=st.integers(0, 99),
)
@settings(deadline=None)
def test_a_search_in_blocks_finds_what_comparing_all_finds(n, m, k, metric, block, seed):
    rng = np.random.default_rng(seed)
    codes = rng.normal(size=(n, 3)).astype("float32")
    queries = rng.normal(size=(m, 3)).astype("float32")
    before = search.QUERIES, search.CODES
    search.QUERIES, search.CODES = 2, block
    try:
        places, distances = Index(codes, metric).search(queries, k)
    finally:
        search.QUERIES, search.CODES = before
    expected = np.sort(brute_force(codes.astype("float64"), queries.astype("float64"), metric), axis=1)[:, :k]
    assert places.shape == (m, min(k, n))
    np.testing.assert_allclose(distances, expected, atol=1e-6)
    assert all(len(set(row)) == len(row) for row in places.tolist())


def test_of_equal_codes_the_earliest_is_found_first():
    index = Index(np.zeros((10, 2), "float32"))
    assert index.search(np.zeros((1, 2)), 4)[0].tolist() == [[0, 1, 2, 3]]


def test_a_search_needs_no_more_memory_for_more_codes(monkeypatch):
    import tracemalloc

    monkeypatch.setattr(search, "CODES", 1000)
    peaks = []
    for n in (4_000, 40_000):
        index, queries = Index(np.ones((n, 4), "float32")), np.ones((8, 4))
        tracemalloc.start()
        index.search(queries, 5)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]


def test_an_index_is_restored_from_its_file_and_refuses_another_model(tmp_path):
    model, x = fitted("deep"), data_for("deep")
    index = Index.of(model, x, "cosine")
    index.save(tmp_path / "i.safetensors")
    again = Index.load(tmp_path / "i.safetensors", model)
    assert again.metric == "cosine"
    assert np.array_equal(again.codes, index.codes)
    with pytest.raises(ValueError, match=r"made by another model.*give that model, or make the index again"):
        Index.load(tmp_path / "i.safetensors", fitted("deep", random_state=1))


def test_files_that_are_damaged_or_not_an_index_are_refused(tmp_path):
    path = tmp_path / "i.safetensors"
    model = fitted("deep")
    model.save(path)
    with pytest.raises(FileFormatError, match="no index that this version reads; make it with npae index"):
        Index.load(path)
    Index.of(model, data_for("deep")).save(path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(FileFormatError, match="not a complete safetensors file"):
        Index.load(path)


def test_queries_of_another_size_and_unknown_metrics_are_refused():
    index = Index(np.ones((4, 3), "float32"))
    with pytest.raises(ValueError, match=r"queries of shape \(2, 5\) were given, but the model expects \(n, 3\)"):
        index.search(np.ones((2, 5)))
    with pytest.raises(ValueError, match="'manhattan'; expected one of euclidean, cosine"):
        Index(np.ones((4, 3), "float32"), "manhattan")


def test_precision_counts_labels_among_the_nearest():
    train = np.array([[0.0], [1.0], [10.0], [11.0]])
    precision = retrieval.precision_at(2, train, [0, 1, 2, 2], np.array([[0.4], [10.4]]), [0, 2], "euclidean")
    assert precision == (0.5 + 1.0) / 2


def test_faiss_finds_almost_the_same():
    pytest.importorskip("faiss")
    codes = np.random.default_rng(0).normal(size=(500, 8)).astype("float32")
    index = Index(codes)
    _, places = index.to_faiss().search(codes[:20], 5)
    assert (places == index.search(codes[:20], 5)[0]).mean() > 0.9


def test_an_index_with_a_code_that_is_no_number_is_refused(tmp_path):
    codes = np.ones((20, 3), np.float32)
    codes[4, 1] = np.nan
    Index(codes).save(tmp_path / "i.safetensors")
    with pytest.raises(FileFormatError, match="no index that this version reads"):
        Index.load(tmp_path / "i.safetensors")
