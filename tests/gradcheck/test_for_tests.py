"""Gradient checks in users' tests: the assertion, the pytest plugin, the strategies."""

import configparser
import importlib
import os
import subprocess
import sys

import numpy as np
import pytest
from helpers.paths import ROOT
from hypothesis import given
from hypothesis import strategies as st

from npae.gradcheck import GradientError, Verdict, assert_gradient, check
from npae.gradcheck.strategies import CLEAR, arrays, shapes

x = np.random.default_rng(0).normal(size=(3, 4))


def wrong(g, x):
    return g * np.sin(x)


def test_a_failed_check_is_an_assertion_error_with_the_report():
    with pytest.raises(AssertionError) as caught:
        assert_gradient(np.sin, wrong, [x])
    assert isinstance(caught.value, GradientError)
    first, rest = str(caught.value).split("\n", 1)
    assert first.startswith("wrong: WRONG; dx (error ")
    assert rest == str(caught.value.report)


def test_a_passed_check_returns_its_report():
    assert assert_gradient(np.sin, lambda g, x: g * np.cos(x), [x]).verdict is Verdict.PASS
    at_kink = np.array([0.0, 1.0, -1.0])
    assert assert_gradient(np.abs, lambda g, x: g * np.sign(x), [at_kink]).verdict is Verdict.KINK


def test_what_cannot_be_told_is_not_passed():
    with pytest.raises(GradientError, match="CAN'T TELL; dx"):
        assert_gradient(np.sin, lambda g, x: g, [x * np.nan])


TESTS = """
import numpy as np

def test_right(gradcheck):
    assert gradcheck(np.sin, lambda g, x: g * np.cos(x), [np.ones((2, 3))]).passed
    gradcheck.grad(lambda x: float((x**2).sum()), lambda x: 2 * x, np.arange(1.0, 4))

def wrong(g, x):
    return g * np.sin(x)

def test_wrong(gradcheck):
    gradcheck(np.sin, wrong, [np.arange(1.0, 4)])
"""


#: The plugin by its module, also where an installed npae names it; nothing is left in the folder.
PLUGINS = ["-p", "no:npae_gradcheck", "-p", "npae.gradcheck.pytest_plugin", "-p", "no:cacheprovider"]


def test_pytest_has_the_fixture_and_its_summary_shows_what_is_wrong(tmp_path):
    (tmp_path / "test_mine.py").write_text(TESTS, encoding="utf-8")
    answer = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *PLUGINS, "."],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "160"},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert "1 failed, 1 passed" in answer.stdout, answer.stdout
    (summary,) = [line for line in answer.stdout.splitlines() if line.startswith("FAILED")]
    assert "wrong: WRONG; dx (error 1" in summary
    assert "assertion.py" not in answer.stdout  # the traceback ends in the user's test


@given(arrays(shapes(2)))
def test_drawn_inputs_differ_and_keep_away_from_kinks(x):
    assert x.ndim == 2
    assert x.shape[0] != x.shape[1]
    assert np.abs(x).min() > CLEAR / 2
    assert x.size == 1 or np.diff(np.sort(x, axis=None)).min() > CLEAR / 2
    assert check(lambda x: np.maximum(x, 0), lambda g, x: g * (x > 0), [x], mode="fast").verdict is not Verdict.KINK


@given(arrays(st.integers(4, 9), ties=True, kinks=(), least=0, most=2))
def test_ties_are_drawn_where_they_are_wanted(x):
    assert len(np.unique(x)) < len(x)
    assert 0 <= x.min() <= x.max() <= 2


def test_bounds_too_narrow_for_the_shape_are_refused():
    @given(arrays(100, least=0, most=0.01))
    def draw(x):
        raise AssertionError("nothing can be drawn")

    with pytest.raises(ValueError, match=r"between 0 and 0.01 there are \d+ numbers that differ by 0.001, but the"):
        draw()


def test_an_installed_npae_names_the_plugin_to_pytest():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    name, _, module = setup["options.entry_points"]["pytest11"].strip().partition(" = ")
    assert (name, module) == ("npae_gradcheck", "npae.gradcheck.pytest_plugin")
    assert hasattr(importlib.import_module(module), "gradcheck")
