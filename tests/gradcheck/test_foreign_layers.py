"""check_layer for layers of other code, in each form of public teaching code: right ones pass, wrong ones are found."""

import numpy as np
import pytest

from npae.gradcheck import Verdict, check, check_layer
from npae.gradcheck.adapters import Adapter, attributes, dicts, lists, returned, with_cache


class WithAttributes:
    """self.W, self.b, self.dW, self.db."""

    factor = 1.0

    def __init__(self, dtype="float64"):
        rng = np.random.default_rng(0)
        self.W, self.b = rng.normal(size=(4, 5)).astype(dtype), np.zeros(5, dtype)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dx = dout @ self.W.T
        self.dW, self.db = self.factor * self.x.T @ dout, dout.sum(axis=0)
        return self.dx


class WithGradNames(WithAttributes):
    """self.grad_W."""

    def backward(self, dout):
        self.grad_W, self.grad_b = self.factor * self.x.T @ dout, dout.sum(axis=0)
        return dout @ self.W.T


class WithDicts:
    """self.params["W"], self.grads["W"]."""

    factor = 1.0

    def __init__(self):
        rng = np.random.default_rng(0)
        self.params, self.grads = {"W": rng.normal(size=(4, 5)), "b": np.zeros(5)}, {}

    def forward(self, inputs):
        self.inputs = inputs
        return inputs @ self.params["W"] + self.params["b"]

    def backward(self, grad):
        self.grads["b"] = np.sum(grad, axis=0)
        self.grads["W"] = self.factor * self.inputs.T @ grad
        return grad @ self.params["W"].T


class WithLists:
    """self.params[0], self.grads[0], written in place; the arrays are attributes too."""

    factor = 1.0

    def __init__(self):
        rng = np.random.default_rng(0)
        self.W, self.b = rng.normal(size=(4, 5)).astype("f"), np.zeros(5, "f")
        self.params, self.grads = [self.W, self.b], [np.zeros((4, 5), "f"), np.zeros(5, "f")]

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b  # not self.params

    def backward(self, dout):
        self.grads[0][...] = self.factor * self.x.T @ dout
        self.grads[1][...] = np.sum(dout, axis=0)
        return dout @ self.params[0].T


class Accumulating:
    """Parameters made at the first call, gradients that are added up until they are reset."""

    factor = 1.0

    def __init__(self):
        self.parameters, self.gradients = {"W": None}, {}

    def forward(self, X):
        if self.parameters["W"] is None:
            self.parameters["W"] = np.random.default_rng(0).normal(size=(X.shape[1], 5))
        self.X = X
        return X @ self.parameters["W"]

    def backward(self, dLdy):
        added = self.factor * self.X.T @ dLdy
        self.gradients["W"] = self.gradients.get("W", 0) + added
        return dLdy @ self.parameters["W"].T

    def flush_gradients(self):
        self.gradients.clear()


class Returning(WithAttributes):
    """backward returns (dx, dW, db)."""

    def backward(self, dout):
        return dout @ self.W.T, self.factor * self.x.T @ dout, dout.sum(axis=0)


class OtherMethods(WithAttributes):
    forward_pass, backward_pass = WithAttributes.forward, WithAttributes.backward
    forward = backward = None


FORMS = [
    (WithAttributes, None, "W", "layer.W with layer.dW, layer.b with layer.db"),
    (WithGradNames, None, "W", "layer.W with layer.grad_W, layer.b with layer.grad_b"),
    (WithDicts, None, "W", "the dicts layer.params and layer.grads"),
    (WithLists, None, "params[0]", "the lists layer.params and layer.grads"),
    (Accumulating, None, "W", "the dicts layer.parameters and layer.gradients"),
    (OtherMethods, None, "W", "layer.W with layer.dW, layer.b with layer.db"),
    (WithAttributes, attributes("W", "b"), "W", "layer.W with layer.dW, layer.b with layer.db"),
    (WithDicts, dicts(), "W", "the dicts layer.params and layer.grads"),
    (WithLists, lists(), "params[0]", "the lists layer.params and layer.grads"),
    (Returning, returned("W", "b"), "W", "layer.W, layer.b, with their gradients returned by backward after dx"),
]


@pytest.mark.parametrize(("form", "adapter", "name", "where"), FORMS)
def test_each_usual_form_is_checked_with_its_parameters(form, adapter, name, where):
    layer = form()
    report = check_layer(layer, (4,), adapter=adapter)
    assert report.verdict is Verdict.PASS, str(report)
    assert report.subject == form.__name__
    assert len(report.blocks) == (2 if form is Accumulating else 3)
    assert f"parameters and gradients are read from {where}" in report.notes
    layer.factor = 2.0
    wrong = check_layer(layer, (4,), adapter=adapter)
    assert {block.name for block in wrong.blocks if block.verdict is Verdict.WRONG} == {name}
    assert wrong[name].ratio == pytest.approx(2)


def test_the_layer_itself_is_not_changed():
    layer = WithAttributes()
    W = layer.W.copy()
    check_layer(layer, (4,))
    assert np.array_equal(layer.W, W)
    assert not layer.b.any()
    assert not hasattr(layer, "dW")


def test_parameters_that_are_all_equal_are_moved_and_this_is_said():
    class Scale:
        def __init__(self):
            self.gamma = np.ones(4)

        def forward(self, x):
            self.x = x
            return self.gamma * x

        def backward(self, dy):
            self.dgamma = (dy * self.x).sum(axis=0)
            return dy  # right where gamma is 1

    report = check_layer(Scale(), (4,))
    assert report["dx"].verdict is Verdict.WRONG
    assert "random numbers were added to gamma, where all were equal" in report.notes
    assert not any("random numbers" in note for note in check_layer(Accumulating(), (4,)).notes)


def test_running_statistics_among_the_parameters_are_no_parameters_and_this_is_said():
    class Normalised(WithDicts):
        def __init__(self):
            super().__init__()
            self.params["running_mean"] = np.zeros(4)

        def forward(self, x):
            self.params["running_mean"] = 0.9 * self.params["running_mean"] + 0.1 * x.mean(axis=0)
            return super().forward(x)

    report = check_layer(Normalised(), (4,))
    assert report.verdict is Verdict.PASS, str(report)
    assert [block.name for block in report.blocks] == ["x", "W", "b"]
    assert "forward passes change running_mean, so no gradient by these was expected" in report.notes
    assert not any("forward passes change" in note for note in check_layer(WithDicts(), (4,)).notes)


def test_float32_parameters_are_checked_in_float64():
    report = check_layer(WithAttributes("float32"), (4,))
    assert report["dW"].error < 1e-8
    assert "float32" not in str(report)


def test_a_layer_that_is_wrong_for_one_sample_is_found():
    class Squeezing(WithAttributes):
        def backward(self, dout):
            return super().backward(dout).squeeze()

    assert "other batch sizes: does not hold; with 1 sample dx is wrong" in str(check_layer(Squeezing(), (4,)))


def test_a_known_mistake_in_a_foreign_layer_is_named():
    class Mean(WithAttributes):
        def backward(self, dout):
            dx = super().backward(dout)
            self.db = dout.mean(axis=0)
            return dx

    assert [(name.bug, name.blocks) for name in check_layer(Mean(), (4,)).names] == [("db-mean", ("b",))]


def test_a_gradient_that_is_missing_is_told():
    class Forgetful(WithDicts):
        def backward(self, grad):
            dx = super().backward(grad)
            del self.grads["b"]
            return dx

    report = check_layer(Forgetful(), (4,))
    assert report["b"].verdict is Verdict.WRONG
    assert report["b"].reason == "the gradient by b is None; expected an array of b's shape"


def test_a_backward_that_raises_is_wrong_and_no_exception():
    class Raising(WithDicts):
        def backward(self, grad):
            raise NotImplementedError("not yet")

    report = check_layer(Raising(), (4,))
    assert report.verdict is Verdict.WRONG
    assert {block.reason for block in report.blocks} == {"backward raised NotImplementedError: not yet"}
    assert [block.name for block in report.blocks] == ["x", "W", "b"]


def test_a_layer_without_parameters_says_that_only_dx_was_checked():
    class Relu:
        def forward(self, x):
            self.mask = x <= 0
            out = x.copy()
            out[self.mask] = 0
            return out

        def backward(self, dout):
            dout[self.mask] = 0
            return dout

    report = check_layer(Relu(), (4,))
    assert report["dx"].verdict is Verdict.PASS
    assert "no parameters were found, so only dx was checked; give an adapter if there are some" in report.notes
    assert not any("no parameters" in note for note in check_layer(WithDicts(), (4,)).notes)


def test_an_adapter_of_ones_own_takes_any_form():
    adapter = Adapter(
        parameters=lambda layer: {"kernel": layer.W},
        gradients=lambda layer, result: (result[0], {"kernel": result[1]}),
        where="W",
        forward=lambda layer, x: layer.forward(x),
    )
    report = check_layer(Returning(), (4,), adapter=adapter)
    assert [block.gradient for block in report.blocks] == ["dx", "dkernel"]
    assert report.passed


@pytest.mark.parametrize(
    ("layer", "adapter", "sentence"),
    [
        (
            Returning(),
            None,
            r"backward of Returning returns 3 gradients; name their parameters with adapter=returned\(",
        ),
        (
            WithAttributes(),
            attributes("factor"),
            "factor in layer.factor with layer.dfactor is a float; expected an",
        ),
    ],
)
def test_what_cannot_be_known_is_asked_for(layer, adapter, sentence):
    with pytest.raises(ValueError, match=sentence):
        check_layer(layer, (4,), adapter=adapter)


def test_a_layer_that_cannot_be_copied_is_refused():
    class Open(WithAttributes):
        def __deepcopy__(self, memo):
            raise TypeError("holds a file")

    with pytest.raises(ValueError, match=r"Open cannot be copied \(TypeError: holds a file\); check its"):
        check_layer(Open(), (4,))


# Caches as return values


def affine_forward(x, w, b):
    return x.reshape(len(x), -1) @ w + b, (x, w, b)


def affine_backward(dout, cache):
    x, w, _ = cache
    return (dout @ w.T).reshape(x.shape), x.reshape(len(x), -1).T @ dout, dout.sum(axis=0)


def test_functions_that_pass_a_cache_on_are_checked():
    rng = np.random.default_rng(0)
    inputs = [rng.normal(size=shape) for shape in ((3, 2, 2), (4, 5), (5,))]
    report = check(*with_cache(affine_forward, affine_backward), inputs, batch_axis=0)
    assert [block.gradient for block in report.blocks] == ["dx", "dw", "db"]
    assert report.passed, str(report)
    assert report.subject == "affine_backward"
    f, backward = with_cache(affine_forward, lambda dout, cache: (*affine_backward(dout, cache)[:2], dout.mean(axis=0)))
    assert check(f, backward, inputs).verdict is Verdict.WRONG


def test_a_forward_without_a_cache_is_told():
    with pytest.raises(ValueError, match="forward returned a ndarray; expected the output and a cache"):
        check(*with_cache(np.sin, affine_backward), [np.ones(3)])
