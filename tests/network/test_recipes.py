"""The five recipes: their layers, their options, and reconstruction of samples of any shape."""

from typing import Any

import numpy as np
import pytest
from helpers.small_models import samples
from hypothesis import given
from hypothesis import strategies as st

from npae import Autoencoder
from npae.kernels import reference_kernels
from npae.layers import (
    ActivityL1,
    Conv2D,
    Dense,
    Flatten,
    GaussianNoise,
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
from npae.layers.base import Chain
from npae.network import recipes
from npae.network.recipes import RECIPES
from npae.utils.types import Shape

FLAT = (20,)
SMALL: dict[str, dict[str, Any]] = {
    "vanilla": {"code_size": 3},
    "deep": {"hidden": (7, 5), "code_size": 3},
    "convolutional": {"filters": (2, 3), "code_size": 3},
    "denoising": {"hidden": (7, 5), "code_size": 3},
    "variational": {"hidden": (7, 5), "code_size": 3},
}


def types(chain: Chain) -> list[type]:
    return [type(layer) for layer in chain.layers]


def units(chain: Chain) -> list[int]:
    return [layer.units for layer in chain.layers if isinstance(layer, Dense)]


def built(net: Autoencoder, shape: Shape) -> Autoencoder:
    return net.build(shape, kernels=reference_kernels())


def passes(net: Autoencoder, shape: Shape, code_shape: Shape) -> None:
    """``net`` trains on samples of ``shape``, makes codes of ``code_shape`` of them, and gives their shape back."""
    x = samples(3, *shape)
    built(net, shape)
    assert net.gradient(x) > 0
    assert np.isfinite(net.dtheta).all()
    z = net.encode(x)
    assert z.shape == (3, *code_shape)
    assert net.decode(z).shape == x.shape
    assert net.losses(x).shape == (3,)


# What each type is made of


def test_there_are_five_types() -> None:
    assert list(RECIPES) == ["vanilla", "deep", "convolutional", "denoising", "variational"]


def test_vanilla_has_exactly_one_hidden_layer_and_it_is_the_code() -> None:
    net = recipes.vanilla(FLAT, code_size=3)
    assert (types(net.encoder), types(net.decoder)) == ([Dense, ReLU], [Dense])
    assert (units(net.encoder), units(net.decoder)) == ([3], [20])
    assert types(net.corrupt) == types(net.code) == []


def test_the_activation_of_vanilla_is_that_of_its_code() -> None:
    x = samples(50, *FLAT) - 0.5
    relu, linear = (
        built(recipes.vanilla(FLAT, code_size=3, activation=name, loss="mse"), FLAT).encode(x)
        for name in ("relu", "linear")
    )
    assert (relu >= 0).all()
    assert (linear < 0).any()
    assert types(recipes.vanilla(FLAT, activation="linear").encoder) == [Dense]


def test_deep_is_a_linear_code_between_mirror_images() -> None:
    net = recipes.deep(FLAT, hidden=(9, 7, 5), code_size=3)
    assert types(net.encoder) == [Dense, ReLU, Dense, ReLU, Dense, ReLU, Dense]
    assert types(net.decoder) == types(net.encoder)
    assert units(net.encoder) == [9, 7, 5, 3]
    assert units(net.decoder) == [5, 7, 9, 20]
    assert (built(net, FLAT).encode(samples(50, *FLAT)) < 0).any()


def test_deep_without_hidden_layers_is_linear() -> None:
    net = recipes.deep(FLAT, hidden=(), code_size=3)
    assert types(net.encoder) == types(net.decoder) == [Dense]


def test_convolutional_is_convolution_relu_pooling_and_back_by_convolution_relu_upsampling() -> None:
    net = recipes.convolutional((8, 8, 3), filters=(2, 4), code_size=None)
    assert types(net.encoder) == [Conv2D, ReLU, MaxPool2D, Conv2D, ReLU, MaxPool2D, Flatten]
    assert types(net.decoder) == [Reshape, Conv2D, ReLU, UpSample2D, Conv2D, ReLU, UpSample2D, Conv2D]
    filters = [[c.filters for c in half.layers if isinstance(c, Conv2D)] for half in (net.encoder, net.decoder)]
    assert filters == [[2, 4], [4, 2, 3]]


def test_a_code_size_puts_dense_layers_around_the_code_of_a_convolutional_network() -> None:
    net = recipes.convolutional((8, 8, 3), filters=(2, 4), code_size=5)
    assert types(net.encoder)[-2:] == [Flatten, Dense]
    assert types(net.decoder)[:3] == [Dense, ReLU, Reshape]
    assert (units(net.encoder), units(net.decoder)) == ([5], [2 * 2 * 4])


@pytest.mark.parametrize("features", [1, 2, 13])
def test_along_a_signal_windows_slide_in_one_direction(features: int) -> None:
    net = recipes.convolutional((features,), filters=(2, 4), kernel_size=3, code_size=5).build((features,))
    kernels = [c.kernel_size for half in (net.encoder, net.decoder) for c in half.layers if isinstance(c, Conv2D)]
    assert kernels == [(3, 1)] * 5
    assert net.encode(np.zeros((2, features), "float32")).shape == (2, 5)
    assert net.reconstruct(np.zeros((2, features), "float32")).shape == (2, features)


def test_kernel_size_is_that_of_all_convolutions() -> None:
    net = recipes.convolutional((8, 8, 1), filters=(2, 4), kernel_size=5)
    kernels = [c.kernel_size for half in (net.encoder, net.decoder) for c in half.layers if isinstance(c, Conv2D)]
    assert kernels == [(5, 5)] * 5


@pytest.mark.parametrize(
    ("name", "kind"), [("gaussian", GaussianNoise), ("masking", MaskingNoise), ("salt_and_pepper", SaltAndPepperNoise)]
)
@pytest.mark.parametrize("filters", [None, (2,)])
def test_denoising_is_noise_before_a_deep_or_a_convolutional_network(name: str, kind: type, filters: Any) -> None:
    net = recipes.denoising((6, 6, 1), noise=name, noise_level=0.25, hidden=(7,), filters=filters, code_size=3)
    other = (
        recipes.deep((6, 6, 1), hidden=(7,), code_size=3)
        if filters is None
        else recipes.convolutional((6, 6, 1), filters=filters, code_size=3)
    )
    assert types(net.corrupt) == [kind]
    assert net.corrupt.layers[0].config()["level"] == 0.25
    assert {**net.config(), "corrupt": []} == other.config()
    assert types(other.corrupt) == []


@pytest.mark.parametrize(("loss", "clip"), [("bce", (0.0, 1.0)), ("mse", None)])
def test_gaussian_noise_is_clipped_where_the_loss_is_cross_entropy(loss: str, clip: Any) -> None:
    (noise,) = recipes.denoising(FLAT, loss=loss).corrupt.layers
    assert isinstance(noise, GaussianNoise)
    assert noise.clip == clip


@pytest.mark.parametrize("filters", [None, (2,)])
def test_the_code_of_a_variational_network_is_a_distribution(filters: Any) -> None:
    net = recipes.variational((6, 6, 1), hidden=(7,), filters=filters, code_size=3, beta=2.0, warm_up_steps=9)
    (code,) = net.code.layers
    assert isinstance(code, Reparameterization)
    assert (code.code_size, code.beta, code.warm_up_steps) == (3, 2.0, 9)
    if filters is None:
        assert (types(net.encoder), types(net.decoder)) == ([Flatten, Dense, ReLU], [Dense, ReLU, Dense, Reshape])
    else:
        assert types(net.encoder) == [Conv2D, ReLU, MaxPool2D, Flatten]
        assert types(net.decoder) == [Dense, ReLU, Reshape, Conv2D, ReLU, UpSample2D, Conv2D]


@pytest.mark.parametrize("kind", SMALL)
def test_regularisation_is_an_option_of_every_type(kind: str) -> None:
    shape = (6, 6, 1)
    net = RECIPES[kind](shape, **SMALL[kind], weight_decay=0.5, activity_l1=0.25)
    assert net.weight_decay == 0.5
    assert isinstance(net.code.layers[-1], ActivityL1)
    assert net.code.layers[-1].strength == 0.25
    built(net, shape).gradient(samples(3, *shape))
    assert net.terms["weight_decay"] > 0
    assert net.terms["activity"] > 0
    assert types(RECIPES[kind](shape, **SMALL[kind]).code) == ([Reparameterization] if kind == "variational" else [])


@pytest.mark.parametrize(
    ("name", "kind"),
    [("relu", ReLU), ("leaky_relu", LeakyReLU), ("sigmoid", Sigmoid), ("tanh", Tanh), ("softplus", Softplus)],
)
@pytest.mark.parametrize("recipe", SMALL)
def test_the_activation_is_chosen_by_name(recipe: str, name: str, kind: type) -> None:
    net = RECIPES[recipe]((6, 6, 1), **SMALL[recipe], activation=name)
    assert kind in types(net.encoder)
    assert {ReLU, LeakyReLU, Sigmoid, Tanh, Softplus} & {*types(net.encoder), *types(net.decoder)} == {kind}


def test_relu_layers_start_with_he_and_all_others_with_glorot() -> None:
    net = recipes.deep(FLAT, hidden=(7,), activation="relu")
    starts = [layer.initializer for half in (net.encoder, net.decoder) for layer in half.layers if type(layer) is Dense]
    assert starts == ["he_uniform", "glorot_uniform", "he_uniform", "glorot_uniform"]
    net = recipes.deep(FLAT, hidden=(7,), activation="tanh")
    assert "he_uniform" not in str(net.config())


# Tied weights


def test_a_tied_vanilla_network_decodes_with_the_transposed_weights() -> None:
    net = built(recipes.vanilla((4, 5), code_size=3, activation="linear", loss="mse", tied_weights=True), (4, 5))
    assert types(net.decoder) == [TiedDense, Reshape]
    assert net.arena.parameter_count() == 20 * 3 + 3 + 20
    x = samples(6, 4, 5)
    W, c = net.encoder.layers[1].W, net.decoder.layers[0].c
    c[...] = 0.5
    np.testing.assert_allclose(net.reconstruct(x).reshape(6, 20), x.reshape(6, 20) @ W @ W.T + 0.5, atol=1e-5)


def test_a_tied_deep_network_uses_every_weight_twice_in_mirrored_order() -> None:
    net = built(recipes.deep(FLAT, hidden=(9, 7), code_size=3, tied_weights=True), FLAT)
    assert types(net.decoder) == [TiedDense, ReLU, TiedDense, ReLU, TiedDense]
    partners = [layer.partner for layer in net.decoder.layers if isinstance(layer, TiedDense)]
    assert partners == [layer for layer in reversed(net.encoder.layers) if isinstance(layer, Dense)]
    names = list(net.arena.parameter_shapes())
    assert [name for name in names if name.endswith(".W")] == ["encoder.0.W", "encoder.2.W", "encoder.4.W"]
    passes(recipes.deep((4, 5), hidden=(9, 7), code_size=3, tied_weights=True), (4, 5), (3,))


# Shapes

sizes = st.integers(1, 13)


@st.composite
def image_shapes(draw: st.DrawFn) -> Shape:
    """Grey without a channel axis, grey, colour and more, of any height and width."""
    height, width = draw(sizes), draw(sizes)
    return draw(st.sampled_from([(height, width), (height, width, 1), (height, width, 3), (height, width, 4)]))


@given(
    shape=image_shapes(),
    n_filters=st.integers(0, 3),
    kernel_size=st.integers(1, 4),
    code_size=st.one_of(st.none(), st.integers(1, 4)),
)
def test_a_convolutional_network_reconstructs_images_of_any_height_and_width(
    shape: Shape, n_filters: int, kernel_size: int, code_size: int | None
) -> None:
    filters = (2, 3, 1)[:n_filters]
    height, width, channels = (*shape, 1)[:3]
    for _ in filters:
        height, width = -(-height // 2), -(-width // 2)
    net = recipes.convolutional(shape, filters=filters, kernel_size=kernel_size, code_size=code_size)
    map_size = height * width * (filters[-1] if filters else channels)
    passes(net, shape, (code_size or map_size,))


@given(shape=image_shapes(), convolutional=st.booleans(), kind=st.sampled_from(["denoising", "variational"]))
def test_denoising_and_variational_networks_reconstruct_images_of_any_height_and_width(
    shape: Shape, convolutional: bool, kind: str
) -> None:
    net = RECIPES[kind](shape, hidden=(4,), filters=(2, 3) if convolutional else None, code_size=2)
    passes(net, shape, (2,))


@given(shape=st.one_of(image_shapes(), st.tuples(sizes)), kind=st.sampled_from(["vanilla", "deep"]))
def test_dense_networks_reconstruct_samples_of_any_shape(shape: Shape, kind: str) -> None:
    passes(RECIPES[kind](shape, **SMALL[kind]), shape, (3,))


def test_25_by_25_is_pooled_to_13_and_restored() -> None:
    net = built(recipes.convolutional((25, 25), filters=(2, 3), code_size=None), (25, 25))
    assert net.arena.layers["encoder.3"].output_shape == (13, 13, 2)
    assert net.code_shape == (7 * 7 * 3,)
    assert net.reconstruct(samples(2, 25, 25)).shape == (2, 25, 25)


def test_without_a_code_size_the_code_is_the_flattened_feature_map() -> None:
    net = built(recipes.convolutional((6, 5, 1), filters=(2, 3), code_size=None), (6, 5, 1))
    x = samples(4, 6, 5, 1)
    z = net.encode(x)
    np.testing.assert_array_equal(z, net.arena.layers["encoder.5"].y.reshape(4, -1))
    assert net.code_shape == (2 * 2 * 3,)


# Mistakes


@pytest.mark.parametrize("kind", SMALL)
@pytest.mark.parametrize(
    ("mistake", "advice"),
    [
        ({"activation": "gelu"}, r"unknown activation 'gelu'; expected one of relu, leaky_relu, sigmoid, tanh, soft"),
        ({"loss": "hinge"}, r"unknown loss 'hinge'; expected one of bce, .*mse"),
        ({"weight_decay": -1.0}, r"weight_decay is -1\.0; expected a number of at least 0"),
        ({"activity_l1": -1.0}, r"-1\.0; expected a number of at least 0"),
    ],
)
def test_an_option_that_no_type_has_is_refused(kind: str, mistake: dict[str, Any], advice: str) -> None:
    with pytest.raises(ValueError, match=advice) as caught:
        RECIPES[kind]((6, 6, 1), **{**SMALL[kind], **mistake})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("make", "advice"),
    [
        (
            lambda: recipes.denoising(FLAT, noise="snow"),
            "unknown noise 'snow'; expected one of gaussian, masking, salt",
        ),
        (
            lambda: recipes.denoising(FLAT, noise="masking", noise_level=1.5),
            "the level of MaskingNoise is 1.5; expected a number from 0 to 1",
        ),
        (lambda: recipes.denoising(FLAT, code_size=None), "code_size is None, .*; give a number, or filters"),
        (lambda: recipes.convolutional((2, 2, 2, 2)), r"needs signals .*\(2, 2, 2, 2\); reshape them"),
        (lambda: recipes.denoising((2, 2, 2, 2), filters=(3,)), r"needs signals .*\(2, 2, 2, 2\); reshape them"),
        (lambda: recipes.variational((2, 2, 2, 2), filters=(3,)), r"needs signals .*\(2, 2, 2, 2\); reshape them"),
        (lambda: recipes.convolutional((4, 4), kernel_size=0), "kernel_size is 0; expected a positive integer"),
        (lambda: recipes.variational(FLAT, beta=-1.0), "-1.0; expected"),
    ],
)
def test_an_option_that_this_type_cannot_have_is_refused(make: Any, advice: str) -> None:
    with pytest.raises(ValueError, match=advice) as caught:
        make()
    assert "\n" not in str(caught.value)
