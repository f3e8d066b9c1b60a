"""What a check says of an answer is true of every entry and every draw, and it says what was expected."""

import re

import numpy as np
import pytest

from npae.learn import check
from npae.learn.authoring import Mistaken
from npae.learn.authoring import check as fitness_of
from npae.learn.catalogue.catalogue import find
from npae.learn.judging.cases import draw_sheets
from npae.learn.judging.judge import judge
from npae.learn.judging.messages import numbers
from npae.learn.mutation import mutations
from npae.learn.sandbox.in_process import InProcess

SEEDS = range(6)


def right(name: str, function: str = "backward"):
    return getattr(find(name).reference, function)


def told(name: str, *functions, seed: int = 0) -> str:
    return repr(check(name, *functions, seed=seed))


def others(name: str, **wrong):
    """The solution's functions, some of them wrong."""
    return [wrong.get(f.name, find(name).solution(f)) for f in find(name).functions]


@pytest.mark.parametrize(
    "backward", [lambda g, x: g * (x < 0), lambda g, x: g * np.where(x > 0, 1.0, 0.01), lambda g, x: g + 0.0 * x]
)
def test_no_ratio_is_said_where_it_does_not_hold_for_every_entry(backward):
    for seed in SEEDS:
        assert "everywhere" not in told("relu", backward, seed=seed)


def test_a_factor_is_called_by_a_size_only_where_it_varies_with_it():
    def thrice(g, x, size, stride):
        return 3 * right("pooling", "average_backward")(g, x, size, stride)

    for seed in range(12):
        said = told("pooling", *others("pooling", average_backward=thrice), seed=seed)
        assert "ratio 3 everywhere" in said
        assert "it is 3" not in said
    for seed in SEEDS:
        (sheet,) = draw_sheets(find("relu"), seed)
        said = told("relu", lambda g, x: right("relu")(g, x) * len(x), seed=seed)
        assert ("(N = " in said) is (len({len(case) for case in sheet.plain}) > 1)
        assert "a factor 2 too many" not in said


def test_two_mistakes_that_make_a_factor_2_in_one_draw_are_no_factor_2():
    for seed in range(30):
        said = told("mse", lambda g, p, t: g * (p - t) / len(p), seed=seed)  # without the 2, and F times too large
        assert "factor 2" not in said


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_has_no_name(value):
    said = told("dense", lambda g, x, W: (g @ W.T * value, x.T @ g * value, g.sum(0) * value))
    assert "not finite" in said
    assert "ooks like" not in said
    assert "everywhere" not in said


def test_adam_with_t_from_0_is_asked_for_the_division_by_zero():
    def adam(gradients, start, rate, beta1, beta2, epsilon):
        m = v = np.zeros_like(start)
        path, theta = [], start
        for t, d in enumerate(gradients):
            m, v = beta1 * m + (1 - beta1) * d, beta2 * v + (1 - beta2) * d**2
            theta = theta - rate * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + epsilon)
            path.append(theta)
        return np.array(path)

    assert "is there a division by 0, such as by 1 − β1⁰ where t begins at 0?" in told("adam", adam)
    assert "division" not in told("adam", lambda *given: 2 * right("adam", "adam")(*given))


def test_a_name_stands_with_the_results_that_it_explains_where_several_are_wrong():
    def backward(g, mu, log_var, eps):
        return 3 * g, g * eps * np.exp(0.5 * log_var)  # no-half, and something else in dmu

    assert "\ndlog_var looks like: no-half." in told("reparameterization", backward)
    only = lambda g, mu, log_var, eps: (g, g * eps * np.exp(0.5 * log_var))  # noqa: E731
    assert "\nLooks like: no-half." in told("reparameterization", only)
    both = lambda g, x, W: (np.ones_like(g) @ W.T, x.T @ np.ones_like(g), np.ones_like(g).sum(0))  # noqa: E731
    assert "\ndx, dW, db look like: drops-upstream" in told("dense", both)


def test_rows_in_a_list_are_told_how_they_become_one_array_and_other_values_are_not():
    rows = told("adam", lambda *given: list(right("adam", "adam")(*given)))
    assert "expected 1: theta; np.array makes one array of a list of rows" in rows
    two = told("central_difference", *others("central_difference", slope=lambda x, a, h: (x, a)))
    assert "slope returns 2 values; expected 1: slope, as in: return slope" in two
    assert "np.array" not in two + told("dense", lambda g, x, W: (g, g))


def test_the_loss_of_a_milestone_is_called_so_in_every_sentence():
    solution = right("vanilla", "gradient")
    said = [
        told("vanilla", f)
        for f in (
            lambda *given: solution(*given)[1:],
            lambda *given: (*solution(*given)[1:], solution(*given)[0]),
            lambda *given: (np.ones(3), *solution(*given)[1:]),
            lambda *given: (np.nan, *solution(*given)[1:]),
            lambda *given: (2 * solution(*given)[0], *solution(*given)[1:]),
        )
    ]
    assert [re.search(r"\by\b", text) for text in said] == [None] * 5
    assert "as in: return loss, dW1" in said[0]


def test_both_numbers_have_as_many_digits_as_tell_them_apart():
    assert numbers(1.0, 1.0 + 1e-12) != ("1", "1")
    for a, b in ((1.0, 1.0000001), (0.1, 0.1 + 1e-16), (3.0, 4.0)):
        first, second = numbers(a, b)
        assert first != second
    assert numbers(1.23456789, 2.0) == ("1.235", "2")


@pytest.mark.parametrize("form", [tuple, list])
def test_lists_of_numbers_count_as_arrays(form):
    def backward(g, x, W):
        return form([(g @ W.T).tolist(), [np.array(row) for row in x.T @ g], list(g.sum(0))])

    assert check("dense", backward).passed
    assert check("mse", lambda g, p, t: right("mse")(g, p, t).tolist()).passed


@pytest.mark.parametrize("value", [{}, "text", [1.0, [2.0]], [None]])
def test_what_is_refused_says_which_result_and_what_was_expected(value):
    said = told("dense", lambda g, x, W: (g @ W.T, value, g.sum(0)))
    assert "as result 2 of 3; expected an array of numbers, a list of them, or a number" in said


def test_every_shape_message_gives_the_shapes_and_n():
    for seed in SEEDS:
        (sheet,) = draw_sheets(find("dense"), seed)
        g, x, W = sheet.plain[0].arguments()
        said = told("dense", lambda g, x, W: (g @ W.T, x.T @ g, g.sum(0)[None]), seed=seed)
        assert f"here N = {len(x)}, with g {g.shape}, x {x.shape}, W {W.shape}" in said
        assert "2 of 3 right" in said


def test_a_result_of_one_number_has_a_ratio_that_holds_every_time():
    def chain(g, x, w, b):
        dx, dw, db = right("chain_rule", "chain")(g, x, w, b)
        return 2 * dx, dw, db

    def odd(g, x, w, b):
        dx, dw, db = right("chain_rule", "chain")(g, x, w, b)
        return dx + 1.0, dw, db

    assert "ratio 2 every time" in told("chain_rule", *others("chain_rule", chain=chain))
    assert "every time" not in told("chain_rule", *others("chain_rule", chain=odd))


def test_a_wrong_order_is_said_before_anything_else():
    said = told("dense", lambda g, x, W: (x.T @ g, g @ W.T, g.sum(0)))
    assert "backward returns dW, dx, db, in this order; expected dx, dW, db" in said
    assert "shape" not in said
    said = told("chain_rule", *others("chain_rule", chain=lambda *a: right("chain_rule", "chain")(*a)[::-1]))
    assert "returns db, dw, dx, in this order; expected dx, dw, db" in said
    assert "in this order" not in told("dense", lambda g, x, W: (g @ W.T, x.T @ g, 2 * g.sum(0)))


def test_clipped_probabilities_and_other_choices_at_ties_do_not_pass():
    clipped = lambda g, p, t: right("bce", "on_probabilities")(g, np.clip(p, 1e-7, 1 - 1e-7), t)  # noqa: E731
    assert "Looks like: clipped." in told("bce", *others("bce", on_probabilities=clipped))
    exercise = find("pooling")
    sheets = draw_sheets(exercise, 0)
    for name in ("last-winner", "even-split"):
        known = next(k for k in sheets[0].known if k.name == name)
        solution = InProcess({f.name: exercise.solution(f) for f in exercise.functions})
        outcome = judge(exercise, Mistaken(solution, sheets[0], known), sheets)
        assert [n.bug for n in outcome.names] == [name]
        assert "only where entries tie" in outcome.text


@pytest.mark.parametrize("name", ["relative_error", "mse", "hunt_dense"])
def test_no_solution_with_one_change_passes_that_is_not_equivalent(name):
    fitness = fitness_of(find(name).folder, seeds=1, long=True)
    assert fitness.faults == []
    assert fitness.changed is not None
    assert fitness.refused + fitness.equivalent == fitness.changed >= 7


def test_a_change_that_passes_is_a_fault_of_the_exercise(monkeypatch):
    exercise = find("mse")
    one = {"p": np.array([[1.0]]), "t": np.array([[0.0]]), "share": 1.0}
    monkeypatch.setattr(exercise.reference, "draw", lambda rng: one)
    monkeypatch.setattr("npae.learn.authoring.load", lambda folder: exercise)
    faults = fitness_of(exercise.folder, seeds=1, long=True).faults
    assert any("a changed solution passes: " in fault for fault in faults)


def test_changes_are_of_one_place_and_named_by_their_line():
    changes = [mutation.change for mutation in mutations(find("mse"))]
    assert "return g * 2 * (p - t) / p.size → return g * 2 * (t - p) / p.size" in changes
    assert len(changes) == len(set(changes))
