"""The checker on plain functions: it passes what is right, and says what is wrong."""

import json

import numpy as np
import pytest

from npae.gradcheck import Verdict, check
from npae.gradcheck.bugs import BUGS
from npae.gradcheck.planted import plant

RNG = np.random.default_rng(0)
x, W, b = RNG.normal(size=(3, 4)), RNG.normal(size=(4, 5)), RNG.normal(size=5)


def affine(x, W, b):
    return x @ W + b


def affine_backward(g, x, W, b):
    return g @ W.T, x.T @ g, g.sum(axis=0)


def test_a_right_gradient_passes_with_every_entry_looked_at():
    report = check(affine, affine_backward, [x, W, b])
    assert report.verdict is Verdict.PASS
    assert report.passed
    assert [block.gradient for block in report.blocks] == ["dx", "dW", "db"]
    assert [block.checked for block in report.blocks] == [12, 20, 5]
    assert max(block.error for block in report.blocks) < 1e-8


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: f"{bug.kind}-{bug.name}")
def test_every_known_mistake_is_caught_and_named_and_its_right_twin_is_not(bug):
    planted = plant([bug])
    report = check(planted.f, planted.backward, planted.inputs, wrt=planted.wrt)
    assert report.verdict is Verdict.WRONG
    assert bug.name in [name.bug for name in report.names]
    right = check(planted.f, planted.right, planted.inputs, wrt=planted.wrt)
    assert right.verdict is (Verdict.KINK if bug.needs == "ties" else Verdict.PASS), str(right)


def test_a_report_shows_the_entry_both_values_and_the_name():
    def backward(g, x, W, b):
        return g @ W.T, x.T @ g, g.mean(axis=0)

    report = check(affine, backward, [x, W, b])
    text = str(report)
    assert report["db"].verdict is Verdict.WRONG
    assert report["dx"].verdict is report["W"].verdict is Verdict.PASS
    assert report["db"].ratio == pytest.approx(1 / 3)
    assert "it is 1/N: divided once too often" in text
    assert "looks like: db-mean" in text
    assert "checked 5 of 5" in text
    assert json.loads(json.dumps(report.to_dict()))["names"][0]["bug"] == "db-mean"


def test_all_zero_gradients_fail():
    report = check(affine, lambda g, x, W, b: (0 * x, 0 * W, 0 * b), [x, W, b])
    assert all(block.verdict is Verdict.WRONG for block in report.blocks)
    assert "0 everywhere" in str(report)


def test_a_block_on_which_nothing_depends_proves_nothing():
    report = check(lambda x, W: x**2 + 0 * W.sum(), lambda g, x, W: (2 * g * x, 0 * W), [x, W])
    assert report["dx"].verdict is Verdict.PASS
    assert report["dW"].verdict is Verdict.CANNOT_TELL
