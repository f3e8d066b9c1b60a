"""A function that is right but for the order of its arguments is told that; each result has a reason of its own."""

import numpy as np
import pytest

from npae.learn.catalogue.catalogue import find
from npae.learn.judging.judge import judge
from npae.learn.judging.outcome import Outcome
from npae.learn.sandbox.in_process import InProcess


def judged(exercise: str, backward) -> Outcome:
    return judge(find(exercise), InProcess({"backward": backward}))


def right(g, x, W):
    return g @ W.T, x.T @ g, g.sum(axis=0)


@pytest.mark.parametrize(
    ("exercise", "backward", "order", "asked"),
    [
        ("dense", lambda x, g, W: right(g, x, W), "x, g, W", "g, x, W"),  # raises as it is called
        ("dense", lambda x, W, g: right(g, x, W), "x, W, g", "g, x, W"),
        ("relu", lambda x, g: g * (x > 0), "x, g", "g, x"),  # gives numbers
    ],
)
def test_another_order_of_the_arguments_is_told_and_no_mistake_is_named(exercise, backward, order, asked):
    outcome = judged(exercise, backward)
    assert outcome.names == []
    assert f"backward is right when called as backward({order}), but it is called as backward({asked})" in outcome.text


@pytest.mark.parametrize(
    "backward",
    [
        lambda g, x, W: (g @ W.T, (x.T @ g).T, g.sum(axis=0)),
        lambda g, x, W: (x.T @ g, g @ W.T, g.sum(axis=0)),  # results in another order
        lambda g, x, W: (g @ W.T, x.T @ g / len(x), g.sum(axis=0)),
        lambda g, x, W: (g @ W, x.T @ g, g.sum(axis=0)),
    ],
)
def test_a_function_that_takes_its_arguments_as_asked_is_not_told_so(backward):
    outcome = judged("dense", backward)
    assert not outcome.passed
    assert "when called as" not in outcome.text


def test_a_known_mistake_that_exchanging_arguments_would_undo_keeps_its_name():
    outcome = judged("mse", lambda g, p, t: 2 * g * (t - p) / p.size)
    assert [name.bug for name in outcome.names] == ["sign"]
    assert "when called as" not in outcome.text


def test_each_result_of_a_wrong_type_has_its_own_reason():
    outcome = judged("dense", lambda *inputs: tuple(part.astype(np.float32) for part in right(*inputs)))
    assert [block.reason.partition(" is an array of type float32")[0] for block in outcome.blocks] == ["dx", "dW", "db"]


def test_results_beside_one_that_is_drawn_anew_count():
    rng = np.random.default_rng(0)

    def backward(g, x, W):
        dx, dW, db = right(g, x, W)
        return dx + rng.random(dx.shape), dW, 2 * db

    assert [block.right for block in judged("dense", backward).blocks] == [False, True, False]
