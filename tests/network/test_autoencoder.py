"""Whole networks of all five types: gradients, encoding, decoding, reproducibility and error messages."""

import copy
import json
import pickle
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from helpers.finite_difference import network_errors, randomize, separated

from npae import Autoencoder, load
from npae.kernels import default_kernels, reference_kernels
from npae.layers import (
    ActivityL1,
    AveragePool2D,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GaussianNoise,
    Layer,
    LeakyReLU,
    MaskingNoise,
    MaxPool2D,
    ReLU,
    Reparameterization,
    Reshape,
    SaltAndPepperNoise,
    Sigmoid,
    Softplus,
    Tanh,
    TiedDense,
    UpSample2D,
)
from npae.network import recipes
from npae.network.batching import BATCH
from npae.training.optimizers import Adam
from npae.training.replicas import ThreadReplicas
from npae.utils.types import Array, Shape

# The five types, with everything that a recipe may add


def vanilla() -> Autoencoder:
    return Autoencoder([Dense(3), Sigmoid()], [Dense(7)], loss="bce")


def deep() -> Autoencoder:
    return Autoencoder(
        [Dense(5), LeakyReLU(0.1), Dense(2)],
        [Dense(5), Softplus(), Dense(7), Sigmoid()],
        loss="bce_on_probabilities",
        weight_decay=0.3,
    )


def tied_and_sparse() -> Autoencoder:
    return Autoencoder(
        [Dense(5), Tanh(), Dense(2)],
        [TiedDense("encoder.2"), Tanh(), TiedDense("encoder.0")],
        loss="mse",
        code=[ActivityL1(0.4)],
        weight_decay=0.2,
    )


def convolutional() -> Autoencoder:
    return Autoencoder(
        [Conv2D(3), ReLU(), MaxPool2D(), Conv2D(2, (2, 3)), Tanh(), AveragePool2D()],
        [UpSample2D(mode="bilinear"), Conv2D(3), ReLU(), UpSample2D(), Conv2D(2)],
        loss="bce",
        weight_decay=0.1,
    )


def denoising() -> Autoencoder:
    return Autoencoder(
        [Dense(5), Tanh(), Dropout(0.3), Dense(3)],
        [Dense(7)],
        loss="mse",
        corrupt=[GaussianNoise(0.4), MaskingNoise(0.2), SaltAndPepperNoise(0.2)],
    )


def variational() -> Autoencoder:
    return Autoencoder(
        [Dense(5), Tanh()],
        [Dense(5), Tanh(), Dense(7)],
        loss="bce",
        code=[Reparameterization(2, beta=2.5)],
        weight_decay=0.1,
    )


def convolutional_variational() -> Autoencoder:
    return Autoencoder(
        [Conv2D(2, stride=2), Softplus(), Flatten()],
        [Dense(12), Reshape((3, 2, 2)), UpSample2D(output_size=(5, 3)), Conv2D(2)],
        loss="mse",
        code=[Reparameterization(3, beta=0.3, warm_up_steps=10)],
    )


NETWORKS: dict[str, tuple[Callable[[], Autoencoder], Shape]] = {
    "vanilla": (vanilla, (7,)),
    "deep": (deep, (7,)),
    "tied and sparse": (tied_and_sparse, (7,)),
    "convolutional": (convolutional, (7, 5, 2)),
    "denoising": (denoising, (7,)),
    "variational": (variational, (7,)),
    "convolutional variational": (convolutional_variational, (5, 3, 2)),
}
NOISELESS = ["vanilla", "deep", "tied and sparse", "convolutional"]
every_network = pytest.mark.parametrize("name", NETWORKS)


def built(name: str, kernels: Any = None, *, seed: int = 3, dtype: str = "float64") -> Autoencoder:
    """The network with random parameters, so that no bias is zero."""
    make, shape = NETWORKS[name]
    network = make().build(shape, seed=seed, dtype=dtype, kernels=kernels or reference_kernels())
    randomize(network.arena, np.random.default_rng(1))
    return network


def samples(name: str, n: int) -> Array:
    """Values well within (0, 1), all different, so that every loss takes them and no pooling window is tied."""
    return 0.5 + separated((n, *NETWORKS[name][1]), np.random.default_rng(2), span=0.4)


# Gradients


@every_network
@pytest.mark.parametrize("n", [1, 3])
def test_the_gradient_of_the_whole_loss_by_every_parameter(kernels: Any, name: str, n: int) -> None:
    network = built(name, kernels)
    network.run.step = 4
    errors = network_errors(network, samples(name, n))
    assert max(errors.values()) < 1e-6, errors


@every_network
def test_the_gradient_for_a_target_that_is_not_the_input(kernels: Any, name: str) -> None:
    network = built(name, kernels)
    x = samples(name, 3)
    errors = network_errors(network, x, target=1 - x[::-1])
    assert max(errors.values()) < 1e-6, errors


@pytest.mark.parametrize("loss", ["bce", "bce_on_probabilities", "mse"])
def test_the_gradient_with_every_loss_weight_decay_and_penalty(kernels: Any, loss: str) -> None:
    network = Autoencoder(
        [Dense(4), Tanh(), ActivityL1(0.3)],
        [Dense(7), Sigmoid()],
        loss=loss,
        corrupt=[GaussianNoise(0.1)],
        code=[Reparameterization(3, beta=1.7)],
        weight_decay=0.05,
    ).build((7,), dtype="float64", kernels=kernels)
    assert max(network_errors(network, samples("vanilla", 3)).values()) < 1e-6
    assert list(network.terms) == ["reconstruction", "activity", "kl", "weight_decay"]


def test_two_penalties_of_one_kind_both_count_in_the_loss() -> None:
    network = Autoencoder([Dense(4), ActivityL1(0.3)], [Dense(7)], code=[ActivityL1(0.5)], loss="mse")
    network.build((7,), dtype="float64", kernels=reference_kernels())
    x = samples("vanilla", 3)
    assert max(network_errors(network, x).values()) < 1e-6
    assert network.gradient(x) == pytest.approx(network.losses(x).mean())


def test_weight_decay_is_half_lambda_times_the_squares_of_the_weights_and_spares_biases() -> None:
    network, plain = deep(), deep()
    plain.weight_decay = 0.0
    for n in (network, plain):
        n.build((7,), dtype="float64", kernels=reference_kernels())
        randomize(n.arena, np.random.default_rng(1))
    x = samples("deep", 3)
    extra = network.gradient(x) - plain.gradient(x)
    weights = {name: value for name, value, _ in network.arena.parameters() if name.endswith("W")}
    assert extra == pytest.approx(0.5 * 0.3 * sum(np.sum(W**2) for W in weights.values()))
    for (name, value, gradient), (_, _, bare) in zip(network.arena.parameters(), plain.arena.parameters(), strict=True):
        np.testing.assert_allclose(gradient - bare, 0.3 * value if name in weights else 0, atol=1e-12)


@every_network
def test_the_terms_add_up_to_the_loss(name: str) -> None:
    network = built(name)
    loss = network.gradient(samples(name, 3))
    assert loss == pytest.approx(sum(network.terms.values()), rel=1e-14)
    expected = {"reconstruction"}
    expected |= {"kl"} if "variational" in name else set()
    expected |= {"activity"} if "sparse" in name else set()
    expected |= {"weight_decay"} if network.weight_decay else set()
    assert set(network.terms) == expected


@every_network
def test_a_step_along_the_gradient_lowers_the_loss(name: str) -> None:
    network, x = built(name), samples(name, 4)
    before = network.gradient(x)
    network.theta[...] -= 1e-4 * network.dtheta
    assert network.gradient(x) < before


def test_gradient_descent_can_be_written_in_one_line() -> None:
    network, x = built("vanilla"), samples("vanilla", 4)
    before = network.gradient(x)
    network.theta -= 0.01 * network.dtheta
    assert network.gradient(x) < before


@every_network
def test_a_repeated_gradient_is_the_same_whatever_the_buffers_held_before(name: str) -> None:
    network, x = built(name), samples(name, 4)
    first = network.gradient(x), network.dtheta.copy()
    network.dtheta[...] = 99
    network.gradient(x[:1])
    network.dtheta[...] = 0  # the padding too
    again = network.gradient(x), network.dtheta
    assert first[0] == again[0]
    np.testing.assert_array_equal(first[1], again[1])


@pytest.mark.parametrize("name", NOISELESS)
def test_the_gradient_of_a_batch_is_the_mean_of_its_samples(name: str) -> None:
    network, x = built(name), samples(name, 3)
    whole = network.gradient(x), network.dtheta.copy()
    single = [(network.gradient(x[i : i + 1]), network.dtheta.copy()) for i in range(3)]
    assert whole[0] == pytest.approx(np.mean([loss for loss, _ in single]))
    np.testing.assert_allclose(whole[1], np.mean([gradient for _, gradient in single], axis=0), atol=1e-12)


@pytest.mark.parametrize("name", NOISELESS)
def test_float32_gradients_agree_with_float64(kernels: Any, name: str) -> None:
    single, double = built(name, kernels, dtype="float32"), built(name, kernels)
    x = samples(name, 3)
    assert single.gradient(x) == pytest.approx(double.gradient(x), rel=1e-5)
    for (_, _, a), (_, _, b) in zip(single.arena.parameters(), double.arena.parameters(), strict=True):
        assert a.dtype == np.float32
        assert np.abs(a - b).max() < 1e-4 * np.abs(b).max()


@every_network
def test_float32_losses_agree_with_float64(kernels: Any, name: str) -> None:
    x = samples(name, 3)
    single, double = (built(name, kernels, dtype=dtype).losses(x) for dtype in ("float32", "float64"))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, double, rtol=1e-5)


def test_the_target_of_a_denoising_network_is_the_clean_input() -> None:
    network = Autoencoder([], [], corrupt=[MaskingNoise(0.5)], loss="mse")
    network.build((200,), dtype="float64", kernels=reference_kernels())
    x = np.full((3, 200), 2.0)
    masked = np.count_nonzero(network_output(network, x) == 0)
    assert 200 < masked < 400
    assert network.gradient(x) == pytest.approx(4 * masked / 3)


def network_output(network: Autoencoder, x: Array) -> Array:
    network.run.training = True
    network.arena.resize(len(x))
    y = network.corrupt.forward(x).copy()
    network.run.training = False
    return y


# Losses without a gradient


@pytest.mark.parametrize("name", NOISELESS)
def test_losses_have_the_mean_that_gradient_returns_except_for_weight_decay(name: str) -> None:
    network, x = built(name), samples(name, 5)
    losses = network.losses(x)
    assert losses.shape == (5,)
    loss = network.gradient(x)
    assert losses.mean() == pytest.approx(loss - network.terms.get("weight_decay", 0.0), rel=1e-12)


@every_network
def test_losses_are_those_of_single_samples_without_noise(name: str) -> None:
    network, x = built(name), samples(name, 4)
    losses = network.losses(x)
    network.run.step += 1
    np.testing.assert_allclose([network.losses(x[i : i + 1])[0] for i in range(4)], losses, rtol=1e-12)


def test_the_loss_of_a_variational_sample_is_that_of_its_mean_code_plus_beta_kl() -> None:
    network, x = built("variational"), samples("variational", 4)
    x_hat = network.reconstruct(x)
    reconstruction = -np.sum(x * np.log(x_hat) + (1 - x) * np.log(1 - x_hat), axis=1)
    network.losses(x)
    (layer,) = network.code.layers
    kl = 0.5 * np.sum(layer.mu**2 + np.exp(layer.log_var) - 1 - layer.log_var, axis=1)
    np.testing.assert_allclose(network.losses(x), reconstruction + 2.5 * kl, rtol=1e-10)


def test_losses_measure_the_distance_to_another_target() -> None:
    network, x = built("tied and sparse"), samples("vanilla", 4)
    target = 3 - x
    expected = np.sum((network.reconstruct(x) - target) ** 2, axis=1) + 0.4 * np.abs(network.encode(x)).sum(axis=1)
    np.testing.assert_allclose(network.losses(x, target), expected, rtol=1e-12)


# Coding and decoding

CODE_SHAPES = {
    "vanilla": (3,),
    "deep": (2,),
    "tied and sparse": (2,),
    "convolutional": (2, 2, 2),
    "denoising": (3,),
    "variational": (2,),
    "convolutional variational": (3,),
}


@every_network
@pytest.mark.parametrize("n", [1, BATCH, 2 * BATCH + 3])
def test_samples_are_encoded_and_decoded_together_as_each_alone(name: str, n: int) -> None:
    network, x = built(name), samples(name, n)
    z, x_hat = network.encode(x), network.reconstruct(x)
    assert z.shape == (n, *CODE_SHAPES[name]) == (n, *network.code_shape)
    assert x_hat.shape == x.shape
    assert z.dtype == x_hat.dtype == np.float64
    np.testing.assert_array_equal(network.decode(z), x_hat)
    losses = network.losses(x)
    for i in {0, n // 2, n - 1}:
        one = x[i : i + 1]
        np.testing.assert_allclose(network.encode(one)[0], z[i], rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(network.reconstruct(one)[0], x_hat[i], rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(network.losses(one)[0], losses[i], rtol=1e-10)


@every_network
def test_encoding_is_deterministic_and_changes_neither_the_input_nor_the_parameters(name: str) -> None:
    network, x = built(name), samples(name, 4)
    before, theta = x.copy(), network.theta.copy()
    z = network.encode(x)
    network.gradient(x)  # draws noise
    network.run.step += 1
    np.testing.assert_array_equal(network.encode(x), z)
    np.testing.assert_array_equal(x, before)
    np.testing.assert_array_equal(network.theta, theta)


def test_results_are_not_buffers_that_the_next_call_overwrites() -> None:
    network = built("vanilla")
    x = samples("vanilla", 4)
    z, x_hat, losses = network.encode(x), network.reconstruct(x), network.losses(x)
    kept = z.copy(), x_hat.copy(), losses.copy()
    network.encode(1 - x), network.reconstruct(1 - x), network.losses(1 - x)
    for a, b in zip((z, x_hat, losses), kept, strict=True):
        np.testing.assert_array_equal(a, b)


def test_logits_are_shown_as_probabilities_and_other_outputs_as_they_are() -> None:
    logits, plain = built("vanilla"), built("tied and sparse")
    z = np.array([[0.3, -0.2, 0.8]])
    layer = logits.decoder.layers[0]
    np.testing.assert_allclose(logits.decode(z), 1 / (1 + np.exp(-(z @ layer.W + layer.b))))
    x_hat = plain.decode(np.array([[40.0, -30.0]]))
    assert x_hat.min() < 0


def test_a_variational_code_is_the_mean() -> None:
    network, x = built("variational"), samples("variational", 4)
    z = network.encode(x)
    (layer,) = network.code.layers
    np.testing.assert_array_equal(z, layer.mu)


def test_lists_integers_booleans_and_strided_arrays_are_taken() -> None:
    network = built("vanilla")
    x = samples("vanilla", 4)
    z = network.encode(x)
    np.testing.assert_array_equal(network.encode(x.tolist()), z)
    np.testing.assert_array_equal(network.encode(np.asfortranarray(x)), z)
    np.testing.assert_array_equal(network.encode(np.repeat(x, 2, axis=0)[::2]), z)
    ones = network.encode(np.ones((2, 7)))
    for dtype in (bool, np.uint8, int, object):
        np.testing.assert_array_equal(network.encode(np.ones((2, 7), dtype=dtype)), ones)


# Repeatability


@every_network
def test_equal_seeds_give_bit_identical_parameters_and_gradients_and_other_seeds_do_not(name: str) -> None:
    make, shape = NETWORKS[name]
    a, b, other = (make().build(shape, seed=seed, kernels=reference_kernels()) for seed in (5, 5, 6))
    np.testing.assert_array_equal(a.theta, b.theta)
    assert not np.array_equal(a.theta, other.theta)
    x = samples(name, 4)
    for step in (0, 1, 7):
        a.run.step = b.run.step = step
        assert a.gradient(x) == b.gradient(x)
        np.testing.assert_array_equal(a.dtheta, b.dtheta)


@pytest.mark.parametrize("name", ["denoising", "variational"])
def test_noise_differs_between_steps_and_is_the_same_at_the_same_step(name: str) -> None:
    network, x = built(name), samples(name, 4)
    losses = []
    for step in (0, 1, 0):
        network.run.step = step
        losses.append(network.gradient(x))
    assert losses[0] == losses[2] != losses[1]


def test_building_again_starts_afresh() -> None:
    network = built("tied and sparse")
    x = samples("vanilla", 3)
    network.gradient(x)
    network.build((7,), seed=8, dtype="float64", kernels=reference_kernels())
    fresh = tied_and_sparse().build((7,), seed=8, dtype="float64", kernels=reference_kernels())
    assert network.gradient(x) == fresh.gradient(x)
    np.testing.assert_array_equal(network.dtheta, fresh.dtheta)


@pytest.mark.parametrize("through_json", [False, True])
@every_network
def test_config_describes_an_equal_network(name: str, through_json: bool) -> None:
    make, shape = NETWORKS[name]
    network = make()
    config = network.config()
    text = json.dumps(config)
    again = Autoencoder.from_config(json.loads(text) if through_json else config)
    assert json.dumps(again.config()) == text
    for n in (network, again):
        n.build(shape, seed=2, dtype="float64", kernels=reference_kernels())
    x = samples(name, 3)
    assert network.gradient(x) == again.gradient(x)
    np.testing.assert_array_equal(network.dtheta, again.dtheta)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda network: pickle.loads(pickle.dumps(network))])
@every_network
def test_a_copy_computes_the_same_with_parameters_of_its_own(name: str, duplicate: Any) -> None:
    network, x = built(name), samples(name, 3)
    network.run.step = 6
    again = duplicate(network)
    assert again.gradient(x) == pytest.approx(network.gradient(x), rel=1e-12)
    np.testing.assert_allclose(again.dtheta, network.dtheta, rtol=1e-10, atol=1e-12)
    np.testing.assert_array_equal(again.theta, network.theta)
    again.theta[...] = 0
    assert np.any(network.theta != 0)


class Double(ReLU):
    """A user-defined layer."""

    def forward(self, x: Array) -> Array:
        return np.multiply(x, 2, out=self.y)

    def backward(self, dy: Array) -> Array:
        return np.multiply(dy, 2, out=self.dx)


def test_from_config_restores_a_user_defined_layer_when_its_class_is_given() -> None:
    config = Autoencoder([Dense(3), Double()], [Dense(7)]).config()
    assert isinstance(Autoencoder.from_config(config, layers=[Double]).encoder.layers[1], Double)
    with pytest.raises(ValueError, match=r"unknown layer 'Double'; pass its class with layers=\[Double\]"):
        Autoencoder.from_config(config)


# Memory


@every_network
def test_parameters_are_aligned_views_of_theta(name: str) -> None:
    network = built(name)
    for vector in (network.theta, network.dtheta):
        assert vector.ctypes.data % 64 == 0
    for parameter, value, gradient in network.arena.parameters():
        layer = network.arena.layers[parameter.rpartition(".")[0]]
        attribute = parameter.rpartition(".")[2]
        assert getattr(layer, attribute) is value
        assert value.ctypes.data % 64 == gradient.ctypes.data % 64 == 0
    network.theta[...] = 0.125
    assert all(value.min() == value.max() == 0.125 for _, value, _ in network.arena.parameters())


def test_a_gradient_allocates_no_more_buffers_after_the_largest_batch() -> None:
    network, x = built("convolutional"), samples("convolutional", 6)
    network.gradient(x)
    address = network.loss.dy.ctypes.data
    for n in (2, 6, 1):
        network.gradient(x[:n])
        network.losses(x[:n])
        assert network.loss.dy.ctypes.data == address


# Description


@every_network
def test_the_rows_of_the_summary_add_up_to_its_totals(name: str) -> None:
    network = built(name)
    header, *rows, total = [line.split() for line in network.summary().splitlines()]
    assert header == ["layer", "type", "output", "parameters", "multiply-adds", "bytes/sample"]
    columns = [[int(row[i].replace(",", "")) for row in rows] for i in (-3, -2, -1)]
    assert [sum(column) for column in columns] == [int(cell.replace(",", "")) for cell in total[1:]]
    assert int(total[1].replace(",", "")) == sum(value.size for _, value, _ in network.arena.parameters())


def test_the_summary_counts_what_a_layer_does() -> None:
    lines = {line.split()[0]: line.split()[1:] for line in built("convolutional").summary().splitlines()}
    assert lines["encoder.0"][:4] == ["Conv2D", "7×5×3", "57", f"{3 * 3 * 2 * 3 * 35:,}"]
    assert lines["encoder.2"][:3] == ["MaxPool2D", "4×3×3", "0"]
    assert lines["decoder.4"][:4] == ["Conv2D", "7×5×2", "56", f"{3 * 3 * 3 * 2 * 35:,}"]


@every_network
def test_a_finite_network_has_no_first_non_finite_layer(name: str) -> None:
    assert built(name).first_non_finite(samples(name, 3)) is None


@pytest.mark.parametrize("name", ["deep", "convolutional", "variational"])
def test_the_first_layer_whose_output_is_not_finite_is_named(name: str) -> None:
    network = built(name)
    guilty = next(layer for layer in network.decoder.layers if hasattr(layer, "b"))
    guilty.b[0] = np.nan
    assert network.first_non_finite(samples(name, 3)) == guilty.name
    earlier = network.encoder.layers[0]
    earlier.b[0] = np.inf
    assert network.first_non_finite(samples(name, 3)) == "encoder.0"


# Mistakes


def raises(error: type[Exception], advice: str, mistake: Callable[[], Any]) -> None:
    with pytest.raises(error, match=advice) as caught:
        mistake()
    assert "\n" not in str(caught.value)


def spoiled(*values: float) -> Array:
    x = samples("vanilla", 4)
    x[2, 3 : 3 + len(values)] = values
    return x


METHODS: dict[str, Callable[[Autoencoder, Any], Any]] = {
    "gradient": lambda network, x: network.gradient(x),
    "encode": lambda network, x: network.encode(x),
    "losses": lambda network, x: network.losses(x),
    "reconstruct": lambda network, x: network.reconstruct(x),
}


UNUSABLE: dict[str, tuple[Any, Any, str]] = {
    "width": (np.zeros((4, 6)), ValueError, r"samples of shape \(4, 6\) were given, but the model expects \(n, 7\)"),
    "one sample": (np.zeros(7), ValueError, r"shape \(7,\) were given, but the model expects \(n, 7\)"),
    "image": (np.zeros((2, 7, 1)), ValueError, r"shape \(2, 7, 1\) were given"),
    "number": (0.5, ValueError, r"shape \(\) were given"),
    "empty": (np.zeros((0, 7)), ValueError, r"samples are empty \(shape \(0, 7\)\); give at least one"),
    "nan": (spoiled(np.nan), ValueError, r"NaN or infinity: 1 of 28 values, the first at index \(2, 3\); replace or"),
    "inf": (spoiled(np.inf), ValueError, "NaN or infinity: 1 of 28 values"),
    "both infinities": (
        spoiled(np.inf, -np.inf),
        ValueError,
        r"NaN or infinity: 2 of 28 values, the first at index \(2, 3\)",
    ),
    "complex": (
        np.zeros((2, 7), dtype=complex),
        ValueError,
        "Complex data not supported: .*complex128; give real numbers",
    ),
    "text": (np.full((2, 7), "cat"), ValueError, "not all numbers .*; encode them"),
    "None": (np.full((2, 7), None), (TypeError, ValueError), "."),
    "dict": (np.full((2, 7), {}), TypeError, "dtype object and are not all numbers .*; encode them"),
    "sparse, not of SciPy": (
        SimpleNamespace(toarray=lambda: np.eye(7), nnz=7),
        TypeError,
        r"sparse matrix, but not one of SciPy; give that, or dense data: use .toarray\(\)",
    ),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("x", "error", "advice"), UNUSABLE.values(), ids=UNUSABLE)
def test_unusable_samples_are_refused_in_one_sentence(method: str, x: Any, error: Any, advice: str) -> None:
    raises(error, advice, lambda: METHODS[method](built("vanilla"), x))


@pytest.mark.parametrize("method", METHODS)
def test_a_sparse_matrix_gives_the_bits_of_its_dense_array(method: str) -> None:
    x = np.where(samples("vanilla", 9) > 0.5, samples("vanilla", 9), 0)
    dense, sparse = (METHODS[method](built("vanilla"), given) for given in (x, scipy.sparse.csr_array(x)))
    np.testing.assert_array_equal(dense, sparse)


@pytest.mark.parametrize("name", ["vanilla", "deep"])
@pytest.mark.parametrize("method", ["gradient", "losses"])
def test_cross_entropy_refuses_targets_outside_the_unit_interval(name: str, method: str) -> None:
    network, x = built(name), samples(name, 2)
    advice = r"^binary cross-entropy needs .* but the data runs from 0 to 255; scale it .* new model with loss=\"mse\""
    bytes_ = np.array([[0, 1, 2, 3, 4, 5, 255]])
    raises(ValueError, advice, lambda: METHODS[method](network, bytes_))
    raises(ValueError, "from -1 to", lambda: getattr(network, method)(x[:1], np.where(x[:1] > 0.5, x[:1], -1.0)))


def test_inputs_outside_the_unit_interval_are_taken_where_they_are_not_the_target() -> None:
    network, x = built("vanilla"), samples("vanilla", 2)
    assert np.isfinite(network.gradient(20 * x, x))
    assert np.isfinite(network.encode(20 * x)).all()
    assert np.isfinite(built("denoising").gradient(-3 * x))


@pytest.mark.parametrize("method", ["gradient", "losses"])
def test_a_target_of_another_length_than_the_input_is_refused(method: str) -> None:
    network, x = built("vanilla"), samples("vanilla", 4)
    for target in (x[:3], x[:1]):  # one row would be broadcast
        raises(ValueError, "4.*(3|1)|(3|1).*4", lambda target=target: getattr(network, method)(x, target))


def test_codes_of_the_wrong_shape_are_refused() -> None:
    raises(
        ValueError,
        r"codes of shape \(2, 4\) were given, but the model expects \(n, 3\)",
        lambda: built("vanilla").decode(np.zeros((2, 4))),
    )


def test_values_beyond_float32_are_refused_and_not_turned_into_infinity() -> None:
    network = built("tied and sparse", dtype="float32")
    x = samples("vanilla", 2)
    x[1, 1] = 1e300
    raises(ValueError, "NaN or infinity|float32", lambda: network.encode(x))


def test_large_finite_values_are_taken() -> None:
    network = built("tied and sparse")
    x = np.full((2, 7), 1.7e308)
    x[:, 1:] /= 1e10
    np.testing.assert_array_equal(network.check(x), x)
    np.testing.assert_array_equal(network.check(np.full((2, 7), 1.7e308)), 1.7e308)  # their sum is not finite


def test_a_decoder_that_does_not_return_the_inputs_shape_is_refused() -> None:
    network = Autoencoder([Dense(3)], [Dense(6)])
    raises(
        ValueError,
        r"the decoder returns samples of shape \(6,\), but the input has \(7,\); change the decoder's last layers",
        lambda: network.build((7,), kernels=reference_kernels()),
    )


@pytest.mark.parametrize("weight_decay", [-0.1, float("nan")])
def test_a_weight_decay_that_is_not_at_least_zero_is_refused(weight_decay: float) -> None:
    raises(ValueError, "weight_decay is .*; expected", lambda: Autoencoder([], [], weight_decay=weight_decay))


def test_an_unknown_loss_is_refused() -> None:
    raises(ValueError, "unknown loss 'l2'; expected one of", lambda: Autoencoder([], [], loss="l2"))


def test_a_failed_pass_does_not_leave_the_network_training() -> None:
    network = Autoencoder([Dense(3), Broken()], [Dense(7)]).build((7,), kernels=reference_kernels())
    with pytest.raises(ZeroDivisionError):
        network.gradient(samples("vanilla", 2))
    assert not network.run.training


class Broken(ReLU):
    def forward(self, x: Array) -> Array:
        raise ZeroDivisionError


# What an attack on the code found


class Pair(Layer):
    """Two dense layers in one: all of its parameters are theirs."""

    def __init__(self) -> None:
        self.first, self.second = Dense(4), Dense(3)

    def plan(self, input_shape, arena):
        return arena.add(self.second, arena.add(self.first, input_shape, f"{self.name}.a"), f"{self.name}.b")

    def forward(self, x):
        return self.second.forward(self.first.forward(x))

    def backward(self, dy):
        return self.first.backward(self.second.backward(dy))


@pytest.mark.parametrize("first", [Pair, lambda: Reparameterization(3)], ids=["pair", "reparameterization"])
def test_a_first_layer_whose_parameters_are_those_of_layers_within_it_learns(first):
    net = Autoencoder([first(), Dense(2)], [Dense(5)], loss="mse").build((5,), dtype="float64")
    x = np.random.default_rng(0).normal(size=(4, 5))
    net.theta = net.theta + 0.1 * np.random.default_rng(1).normal(size=net.theta.size)
    net.gradient(x)
    for _, parameter, slope in list(net.arena.parameters()):
        place, h = (0,) * parameter.ndim, 1e-6
        expected, value = slope[place], parameter[place]
        parameter[place] = value + h
        above = net.gradient(x)
        parameter[place] = value - h
        below = net.gradient(x)
        parameter[place] = value
        assert (above - below) / (2 * h) == pytest.approx(expected, rel=1e-6, abs=1e-8)
        net.gradient(x)


def test_a_layer_of_one_network_is_refused_by_another_and_may_be_built_again():
    layer = Dense(2)
    net = Autoencoder([layer], [Dense(5)], loss="mse").build((5,))
    with pytest.raises(ValueError, match="belongs to another network; make a new one"):
        Autoencoder([layer], [Dense(5)], loss="mse").build((5,))
    assert net.build((5,)).theta.size


def test_a_network_that_is_not_built_says_so():
    net = Autoencoder([Dense(2)], [Dense(5)])
    for use in (lambda: net.theta, lambda: net.encode(np.zeros((1, 5))), net.summary):
        with pytest.raises(AttributeError, match=r"call build\(input_shape\) first"):
            use()
    with pytest.raises(AttributeError, match="has no attribute 'weights'"):
        _ = net.weights


def test_noise_that_learns_is_refused():
    with pytest.raises(ValueError, match="put it into the encoder"):
        Autoencoder([Dense(2)], [Dense(5)], corrupt=[Dense(5)]).build((5,))


def test_threads_may_encode_with_one_network_at_once():
    net = Autoencoder([Dense(64), ReLU(), Dense(3)], [Dense(50)], loss="mse").build((50,))
    batches = [np.random.default_rng(i).normal(size=(200 + 37 * i, 50)).astype("float32") for i in range(4)]
    alone = [net.encode(x) for x in batches]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(10):
            for one, other in zip(alone, pool.map(net.encode, batches), strict=True):
                np.testing.assert_array_equal(one, other)


def test_large_samples_are_encoded_in_small_batches():
    net = Autoencoder([Conv2D(8)], [Conv2D(1)], loss="mse").build((256, 256, 1))
    assert net.arena.buffer_bytes() * 40 > 2**27
    net.encode(np.zeros((40, 256, 256, 1), "float32"))
    assert net.arena.buffer_bytes() * net.arena.capacity <= 2**27


@pytest.mark.skipif(default_kernels() is reference_kernels(), reason="the reference may allocate: it is to be read")
@pytest.mark.parametrize("kind", ["vanilla", "deep", "convolutional", "denoising", "variational"])
def test_a_step_allocates_nothing_of_size(kind):
    x = np.random.default_rng(0).random((200, 28, 28), dtype="float32")
    net = recipes.RECIPES[kind]((28, 28), weight_decay=0.1, activity_l1=0.1).build((28, 28))
    optimizer, replicas, everyone = Adam(), ThreadReplicas(net, 1), np.arange(len(x))
    optimizer.bind(net.arena)
    replicas.set_data(x)
    for attempt in range(3):
        tracemalloc.start()
        replicas.gradient(everyone)
        optimizer.step()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert attempt < 1 or peak < 64 * 1024  # an array of the batch would be 600 KiB


def test_a_network_saves_itself_and_is_loaded_with_the_same_bits(tmp_path):
    net = Autoencoder([Dense(3), ReLU()], [Dense(5)], loss="mse").build((5,), seed=1)
    net.save(tmp_path / "net.safetensors")
    loaded = load(tmp_path / "net.safetensors")
    assert loaded.theta.tobytes() == net.theta.tobytes()
    assert loaded.config() == net.config()


def test_a_network_that_is_not_built_is_not_saved(tmp_path):
    with pytest.raises(ValueError, match="call build first"):
        Autoencoder([Dense(3)], [Dense(5)], loss="mse").save(tmp_path / "net.safetensors")
    assert not list(tmp_path.iterdir())
