"""The gradient checker on plain functions: right gradients pass, wrong ones are found and named."""

import json
from itertools import combinations

import numpy as np
import pytest

from npae.gradcheck import Verdict, check
from npae.gradcheck.bugs import BUGS, KINDS, bugs_of
from npae.gradcheck.bugs.inject import inject

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


@pytest.mark.parametrize("bug", [bug for bug in BUGS if bug.kind != "adam"], ids=lambda bug: f"{bug.kind}-{bug.name}")
def test_every_known_mistake_is_caught_and_named_and_its_right_twin_is_not(bug):
    planted = inject([bug])
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
    assert "it is 1/3 (x.shape[0] = 3, y.shape[0] = 3): divided once too often" in text
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


def test_every_mistake_of_the_library_has_a_number_a_formula_and_a_sentence():
    assert [bug.number for bug in BUGS] == list(range(1, 215))
    assert all(bug.formula and bug.hint.endswith((".", ").", "?")) for bug in BUGS)
    assert len({(bug.kind, bug.name) for bug in BUGS}) == 214


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "adam"])
def test_two_mistakes_at_once_are_caught_and_not_misnamed(kind):
    steady = [bug for bug in bugs_of(kind) if not bug.how and not bug.needs]
    for a, b in list(combinations(steady, 2))[:8]:
        planted = inject([a, b])
        report = check(planted.f, planted.backward, planted.inputs, wrt=planted.wrt)
        assert report.verdict is Verdict.WRONG
        assert {name.bug for name in report.names} <= {a.name, b.name}, str(report)
        if not set(a.blocks) & set(b.blocks):
            assert {name.bug for name in report.names} == {a.name, b.name}, str(report)


def test_a_backward_that_raises_is_wrong_and_named_at_equal_sizes():
    report = check(affine, lambda g, x, W, b: (g @ W, x.T @ g, g.sum(axis=0)), [x, W, b])
    assert "backward raised ValueError" in str(report)
    assert [name.bug for name in report.names] == ["no-transpose"]


def test_a_gradient_that_depends_on_chance_is_reported():
    rng = np.random.default_rng(0)
    report = check(np.tanh, lambda g, x: g * (1 - np.tanh(x) ** 2) + 1e-3 * rng.normal(size=x.shape), [x])
    assert report.verdict is Verdict.WRONG
    assert "two calls give two values of dx" in str(report)


@pytest.mark.parametrize("first", [0, 1])
def test_a_gradient_that_is_0_at_every_other_call_does_not_repeat(first):
    calls = []

    def backward(g, x, W, b):
        calls.append(1)
        return g @ W.T, x.T @ g, g.sum(axis=0) * ((len(calls) + first) % 2)

    report = check(affine, backward, [x, W, b])
    assert "backward repeats: does not hold" in str(report)
    assert "two calls give two values of db" in str(report)


def test_a_forward_that_depends_on_chance_is_reported():
    rng = np.random.default_rng(0)
    report = check(lambda x: x * rng.random(), lambda g, x: g, [x])
    assert "two calls with the same inputs give two outputs" in str(report)


def test_a_function_that_writes_into_its_inputs_is_reported():
    def backward(g, x):
        g *= 1 - np.tanh(x) ** 2
        return g

    report = check(np.tanh, backward, [x])
    assert "a pass overwrites the upstream gradient" in str(report)


def test_a_function_in_float32_is_checked_as_well_as_that_allows():
    def single(x):
        return np.tanh(x.astype(np.float32))

    assert check(single, lambda g, x: g * (1 - np.tanh(x) ** 2), [x]).verdict is Verdict.PASS
    assert check(single, lambda g, x: g * (1 - np.tanh(x)), [x]).verdict is Verdict.WRONG


def test_a_wrong_factor_is_told():
    report = check(lambda x: x**2, lambda g, x: g * x, [x])
    assert report["dx"].ratio == pytest.approx(0.5)
    assert "that of a square" in str(report)


def test_the_map_shows_where_the_error_is():
    def backward(g, x, W, b):
        dW = x.T @ g
        dW[:, -1] = 0
        return g @ W.T, dW, g.sum(axis=0)

    text = str(check(affine, backward, [x, W, b]))
    assert text.count("|····█|") == 4


def test_a_notebook_shows_a_heat_map():
    html = check(affine, lambda g, x, W, b: (g @ W.T, -x.T @ g, g.sum(axis=0)), [x, W, b])._repr_html_()
    assert html.count("<rect") == W.size
    assert html.count("<svg") == 1
    assert "WRONG" in html


def test_taylor_slopes_are_two_where_right_and_one_where_wrong():
    right = check(np.tanh, lambda g, x: g * (1 - np.tanh(x) ** 2), [x])["dx"]
    wrong = check(np.tanh, lambda g, x: g * (1 - np.tanh(x)), [x])["dx"]
    assert right.taylor_slope == pytest.approx(2, abs=0.1)
    assert wrong.taylor_slope == pytest.approx(1, abs=0.1)


def test_every_choice_of_tied_maxima_is_judged_by_moving_them_together():
    tied = np.array([[1.0, 1.0, 0.5, 1.0]])

    def verdict(gradient):
        return check(lambda x: x.max(axis=1), lambda g, x: g[:, None] * np.array([gradient]), [tied])["dx"].verdict

    assert verdict([1, 0, 0, 0]) is verdict([0, 0, 0, 1]) is verdict([0.5, 0.25, 0, 0.25]) is Verdict.KINK
    assert verdict([1, 1, 0, 1]) is verdict([0, 0, 0, 0]) is verdict([0.5, 0.5, 0, 0.5]) is Verdict.WRONG
    assert verdict([1, 0, 1, 0]) is verdict([2, -1, 0, 0]) is Verdict.WRONG


def test_a_wrong_slope_at_zero_is_caught():
    at_zero = np.array([[0.0, 1.0, -1.0]])
    verdicts = [
        check(lambda x: np.maximum(x, 0), lambda g, x, s=s: g * np.where(x == 0, s, x > 0), [at_zero]).verdict
        for s in (0.0, 0.5, 1.0, 2.0, -1.0)
    ]
    assert verdicts == [Verdict.KINK] * 3 + [Verdict.WRONG] * 2


def test_a_function_linear_on_one_side_of_a_kink_is_not_linear():
    at_kink = np.array([0.0, 1.0, -3.0])
    report = check(lambda x: np.abs(x).sum(), lambda g, x: g * np.sign(x), [at_kink])
    assert report.verdict is Verdict.KINK, str(report)


def test_where_the_function_steps_nothing_can_be_told():
    report = check(np.sign, lambda g, x: 0 * x, [np.array([0.0, 1.0])])
    assert report.verdict is Verdict.CANNOT_TELL, str(report)


def test_mistakes_in_use_are_one_sentence():
    with pytest.raises(ValueError, match="x is empty"):
        check(lambda x: x, lambda g, x: g, [np.zeros((0, 3))])
    with pytest.raises(ValueError, match="wrt names 'V'"):
        check(affine, affine_backward, [x, W, b], wrt=["V"])
    with pytest.raises(ValueError, match="no input is an array"):
        check(np.tanh, np.tanh, [3])
    with pytest.raises(ValueError, match="expected a list of f's arguments"):
        check(np.tanh, np.tanh, x)


@pytest.mark.parametrize("mode", ["full", "fast"])
def test_rounding_of_a_large_offset_is_no_mistake(mode):
    x = RNG.normal(size=(4, 7))
    report = check(lambda x: np.sin(x) + 1e8, lambda g, x: g * np.cos(x), [x], mode=mode)
    assert report.verdict is not Verdict.WRONG, str(report)


@pytest.mark.parametrize("mode", ["full", "fast"])
@pytest.mark.parametrize("near", [1e-9, -1e-9, 1e-12, -1e-8])
def test_a_kink_very_near_is_no_mistake(mode, near):
    x = RNG.normal(size=(3, 4))
    x[1, 2] = near
    report = check(lambda x: np.maximum(x, 0), lambda g, x: g * (x > 0), [x], mode=mode)
    assert report.verdict is not Verdict.WRONG, str(report)


@pytest.mark.parametrize("mode", ["full", "fast"])
def test_float32_within_a_function_is_seen(mode):
    def within(x):
        return np.tanh(x.astype(np.float32)).astype(np.float64)

    x = RNG.normal(size=(4, 7))
    right = check(within, lambda g, x: g * (1 - np.tanh(x) ** 2), [x], mode=mode)
    assert right.passed, str(right)
    assert "float32" in right.notes[0]
    wrong = check(within, lambda g, x: 1.05 * g * (1 - np.tanh(x) ** 2), [x], mode=mode)
    assert wrong.verdict is Verdict.WRONG


@pytest.mark.parametrize("f", [np.tanh, lambda x: np.maximum(x, 0), lambda x: x.max(axis=1), lambda x: x + 1e8])
def test_float32_is_not_seen_where_there_is_none(f):
    x = RNG.normal(size=(4, 7)).astype(np.float32)
    x[0, :3] = 0
    assert check(f, lambda g, x: np.zeros_like(x), [x]).notes == []


def test_a_pass_is_as_near_as_the_tolerance_says():
    x = np.random.default_rng(0).normal(size=(4, 7))

    def backward(g, x):
        d = g * (1 - np.tanh(x) ** 2)
        d[0, 3] *= 1.01
        return d

    for seed in range(5):
        report = check(lambda x: np.tanh(x.astype(np.float32)), backward, [x], mode="fast", seed=seed)
        assert report.verdict is not Verdict.PASS or report["x"].error <= 2e-3


@pytest.mark.parametrize(
    ("backward", "sentence"),
    [
        (lambda g, x, W, b: (g @ W.T, x.T @ g), "backward returned 2 gradients, where dx, dW, db was expected; return"),
        (lambda g, x, W, b: g @ W.T, "backward returned 1 gradient, where dx, dW, db was expected; return"),
        (lambda g, x, W, b: None, "backward returned None; it must return dx, dW, db"),
    ],
)
def test_what_is_no_gradient_is_told_in_the_checkers_own_words(backward, sentence):
    report = check(affine, backward, [x, W, b])
    assert report.verdict is Verdict.WRONG
    assert all(block.reason.startswith(sentence) for block in report.blocks), str(report)
    assert "raised" not in str(report)


def test_complex_numbers_are_refused():
    with pytest.raises(ValueError, match="complex128"):
        check(lambda x: x + 1j * x, lambda g, x: g, [np.ones(3)])
    with pytest.raises(ValueError, match="returned None"):
        check(lambda x: None, lambda g, x: g, [np.ones(3)])
    report = check(np.sin, lambda g, x: g * np.cos(x) + 0j, [np.ones(3)])
    assert report.verdict is Verdict.WRONG
    assert "complex" in report["x"].reason


def test_one_place_need_not_be_a_list():
    report = check(affine, lambda g, x, W, b: x.T @ g, [x, W, b], wrt=1)
    assert [block.name for block in report.blocks] == ["W"]
    with pytest.raises(ValueError, match="wrt names 3"):
        check(affine, affine_backward, [x, W, b], wrt=3)
