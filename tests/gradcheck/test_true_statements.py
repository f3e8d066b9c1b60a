"""What a report says is true: each sentence is derived again, or must not be said where it would be false."""

from time import monotonic, sleep

import numpy as np
import pytest

from npae.gradcheck import Verdict, check, check_grad
from npae.gradcheck.selftest.forms import FORMS, draw_form
from npae.gradcheck.selftest.mutations import MUTATIONS, mutated
from npae.gradcheck.selftest.statements import false_statements

RNG = np.random.default_rng(0)
x = RNG.normal(size=(3, 4))


def tanh_backward(g, x):
    return g * (1 - np.tanh(x) ** 2)


# Drawn functions: python -m npae.gradcheck.selftest --long draws thousands


@pytest.mark.parametrize("draw", FORMS, ids=lambda draw: draw.__name__)
def test_a_right_gradient_in_any_style_is_not_called_wrong(draw):
    for seed in range(6):
        form = draw(np.random.default_rng(seed))
        report = check(form.f, form.backward, form.inputs, wrt=form.wrt)
        assert report.verdict is not Verdict.WRONG, f"{form.name}\n{report}"


@pytest.mark.parametrize("start", range(0, 200, 50))
def test_drawn_mistakes_give_a_report_that_is_true_and_no_exception(start):
    for seed in range(start, start + 50):
        rng = np.random.default_rng([seed, 1])
        form = draw_form(rng)
        what, backward = mutated(form, rng)
        report = check(form.f, backward, form.inputs, wrt=form.wrt)
        assert str(report)
        assert report.to_dict()
        assert report._repr_html_()
        assert not any(note.startswith("no name") for note in report.notes), f"{seed} {form.name}: {what}\n{report}"
        assert list(false_statements(report, form, backward)) == [], f"{seed} {form.name}: {what}\n{report}"


def test_every_mutation_is_a_mistake_for_some_form():
    rng = np.random.default_rng(0)
    right = rng.normal(size=(3, 4))
    with np.errstate(all="ignore"):
        for name, mutate in MUTATIONS.items():
            wrong = mutate(right, np.random.default_rng(1))
            if name in ("in a list", "float16"):
                continue  # right numbers in another type
            assert np.shape(wrong) != right.shape or not np.array_equal(np.asarray(wrong), right), name


# Ratios


def test_a_ratio_is_not_said_where_a_small_entry_has_another():
    def backward(g, x):
        d = 2 * tanh_backward(g, x)
        d[0, 0] *= 3
        return d

    weak = x.copy()
    weak[0, 0] = 7.0  # the slope is 3e-6 of the largest
    report = check(np.tanh, backward, [weak])
    assert report.verdict is Verdict.WRONG
    assert "ratio" not in str(report)
    assert "ratio 2 everywhere" in str(check(np.tanh, lambda g, x: 2 * tanh_backward(g, x), [weak]))


def test_a_ratio_is_not_said_where_it_belongs_to_these_values_only():
    report = check(lambda x: x.sum(axis=1) * 0.7, lambda g, x: np.full(x.shape, 0.7 * g[:, None] * x[0, 0]), [x])
    assert report.verdict is Verdict.WRONG
    assert "ratio" not in str(report)
    inverted = np.array([[True, False, False, False]] * 3)
    report = check(lambda x, mask: x * mask, lambda g, x, mask: g * ~mask, [x, inverted])
    assert "ratio" not in str(report)


def test_all_zero_gradients_are_told_once():
    assert "ratio" not in str(check(np.tanh, lambda g, x: 0 * x, [x]))


def test_in_fast_mode_a_ratio_is_one_of_the_entries_that_were_measured():
    big = np.random.default_rng(1).normal(size=(40, 30))
    text = str(check(np.tanh, lambda g, x: 3 * tanh_backward(g, x), [big], mode="fast"))
    assert "ratio 3 in the " in text
    assert "entries that were measured" in text
    assert "everywhere" not in text


@pytest.mark.parametrize(
    ("factor", "said", "unsaid"),
    [
        (7, "it is 7 (x.shape[1] = 7, W.shape[0] = 7)", "x.shape[0] = 7"),
        (5, "it is 5 (W.shape[1] = 5, y.shape[1] = 5)", "x.shape"),
        (1 / 3, "it is 1/3 (x.shape[0] = 3, y.shape[0] = 3): divided once too often", "x.shape[1]"),
        (21, "it is 21 (x.size = 21)", "shape"),
        (6, "ratio 6 everywhere\n", "it is"),
    ],
)
def test_a_factor_is_called_by_every_size_that_it_equals_and_by_no_other(factor, said, unsaid):
    x, W = RNG.normal(size=(3, 7)), RNG.normal(size=(7, 5))
    text = str(check(lambda x, W: x @ W, lambda g, x, W: (g @ W.T, factor * x.T @ g), [x, W]))
    assert said in text
    assert unsaid not in text.split("dW", 2)[2]


def test_a_factor_that_is_two_and_a_size_of_two_has_both_causes():
    x = RNG.normal(size=(2, 5))
    text = str(check(np.sin, lambda g, x: 2 * g * np.cos(x), [x]))
    assert "a factor 2 too many, or something is added twice; or it is 2 (x.shape[0] = 2, y.shape[0] = 2)" in text


# Precision


def test_float16_is_called_float16_and_nothing_can_be_told():
    for f in (lambda x: np.tanh(x.astype(np.float16)), lambda x: np.tanh(x.astype(np.float16)).astype(float)):
        for backward in (tanh_backward, lambda g, x: g):
            report = check(f, backward, [x])
            assert report.verdict is Verdict.CANNOT_TELL, str(report)
            assert "float16" in str(report)
            assert "float32," not in str(report.notes)


def test_float32_is_called_float32():
    report = check(lambda x: np.tanh(x.astype(np.float32)).astype(float), tanh_backward, [x])
    assert report.notes == ["the function computes in float32, so the default tolerance is 2e-3"]
    report = check(lambda x: np.tanh(x.astype(np.float32)), tanh_backward, [x], tolerance=1e-2)
    assert report.notes == ["the function computes in float32, so the tolerance is 0.01"]


# Values that are not finite


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_inputs_that_are_not_finite_prove_nothing_and_are_not_called_overwritten(value):
    bad = x.copy()
    bad[1, 2] = value
    for backward in (tanh_backward, lambda g, x: g, lambda g, x: x * np.nan):
        report = check(np.tanh, backward, [bad])
        assert report.verdict is Verdict.CANNOT_TELL, str(report)
        assert "x is not finite in 1 of 12 entries" in str(report)
        assert "overwrites" not in str(report)
    labels = np.array([0.0, value, 1.0])
    report = check(lambda x, t: x, lambda g, x, t: g, [x, labels], wrt="x")
    assert report.passed, str(report)


def test_an_overwritten_input_with_nan_is_still_told():
    bad = x.copy()
    bad[1, 2] = np.nan

    def backward(g, x):
        x *= 2
        return g

    assert "a pass overwrites x" in str(check(np.tanh, backward, [bad]))


# Stale values


def test_a_gradient_that_is_wrong_at_the_given_values_is_not_called_right_there():
    def backward(g, x):
        return g * (1 - np.tanh(x) ** 2) + 2e-4  # within what a single direction sees

    for seed in range(10):
        report = check(np.tanh, backward, [x], seed=seed)
        assert report.verdict is Verdict.WRONG
        assert "right at the given values" not in str(report)
        assert "stale" not in str(report)


def test_a_gradient_kept_from_the_first_call_is_called_stale():
    kept = []

    def backward(g, x):
        kept.append(tanh_backward(g, x))
        return kept[0]

    fixed = check_grad(lambda x: float(np.tanh(x).sum()), lambda x: backward(1.0, x), x)
    assert "nothing stale: does not hold; dx at other values is still that of the first call" in str(fixed)


def test_a_gradient_that_is_wrong_only_elsewhere_is_not_called_stale():
    positive = np.abs(x) + 0.1

    def backward(g, x):
        return g * (1 - np.tanh(x) ** 2) * (x[0, 0] == positive[0, 0])

    report = check(np.tanh, backward, [positive])
    assert "right at other values: does not hold; dx is right at the given values, and wrong at others" in str(report)
    assert "stale" not in str(report)


# Taylor's second opinion


def test_a_taylor_slope_of_two_does_not_stand_beside_wrong():
    p = np.array([1e-9, 0.3, 0.6, 0.8])

    def backward(g, p):
        return -g / (p + 1e-6)

    report = check(lambda p: -np.log(p + 1e-7), backward, [p])
    assert report.verdict is Verdict.WRONG
    assert "Taylor" not in str(report) or report["p"].taylor_slope < 1.5
    plain = check(np.tanh, lambda g, x: g * (1 - np.tanh(x)), [x])
    assert "Taylor slope 1.0" in str(plain)


# PASS, CAN'T TELL and WRONG from directions


def test_entries_that_are_all_within_the_tolerance_pass_whatever_their_number():
    many = np.random.default_rng(0).normal(size=(40, 25))
    noise = np.random.default_rng(1).choice([-1.0, 1.0], many.shape)
    report = check(lambda x: x**2, lambda g, x: 2 * g * (x + 1.5e-6 * noise), [many])
    assert report["x"].error < 1e-6
    assert report.verdict is Verdict.PASS, str(report)


def slow(seconds, f):
    def run(*inputs):
        sleep(seconds)
        return f(*inputs)

    return run


def test_an_error_that_directions_prove_is_wrong_although_time_is_up():
    big = np.random.default_rng(0).normal(size=(50, 40))
    f, backward = slow(0.02, np.tanh), slow(0.02, lambda g, x: g * (1 - np.tanh(x)))
    report = check(f, backward, [big], budget_s=0.7)
    assert report.verdict is Verdict.WRONG, str(report)


def test_a_small_difference_of_a_direction_proves_nothing():
    big = np.random.default_rng(0).normal(size=(50, 40))
    noise = np.random.default_rng(1).choice([-1.0, 1.0], big.shape)
    f, backward = slow(0.01, np.square), slow(0.01, lambda g, x: 2 * g * (x + 1.5e-6 * noise))
    assert check(f, backward, [big], budget_s=0.5).verdict is not Verdict.WRONG


@pytest.mark.parametrize("mode", ["full", "fast"])
def test_the_time_limit_is_kept_but_for_the_call_that_runs(mode):
    inputs = [np.random.default_rng(i).normal(size=(30, 20)) for i in range(4)]
    f = slow(0.03, lambda a, b, c, d: np.tanh(a + b * c - d))

    def right(g, a, b, c, d):
        e = g * (1 - np.tanh(a + b * c - d) ** 2)
        return e, e * c, e * b, -e

    start = monotonic()
    report = check(f, slow(0.03, right), inputs, mode=mode, budget_s=1.0)
    assert monotonic() - start < 20  # all calls take 144 s
    assert report.verdict is not Verdict.WRONG


# Functions that have no value nearby


def test_a_function_that_raises_when_it_is_moved_names_the_entry():
    def strict(x):
        if (x > 1).any():
            raise ValueError("x must be at most 1")
        return x**2

    at_border = np.array([0.2, 1.0, 0.5])
    report = check(strict, lambda g, x: 2 * g * x, [at_border])
    assert report.verdict is Verdict.CANNOT_TELL, str(report)
    assert "f raised ValueError: x must be at most 1 when x[1] was moved by 6.1e-06" in str(report)
    wrong = check(strict, lambda g, x: 3 * g * x, [at_border])
    assert wrong.verdict is Verdict.WRONG


def test_a_function_whose_output_changes_its_shape_is_no_crash():
    report = check(lambda x: x[x > 0], lambda g, x: np.ones_like(x), [np.array([1e-7, 0.5, -0.3])])
    assert report.verdict in (Verdict.CANNOT_TELL, Verdict.WRONG)


# Small values


@pytest.mark.parametrize("scale", [1e-8, 1e-12, 1e-4])
@pytest.mark.parametrize("mode", ["full", "fast"])
@pytest.mark.parametrize(
    ("f", "slope"),
    [
        (np.log, lambda x: 1 / x),
        (np.sqrt, lambda x: 0.5 / np.sqrt(x)),
        (lambda x: 1 / x, lambda x: -1 / x**2),
        (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
        (lambda x: x * 3, lambda x: 3 + 0 * x),
        (lambda x: np.sin(x / 1e-8), lambda x: np.cos(x / 1e-8) / 1e-8),
    ],
)
def test_right_gradients_of_small_values_are_not_called_wrong(f, slope, scale, mode):
    small = scale * np.random.default_rng(0).uniform(0.5, 2, (3, 4))
    with np.errstate(all="ignore"):
        report = check(f, lambda g, x: g * slope(x), [small], mode=mode)
        assert report.verdict is not Verdict.WRONG, str(report)


@pytest.mark.parametrize("f", [np.log, lambda x: 1 / x, np.sqrt])
def test_one_small_value_among_others_is_not_called_wrong_and_passes(f):
    slope = {np.log: lambda x: 1 / x, np.sqrt: lambda x: 0.5 / np.sqrt(x)}.get(f, lambda x: -1 / x**2)
    mixed = np.array([0.5, 1e-8, 2.0, 0.3])
    with np.errstate(all="ignore"):
        report = check(f, lambda g, x: g * slope(x), [mixed])
        assert report.verdict is not Verdict.WRONG, str(report)


def test_wrong_gradients_of_small_values_are_still_caught():
    small = 1e-8 * np.random.default_rng(0).uniform(0.5, 2, (3, 4))
    with np.errstate(all="ignore"):
        assert check(np.log, lambda g, x: 2 * g / x, [small]).verdict is Verdict.WRONG
        assert check(np.tanh, lambda g, x: 2 * g, [small]).verdict is Verdict.WRONG
