"""Questions about wrong gradients that people have asked in public, rebuilt: what the report says would have helped."""

import numpy as np

from npae.gradcheck import Verdict, check, check_grad

RNG = np.random.default_rng(0)


def names(report):
    return {name.bug: name.blocks for name in report.names}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


# A course's notebook: three layers, samples in columns, logistic loss, "2" and "4" planted in the gradient


X, Y = RNG.normal(size=(4, 3)), np.array([[1.0, 1.0, 0.0]])
NETWORK = {
    "W1": RNG.normal(size=(5, 4)),
    "b1": RNG.normal(size=(5, 1)),
    "W2": RNG.normal(size=(3, 5)),
    "b2": RNG.normal(size=(3, 1)),
    "W3": RNG.normal(size=(1, 3)),
    "b3": RNG.normal(size=(1, 1)),
}


def forward(p):
    A1 = np.maximum(p["W1"] @ X + p["b1"], 0)
    A2 = np.maximum(p["W2"] @ A1 + p["b2"], 0)
    return A1, A2, sigmoid(p["W3"] @ A2 + p["b3"])


def cost(p):
    A3 = forward(p)[2]
    return np.mean(-Y * np.log(A3) - (1 - Y) * np.log(1 - A3))


def gradient(p, *, planted=True):
    (A1, A2, A3), m = forward(p), X.shape[1]
    dZ3 = A3 - Y
    dZ2 = p["W3"].T @ dZ3 * (A2 > 0)
    dZ1 = p["W2"].T @ dZ2 * (A1 > 0)
    return {
        "W1": dZ1 @ X.T / m,
        "b1": (4 if planted else 1) * dZ1.sum(axis=1, keepdims=True) / m,
        "W2": dZ2 @ A1.T / m * (2 if planted else 1),
        "b2": dZ2.sum(axis=1, keepdims=True) / m,
        "W3": dZ3 @ A2.T / m,
        "b3": dZ3.sum(axis=1, keepdims=True) / m,
    }


def test_the_two_planted_factors_of_the_notebook():
    report = check_grad(cost, gradient, NETWORK)
    wrong = {block.gradient: block.ratio for block in report.blocks if block.verdict is Verdict.WRONG}
    assert set(wrong) == {"p.db1", "p.dW2"}, str(report)
    np.testing.assert_allclose([wrong["p.db1"], wrong["p.dW2"]], [4, 2], rtol=1e-6)
    assert check_grad(cost, lambda p: gradient(p, planted=False), NETWORK).passed


def test_the_notebooks_gradient_given_as_a_backward_that_takes_g():
    report = check(cost, lambda g, p: gradient(p), [NETWORK])
    assert "g is ignored" in str(report)
    assert "check_grad takes those" in str(report)


# 1/m twice


def test_logistic_regression_divided_by_m_twice():
    x, w, b = RNG.normal(size=(4, 6)), RNG.normal(size=(4, 1)), np.array([0.3])
    t = np.array([[0.0, 1, 1, 0, 1, 0]])

    def loss(w, b, x, t):
        a = sigmoid(w.T @ x + b)
        return -np.mean(t * np.log(a) + (1 - t) * np.log(1 - a))

    def grad(w, b, x, t):
        m = x.shape[1]
        dz = (sigmoid(w.T @ x + b) - t) / m
        return x @ dz.T / m, dz.sum(keepdims=True).reshape(1) / m

    report = check_grad(loss, grad, (w, b), x, t)
    assert names(report) == {"divided-twice": ("w", "b")}, str(report)
    assert "1/6" in str(report)


# dW2 where W2 was meant


def test_the_gradient_of_the_weights_in_place_of_the_weights():
    p = {"W1": RNG.normal(size=(4, 5)), "b1": RNG.normal(size=5), "W2": RNG.normal(size=(5, 2)), "b2": np.ones(2)}
    x = RNG.normal(size=(3, 4))

    def f(p, x):
        return sigmoid(x @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"]

    def backward(g, p, x):
        a = sigmoid(x @ p["W1"] + p["b1"])
        dW2 = a.T @ g
        du = g @ dW2.T * a * (1 - a)
        return {"W1": x.T @ du, "b1": du.sum(axis=0), "W2": dW2, "b2": g.sum(axis=0)}

    report = check(f, backward, [p, x], wrt="p")
    assert names(report) == {"gradient-for-weights": ("p.W1", "p.b1")}, str(report)
    assert report["p.W2"].verdict is Verdict.PASS


# Entropy divided by len(y)


def test_entropy_divided_by_the_length_of_a_target_with_classes_in_rows():
    z, labels = RNG.normal(size=(4, 6)), np.array([0, 3, 1, 2, 2, 0])
    y = np.eye(4)[labels].T

    def loss(z, y):
        return -np.sum(y * np.log(softmax(z.T).T)) / y.shape[1]

    report = check_grad(loss, lambda z, y: (softmax(z.T).T - y) / len(y), z, y)
    assert names(report) == {"over-classes": ("z",)}, str(report)
    assert report["z"].ratio is not None
    assert abs(report["z"].ratio - 6 / 4) < 1e-6


# Max-pooling with windows that overlap


def test_max_pooling_that_assigns_where_windows_overlap():
    image = RNG.permutation(30).reshape(5, 6) / 10

    def pool(x):
        return np.array([[x[i : i + 3, j : j + 3].max() for j in range(4)] for i in range(3)])

    def backward(g, x):
        dx = np.zeros_like(x)
        for i, j in np.ndindex(g.shape):
            window = x[i : i + 3, j : j + 3]
            k, m = np.unravel_index(window.argmax(), window.shape)
            dx[i + k, j + m] = g[i, j]
        return dx

    assert names(check(pool, backward, [image])) == {"assign": ("x",)}


# `return` inside the loop


def test_a_return_inside_the_loop_over_the_samples():
    x, W = RNG.normal(size=(3, 4)), RNG.normal(size=(4, 5))

    def backward(g, x, W):
        dW = np.zeros_like(W)
        for n in range(len(x)):
            dW += np.outer(x[n], g[n])
            return g @ W.T, dW
        raise AssertionError("no samples")

    report = check(lambda x, W: x @ W, backward, [x, W])
    assert names(report) == {"return-in-loop": ("W",)}, str(report)
    assert "the loop must reach the last one" in str(report)


# Softmax's diagonal


def test_softmax_with_the_diagonal_of_its_jacobian_only():
    report = check(softmax, lambda g, z: g * softmax(z) * (1 - softmax(z)), [RNG.normal(size=(3, 4))])
    assert names(report) == {"diagonal-only": ("z",)}


# `sum` without an axis in batch normalisation


def test_batch_normalisation_that_sums_over_everything():
    def h_of(x):
        return (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-5)

    def f(x, gamma, beta):
        return gamma * h_of(x) + beta

    def backward(g, x, gamma, beta):
        h, s, dh = h_of(x), np.sqrt(x.var(axis=0) + 1e-5), g * gamma
        return (dh - dh.mean(axis=0) - h * (dh * h).mean(axis=0)) / s, np.sum(g * h), np.sum(g)

    inputs = [RNG.normal(size=(6, 4)), RNG.normal(size=4), RNG.normal(size=4)]
    report = check(f, backward, inputs)
    assert names(report) == {"sum-without-axis": ("gamma", "beta")}, str(report)
    filled = check(f, lambda g, *a: tuple(np.full(i.shape, d) for i, d in zip(a, backward(g, *a), strict=True)), inputs)
    assert "sum-without-axis" in names(filled)


# A forward pass in float16


def test_a_forward_pass_in_float16_is_not_called_wrong():
    x = RNG.normal(size=(3, 4))
    report = check(lambda x: np.tanh(x.astype(np.float16)), lambda g, x: g * (1 - np.tanh(x) ** 2), [x])
    assert report.verdict is Verdict.CANNOT_TELL
    assert "float16" in str(report)
