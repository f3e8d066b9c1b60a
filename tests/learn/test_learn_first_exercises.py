"""Exercises 1 to 11: the numbers in their texts, and the wrong gradients that the fools' weak tests accept."""

import numpy as np
import pytest

from npae.learn.catalogue.catalogue import find
from npae.learn.judging.fool import case_of
from npae.learn.judging.identify import apart

A = np.array


def worked(name, function, *arguments):
    """What the reference's function gives for the worked number of an exercise's text."""
    return getattr(find(name).reference, function)(*arguments)


def test_chain_rule():
    assert worked("chain_rule", "chain", 0.5, 2.0, 3.0, -1.0) == (15.0, 10.0, 5.0)
    assert worked("chain_rule", "square_of_line", 2.001, 3.0, -1.0) == pytest.approx(25.030, abs=1e-4)


def test_central_difference():
    def cube(x):  # without the sine that the exercise's curve has as well
        return worked("central_difference", "curve", x, 1.0) - np.sin(x)

    assert (cube(1.1) - cube(0.9)) / 0.2 == pytest.approx(3.01)
    assert (cube(1.1) - cube(1.0)) / 0.1 == pytest.approx(3.31)


def test_relative_error():
    rows = A([[2.0, 0.001]]), A([[2.0, 0.002]])
    assert worked("relative_error", "relative_error", *rows) == pytest.approx([0.0005])
    assert worked("relative_error", "relative_error", rows[0][:, 1:], rows[1][:, 1:]) == pytest.approx([0.5])
    left, right = worked("relative_error", "sides", A([0.0, 1.0, 3.0]), 1.0, 1e-6)
    assert left == pytest.approx([-1.0, -2.0, -20.0], abs=1e-4)
    assert right == pytest.approx([-1.0, 0.0, -20.0], abs=1e-4)
    assert list(worked("relative_error", "is_kink", A([0.0, 1.0, 3.0]), 1.0, 0.01)) == [False, True, False]


def test_sigmoid_and_tanh():
    y = worked("sigmoid_tanh", "sigmoid", 2.0)
    assert (round(y, 4), round(worked("sigmoid_tanh", "sigmoid_backward", 1.0, 2.0, y), 4)) == (0.8808, 0.1050)
    y = worked("sigmoid_tanh", "tanh", 1.0)
    assert (round(y, 4), round(worked("sigmoid_tanh", "tanh_backward", 1.0, 1.0, y), 4)) == (0.7616, 0.4200)
    assert worked("sigmoid_tanh", "sigmoid_backward", 1.0, 0.0, 0.5) == 0.25
    assert worked("sigmoid_tanh", "tanh_backward", 1.0, 0.0, 0.0) == 1.0


def test_relu():
    dx = worked("relu", "backward", A([0.1, 0.7, -0.4, -0.2]), A([2.0, -1.0, 0.5, -3.0]))
    assert dx == pytest.approx([0.1, 0.0, -0.4, 0.0])


def test_mean_squared_error():
    p, t = A([[3.0, 1.0]]), A([[1.0, 1.0]])
    assert worked("mse", "forward", p, t) == 2.0
    assert worked("mse", "backward", 1.0, p, t).tolist() == [[2.0, 0.0]]


def test_cross_entropy():
    p, t, z = A([[0.8]]), A([[1.0]]), A([[1.386]])
    assert worked("bce", "on_probabilities", 1.0, p, t).item() == pytest.approx(-1.25)
    assert worked("bce", "on_logits", 1.0, z, t).item() == pytest.approx(-0.2, abs=1e-4)
    assert 1 / (1 + np.exp(-40.0)) == 1.0, "the reason not to go by way of dp"


def test_dense():
    g, x, W = A([[1.0], [10.0]]), A([[1.0, 2.0], [3.0, 4.0]]), A([[5.0], [6.0]])
    dx, dW, db = worked("dense", "backward", g, x, W)
    assert (dW[0, 0], dx[1, 0], db[0]) == (31.0, 50.0, 11.0)


def test_batches():
    x, g, a = A([[1.0, 2.0], [3.0, 4.0]]), A([[1.0, 0.0], [1.0, 2.0]]), A([10.0, 20.0])
    assert worked("batches", "bias", g, x, a)[1].tolist() == [2.0, 2.0]
    dx, da = worked("batches", "gain", g, x, a)
    assert (dx.tolist(), da.tolist()) == ([[10.0, 0.0], [10.0, 40.0]], [4.0, 8.0])
    assert worked("batches", "combine", A([[2.0], [6.0]]), A([30.0, 10.0])).tolist() == [3.0]


def test_two_layers():
    x, t, W1, b1, W2, b2 = A([[2.0]]), A([[1.0]]), A([[3.0]]), A([-1.0]), A([[0.5]]), A([0.0])
    results = worked("two_layers", "gradient", x, t, W1, b1, W2, b2, 0.1)
    assert [float(np.squeeze(r)) for r in results] == pytest.approx([2.7125, 3.3, 1.5, 15.05, 3.0])


def test_adam():
    path = worked("adam", "adam", A([[0.5]]), A([1.0]), 0.01, 0.9, 0.999, 1e-8)
    assert path == pytest.approx(A([[0.99]]))


def passing(name):
    """Known mistakes that the weak inputs of a fool do not tell from the right gradient."""
    exercise = find(name)
    case = case_of(exercise, exercise.reference.weak_inputs())
    known = exercise.known(exercise.functions[0])
    return {k.name for k in known if all(apart(v, case.truth[n]) < 1e-6 for n, v in k.values(case, {}).items())}


def test_one_sample_and_a_plain_sum_hide_what_the_text_says():
    assert passing("fool_dense") >= {"double-average", "db-mean", "last-sample", "drops-upstream"}
    assert "no-transpose" not in passing("fool_dense"), "it runs where W is square, and the numbers differ"


def test_a_gradient_of_ones_hides_guided_backpropagation():
    assert passing("fool_relu") == {"guided", "no-upstream"}


@pytest.mark.parametrize("name", ["fool_dense", "fool_relu"])
def test_the_stub_of_a_fool_holds_the_weak_inputs(name):
    exercise, names = find(name), {}
    exec(exercise.stub, names)
    weak = exercise.reference.weak_inputs()
    for given, expected in zip(names["inputs"](), exercise.functions[0].takes, strict=True):
        assert np.array_equal(given, weak[expected])
