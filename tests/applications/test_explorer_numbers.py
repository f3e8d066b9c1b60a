"""The explorer's JavaScript computes what npae computes, in a real browser."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.browser import opened
from helpers.small_models import TYPES, data_for, fitted, unfitted

import npae
from npae import Autoencoder
from npae.applications.explore import explore
from npae.gradcheck.bugs import BUGS, BugCase
from npae.kernels import reference_kernels
from npae.layers import (
    ActivityL1,
    AveragePool2D,
    Conv2D,
    Dense,
    Flatten,
    LeakyReLU,
    MaxPool2D,
    ReLU,
    Reparameterization,
    Reshape,
    Sigmoid,
    Softplus,
    Tanh,
    TiedDense,
    UpSample2D,
)
from npae.utils.types import Array


class Page:
    """``window.npae`` of a page, with arrays of NumPy."""

    def __init__(self, page: Any) -> None:
        self.page = page

    def __getattr__(self, name: str) -> Any:
        def call(values: Array, **options: Any) -> Array:
            plain = {k: v.ravel().tolist() if isinstance(v, np.ndarray) else v for k, v in options.items()}
            script = f"([values, options]) => npae.{name}(values, options)"
            return np.array(self.page.evaluate(script, [np.asarray(values, float).ravel().tolist(), plain]))

        return call


@pytest.fixture(scope="module")
def on_page(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Function that opens the explorer of a model and returns its ``window.npae``."""
    folder, contexts = tmp_path_factory.mktemp("pages"), []

    def make(model: Any, X: Array, **options: Any) -> Page:
        path = Path(folder / f"{len(contexts)}.html")
        explore(model, X, out=path, **options)
        contexts.append(opened(browser, path))
        return Page(contexts[-1].__enter__().page)

    yield make
    for context in contexts:
        context.__exit__(None, None, None)


def trained_parts(net: Autoencoder) -> tuple[Array | None, Array | None]:
    """The noisy input and the ε of the last call of ``gradient``, None where there is none."""
    noisy = net.corrupt.layers[-1].y.copy() if net.corrupt.layers else None
    eps = next((layer.eps.copy() for layer in net.code.layers if isinstance(layer, Reparameterization)), None)
    return noisy, eps


def compare_gradients(page: Page, net: Autoencoder, x: Array, **options: Any) -> None:
    loss = net.gradient(x)
    noisy, eps = trained_parts(net)
    options |= {} if eps is None else {"eps": eps}
    found = page.gradient(x if noisy is None else noisy, target=x, **options)
    for name, view, right in net.arena.parameters():
        start = (view.ctypes.data - net.theta.ctypes.data) // net.theta.itemsize
        part = found[start : start + view.size].reshape(view.shape)
        assert np.abs(part - right).max() <= 1e-5 * np.abs(right).max() + 1e-12, name
    losses = page.loss(x if noisy is None else noisy, target=x, **options)
    assert losses.mean() + net.terms.get("weight_decay", 0) == pytest.approx(loss, rel=1e-5)


@pytest.mark.parametrize("kind", TYPES)
def test_codes_images_losses_and_gradients_of_the_five_types_are_those_of_npae(kind, on_page):
    model, X = fitted(kind), data_for(kind)
    page, net = on_page(model, X), model.network_
    codes = model.transform(X)
    assert np.abs(page.encode(X) - codes.ravel()).max() < 2e-5
    assert np.abs(page.decode(codes) - net.decode(codes).ravel()).max() < 2e-5
    np.testing.assert_allclose(page.loss(X), net.losses(X), rtol=1e-5)
    compare_gradients(page, net, X[:5])


def test_a_conditional_model_decodes_with_the_label_as_npae_does(on_page):
    X, places = data_for("variational"), np.arange(24) % 3
    model = unfitted("variational", conditional=True).fit(X, np.array(["a", "b", "c"])[places])
    page, net = on_page(model, X, labels=model.classes_[places]), model.network_
    codes, labels = net.encode(X), places.tolist()
    assert np.abs(page.decode(codes, labels=labels) - net.decode(codes, places).ravel()).max() < 2e-5
    np.testing.assert_allclose(page.loss(X, labels=labels), net.losses(X, labels=places), rtol=1e-5)
    net.gradient(X[:5], labels=places[:5])
    found = page.gradient(X[:5], labels=labels[:5], eps=trained_parts(net)[1])
    assert np.abs(found - net.dtheta).max() < 1e-5 * np.abs(net.dtheta).max()
    with pytest.raises(Exception, match="give labels, a whole number from 0 to 2 for each of 24 samples"):
        page.decode(codes, labels=[3] * 24)


def test_weights_of_float16_err_by_less_than_two_thousandths(on_page):
    model, X = fitted("deep"), data_for("deep")
    page = on_page(model, X, weights="float16")
    codes = model.transform(X)
    assert 0 < np.abs(page.encode(X) - codes.ravel()).max() < 2e-3
    assert 0 < np.abs(page.decode(codes) - model.inverse_transform(codes).ravel()).max() < 2e-3


IMAGE = (7, 6, 2)
#: Networks with all layers, windows that overlap, odd sizes and options other than the defaults.
NETWORKS: dict[str, tuple[Any, tuple[int, ...]]] = {
    "tied with every activation": (
        lambda: Autoencoder(
            [Dense(9), Softplus(), Dense(6), Tanh(), Dense(4), LeakyReLU(0.2)],
            [TiedDense("encoder.4"), Sigmoid(), Dense(9), ReLU(), TiedDense("encoder.0"), Sigmoid()],
            loss="bce_on_probabilities",
            code=[ActivityL1(0.03)],
            weight_decay=0.01,
        ),
        (12,),
    ),
    "pooling by means and bilinear upsampling": (
        lambda: Autoencoder(
            [
                Conv2D(3, (3, 2), stride=(1, 2), padding=((1, 0), (0, 1))),
                AveragePool2D((3, 2), stride=(2, 1)),
                Flatten(),
            ],
            [
                Dense(3 * 3 * 3),
                Reshape((3, 3, 3)),
                UpSample2D((2, 2), mode="bilinear", output_size=(6, 6)),
                Conv2D(2, (3, 3), padding=((2, 1), (1, 1))),
            ],
            loss="mse",
        ),
        IMAGE,
    ),
    "overlapping maxima and a Gaussian code": (
        lambda: Autoencoder(
            [MaxPool2D(3, stride=2), Conv2D(4, 2), ReLU(), Flatten()],
            [Dense(4 * 3 * 2), Reshape((4, 3, 2)), UpSample2D(2, output_size=(7, 6))],
            loss="bce",
            code=[Reparameterization(3, beta=0.7), ActivityL1(0.1)],
            weight_decay=0.02,
        ),
        IMAGE,
    ),
}


def perturb(net: Autoencoder) -> None:
    """Biases that are not zero, and parameters as the page holds them."""
    generator = np.random.default_rng(1)
    for _, view, _ in net.arena.parameters():
        view[...] = (view + 0.1 * generator.standard_normal(view.shape)).astype(np.float32)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_layer_computes_what_npae_computes(name, on_page):
    make, shape = NETWORKS[name]
    net = make().build(shape, seed=3, dtype="float64", kernels=reference_kernels())
    perturb(net)
    X = np.random.default_rng(0).random((6, *shape)).astype(np.float32).astype(float)
    page = on_page(net, X)
    codes = net.encode(X)
    assert np.abs(page.encode(X) - codes.ravel()).max() < 1e-9
    assert np.abs(page.decode(codes) - net.decode(codes).ravel()).max() < 1e-9
    compare_gradients(page, net, X)


# Planted mistakes

MISTAKEN: dict[str, tuple[Any, tuple[int, ...]]] = {
    "activations, tied, weight decay": (
        lambda: Autoencoder(
            [Dense(12), Tanh(), Dense(6), ReLU(), Dense(6), LeakyReLU(0.2), Dense(4)],
            [Dense(6), Sigmoid(), Dense(12), ReLU(), TiedDense("encoder.0")],
            loss="mse",
            weight_decay=0.5,
        ),
        (12,),
    ),
    "probabilities": (
        lambda: Autoencoder([Dense(4), ReLU()], [Dense(12), Sigmoid()], loss="bce_on_probabilities"),
        (12,),
    ),
    "variational": (
        lambda: Autoencoder([Dense(9), ReLU()], [Dense(12)], loss="bce", code=[Reparameterization(3, beta=0.7)]),
        (12,),
    ),
    "convolutional": (
        lambda: Autoencoder(
            [Conv2D(3), ReLU(), MaxPool2D((3, 2), stride=2), Conv2D(4, 2), AveragePool2D((2, 1)), Flatten(), Dense(4)],
            [
                Dense(2 * 3 * 2),
                Reshape((2, 3, 2)),
                UpSample2D((2, 1), mode="bilinear"),
                Conv2D(3, (2, 3)),
                UpSample2D(2),
                Conv2D(2, 3),
            ],
            loss="bce",
        ),
        (8, 6, 2),  # the library's upsampling knows whole multiples only
    ),
    "windows that overlap and are padded": (
        lambda: Autoencoder(
            [
                Conv2D(2, (3, 2), stride=(2, 1), padding=((1, 0), (0, 1))),
                MaxPool2D((3, 2), stride=1, padding=((1, 1), (1, 0))),
                AveragePool2D((3, 2), stride=(2, 1)),
                Flatten(),
                Dense(3),
            ],
            [Dense(4 * 3 * 2), Reshape((4, 3, 2)), UpSample2D((2, 2))],
            loss="mse",
        ),
        (8, 6, 2),
    ),
}


def offered(page: Page) -> list[tuple[str, str]]:
    """(layer, kind/name) of every mistake that the microscope offers."""
    page.page.get_by_role("button", name="Backpropagation microscope").click()
    options = page.page.get_by_label("Mistake", exact=True).locator("option").all()
    keys = [option.get_attribute("data-key") for option in options]
    return [tuple(key.rsplit(" ", 1)) for key in keys if key]  # type: ignore[misc]


def library_gradient(net: Autoencoder, layer: Any, key: str, dy: Array) -> dict[str, Array]:
    """The mistaken gradients by block, computed by the library from the layer's arrays; "x" is that by its input."""
    kind, name = key.split("/")
    bug = next(b for b in BUGS if (b.kind, b.name) == (kind, name))
    case = BugCase(**case_of(net, layer, kind), g=dy)
    case.y = getattr(layer, "y", None)
    if kind == "reparameterization":
        case.g = (dy, 1.0)
    wrong = bug.gradients(case)
    return {"x": wrong["x"]} if kind == "activated-dense" else wrong  # the rest is of the layer before


def case_of(net: Autoencoder, layer: Any, kind: str) -> dict[str, Any]:
    x = layer.seen_x
    if kind == "dense":
        return {"x": x, "W": layer.W, "b": layer.b}
    if kind == "convolution":
        padding = [(axis.before, axis.n_padded - axis.n_in - axis.before) for axis in (layer.rows, layer.columns)]
        return {"x": x, "W": layer.W, "b": layer.b, "stride": layer.stride, "padding": padding}
    if kind.endswith("pool"):
        padding = [(axis.before, axis.n_padded - axis.n_in - axis.before) for axis in (layer.rows, layer.columns)]
        options = {"size": layer.size, "stride": layer.stride, "padding": padding, "counts_border": False}
        return {"x": x, **options}
    if kind.endswith("upsampling"):
        return {"x": x, "factor": layer.factor}
    if kind == "activated-dense":  # of W = 1, so that x is what the activation is given
        return {"x": x, "W": np.eye(x.shape[1]), "b": None, "activation": type(layer).__name__.lower()}
    if kind in ("leaky-relu", "sigmoid"):
        return {"x": x, "alpha": getattr(layer, "slope", None), "turn": 1.0}
    if kind == "reparameterization":
        beta = layer.beta
        return {"mu": layer.mu.copy(), "log_var": layer.log_var.copy(), "eps": layer.eps.copy(), "beta": beta}
    return {"x": x}


def with_mistake(net: Autoencoder, layer: Any, key: str) -> None:
    """Replace the layer's backward pass by one with the library's gradients."""
    right = type(layer).backward

    def backward(dy: Array) -> Array:
        if key.startswith("tied/"):
            return tied_backward(net, layer, key, dy)
        dx = right(layer, dy).copy()
        wrong = library_gradient(net, layer, key, dy)
        if key.startswith("reparameterization/"):
            parts = {"mu": layer.dmu.copy(), "log_var": layer.dlog_var.copy()} | wrong
            layer.dmu[...], layer.dlog_var[...] = parts["mu"], parts["log_var"]
            return layer.mu_head.backward(layer.dmu) + layer.log_var_head.backward(layer.dlog_var)
        for block, gradient in wrong.items():
            if block != "x":  # of tied weights it is the layer's own share that is wrong
                share = layer.tied_dW if block == "W" and getattr(layer, "is_tied", False) else 0
                getattr(layer, f"d{block}")[...] = gradient + share
        return wrong.get("x", dx)

    layer.backward = backward


def tied_backward(net: Autoencoder, layer: Any, key: str, dy: Array) -> Array:
    """A wrong share of dW, or a wrong sum of the shares."""
    shared = layer.tied_dW.copy() if isinstance(layer, Dense) else None
    dx = type(layer).backward(layer, dy)
    if key == "tied/encoder-only":
        layer.partner.tied_dW[...] = 0
    elif key == "tied/untransposed":
        layer.partner.tied_dW[...] = layer.seen_x.T @ dy
    elif key == "tied/averaged":
        layer.dW /= 2
    else:
        layer.dW[...] = shared
    return dx


def expected_gradient(net: Autoencoder, name: str, key: str, x: Array) -> Array:
    """``dtheta`` where the layer, or the loss, has the mistake."""
    if name == "loss":
        return gradient_with_wrong_loss(net, key, x)
    if name == "weight decay":
        return gradient_with_wrong_decay(net, key, x)
    layer = net.arena.layers[name]
    forward = type(layer).forward

    def seeing(value: Array) -> Array:
        layer.seen_x = value.copy()
        return forward(layer, value)

    layer.forward = seeing
    with_mistake(net, layer, key)
    try:
        net.gradient(x)
        return net.dtheta.copy()
    finally:
        del layer.forward, layer.backward


def gradient_with_wrong_loss(net: Autoencoder, key: str, x: Array) -> Array:
    kind, name = key.split("/")
    bug = next(b for b in BUGS if (b.kind, b.name) == (kind, name))
    right = net.loss.value_and_gradient

    def wrong(y: Array, t: Array) -> tuple[Array, Array]:
        losses, dy = right(y, t)
        first = {"mse": "p", "bce": "p", "bce-on-logits": "z"}[kind]
        case = BugCase(**{first: y.copy()}, t=t, share=1 / len(y), g=1.0)
        dy[...] = next(iter(bug.gradients(case).values()))
        return losses, dy

    net.loss.value_and_gradient = wrong  # type: ignore[method-assign]
    try:
        net.gradient(x)
        return net.dtheta.copy()
    finally:
        del net.loss.value_and_gradient


def gradient_with_wrong_decay(net: Autoencoder, key: str, x: Array) -> Array:
    """The library's dW for x = 1, whose data's part is the upstream gradient."""
    net.gradient(x)
    found, decayed = net.dtheta.copy(), net.arena.decayed
    W = net.theta[decayed][:, None]
    data = found[decayed][:, None] - net.weight_decay * W
    bug = next(b for b in BUGS if f"{b.kind}/{b.name}" == key)
    case = BugCase(x=np.eye(len(W)), W=W, g=(data, 1.0), strength=net.weight_decay, samples=len(x))
    found[decayed] = bug.gradients(case)["W"][:, 0]
    return found


@pytest.mark.parametrize("name", MISTAKEN)
def test_a_planted_mistake_is_that_of_the_library_and_differs_from_the_right_gradient(name, on_page):
    make, shape = MISTAKEN[name]
    net = make().build(shape, seed=3, dtype="float64", kernels=reference_kernels(), fuse=False)
    perturb(net)
    X = np.random.default_rng(0).random((4, *shape)).astype(np.float32).astype(float)
    page = on_page(net, X)
    net.gradient(X)
    right, (_, eps) = net.dtheta.copy(), trained_parts(net)
    options = {} if eps is None else {"eps": eps}
    keys = offered(page)
    assert len(keys) > 3
    for layer, key in keys:
        if key.endswith("fresh-ε"):  # it has numbers of its own
            found = page.gradient(X, mistake=key, layer=layer, **options)
            assert not np.allclose(found, right, rtol=1e-3)
            continue
        expected = expected_gradient(net, layer, key, X)
        found = page.gradient(X, mistake=key, layer=layer, **options)
        np.testing.assert_allclose(found, expected, atol=1e-8 * np.abs(expected).max(), err_msg=f"{layer} {key}")
        assert np.abs(found - right).max() > 1e-3 * np.abs(right).max(), (layer, key)


def test_an_unknown_mistake_or_a_wrong_number_of_values_is_refused(on_page):
    model, X = fitted("vanilla"), data_for("vanilla")
    page = on_page(model, X)
    with pytest.raises(Exception, match=r"there is no mistake dense/nonsense for the layer encoder\.0"):
        page.gradient(X[:2], mistake="dense/nonsense", layer="encoder.0")
    with pytest.raises(Exception, match="z has 5 values; give a multiple of 4"):
        page.decode(np.zeros(5))


def test_the_root_offers_explore_without_importing_it_before():
    assert npae.explore is explore
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = npae.nonsense
