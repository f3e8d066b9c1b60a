"""check_jvp and check_hvp: right ones pass, wrong ones are found, and what the report says is true."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npae.gradcheck import GradientError, Verdict, check_hvp, check_jvp
from npae.gradcheck.pytest_plugin import Gradcheck

RNG = np.random.default_rng(0)
x, W, b = RNG.normal(size=(3, 4)), RNG.normal(size=(4, 5)), RNG.normal(size=5)


def dense(x, W, b):
    return np.tanh(x @ W + b)


def dense_jvp(v, x, W, b):
    dx, dW, db = v
    return (1 - dense(x, W, b) ** 2) * (dx @ W + x @ dW + db)


def dense_backward(g, x, W, b):
    d = g * (1 - dense(x, W, b) ** 2)
    return d @ W.T, x.T @ d, d.sum(axis=0)


def verdicts(report):
    return {block.gradient: str(block.verdict) for block in report.blocks}


def test_a_right_jvp_passes_along_every_input_and_is_adjoint_to_its_backward():
    report = check_jvp(dense, dense_jvp, [x, W, b], backward=dense_backward)
    assert report.passed, str(report)
    assert verdicts(report) == {"dy along x": "PASS", "dy along W": "PASS", "dy along b": "PASS"}
    assert {"adjoint", "linear in v", "jvp repeats", "inputs unchanged"} <= {i.name for i in report.invariants}


def test_a_mistake_along_one_input_is_told_with_its_ratio():
    def jvp(v, x, W, b):
        dx, dW, db = v
        return (1 - dense(x, W, b) ** 2) * (dx @ W + x @ dW / 3 + db)

    report = check_jvp(dense, jvp, [x, W, b], backward=dense_backward)
    assert verdicts(report) == {"dy along x": "PASS", "dy along W": "WRONG", "dy along b": "PASS"}
    assert report["dy along W"].ratio == pytest.approx(1 / 3)
    assert "ratio 0.3333 everywhere: it is 1/3 (x.shape[0] = 3, y.shape[0] = 3)" in str(report)
    (adjoint,) = [i for i in report.invariants if i.name == "adjoint"]
    assert not adjoint.holds
    assert adjoint.detail.startswith("along W, ⟨g, J v⟩ is ")
    assert "along x" not in adjoint.detail


def test_a_wrong_backward_beside_a_right_jvp_is_found_by_the_adjoint_test_alone():
    report = check_jvp(np.sin, lambda v, x: v * np.cos(x), [x], backward=lambda g, x: g * np.sin(x))
    assert verdicts(report) == {"dy along x": "PASS"}
    assert [i.name for i in report.invariants if not i.holds] == ["adjoint"]
    assert report.verdict is Verdict.WRONG


def test_both_sides_of_the_adjoint_test_are_as_printed():
    report = check_jvp(np.sin, lambda v, x: v * np.cos(x), [x], backward=lambda g, x: 2 * g * np.cos(x))
    (adjoint,) = [i for i in report.invariants if not i.holds]
    one, two = (float(part.split(" is ")[1]) for part in adjoint.detail.removeprefix("along x").split(", but "))
    assert two == pytest.approx(2 * one)


@pytest.mark.parametrize(
    ("jvp", "said"),
    [
        (lambda v, x: None, "jvp returned None; it must return dy"),
        (lambda v, x: (v * np.cos(x)).T, "dy has shape (4, 3), but what it is the derivative of has (3, 4)"),
        (lambda v, x: v / 0.0, "dy is not finite in 12 of 12"),
        (lambda v, x: 0 * v, "it is 0 everywhere, and the numeric one is not"),
        (lambda v, x: abs(v) * np.cos(x), "linear in v: does not hold"),
        (lambda v, x: 1 / 0, "jvp raised ZeroDivisionError"),
        (lambda v, x: v.__imul__(np.cos(x)), "inputs unchanged: does not hold; a call overwrites v"),
        (lambda v, x: "text", "jvp returned no array of numbers"),
    ],
)
def test_every_kind_of_failure_has_its_sentence(jvp, said):
    with np.errstate(divide="ignore"):
        report = check_jvp(np.sin, jvp, [x])
    assert report.verdict is Verdict.WRONG
    assert said in str(report)
    assert report.to_dict()
    assert report._repr_html_()


@pytest.mark.parametrize("seed", range(6))
def test_an_absolute_value_of_one_number_is_not_linear_whatever_its_signs(seed):
    report = check_jvp(lambda t: t**2, lambda v, t: 2 * t * abs(v), [np.float64(1.5)], seed=seed)
    (linear,) = [invariant for invariant in report.invariants if invariant.name == "linear in v"]
    assert not linear.holds


def test_several_outputs_are_judged_one_by_one_and_one_that_does_not_depend_on_an_input_is_right_to_be_0():
    def f(x, s):
        return x**2, s * 3

    def jvp(v, x, s):
        dx, ds = v
        return 2 * x * dx, 2 * ds

    report = check_jvp(f, jvp, [b, np.float64(1.5)])
    assert verdicts(report) == {
        "dy[0] along x": "PASS",
        "dy[1] along x": "PASS",
        "dy[0] along s": "PASS",
        "dy[1] along s": "WRONG",
    }
    assert "dy[1] along s: claimed" in str(report)


def test_containers_are_moved_entry_by_entry():
    report = check_jvp(lambda p: p["a"] * p["b"], lambda v, p: v["a"] * p["b"] + v["b"], [{"a": b, "b": b + 1.0}])
    assert verdicts(report) == {"dy along p.a": "PASS", "dy along p.b": "WRONG"}


def test_what_proves_nothing_is_not_called_wrong():
    dead = check_jvp(lambda x: np.ones(3), lambda v, x: np.zeros(3), [x])
    assert verdicts(dead) == {"dy along x": "CAN'T TELL"}
    assert "no output depends on x here" in str(dead)
    assert "of the largest entry" not in str(dead)
    kinked = check_jvp(np.abs, lambda v, x: v * np.sign(x), [0 * b], backward=lambda g, x: g)
    assert kinked.verdict is Verdict.KINK
    assert "adjoint: not looked at" in str(kinked)

    def domain(x):
        if x[0] > 1:
            raise OverflowError("too large")
        return x

    at_border = np.array([1.0, 0.5])
    edge = check_jvp(domain, lambda v, x: v, [at_border])
    assert edge.verdict is Verdict.CANNOT_TELL
    assert "f raised OverflowError: too large when x was moved" in str(edge)
    assert check_jvp(np.sin, lambda v, x: v, [b * np.nan]).verdict is Verdict.CANNOT_TELL


def test_float32_inside_gets_its_tolerance_and_wrong_ones_are_still_found():
    def f(x):
        return np.sin(x.astype(np.float32))

    right = check_jvp(f, lambda v, x: v * np.cos(x), [x])
    assert right.passed, str(right)
    assert "computes in float32" in str(right)
    assert check_jvp(f, lambda v, x: 1.1 * v * np.cos(x), [x]).verdict is Verdict.WRONG


@given(st.integers(0, 10**6), st.integers(1, 4), st.integers(1, 4))
@settings(deadline=None, max_examples=30)
def test_the_jvp_of_a_drawn_polynomial_passes_and_times_a_factor_it_does_not(seed, n, m):
    rng = np.random.default_rng(seed)
    A, at = rng.normal(size=(m, n)), rng.normal(size=n)

    def f(x):
        return A @ x**2 + x.sum()

    def jvp(v, x):
        return A @ (2 * x * v) + v.sum()

    assert check_jvp(f, jvp, [at], seed=seed).verdict is Verdict.PASS
    wrong = check_jvp(f, lambda v, x: 1.01 * jvp(v, x), [at], seed=seed)
    assert wrong.verdict is Verdict.WRONG
    assert wrong.blocks[0].ratio is None or wrong.blocks[0].ratio == pytest.approx(1.01)


def test_a_ratio_that_holds_at_these_values_only_is_not_said():
    at = np.array([2.0, -1.0, 0.7])
    report = check_jvp(lambda x: x**2, lambda v, x: 2 * x * v * abs(x[0]), [at])
    assert report.verdict is Verdict.WRONG
    assert "ratio" not in str(report)


# Second order

A = RNG.normal(size=(5, 5))


def quadratic(x, scale):
    return float(scale * (x @ A @ x) / 2 + (x**4).sum())


def quadratic_grad(x, scale):
    return scale * (A + A.T) @ x / 2 + 4 * x**3


def quadratic_hvp(x, v, scale):
    return scale * (A + A.T) @ v / 2 + 12 * x**2 * v


def test_a_right_hvp_passes():
    report = check_hvp(quadratic, quadratic_grad, quadratic_hvp, b, 0.5)
    assert report.passed, str(report)
    assert verdicts(report) == {"dx": "PASS", "d(dx) along x": "PASS"}
    assert "H is symmetric" in {i.name for i in report.invariants}


def test_an_hvp_without_the_other_half_of_its_matrix_is_wrong_and_not_symmetric():
    report = check_hvp(quadratic, quadratic_grad, lambda x, v, scale: scale * A @ v + 12 * x**2 * v, b, 0.5)
    assert verdicts(report) == {"dx": "PASS", "d(dx) along x": "WRONG"}
    assert "H is symmetric: does not hold; ⟨w, H v⟩ is " in str(report)


def test_a_wrong_hvp_that_is_symmetric_is_not_called_asymmetric():
    report = check_hvp(quadratic, quadratic_grad, lambda *a: 2 * quadratic_hvp(*a), b, 0.5)
    assert report.verdict is Verdict.WRONG
    assert "symmetric" not in str(report)


def test_where_the_gradient_is_wrong_nothing_is_said_of_a_right_hvp():
    report = check_hvp(quadratic, lambda x, scale: 2 * quadratic_grad(x, scale), quadratic_hvp, b, 0.5)
    assert verdicts(report) == {"dx": "WRONG", "H v": "CAN'T TELL"}
    assert report.to_dict()


def test_an_hvp_of_several_arguments_takes_a_tuple_and_containers_their_entries():
    def f(u, w):
        return float((u**2 * w).sum())

    def grad(u, w):
        return 2 * u * w, u**2

    def hvp(u, w, v, factor=2):
        a, c = v
        return 2 * w * a + 2 * u * c, factor * u * a

    assert check_hvp(f, grad, hvp, (b, b + 1.0)).passed
    wrong = check_hvp(f, grad, lambda u, w, v: hvp(u, w, v, 1), (b, b + 1.0))
    assert [name for name, verdict in verdicts(wrong).items() if verdict == "WRONG"] == ["d(dw) along u"]


def test_an_hvp_that_returns_nothing_is_told_by_its_name():
    report = check_hvp(quadratic, quadratic_grad, lambda x, v, scale: None, b, 0.5)
    assert "hvp returned None; it must return dx" in str(report)
    assert "backward" not in str(report)


def test_the_pytest_fixture_has_both():
    check_of_tests = Gradcheck()
    assert check_of_tests.jvp(np.sin, lambda v, x: v * np.cos(x), [x]).passed
    assert check_of_tests.hvp(quadratic, quadratic_grad, quadratic_hvp, b, 0.5).passed
    with pytest.raises(GradientError, match="dy along x"):
        check_of_tests.jvp(np.sin, lambda v, x: v, [x])
    with pytest.raises(GradientError, match=r"d\(dx\) along x"):
        check_of_tests.hvp(quadratic, quadratic_grad, lambda x, v, scale: v, b, 0.5)
