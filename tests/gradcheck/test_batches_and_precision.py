"""check with batch_axis=, nondet_tol= and keep_dtype=: what is found, what is not said, and what is refused."""

import numpy as np
import pytest

from npae.gradcheck import Verdict, check, check_grad

RNG = np.random.default_rng(0)
x, W, b = RNG.normal(size=(3, 4)), RNG.normal(size=(4, 5)), RNG.normal(size=5)


def dense(x, W, b):
    return np.tanh(x @ W + b)


def dense_backward(g, x, W, b):
    d = g * (1 - dense(x, W, b) ** 2)
    return d @ W.T, x.T @ d, d.sum(axis=0)


def of_batches(report):
    (found,) = [invariant for invariant in report.invariants if invariant.name == "other batch sizes"]
    return found


# Batches


def test_a_right_gradient_is_right_for_all_batches():
    report = check(dense, dense_backward, [x, W, b], batch_axis=0)
    assert report.passed, str(report)
    assert of_batches(report).detail == ""
    assert "note: the batch is axis 0 of x" in str(report)


def unrolled(g, x, W, b):
    """A loop unrolled by 8 that handles what is left over wrongly, except for small batches."""
    d = g * (1 - dense(x, W, b) ** 2)
    n = len(x) if len(x) < 8 else len(x) // 8 * 8
    return d @ W.T, x[:n].T @ d[:n], d.sum(axis=0)


def single(g, x, W, b):
    return dense_backward(g, x, W, b) if len(x) > 1 else (np.zeros(4), *dense_backward(g, x, W, b)[1:])


def refusing(g, x, W, b):
    if len(x) > 16:
        raise IndexError("too many samples")
    return dense_backward(g, x, W, b)


def for_two(g, x, W, b):
    dx, dW, db = dense_backward(g, x, W, b)
    return (dx, dW, db) if len(x) != 2 else (2 * dx, dW, 2 * db)


@pytest.mark.parametrize(
    ("backward", "detail"),
    [
        (unrolled, "with 9 samples dW is wrong; with 17 samples dW is wrong"),
        (single, "with 1 sample dx is wrong"),
        (refusing, "with 17 samples backward raised IndexError: too many samples"),
        (for_two, "with 2 samples dx, db are wrong"),
    ],
)
def test_what_is_wrong_for_some_sizes_only_is_found_and_said(backward, detail):
    report = check(dense, backward, [x, W, b], batch_axis=0)
    assert check(dense, backward, [x, W, b]).passed
    assert report.verdict is Verdict.WRONG
    assert of_batches(report).detail == detail


def test_a_buffer_that_keeps_the_last_batch_is_found():
    kept = {}

    def backward(g, x):
        if len(x) != 3:
            kept["factor"] = 2.0
        return kept.get("factor", 1.0) * g * np.cos(x) if len(x) == 3 else g * np.cos(x)

    report = check(np.sin, backward, [x], batch_axis=0)
    assert of_batches(report).detail == "after batches of other sizes the first gradient does not come back"


def test_a_function_that_refuses_a_size_is_not_called_wrong():
    def f(x):
        if len(x) == 1:
            raise ValueError("one sample has no variance")
        return x**2

    report = check(f, lambda g, x: 2 * g * x, [x], batch_axis=0)
    assert report.passed
    assert "other batch sizes: not looked at: with 1 sample f raised ValueError: one sample has no variance" in str(
        report
    )


def test_an_axis_that_is_broadcast_for_one_sample_only_proves_nothing():
    scale = RNG.normal(size=(3, 4))
    report = check(lambda x: scale * x, lambda g, x: scale * g, [x], batch_axis=0)
    assert report.passed, str(report)
    assert "other batch sizes: not looked at: with 2 samples f raised ValueError" in str(report)
    square, gamma = RNG.normal(size=(4, 4)), RNG.normal(size=4)  # gamma is as long as the batch by chance
    backward = lambda g, x, gamma: (g * gamma, (g * x).sum(axis=0))  # noqa: E731
    both = check(lambda x, gamma: x * gamma, backward, [square, gamma], batch_axis=0)
    assert both.passed, str(both)


def normalize(x):
    return (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-5)


def normalize_backward(g, x):
    s = np.sqrt(x.var(axis=0) + 1e-5)
    y = normalize(x)
    return (g - g.mean(axis=0) - y * (g * y).mean(axis=0)) / s


@pytest.mark.parametrize("seed", range(5))
def test_batch_normalisation_is_right_for_one_sample_too_where_its_gradient_is_zero(seed):
    at = np.random.default_rng(seed).normal(size=(5, 3))
    assert check(normalize, normalize_backward, [at], batch_axis=0, seed=seed).passed


@pytest.mark.parametrize("seed", range(5))
def test_rounding_errors_where_the_gradient_of_one_sample_is_zero_are_not_called_wrong(seed):
    def backward(g, x):
        return (0.1 * g + 0.2 * g - 0.3 * g.mean(axis=0)) / 0.3

    assert check(lambda x: x - x.mean(axis=0), backward, [x], batch_axis=0, seed=seed).passed


def test_targets_and_labels_are_resampled_with_the_samples_and_keep_their_values():
    labels = np.array([0, 4, 2])
    seen = set()

    def loss(W, x, labels):
        seen.update(labels.tolist())
        scores = x @ W
        p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        return -np.log(p[np.arange(len(x)), labels]).mean()

    def gradient(W, x, labels):
        scores = x @ W
        p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        p[np.arange(len(x)), labels] -= 1
        return x.T @ p / 3  # not len(x)

    report = check_grad(loss, gradient, W, x, labels, batch_axis={"x": 0, "labels": 0})
    assert of_batches(report).detail.startswith("with 1 sample dW is wrong; with 2 samples dW is wrong")
    assert seen == {0, 2, 4}


def test_another_axis_may_be_the_batch():
    def backward(g, W, x):
        return g @ x.T, W.T @ g if x.shape[1] < 9 else g[:4]

    report = check(lambda W, x: W @ x, backward, [W.T, x.T], batch_axis={"x": 1})
    assert of_batches(report).detail == "with 9 samples dx is wrong; with 17 samples dx is wrong"
    same = check(lambda W, x: W @ x, backward, [W.T, x.T], batch_axis={"x": -1})
    assert of_batches(same).detail == of_batches(report).detail


@pytest.mark.parametrize(
    ("axis", "sentence"),
    [
        (2, "batch_axis is 2, but no input has as many axes"),
        ({"z": 0}, "batch_axis names 'z'; expected some of x, W, b"),
        ({}, "batch_axis names no array; expected some of x, W, b"),
        ({"b": 1}, r"batch_axis of b is 1, but b has shape \(5,\)"),
        ({"x": 0, "W": 0}, "batch_axis names axes of lengths {'x': 3, 'W': 4}; expected as many samples in each"),
        ("0", "batch_axis is '0'; expected a whole number"),
    ],
)
def test_an_axis_that_cannot_be_the_batch_is_refused(axis, sentence):
    with pytest.raises(ValueError, match=sentence):
        check(dense, dense_backward, [x, W, b], batch_axis=axis)


def test_when_the_time_is_up_batches_are_not_looked_at_and_this_is_said():
    report = check(dense, dense_backward, [x, W, b], batch_axis=0, budget_s=1e-9)
    assert "other batch sizes: not looked at: time was up" in str(report)


# Functions that do not repeat exactly


def noisy(size):
    rng = np.random.default_rng(1)

    def f(x):
        return np.sin(x) * (1 + size * rng.uniform(-1, 1, x.shape))

    return f


def test_a_function_that_repeats_within_nondet_tol_is_checked():
    backward = lambda g, x: g * np.cos(x)  # noqa: E731
    assert check(noisy(1e-9), backward, [x]).verdict is Verdict.WRONG
    report = check(noisy(1e-9), backward, [x], nondet_tol=1e-8)
    assert report.passed, str(report)
    assert "note: equal calls may differ by 1e-08, so the default tolerance is 2e-3" in str(report)
    assert check(noisy(1e-9), lambda g, x: 1.1 * backward(g, x), [x], nondet_tol=1e-8).verdict is Verdict.WRONG


def test_a_function_that_differs_by_more_is_told_by_how_much():
    report = check(noisy(1e-5), lambda g, x: g * np.cos(x), [x], nondet_tol=1e-8)
    (repeats,) = [invariant for invariant in report.invariants if invariant.name == "forward repeats"]
    assert not repeats.holds
    said = float(repeats.detail.split("differ by ")[1].split(" of")[0])
    assert 1e-7 < said < 3e-5
    assert "more than nondet_tol = 1e-08" in repeats.detail


def test_a_gradient_that_repeats_within_nondet_tol_is_not_called_accumulating():
    rng = np.random.default_rng(2)

    def backward(g, x):
        return g * np.cos(x) * (1 + 1e-9 * rng.uniform(-1, 1, x.shape))

    assert check(np.sin, backward, [x], nondet_tol=1e-8).passed
    assert "two calls give two values of dx" in str(check(np.sin, backward, [x]))


@pytest.mark.parametrize("tolerance", [-1e-9, 1e-3, 1, "much"])
def test_a_nondet_tol_at_which_nothing_can_be_measured_is_refused(tolerance):
    with pytest.raises(ValueError, match="nondet_tol is "):
        check(np.sin, lambda g, x: g, [x], nondet_tol=tolerance)


# Precision


def only(dtype, f):
    """f, which refuses arrays of another precision."""

    def strict(*arrays):
        assert all(array.dtype == dtype for array in arrays), [array.dtype for array in arrays]
        result = f(*arrays)
        return tuple(result) if isinstance(result, tuple) else result

    return strict


@pytest.mark.parametrize("seed", range(5))
def test_a_function_of_float32_is_given_float32_and_judged_with_its_tolerance(seed):
    inputs = [np.random.default_rng(seed).normal(size=a.shape).astype("float32") for a in (x, W, b)]
    f = lambda x, W, b: only("float32", dense)(x, W, b)  # noqa: E731
    backward = lambda g, x, W, b: only("float32", dense_backward)(g, x, W, b)  # noqa: E731
    report = check(f, backward, inputs, keep_dtype=True, batch_axis=0)
    assert report.passed, str(report)
    assert "computes in float32, so the default tolerance is 2e-3" in str(report)
    wrong = check(f, lambda *a: [1.05 * d for d in backward(*a)], inputs, keep_dtype=True)
    assert {str(block.verdict) for block in wrong.blocks} == {"WRONG"}
    assert all(a.dtype == np.float32 for a in inputs)


def test_inputs_of_float32_that_a_pass_writes_into_are_noticed_and_others_are_not():
    def overwriting(g, x):
        x *= 2
        return g * np.cos(x / 2)

    at = x.astype("float32")
    assert "a pass overwrites x" in str(check(np.sin, overwriting, [at], keep_dtype=True))
    assert "overwrites" not in str(check(np.sin, lambda g, x: g * np.cos(x), [at], keep_dtype=True))


@pytest.mark.parametrize("factor", [1, 3])
def test_in_float16_nothing_is_called_wrong_and_nothing_passes(factor):
    report = check(np.sin, lambda g, x: factor * g * np.cos(x), [x.astype("float16")], keep_dtype=True)
    assert report.verdict is Verdict.CANNOT_TELL
    assert "the function computes in float16, which is too coarse for differences" in str(report)


def test_a_loss_of_float32_is_checked():
    at = b.astype("float32")
    assert check_grad(only("float32", lambda p: (p**2).sum()), lambda p: 2 * p, at, keep_dtype=True).passed
    assert check_grad(lambda p: (p**2).sum(), lambda p: p, at, keep_dtype=True).verdict is Verdict.WRONG


def test_without_keep_dtype_everything_is_float64():
    assert check(only("float64", np.sin), lambda g, x: g * np.cos(x), [x.astype("float32")]).passed
