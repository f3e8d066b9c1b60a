"""The cost model of ranks, and what npae bench prints of it."""

import pytest

from npae.cli import main
from npae.cli.bench.rank_cost import RANKS, panels, step_seconds, strong_gains, weak_gains
from npae.cli.bench.rank_table import table

FREE = {"latency": 0.0, "bandwidth": 1e30}


def measured(**changes):
    """A model whose pass takes a microsecond a row."""
    rows = [16, 32, 64, 128, 256, 512, 1024]
    model = {"bytes": 4e6, "batch": 256, "rows": rows, "pass": [1e-6 * n for n in rows], "spread": 0.0, "adam": 0.0}
    steps = {"1 rank": [3e-4], "2 threads": [2e-4], "2 ranks": [1.5e-4]}
    return {**model, "steps": steps, **changes}


def test_where_exchanges_are_free_r_ranks_are_r_times_as_fast():
    assert strong_gains(measured(), **FREE) == pytest.approx(RANKS)
    assert weak_gains(measured(), **FREE) == pytest.approx(RANKS)


def test_what_each_rank_does_for_itself_bounds_the_gain_of_a_shared_batch():
    gains = strong_gains(measured(adam=1.024e-3), **FREE)
    assert max(gains) < 2
    assert weak_gains(measured(adam=1.024e-3), **FREE) == pytest.approx(RANKS)


@pytest.mark.parametrize(
    ("model", "ranks", "latency", "bandwidth", "seconds"),
    [
        (measured(), 1, 1.0, 1.0, 64e-6),
        (measured(), 2, 1e-3, 1e30, 64e-6 + 3e-3),
        (measured(), 8, 1e-3, 1e30, 64e-6 + 9e-3),
        (measured(), 2, 0.0, 4e9, 64e-6 + 1e-3),
        (measured(), 4, 0.0, 4e9, 64e-6 + 1.5e-3),
    ],
)
def test_the_terms_of_the_model_are_those_of_its_formula(model, ranks, latency, bandwidth, seconds):
    assert step_seconds(model, 64, ranks, latency, bandwidth) == pytest.approx(seconds)


def test_the_slowest_of_more_ranks_is_slower():
    seconds = [step_seconds(measured(spread=0.1), 64, n, **FREE) for n in (1, 2, 64)]
    assert seconds[0] == pytest.approx(64e-6)
    assert seconds == sorted(seconds)
    assert seconds[2] > seconds[1]


def test_the_table_says_where_ranks_are_not_worth_it_and_nowhere_else():
    result = {"ranks": 2, "latency": 1e-5, "bandwidth": 1e9, "machine": {"cpu": "A processor"}}
    fast = {"latency": 1e-6, "bandwidth": 1e12}
    worth = table({**result, "models": {"deep": measured()}, "assumed": fast})
    assert "not worth it" not in worth
    slow = {"latency": 1e-2, "bandwidth": 1e6}
    assert table({**result, "models": {"deep": measured()}, "assumed": slow}).count("not worth it") == 2


def test_the_plot_has_a_panel_for_each_kind_of_growth():
    result = {"models": {"deep": measured()}, "assumed": {"latency": 1e-5, "bandwidth": 1e9}}
    assert [list(curves) for curves in panels(result).values()] == [["deep"], ["deep"]]


@pytest.mark.parametrize(
    ("options", "message"),
    [(["--scale", "x.png"], "--scale draws what --ranks mpi has measured")],
)
def test_options_of_ranks_without_ranks_are_refused(options, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["bench", *options]) == 2
    assert message in capsys.readouterr().err
