"""Every check takes a mode, a time limit, noise and the precision of its code, as far as these mean something."""

import time

import numpy as np
import pytest
from npae.recipes import vanilla, variational

from npae.gradcheck import Verdict, check_hvp, check_jvp, check_layer, check_model
from npae.kernels import reference_kernels
from npae.layers import Dense, Dropout, Tanh

KERNELS = reference_kernels()
X = np.random.default_rng(0).normal(size=(3, 4))
W = np.random.default_rng(1).normal(size=(4, 5))


def dense(x, W):
    return x @ W


def dense_jvp(v, x, W):
    return v[0] @ W + x @ v[1]


class Larger(Dense):
    def backward(self, dy):
        return 1.1 * super().backward(dy)


@pytest.mark.parametrize("layer", [Dense(3), Tanh(), Dropout(0.3)])
def test_a_right_layer_passes_in_float32(layer):
    report = check_layer(layer, (5,), keep_dtype=True, kernels=KERNELS)
    assert report.verdict is Verdict.PASS
    assert "the function computes in float32, so the default tolerance is 2e-3" in report.notes
    assert not any(invariant.name == "float32 agrees" for invariant in report.invariants)


def test_a_wrong_layer_is_wrong_in_float32():
    report = check_layer(Larger(3), (5,), keep_dtype=True, kernels=KERNELS)
    assert report["dx"].verdict is Verdict.WRONG
    assert report["dW"].verdict is Verdict.PASS


def test_a_layer_is_checked_in_the_precision_of_x():
    report = check_layer(Dense(3), (4,), x=X, keep_dtype=True, kernels=KERNELS)
    assert report.verdict is Verdict.PASS
    assert report.notes == []
    single_x = X.astype("float32")
    single = check_layer(Dense(3), (4,), x=single_x, keep_dtype=True, kernels=KERNELS)
    assert any("float32" in note for note in single.notes)
    assert not any("float32" in note for note in check_layer(Dense(3), (4,), x=single_x, kernels=KERNELS).notes)


class Foreign:
    """A layer of other code that exists in float32 only."""

    def __init__(self):
        self.W = W.astype("float32")

    def forward(self, x):
        assert x.dtype == self.W.dtype == np.float32
        self.x = x
        return x @ self.W

    def backward(self, dy):
        self.dW = self.x.T @ dy
        return dy @ self.W.T


def test_a_layer_of_other_code_keeps_its_arrays():
    report = check_layer(Foreign(), (4,), keep_dtype=True)
    assert report.verdict is Verdict.PASS
    assert any("float32" in note for note in report.notes)
    with pytest.raises(AssertionError):
        check_layer(Foreign(), (4,))


def test_a_model_is_checked_in_its_own_precision():
    x = np.random.default_rng(0).random((3, 6))
    net = variational((6,), hidden=(5,), code_size=2).build((6,), seed=0)
    report = check_model(net, x, keep_dtype=True, mode="fast", kernels=KERNELS)
    assert report.verdict is not Verdict.WRONG
    assert any("float32" in note for note in report.notes)
    wide = vanilla((6,), code_size=2, activation="tanh").build((6,), seed=0, dtype="float64")
    assert check_model(wide, x, keep_dtype=True, mode="fast", kernels=KERNELS).notes == []


class Noisy(Tanh):
    """A layer whose results differ in the tenth digit, as with parallel sums."""

    def forward(self, x):
        self.calls = getattr(self, "calls", 0) + 1
        return super().forward(x) * (1 + 1e-10 * (self.calls % 3))


def test_a_layer_may_differ_between_equal_calls_by_nondet_tol():
    assert check_layer(Noisy(), (5,), kernels=KERNELS).verdict is Verdict.WRONG
    assert check_layer(Noisy(), (5,), nondet_tol=1e-9, kernels=KERNELS).verdict is Verdict.PASS


def test_a_model_takes_nondet_tol():
    net = vanilla((4,), code_size=2, activation="tanh")
    x = np.random.default_rng(3).random((3, 4))
    assert check_model(net, x, nondet_tol=1e-9, mode="fast", kernels=KERNELS).verdict is not Verdict.WRONG
    with pytest.raises(ValueError, match="nondet_tol"):
        check_model(net, x, nondet_tol=-1.0)


def test_fast_takes_one_direction_of_a_jvp():
    full, fast = (check_jvp(dense, dense_jvp, [X, W], mode=mode) for mode in ("full", "fast"))
    assert [block.directions for block in full.blocks] == [4, 4]
    assert [block.directions for block in fast.blocks] == [1, 1]
    assert full.passed
    assert fast.passed
    assert not check_jvp(dense, lambda v, x, W: v[0] @ W, [X, W], mode="fast").passed


def test_an_unknown_mode_of_a_jvp_is_refused():
    with pytest.raises(ValueError, match="mode is 'quick'"):
        check_jvp(dense, dense_jvp, [X, W], mode="quick")


def slowly(f):
    def slow(*arguments):
        time.sleep(0.002)
        return f(*arguments)

    return slow


def test_a_jvp_keeps_its_time_limit():
    report = check_jvp(slowly(dense), slowly(dense_jvp), [X, W], budget_s=0.01, backward=lambda g, x, W: (g, g))
    assert report.verdict is Verdict.CANNOT_TELL
    assert report.blocks[-1].reason == "time was up before it was measured"
    assert "adjoint: not looked at: time was up" in report.notes


def test_a_hessian_keeps_its_time_limit_and_takes_a_mode():
    cubes, gradient, product = (lambda x: (x**3).sum(), lambda x: 3 * x**2, lambda x, v: 6 * x * v)
    x = np.random.default_rng(2).normal(size=5)
    fast = check_hvp(cubes, gradient, product, x, mode="fast")
    assert fast.passed
    assert (fast.blocks[0].checked, fast.blocks[-1].directions) == (0, 1)
    late = check_hvp(slowly(cubes), gradient, product, x, budget_s=0.02)
    assert late.verdict is Verdict.CANNOT_TELL
