"""The comparison with other libraries in benchmarks/: programs of npae and scikit-learn, and how tables are made."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"


@pytest.fixture
def peers(monkeypatch):
    pytest.importorskip("sklearn")
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import peers as module

    monkeypatch.setattr(module, "is_installed", lambda library: library in ("npae", "scikit-learn"))
    monkeypatch.setattr(module, "SEEDS", (0,))
    yield module
    for name in ("peers", "peer_programs"):
        sys.modules.pop(name, None)


@pytest.fixture
def settings(peers):
    return peers.Settings(code_size=2, hidden=(8,), epochs=1, batch_size=16)


@pytest.fixture
def x():
    return np.random.default_rng(0).random((80, 6), dtype="float32")


def test_each_program_that_scores_anomalies_gives_an_area(peers, settings, x):
    head, rows = peers.anomaly_rows(peers.Cache(), {"made up": peers.Table(x, 3 * x + 1, True)}, settings)
    assert head == ["made up"]
    assert len(rows) == len(peers.installed("anomaly")) == 8
    for _, title, ((area,),) in rows:
        assert 0.5 < area <= 1, title  # the outliers are far from all inliers


def test_each_program_that_rebuilds_gives_an_error(peers, settings, x):
    _, rows = peers.rebuilding_rows(peers.Cache(), x[:60], x[60:], settings)
    assert [library for library, _, _ in rows] == ["npae"] * 3 + ["scikit-learn"] * 3
    for _, title, ((error,),) in rows:
        assert 0 < error < 0.5, title


def test_generation_tells_a_distance_for_each_sampler_and_for_the_data(peers, settings, x):
    _, rows = peers.generation_rows(peers.Cache(), x, (x[:, 0] > 0.5).astype(int), settings)
    titles = [title for _, title, _ in rows]
    assert titles == [*(f"variational, {s}" for s in ("prior", "gaussian", "gmm")), "the other half of the data"]
    assert all(distance > 0 for _, _, ((distance,),) in rows)


def test_lines_are_counted_without_head_docstring_comments_and_blank_lines(peers):
    source = 'def f(a):\n    """Say\n\n    more."""\n    import b\n\n    # why\n    return b(\n        a\n    )\n'
    assert peers.count_lines(source) == 4


def test_the_lines_of_functions_that_a_program_calls_count(peers):
    alone, error = (next(p for p in peers.PROGRAMS[part] if p.title == "PCA") for part in ("rebuilding", "anomaly"))
    assert error.n_lines() == alone.n_lines() + 1


def test_what_is_in_the_cache_is_not_measured_again(peers, tmp_path):
    path = tmp_path / "kept.json"
    assert peers.Cache(path).get("a", lambda: 1.5) == 1.5
    assert json.loads(path.read_text("utf-8")) == {"a": 1.5}
    assert peers.Cache(path).get("a", lambda: pytest.fail("measured")) == 1.5


def test_the_best_of_each_column_is_bold_and_data_is_not_a_peer(peers):
    rows = [("npae", "deep", [[0.5, 0.7]]), ("PyOD", "VAE", [[0.8]]), ("", "data", [[0.1]])]
    assert peers.markdown(["error"], rows, 1, min).splitlines()[2:] == [
        "| npae | deep | **0.6** (0.5 to 0.7) |",
        "| PyOD | VAE | 0.8 |",
        "|  | data | 0.1 |",
    ]


def test_libraries_that_are_not_installed_are_named_and_the_others_are_not(peers, capsys):
    peers.main(["--parts", "lines"])
    out, err = capsys.readouterr()
    assert [line.split(" is ")[0] for line in err.splitlines()] == ["PyOD", "pythae", "PyTorch"]
    assert "| npae | 5 | 4 | 3 |" in out
    assert "PyOD" not in out


def test_lines_of_several_programs_are_told_as_a_range_and_variants_do_not_count(peers):
    assert "| scikit-learn | 2 to 5 |  | 3 to 4 |" in peers.lines_table().splitlines()
    counts = {p.title: p.n_lines() for p in peers.installed("rebuilding") if p.library == "npae"}
    assert counts["deep, squared error"] < counts["deep"] == 3  # it only calls the other


def test_an_unknown_part_is_refused_with_those_that_exist(peers, capsys):
    with pytest.raises(SystemExit):
        peers.main(["--parts", "lines,speed"])
    assert "unknown parts speed; expected some of anomaly, generation" in capsys.readouterr().err
