"""The search in float32 finds what comparing all in float64 finds, at any size, place and number of ties."""

import json

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from npae.applications.retrieval import METRICS, Index
from npae.applications.retrieval import nearest as search
from npae.utils import safetensors
from npae.utils.errors import FileFormatError


def nearest(codes, queries, k, metric):
    """All distances in float64, sorted by distance, then by place."""
    codes, queries = codes.astype(np.float64), queries.astype(np.float64)
    if metric == "cosine":
        codes, queries = (a / np.linalg.norm(a, axis=1, keepdims=True) for a in (codes, queries))
    squares = np.square(queries[:, None] - codes[None]).sum(axis=2)
    return np.argsort(squares, axis=1, kind="stable")[:, :k]


@given(
    metric=st.sampled_from(METRICS),
    scale=st.sampled_from([1e-30, 1e-3, 1.0, 1e17, 1e30]),
    offset=st.sampled_from([0.0, 1.0, 1e3]),
    levels=st.sampled_from([2, 50]),
    block=st.integers(1, 40),
    k=st.integers(1, 30),
    seed=st.integers(0, 999),
)
@example("euclidean", 1e30, 0.0, 50, 1, 1, 0)  # squares beyond float32, in more than one block
@settings(deadline=None)
def test_the_search_agrees_with_float64_in_ties_too(metric, scale, offset, levels, block, k, seed):
    rng = np.random.default_rng(seed)
    # Whole numbers: distances are exact in float64 and often equal.
    codes, queries = (rng.integers(1, levels, (n, 3)) + offset for n in (60, 5))
    codes, queries = (np.ldexp(a, int(np.log2(scale))).astype(np.float32) for a in (codes, queries))
    with pytest.MonkeyPatch.context() as monkeypatch:
        for name, value in {"QUERIES": 2, "CODES": block, "SAMPLE": 8, "VALUES": 20}.items():
            monkeypatch.setattr(search, name, value)
        places, _ = Index(codes, metric).search(queries, k)
    assert np.array_equal(places, nearest(codes, queries, k, metric))


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(("of_codes", "of_queries"), [((-30, 36), (-30, 36)), ((20, 36), (-3, 3)), ((-3, 3), (20, 36))])
def test_the_search_agrees_with_float64_where_sizes_differ_by_powers_of_ten(metric, of_codes, of_queries, monkeypatch):
    for name, value in {"QUERIES": 4, "CODES": 16, "SAMPLE": 8}.items():
        monkeypatch.setattr(search, name, value)
    rng = np.random.default_rng(0)
    codes, queries = (
        (rng.normal(size=(n, 3)) * 10.0 ** rng.uniform(*sizes, (n, 1))).astype(np.float32)
        for n, sizes in ((100, of_codes), (20, of_queries))
    )
    places, _ = Index(codes, metric).search(queries, 5)
    assert np.array_equal(places, nearest(codes, queries, 5, metric))


@pytest.mark.parametrize("block", [50, 500])
def test_codes_that_float32_cannot_tell_apart_are_told_apart(block, monkeypatch):
    # Two groups with norms of 1e4: a squared distance has an error of several units in float32, and those within a
    # group are below 1.
    monkeypatch.setattr(search, "CODES", block)
    rng = np.random.default_rng(0)
    codes = (rng.choice([-1, 1], (500, 1)) * rng.normal(size=4) * 1e4 + rng.normal(size=(500, 4)) / 9).astype("float32")
    places, distances = Index(codes).search(codes[:20], 5)
    assert np.array_equal(places, nearest(codes, codes[:20], 5, "euclidean"))
    assert not distances[:, 0].any()


def test_few_pairs_are_compared_in_float64(monkeypatch):
    rng = np.random.default_rng(0)
    compared = []
    exact = search._squared_distances
    monkeypatch.setattr(
        search,
        "_squared_distances",
        lambda a, b, rows, columns, metric: (compared.append(len(rows)), exact(a, b, rows, columns, metric))[1],
    )
    Index(rng.normal(size=(20_000, 4)).astype(np.float32)).search(rng.normal(size=(10, 4)), 3)
    assert 0 < sum(compared) < 0.01 * 10 * 20_000


def test_an_index_remembers_the_files_of_its_samples(tmp_path):
    names = ("a b/ä.png", b"\xff,\n.png".decode("utf-8", "surrogateescape"), "x")
    Index(np.eye(3, dtype=np.float32), names=names).save(tmp_path / "i.safetensors")
    assert Index.load(tmp_path / "i.safetensors").names == names


def test_an_index_without_names_is_read_as_before(tmp_path):
    record = {"format": 1, "metric": "cosine", "model": "m"}  # as files were before they had names
    safetensors.write(tmp_path / "i", {"codes": np.eye(3, dtype=np.float32)}, {"npae-index": json.dumps(record)})
    index = Index.load(tmp_path / "i")
    assert index.names is None
    assert index.metric == "cosine"


@pytest.mark.parametrize(
    "names", [np.frombuffer(b"a\0b", np.uint8), np.frombuffer(b"a\0b\0c", np.int8), np.zeros((1, 0), np.uint8)]
)
def test_an_index_whose_names_do_not_fit_is_refused(names, tmp_path):
    record = {"format": 1, "metric": "cosine", "model": "m"}
    arrays = {"codes": np.eye(3, dtype=np.float32), "names": names}
    safetensors.write(tmp_path / "i", arrays, {"npae-index": json.dumps(record)})
    with pytest.raises(FileFormatError, match="no index that this version reads"):
        Index.load(tmp_path / "i")


def test_another_number_of_names_is_refused():
    with pytest.raises(ValueError, match="2 names were given for 3 codes; give one for each"):
        Index(np.eye(3, dtype=np.float32), names=("a", "b"))
