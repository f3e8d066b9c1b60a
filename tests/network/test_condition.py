"""Conditional networks: labels reach the decoder and only it, in every pass, on every path."""

from typing import Any

import numpy as np
import pytest
from helpers.finite_difference import layer_errors, network_errors, randomize
from helpers.small_models import samples

from npae import Autoencoder
from npae.gradcheck import check_model
from npae.gradcheck.report.verdict import Verdict
from npae.layers import AppendLabel, Conv2D, Dense, Flatten, Layer, Reparameterization, Reshape, Tanh, UpSample2D
from npae.storage.export import export_encoder, export_python
from npae.training.optimizers import Adam
from npae.training.trainer import Training
from npae.utils.types import Array

LABELS = np.array([2, 0, 1, 2, 0, 0])


def network(*, kernels: Any = None, dtype: str = "float64", **options: Any) -> Autoencoder:
    encoder, decoder = [Dense(6), Tanh()], [AppendLabel(3), Dense(7), Tanh(), Dense(8)]
    net = Autoencoder(encoder, decoder, code=[Reparameterization(2)])
    return net.build((8,), dtype=dtype, kernels=kernels, **options)


def images(kernels: Any = None) -> Autoencoder:
    decoder: list[Layer] = [AppendLabel(3), Dense(8), Reshape((2, 2, 2)), Tanh(), UpSample2D(), Conv2D(1)]
    net = Autoencoder([Flatten(), Dense(2)], decoder, loss="mse")
    return net.build((4, 4, 1), dtype="float64", kernels=kernels)


X = samples(6, 8).astype("float64")


# Gradients


def test_the_gradient_of_a_code_with_its_label_is_that_of_the_code(kernels: Any) -> None:
    layer = AppendLabel(3).build((4,), dtype="float64", kernels=kernels)
    generator = np.random.default_rng(0)
    x = generator.standard_normal((6, 4))
    layer.arena.resize(6)
    layer.labels[:] = LABELS
    np.testing.assert_array_equal(layer(x), np.concatenate([x, np.eye(3)[LABELS]], axis=1))
    assert layer_errors(layer, x, generator)["dx"] < 1e-7


@pytest.mark.parametrize("make", [network, images])
def test_every_gradient_of_a_conditional_network(kernels: Any, make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    net = make(kernels=kernels)
    randomize(net.arena, np.random.default_rng(1))
    gradient = net.gradient
    monkeypatch.setattr(net, "gradient", lambda x, target: gradient(x, target, labels=LABELS))
    assert max(network_errors(net, samples(6, *net.input_shape).astype("float64")).values()) < 1e-5


def test_the_loss_is_that_of_a_decoder_that_is_given_code_and_label_by_hand(kernels: Any) -> None:
    net = network(kernels=kernels)
    mu = net.encode(X)
    h = np.concatenate([mu, np.eye(3)[LABELS]], axis=1)
    layers = net.decoder.layers
    logits = np.tanh(h @ layers[1].W + layers[1].b) @ layers[3].W + layers[3].b
    np.testing.assert_allclose(net.decode(mu, LABELS), 1 / (1 + np.exp(-logits)), rtol=1e-12)
    log_var = net.code.layers[0].log_var
    net.encode(X)
    kl = 0.5 * (mu**2 + np.exp(log_var) - 1 - log_var).sum(axis=1)
    expected = (np.logaddexp(0, logits) - X * logits).sum(axis=1) + kl
    np.testing.assert_allclose(net.losses(X, labels=LABELS), expected, rtol=1e-12)
    np.testing.assert_allclose(net.losses(X, X, labels=LABELS), expected, rtol=1e-12)
    np.testing.assert_allclose(net.losses(X, any_range=True, labels=LABELS), expected, rtol=1e-12)
    assert not np.allclose(net.losses(X, labels=(LABELS + 1) % 3), expected)


def test_codes_do_not_depend_on_labels() -> None:
    net = network()
    before = net.encode(X)
    net.losses(X, labels=LABELS)
    np.testing.assert_array_equal(net.encode(X), before)


def test_more_samples_than_a_batch_are_decoded_with_their_own_labels() -> None:
    net = network()
    z, labels = np.zeros((700, 2)), np.arange(700) % 3
    decoded = net.decode(z, labels)
    np.testing.assert_allclose(decoded[:3], net.decode(z[:3], [0, 1, 2]), rtol=1e-12)
    np.testing.assert_array_equal(decoded, decoded[labels])


def test_the_gradient_checker_passes_a_conditional_network_and_finds_a_wrong_gradient(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert check_model(network(), X[:3], mode="fast").verdict == Verdict.PASS

    def of_the_label(self: Any, dy: Array) -> Array:
        self.dx[...] = dy[:, -self.dx.shape[1] :]
        return self.dx

    monkeypatch.setattr(AppendLabel, "backward", of_the_label)
    assert check_model(network(), X[:3], mode="fast").verdict == Verdict.WRONG


# Training


def trained(n_jobs: int = 1, *, recorded: bool = True, labels: Array = LABELS, dtype: str = "float32") -> Array:
    net = network(dtype=dtype, recorded=recorded)
    x = X.astype(dtype)
    training = Training(net, Adam(0.05), batch_size=4, n_jobs=n_jobs)
    training.fit(x, 3, labels=labels, validation=x[:2], validation_labels=labels[:2])
    np.testing.assert_allclose(training.history["validation_loss"][-1], net.losses(x[:2], labels=labels[:2]).mean())
    return net.theta.copy()


@pytest.mark.parametrize("n_jobs", [1, 2, 3])
def test_a_recorded_run_has_the_bits_of_one_that_calls_layers(n_jobs: int) -> None:
    theta = trained(n_jobs)
    np.testing.assert_array_equal(theta, trained(n_jobs, recorded=False))
    assert not np.array_equal(theta, trained(n_jobs, labels=(LABELS + 1) % 3))


def test_a_layer_of_ones_own_beside_labels_learns_from_them() -> None:
    class Own(Layer):
        def plan(self, input_shape: Any, arena: Any) -> Any:
            return input_shape

        def forward(self, x: Array) -> Array:
            return x

        def backward(self, dy: Array) -> Array:
            return dy

    def run(labels: Array) -> Array:
        net = Autoencoder([Own(), Dense(2)], [AppendLabel(3), Dense(8)]).build((8,))
        Training(net, Adam(0.05), batch_size=4).fit(X, 2, labels=labels)
        return net.theta.copy()

    assert not np.array_equal(run(LABELS), run((LABELS + 1) % 3))


# Refusals


@pytest.mark.parametrize(
    "use",
    [
        lambda net, labels: net.gradient(X, labels=labels),
        lambda net, labels: net.decode(X[:, :2], labels),
        lambda net, labels: net.reconstruct(X, labels),
        lambda net, labels: net.losses(X, labels=labels),
        lambda net, labels: list(net.outputs(X, labels)),
        lambda net, labels: Training(net, Adam(), batch_size=3).fit(X, 1, labels=labels),
        lambda net, labels: Training(net, Adam(), batch_size=3).fit(
            X, 1, labels=LABELS, validation=X, validation_labels=labels
        ),
    ],
)
@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (
            None,
            "this network is conditional: it decodes a code with its label; give labels, a whole number from 0 to 2",
        ),
        (LABELS[:5], r"labels of int64 and shape \(5,\) were given for 6 samples"),
        (LABELS / 1, "labels of float64"),
        (LABELS - 1, "labels run from -1 to 1; give labels|labels run from -1 to 1; give a whole number from 0 to 2"),
        (LABELS + 1, "labels run from 1 to 3"),
    ],
)
def test_labels_that_are_missing_or_wrong_are_refused(use: Any, labels: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        use(network(), labels)


def test_labels_for_a_network_without_a_condition_are_refused() -> None:
    net = Autoencoder([Dense(2)], [Dense(8)]).build((8,))
    with pytest.raises(ValueError, match="labels were given, but this network is not conditional; leave them out"):
        net.decode(np.zeros((6, 2)), LABELS)


def test_labels_are_for_one_place_in_the_decoder_of_flat_codes() -> None:
    with pytest.raises(ValueError, match="AppendLabel is a layer of decoders"):
        Autoencoder([AppendLabel(2), Dense(2)], [Dense(8)]).build((8,))
    with pytest.raises(ValueError, match="the decoder has 2 layers AppendLabel; one is enough"):
        Autoencoder([Dense(2)], [AppendLabel(2), Dense(3), AppendLabel(2), Dense(8)]).build((8,))
    with pytest.raises(ValueError, match=r"AppendLabel needs samples of shape \(n,\), but is given \(2, 4\)"):
        Autoencoder([], [AppendLabel(2)]).build((2, 4))


def test_a_conditional_decoder_is_not_exported_and_its_encoder_is(tmp_path: Any) -> None:
    net = network()
    with pytest.raises(ValueError, match="it decodes a code with its label, for which an exported decoder has"):
        export_python(net, tmp_path / "m.py")
    assert not (tmp_path / "m.py").exists()
    export_encoder(net, tmp_path / "m.safetensors")
