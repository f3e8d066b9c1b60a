"""Known mistakes are named in the layouts in which people write a computation, and only where they are made."""

import numpy as np
import pytest

from npae.gradcheck import check, check_grad
from npae.gradcheck.bugs import KINDS, make_case
from npae.gradcheck.bugs.identify import recognize
from npae.gradcheck.bugs.inject import layouts_of
from npae.gradcheck.selftest.__main__ import elsewhere, report_on

RNG = np.random.default_rng(0)


def names(report):
    return {name.bug: name.blocks for name in report.names}


def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


# Dense layers


def torch_style(x, W, b):
    return x @ W.T + b


def columns(W, X, b):
    return W @ X + b


x, W, b = RNG.normal(size=(3, 4)), RNG.normal(size=(5, 4)), RNG.normal(size=5)
X, column = RNG.normal(size=(4, 3)), RNG.normal(size=(5, 1))


@pytest.mark.parametrize(
    ("backward", "expected"),
    [
        (lambda g, x, W, b: (g @ W, x.T @ g, g.sum(axis=0)), {"dW-transposed": ("W",)}),
        (lambda g, x, W, b: (g @ W, g.T @ x / len(x), g.sum(axis=0)), {"double-average": ("W",)}),
        (lambda g, x, W, b: (g @ W, g.T @ x, g.mean(axis=0)), {"db-mean": ("b",)}),
        (lambda g, x, W, b: (g @ W, g.T @ x, g.sum()), {"db-scalar": ("b",)}),
        (lambda g, x, W, b: (g @ W, np.outer(g[0], x[0]), g.sum(axis=0)), {"return-in-loop": ("W",)}),
        (lambda g, x, W, b: (g @ W.T, g.T @ x, g.sum(axis=0)), {"no-transpose": ("x",)}),
    ],
)
def test_weights_whose_rows_are_outputs(backward, expected):
    report = check(torch_style, backward, [x, W, b])
    assert names(report) == expected, str(report)


@pytest.mark.parametrize(
    ("backward", "expected"),
    [
        (lambda g, W, X, b: (X @ g.T, W.T @ g, g.sum(axis=1, keepdims=True)), {"dW-transposed": ("W",)}),
        (lambda g, W, X, b: (g @ X.T / X.shape[1], W.T @ g, g.sum(1, keepdims=True)), {"double-average": ("W",)}),
        (lambda g, W, X, b: (g @ X.T, W.T @ g, g.mean(axis=1, keepdims=True)), {"db-mean": ("b",)}),
        (lambda g, W, X, b: (g @ X.T, W.T @ g, np.full((5, 1), g.sum())), {"db-scalar": ("b",)}),
        (lambda g, W, X, b: (np.outer(g[:, -1], X[:, -1]), W.T @ g, g.sum(1, keepdims=True)), {"last-sample": ("W",)}),
    ],
)
def test_samples_in_columns(backward, expected):
    report = check(columns, backward, [W, X, column])
    assert names(report) == expected, str(report)


def test_the_letters_of_a_formula_are_explained_where_they_stand_for_another_view():
    report = check(columns, lambda g, W, X, b: (X @ g.T, W.T @ g, g.sum(axis=1, keepdims=True)), [W, X, column])
    assert report.names[0].formula == "dW = gᵀ x, where x = X.T, W = W.T, g = g.T"
    own = check(lambda x, W: x @ W, lambda g, x, W: (g @ W.T, x.T @ g / len(x)), [x, W.T.copy()])
    assert own.names[0].formula == "dW = xᵀ g / N"


def test_a_product_is_read_by_the_names_of_its_factors():
    def backward(g, W, X):
        return g @ X.T / X.shape[1], W.T @ g

    assert names(check(lambda W, X: W @ X, backward, [W, X])) == {"double-average": ("W",)}
    # The same numbers with x first are no known mistake: x's gradient is divided by the number of outputs.
    report = check(lambda x, W: x @ W, lambda g, x, W: (g @ W.T / W.shape[1], x.T @ g), [W, X])
    assert names(report) == {}, str(report)


@pytest.mark.parametrize("shape", [(5,), (1, 5)])
def test_a_bias_with_an_axis_of_length_1(shape):
    def backward(g, x, W, b):
        return g @ W.T, x.T @ g, g.mean(axis=0).reshape(shape)

    report = check(lambda x, W, b: x @ W + b, backward, [x, W.T.copy(), RNG.normal(size=shape)])
    assert names(report) == {"db-mean": ("b",)}


def test_one_vector_for_a_batch():
    def backward(g, x, W, b):
        return g @ W, np.outer(x, g), g

    vector = RNG.normal(size=4)
    assert names(check(lambda x, W, b: W @ x + b, backward, [vector, W, b])) == {"dW-transposed": ("W",)}

    def summed(g, x, W, b):
        return W.T @ g, np.outer(g, x), g.sum()

    assert names(check(lambda x, W, b: W @ x + b, summed, [vector, W, b])) == {"db-scalar": ("b",)}


@pytest.mark.parametrize("n", [2, 14])
def test_sequences_averaged_over_sequences_or_over_all_elements(n):
    sequences, V = RNG.normal(size=(2, 7, 4)), RNG.normal(size=(4, 5))

    def backward(g, x, W, b):
        return g @ W.T, np.einsum("ntd,nte->de", x, g) / n, g.sum(axis=(0, 1))

    report = check(lambda x, W, b: x @ W + b, backward, [sequences, V, b])
    assert names(report) == {"double-average": ("W",)}, str(report)
    assert ("N = len(x)" in report.names[0].formula) == (n == 2)


def test_parameters_in_a_dict_and_in_another_order():
    def gradient(g, params, x):
        return {"b": g.mean(axis=0), "W": x.T @ g}

    params = {"b": b, "W": W.T.copy()}
    report = check(lambda params, x: x @ params["W"] + params["b"], gradient, [params, x], wrt=["params"])
    assert names(report) == {"db-mean": ("params.b",)}


# Images


def convolution(x, W, b):
    """(N, C, H, W) with kernels (F, C, KH, KW), stride 1, no padding."""
    kh, kw = W.shape[2:]
    windows = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(2, 3))
    return np.einsum("nchwkl,fckl->nfhw", windows, W) + b.reshape(1, -1, 1, 1)


def convolution_backward(g, x, W, b, add=True):
    dx, dW, (kh, kw) = np.zeros_like(x), np.zeros_like(W), W.shape[2:]
    for i, j in np.ndindex(g.shape[2:]):
        window = np.s_[:, :, i : i + kh, j : j + kw]
        part = np.einsum("nf,fckl->nckl", g[:, :, i, j], W)
        dx[window] = dx[window] + part if add else part
        dW += np.einsum("nf,nckl->fckl", g[:, :, i, j], x[window])
    return dx, dW, g.sum(axis=(0, 2, 3)).reshape(b.shape)


@pytest.mark.parametrize("bias", [(3,), (3, 1, 1), (1, 3, 1, 1)])
def test_channels_before_height_and_width(bias):
    inputs = [RNG.normal(size=(2, 2, 5, 4)), RNG.normal(size=(3, 2, 3, 2)), RNG.normal(size=bias)]

    def wrong(g, x, W, b):
        dx, dW, db = convolution_backward(g, x, W, b, add=False)
        return dx, dW, db / (g.shape[2] * g.shape[3])

    assert check(convolution, convolution_backward, inputs).passed
    report = check(convolution, lambda g, x, W, b: convolution_backward(g, x, W, b, add=False), inputs)
    assert names(report) == {"col2im-assign": ("x",)}
    report = check(convolution, wrong, inputs)
    assert names(report) == {"col2im-assign": ("x",)}  # the other one is not known


def test_overlapping_windows_of_max_pooling_with_channels_first():
    image = RNG.permutation(2 * 3 * 5 * 6).reshape(2, 3, 5, 6) / 10

    def pool(x):
        return np.lib.stride_tricks.sliding_window_view(x, (3, 2), axis=(2, 3))[:, :, ::2].max(axis=(4, 5))

    def backward(g, x):
        dx = np.zeros_like(x)
        for n, c, i, j in np.ndindex(g.shape):
            window = x[n, c, 2 * i : 2 * i + 3, j : j + 2]
            k, m = np.unravel_index(window.argmax(), window.shape)
            dx[n, c, 2 * i + k, j + m] = g[n, c, i, j]
        return dx

    assert names(check(pool, backward, [image])) == {"assign": ("x",)}


# Normalisation


@pytest.mark.parametrize("axes", [(0,), (0, 2, 3), (0, 1, 2)])
def test_batch_normalisation_of_tables_and_images(axes):
    shape = (4, 3) if len(axes) == 1 else (2, 3, 2, 4)
    channel = 3 if axes == (0, 1, 2) else 1
    like = [shape[channel] if i == channel else 1 for i in range(len(shape))]
    values = [RNG.normal(size=shape), RNG.normal(size=like), RNG.normal(size=like)]

    def h_of(x):
        s = np.sqrt(x.var(axis=axes, keepdims=True) + 1e-3)
        return (x - x.mean(axis=axes, keepdims=True)) / s, s

    def f(x, gamma, beta):
        return gamma * h_of(x)[0] + beta

    def without_mean(g, x, gamma, beta):
        (h, s), dh = h_of(x), g * gamma
        dx = (dh - h * (dh * h).mean(axis=axes, keepdims=True)) / s
        return dx, (g * h).sum(axis=axes, keepdims=True), g.sum(axis=axes, keepdims=True)

    assert names(check(f, without_mean, values)) == {"no-mean-part": ("x",)}


def test_softmax_over_rows_of_columns_and_labels_of_both_kinds():
    z, labels = RNG.normal(size=(5, 3)), np.array([0, 2, 1, 1, 0])

    def by_columns(z):
        return softmax(z.T).T

    def diagonal(g, z):
        p = by_columns(z)
        return g * p * (1 - p)

    assert names(check(by_columns, diagonal, [z])) == {"diagonal-only": ("z",)}

    def loss(z, t):
        return -np.log(softmax(z)[np.arange(len(z)), t]).mean()

    def gradient(z, t):
        dz = softmax(z)
        dz[:, t] -= 1
        return dz / len(z)

    assert names(check_grad(loss, gradient, z, labels)) == {"every-row": ("z",)}
    each = check(
        lambda z, t: -np.log(softmax(z)[np.arange(len(z)), t]), lambda g, z, t: g[:, None] * softmax(z), [z, labels]
    )
    assert names(each) == {"no-target": ("z",)}


def test_attention_with_batches_and_heads():
    q, k, v = (RNG.normal(size=(2, 2, n, d)) for n, d in ((3, 4), (5, 4), (5, 6)))

    def f(q, k, v):
        return softmax(q @ k.swapaxes(-1, -2) / 2) @ v

    def backward(g, q, k, v):
        a = softmax(q @ k.swapaxes(-1, -2) / 2)
        da = g @ v.swapaxes(-1, -2)
        ds = a * (da - (da * a).sum(axis=-1, keepdims=True))
        return ds @ k, ds.swapaxes(-1, -2) @ q, a.swapaxes(-1, -2) @ g

    assert names(check(f, backward, [q, k, v])) == {"no-scale": ("q", "k")}


# Accumulation


def test_accumulation_in_several_parameters_is_named_for_any_function():
    class Layer:
        dW = db = 0.0

        def backward(self, g, x, W, b):
            self.dW, self.db = self.dW + x.T @ g, self.db + g.sum(axis=0)
            return g @ W.T, self.dW, self.db

    report = check(lambda x, W, b: x @ W + b, Layer().backward, [x, W.T.copy(), b])
    assert names(report) == {"stale-accumulate": ("W", "b")}
    assert report.names[0].formula == "dW, db + what the calls before gave"
    total = np.zeros(4)

    def grows(g, s):
        nonlocal total
        total = total + g * np.exp(s) * np.cos(np.exp(s))
        return total

    report = check(lambda s: np.sin(np.exp(s)), grows, [RNG.normal(size=4)])
    assert names(report) == {"stale-accumulate": ("s",)}


# The library


@pytest.mark.parametrize("kind", [kind for kind in KINDS.values() if kind.name != "adam"], ids=lambda kind: kind.name)
def test_a_kind_is_recognised_in_each_of_its_layouts(kind):
    drawn = kind.draw(np.random.default_rng(1))
    given = {name: drawn[name] for name in kind.inputs if drawn.get(name) is not None}
    for layout in layouts_of(kind):
        c = {name: layout.give(name, array) for name, array in given.items()}
        y = make_case(kind, drawn, None).y
        outputs = [np.asarray(layout.give("y", part)) for part in (y if isinstance(y, tuple) else (y,))]
        assert any(r.kind is kind and r.layout is layout for r in recognize(c, outputs))


def test_mistakes_are_planted_in_other_layouts_too():
    planted = list(elsewhere())
    assert len(planted) > 150
    for bug, layout in planted[::20]:  # the self-test plants them all
        assert bug.name in [name.bug for name in report_on(bug, 0, layout).names]


def test_a_name_is_said_only_of_the_gradients_that_its_formula_gives():
    q, k, v = RNG.normal(size=(3, 4)), RNG.normal(size=(5, 4)), RNG.normal(size=(5, 6))

    def backward(g, q, k, v):
        a = softmax(q @ k.T / 2)
        da = g @ v.T
        ds = a * (da - (da * a).sum(axis=1, keepdims=True))
        return (ds @ k / 2) ** 2, ds.T @ q, a.T @ g

    report = check(lambda q, k, v: softmax(q @ k.T / 2) @ v, backward, [q, k, v])
    assert names(report) == {"no-scale": ("k",)}, str(report)


def test_an_unknown_number_is_not_fitted_to_a_gradient_of_one_entry():
    inputs = [RNG.normal(size=1), RNG.normal(size=(1, 4)), RNG.normal(size=4)]
    report = check(lambda x, W, b: x @ W + b, lambda g, x, W, b: (np.rint(g @ W.T), np.outer(x, g), g), inputs)
    assert names(report) == {}, str(report)
