"""check_grad: functions that return one number, and arrays in containers."""

from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npae.gradcheck import Verdict, check, check_grad
from npae.gradcheck.report.findings import gradient_name

RNG = np.random.default_rng(0)
x, W, b = RNG.normal(size=(3, 4)), RNG.normal(size=(4, 5)), RNG.normal(size=5)


def quadratic(p):
    return 0.5 * float(p @ p)


def verdicts(report):
    return {block.gradient: str(block.verdict) for block in report.blocks}


def test_a_right_gradient_passes_and_a_wrong_one_does_not():
    assert check_grad(quadratic, lambda p: p, b).passed
    wrong = check_grad(quadratic, lambda p: 2 * p, b)
    assert wrong.verdict is Verdict.WRONG
    assert wrong["p"].ratio == pytest.approx(2)


def test_it_returns_what_check_returns():
    assert type(check_grad(quadratic, lambda p: p, b)) is type(check(np.tanh, lambda g, x: g, [x]))


def test_further_arguments_have_no_gradient():
    def loss(w, x, y, power):
        return float(np.mean(np.abs(x @ w - y) ** power))

    def gradient(w, x, y, power):
        return 2 * x.T @ (x @ w - y) / len(y)

    report = check_grad(loss, gradient, RNG.normal(size=4), x, RNG.normal(size=3), 2)
    assert verdicts(report) == {"dw": "PASS"}


def test_a_number_is_checked():
    assert check_grad(lambda t: t**3, lambda t: 3 * t**2, 1.5).passed
    assert check_grad(lambda t: t**3, lambda t: t**2, 1.5).verdict is Verdict.WRONG


def loss(p, x):
    return float(np.tanh(x @ p["W"] + p["layers"][0]).sum())


def gradient(p, x):
    dy = 1 - np.tanh(x @ p["W"] + p["layers"][0]) ** 2
    return {"W": x.T @ dy, "layers": [dy.sum(axis=0), 0.0]}


PARAMETERS: dict[str, Any] = {"W": W, "layers": [b, 3]}


def test_containers_are_named_by_their_entries():
    report = check_grad(loss, gradient, PARAMETERS, x)
    assert verdicts(report) == {"p.dW": "PASS", "p.dlayers[0]": "PASS"}

    def wrong(p, x):
        return gradient(p, x) | {"layers": [gradient(p, x)["layers"][0] / 3, 0.0]}

    report = check_grad(loss, wrong, PARAMETERS, x)
    assert verdicts(report) == {"p.dW": "PASS", "p.dlayers[0]": "WRONG"}
    assert report["p.layers[0]"].ratio == pytest.approx(1 / 3)


def test_check_takes_the_same_containers():
    def f(p, x):
        return x @ p["W"] + p["b"]

    def backward(g, p, x):
        return {"W": x.T @ g, "b": g.sum(axis=0)}, g @ p["W"].T

    report = check(f, backward, [{"W": W, "b": b}, x])
    assert verdicts(report) == {"p.dW": "PASS", "p.db": "PASS", "dx": "PASS"}
    named = check(f, lambda g, p, x: ({"W": x.T @ g, "b": g.mean(axis=0)}, g @ p["W"].T), [{"W": W, "b": b}, x])
    assert [(name.bug, name.blocks) for name in named.names] == [("db-mean", ("p.b",))]


def test_a_single_container_may_be_returned_alone_or_in_a_tuple():
    for wrap in (lambda d: d, lambda d: (d,)):
        assert check(lambda p: p[0] * p[1], lambda g, p, wrap=wrap: wrap([g * p[1], g * p[0]]), [[b, b + 1.0]]).passed


class Pair(NamedTuple):
    W: Any
    b: Any


def test_named_tuples_stay_what_they_are():
    report = check_grad(
        lambda p: float((p.W**2).sum() + p.b.sum()), lambda p: Pair(2 * p.W, 0 * p.b + 1), [Pair(W, b)][0]
    )
    assert report.passed


def test_a_tuple_stands_for_several_arguments_where_the_function_takes_as_many():
    report = check_grad(
        lambda W, b, x: float((x @ W + b).sum()), lambda W, b, x: (x.T @ np.ones((3, 5)), 3 + 0 * b), (W, b), x
    )
    assert verdicts(report) == {"dW": "PASS", "db": "PASS"}
    one = check_grad(lambda p: float((p[0] * p[1]).sum()), lambda p: (p[1], p[0]), (b, b + 1.0))
    assert verdicts(one) == {"dp[0]": "PASS", "dp[1]": "PASS"}


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ({"W": W}, "the gradient by p has no 'layers'; expected 'W', 'layers'"),
        ({"W": W, "layers": [b], "V": 1.0}, "the gradient by p has 'V', which p has not; expected 'W', 'layers'"),
        (W, "the gradient by p is a ndarray; expected a dict with the entries of p"),
        ({"W": W, "layers": []}, "the gradient by p.layers has no 0; expected 0, 1"),
        ({"W": None, "layers": [b]}, "the gradient by p.W is None; expected an array of p.W's shape"),
        ({"W": "text", "layers": [b]}, "the gradient by p.W is of type str; expected an array of p.W's shape"),
        (None, "backward returned None; it must return p.dW, p.dlayers[0]"),
    ],
)
def test_a_gradient_with_other_entries_is_told_in_one_sentence(answer, sentence):
    report = check_grad(loss, lambda p, x: answer, PARAMETERS, x)
    assert report.verdict is Verdict.WRONG
    assert report["p.W"].reason == sentence or report["p.layers[0]"].reason == sentence


def test_what_is_no_loss_is_refused():
    with pytest.raises(ValueError, match=r"f returned an array of shape \(5,\), but check_grad is for functions that"):
        check_grad(lambda p: p, lambda p: p, b)
    with pytest.raises(ValueError, match="f returned 2 outputs"):
        check_grad(lambda p: (1.0, 2.0), lambda p: p, b)
    with pytest.raises(ValueError, match="p holds no array of floating-point numbers"):
        check_grad(lambda p: 1.0, lambda p: p, [1, 2])


def test_a_backward_that_ignores_g_is_told_so():
    report = check(lambda x: (x**2).sum(), lambda g, x: 2 * x, [x])
    assert "g is ignored: four upstream gradients give the same dx; is this the gradient of a scalar?" in str(report)


@pytest.mark.parametrize(
    "backward",
    [lambda g, x: 2 * g * x, lambda g, x: 3 * g * x, lambda g, x: g**2 * x, lambda g, x: 2 * x + g, lambda g, x: 0 * x],
)
def test_a_backward_that_uses_g_or_returns_zeros_is_not_told_that_it_ignores_g(backward):
    assert "ignored" not in str(check(lambda x: (x**2).sum(), backward, [x]))


@pytest.mark.parametrize(
    ("block", "name"),
    [
        ("W", "dW"),
        ("encoder.0.W", "encoder.0.dW"),
        ("p.W[0]", "p.dW[0]"),
        ("p[0]", "dp[0]"),
        ("p['a.b']", "dp['a.b']"),
        ("p[0].W", "p[0].dW"),
        ("p[0].W[1]", "p[0].dW[1]"),
        ("p['a'].W", "p['a'].dW"),
    ],
)
def test_names_of_gradients(block, name):
    assert gradient_name(block) == name


CONTAINERS = st.recursive(
    st.integers(0, 3),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["a", "b c", "W"]), inner, max_size=3),
        st.tuples(inner, inner),
    ),
    max_leaves=5,
)


def filled(shape, rng):
    """Integers become arrays of as many numbers; 0 becomes an option that is no array."""
    if isinstance(shape, dict):
        return {key: filled(value, rng) for key, value in shape.items()}
    if isinstance(shape, list | tuple):
        return type(shape)(filled(value, rng) for value in shape)
    return rng.normal(size=shape) if shape else "an option"


def squares(value):
    if isinstance(value, dict):
        return sum(squares(entry) for entry in value.values())
    if isinstance(value, list | tuple):
        return sum(squares(entry) for entry in value)
    return 0.0 if isinstance(value, str) else float((value**2).sum())


def doubled(value):
    if isinstance(value, dict):
        return {key: doubled(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(doubled(entry) for entry in value)
    return value if isinstance(value, str) else 2 * value


@given(CONTAINERS, st.integers(0, 99))
@settings(deadline=None)
def test_containers_of_any_shape_are_checked_array_by_array(shape, seed):
    value = filled({"p": shape, "q": 2}, np.random.default_rng(seed))
    report = check_grad(squares, doubled, value)
    assert report.passed, str(report)
    assert len({block.name for block in report.blocks}) == len(report.blocks)
