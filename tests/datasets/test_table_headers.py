"""First lines of evenly spaced numbers: asked about where a sample hardly would be so, and read as data elsewhere."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npae.datasets import read
from npae.datasets.table_headers import is_evenly_spaced_against_chance
from npae.utils.errors import FileFormatError

RNG = np.random.default_rng(0)
SEEDS = st.integers(0, 2**32 - 1)


def written(folder, first, rest):
    rows = [list(map(str, first)), *(list(map(repr, row)) for row in np.asarray(rest).tolist())]
    (folder / "x.csv").write_text("".join(",".join(row) + "\n" for row in rows), encoding="utf-8")
    return folder / "x.csv"


def is_asked(first, rest):
    cells = list(map(str, first))
    return is_evenly_spaced_against_chance(np.array(cells, float), np.asarray(rest, float), cells)


@pytest.mark.parametrize(
    ("names", "rest"),
    [
        ([2019, 2020, 2021], RNG.integers(0, 3001, (50, 3))),
        ([2021, 2020, 2019, 2018], RNG.integers(0, 3001, (20, 4))),
        ([2000, 2005, 2010, 2015], RNG.integers(0, 3001, (20, 4))),
        ([0.1, 0.2, 0.3], RNG.random((50, 3))),
        ([0.1, 0.2, 0.3], RNG.random((3, 3))),
        (np.linspace(0, 15, 30).tolist(), RNG.random((50, 30)).cumsum(axis=1)),
        (np.linspace(0, 15, 30).round(2).tolist(), RNG.random((50, 30)).cumsum(axis=1)),
        (["4e-1", "5e-1", "6e-1", "7e-1"], RNG.random((20, 4))),
        ([-2, -1, 0, 1, 2], RNG.normal(0, 3, (20, 5))),
        (range(5, 15), RNG.integers(0, 30, (20, 10))),
    ],
    ids=range(10),
)
def test_evenly_spaced_names_above_lines_that_are_not_are_refused(tmp_path, names, rest):
    path = written(tmp_path, names, rest)
    with pytest.raises(
        FileFormatError, match=r"line 1 (rises|falls) evenly from .*header.*--header if.*--no-header if"
    ):
        read(path)
    np.testing.assert_array_equal(read(path, header=True), rest)
    assert len(read(path, header=False)) == len(rest) + 1


@pytest.mark.parametrize(
    ("first", "rest"),
    [
        ([2, 3, 4], RNG.integers(0, 10, (50, 3))),
        ([2, 4, 6], RNG.integers(0, 100, (50, 3))),
        ([4, 5, 6], RNG.poisson(0.3, (200, 3)) * 4),
        ([5, 5, 5, 5], RNG.random((20, 4))),
        ([2019, 2020], RNG.integers(0, 3001, (50, 2))),
        ([0.1, 0.2, 0.3], RNG.random((2, 3))),
        ([0.1, 0.2, 0.3, 0.41], RNG.random((50, 4))),
        ([10, 20, 40], RNG.integers(0, 3001, (50, 3))),
        ([3, 17, 22, 5, 41, 9], RNG.integers(0, 50, (50, 6))),
        ([1, 2, 3], [[2, 3, 5], [3, 5, 8], [5, 8, 13], [8, 13, 21], [13, 21, 34]]),
    ],
    ids=range(10),
)
def test_a_first_row_that_a_sample_may_be_is_data(tmp_path, first, rest):
    assert not is_asked(first, rest)
    x = read(written(tmp_path, first, rest))
    np.testing.assert_array_equal(x, np.vstack([first, rest]))


@given(seed=SEEDS, rows=st.integers(1, 40), columns=st.integers(3, 30), scale=st.sampled_from([1, 0.1, 1e-6, 1e6]))
def test_a_table_of_ramps_is_data_throughout(seed, rows, columns, scale):
    chance = np.random.default_rng(seed)
    slopes = chance.integers(1, 100, rows + 1) * chance.choice([-1, 1], rows + 1)
    ramps = scale * (chance.integers(-50, 50, rows + 1)[:, None] + slopes[:, None] * np.arange(columns))
    assert not is_asked([repr(v) for v in ramps[0].tolist()], ramps[1:])


@given(seed=SEEDS, rows=st.integers(3, 40), columns=st.integers(3, 12), place=st.integers(0, 1000))
def test_where_one_other_row_is_evenly_spaced_the_first_may_be_a_sample(seed, rows, columns, place):
    chance = np.random.default_rng(seed)
    rest = chance.normal(size=(rows, columns))
    names = np.arange(columns) / 4 + 1
    assert is_asked(names.tolist(), rest)
    rest[place % rows] = np.linspace(-1, 2, columns)
    assert not is_asked(names.tolist(), rest)


@given(seed=SEEDS, rows=st.integers(3, 40), columns=st.integers(3, 12), third=st.integers(0, 99))
def test_constant_rows_do_not_make_ramps_likely(seed, rows, columns, third):
    constant = third * ((rows + 2) // 3) // 100  # fewer than a third of the rows
    rest = np.random.default_rng(seed).normal(size=(rows, columns))
    rest[:constant] = 1
    assert is_asked((np.arange(columns) / 4 + 1).tolist(), rest)


@given(seed=SEEDS, rows=st.integers(3, 40), columns=st.integers(3, 7), most=st.integers(1, 30))
def test_few_small_whole_numbers_are_data_whatever_they_are(seed, rows, columns, most):
    """Of whole numbers up to 30, three are evenly spaced once in 60 rows, so nothing is rare."""
    x = np.random.default_rng(seed).integers(0, most + 1, (rows + 1, columns))
    if columns == 3:
        assert not is_asked([1, 2, 3], x[1:])
    if columns > 3 and len(set(np.diff(x[0], 2))) == 1:
        return
    assert not is_asked(x[0].tolist(), x[1:])


def _walks(chance, n, columns):
    return chance.integers(0, 200, (n, 1)) + chance.integers(-2, 4, (n, columns)).cumsum(axis=1)


def _windows(chance, n, columns):
    series = chance.integers(-1, 4, n + columns).cumsum()
    return np.lib.stride_tricks.sliding_window_view(series, columns)[:n]


KINDS = {
    **{
        f"whole up to {most}": lambda r, n, k, most=most: r.integers(0, most + 1, (n, k))
        for most in (2, 10, 30, 100, 1000)
    },
    "counts": lambda r, n, k: r.poisson(3, (n, k)),
    "geometric": lambda r, n, k: r.geometric(0.02, (n, k)),
    "skewed": lambda r, n, k: np.round(r.lognormal(2, 1.5, (n, k))),
    "one decimal": lambda r, n, k: np.round(r.normal(5, 1, (n, k)), 1),
    "sorted": lambda r, n, k: np.sort(r.integers(0, 50, (n, k)), axis=1),
    "two scales": lambda r, n, k: np.c_[r.integers(0, 4, (n, 1)), r.integers(0, 100, (n, k - 1))],
    "walks": _walks,
    "windows of a series": _windows,
}


@pytest.mark.parametrize("kind", KINDS)
def test_of_first_samples_so_few_are_asked_about_as_the_limit_says(kind):
    """One of 10,000 by the estimate; what is counted here, of 3,000 tables with a fixed seed, is near it."""
    chance, asked = np.random.default_rng(0), 0
    for i in range(3000):
        x = np.asarray(KINDS[kind](chance, 20, 3 + i % 3), float)
        if (np.abs(np.diff(x[0], 2)) < 1e-9).all() and x[0, 0] != x[0, 1]:
            asked += is_asked([repr(v) if v % 1 else str(int(v)) for v in x[0].tolist()], x[1:])
    assert asked <= 3


def test_large_and_tiny_numbers_are_compared_without_a_warning():
    tiny = np.array([1e-320, 2e-320, 3e-320])
    assert not is_asked(["-1e308", "0", "1.7e308"], RNG.random((9, 3)))
    is_asked([repr(v) for v in tiny.tolist()], RNG.random((9, 3)) * 1e308)
    is_asked(["1e308", "1.2e308", "1.4e308"], RNG.uniform(-1, 1, (9, 3)) * 1e308)
    is_asked(["1e-400", "1e-5", "2e-5"], RNG.random((9, 3)))
