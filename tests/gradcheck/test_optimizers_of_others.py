"""Optimizers of other people's code, in the forms in which they are written, are compared with Adam."""

import threading

import numpy as np
import pytest

from npae.gradcheck import Verdict, check_optimizer


class Returning:
    """An object with ``update(w, gradient)`` that returns the new w."""

    def __init__(self, learning_rate=0.02, b1=0.9, b2=0.99, eps=1e-8):
        self.learning_rate, self.b1, self.b2, self.eps = learning_rate, b1, b2, eps
        self.m = self.v = None
        self.t = 0

    def moments(self, w, gradient):
        if self.m is None:
            self.m, self.v = np.zeros_like(w), np.zeros_like(w)
        self.t += 1
        self.m = self.b1 * self.m + (1 - self.b1) * gradient
        self.v = self.b2 * self.v + (1 - self.b2) * gradient**2

    def update(self, w, gradient):
        self.moments(w, gradient)
        m, v = self.m / (1 - self.b1**self.t), self.v / (1 - self.b2**self.t)
        return w - self.learning_rate * m / (np.sqrt(v) + self.eps)


class Callable(Returning):
    """An object that is called, and writes into the array."""

    def __call__(self, w, gradient):
        w[...] = self.update(w, gradient)


class InDicts(Returning):
    """``step(params, grads)`` with dicts, changed in place."""

    update = None

    def step(self, params, grads):
        for name in params:
            params[name] -= params[name] - Returning.update(self, params[name], grads[name])


class ByName(Returning):
    """``update(w, gradient, name)`` with a state for each name."""

    def update(self, w, gradient, name):
        assert isinstance(name, str)
        return super().update(w, gradient)


class EpsilonHat(Returning):
    def update(self, w, gradient):
        self.moments(w, gradient)
        rate = self.learning_rate * np.sqrt(1 - self.b2**self.t) / (1 - self.b1**self.t)
        return w - rate * self.m / (np.sqrt(self.v) + self.eps)


class Uncorrected(Returning):
    def update(self, w, gradient):
        self.moments(w, gradient)
        return w - self.learning_rate * self.m / (np.sqrt(self.v) + self.eps)


def closure():
    state = {"t": 0, "m": 0.0, "v": 0.0}

    def update(w, gradient):
        state["t"] += 1
        state["m"] = 0.9 * state["m"] + 0.1 * gradient
        state["v"] = 0.999 * state["v"] + 0.001 * gradient**2
        return w - 0.01 * state["m"] / (np.sqrt(state["v"]) + 1e-8)

    return update, state


@pytest.mark.parametrize("kind", [Returning, Callable, InDicts, ByName])
def test_adam_passes_in_every_form_with_the_settings_of_its_attributes(kind):
    report = check_optimizer(kind())
    assert report.verdict is Verdict.PASS, str(report)
    assert report.notes == [
        "settings read from the object: rate = learning_rate = 0.02, beta1 = b1 = 0.9, beta2 = b2 = 0.99, "
        "epsilon = eps = 1e-08"
    ]


def test_a_bound_method_has_the_state_of_its_object():
    optimizer = Returning()
    assert check_optimizer(optimizer.update, rate=0.02, beta2=0.99).verdict is Verdict.PASS
    assert optimizer.t == 0


def test_settings_given_are_taken_before_those_of_the_object():
    assert check_optimizer(Returning(), rate=0.03).verdict is Verdict.WRONG


def test_the_form_with_epsilon_hat_passes_with_a_note():
    report = check_optimizer(EpsilonHat())
    assert report.verdict is Verdict.PASS, str(report)
    assert "ε̂ form of Adam" in report.notes[-1]
    assert not any("ε̂" in note for kind in (Returning, Uncorrected) for note in check_optimizer(kind()).notes)


def test_a_wrong_object_is_named_and_not_changed():
    optimizer = Uncorrected()
    report = check_optimizer(optimizer)
    assert report.verdict is Verdict.WRONG
    assert [name.bug for name in report.names] == ["uncorrected"]
    assert optimizer.t == 0
    assert optimizer.m is None


def test_a_wrong_closure_is_named_since_its_state_is_copied():
    update, state = closure()
    report = check_optimizer(update)
    assert [name.bug for name in report.names] == ["uncorrected"]
    assert report.notes == []
    assert state["t"] == 0


def test_what_cannot_be_run_is_told_in_one_sentence():
    with pytest.raises(ValueError, match=r"Returning is a class; give an object made from it, such as Returning\(\)"):
        check_optimizer(Returning)
    with pytest.raises(ValueError, match="or an object with a method step, update or update_params"):
        check_optimizer(3)
    with pytest.raises(ValueError, match="cannot be copied"):
        check_optimizer(Locked())
    with pytest.raises(ValueError, match=r"the new θ has shape \(1,\); expected \(8,\)"):
        check_optimizer(lambda w, gradient: w[:1])


class Locked(Returning):
    def __init__(self):
        super().__init__()
        self.lock = threading.Lock()


def test_an_error_of_the_optimizer_is_its_own():
    def update(w, gradient):
        raise KeyError("momentum")

    with pytest.raises(KeyError, match="momentum"):
        check_optimizer(update)
