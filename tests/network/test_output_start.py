"""The last layer of a recipe's decoder starts smaller: by how much, in which layer, and what stays as it was."""

from math import sqrt
from typing import Any

import numpy as np
import pytest

from npae import Autoencoder
from npae.kernels import reference_kernels
from npae.layers import Conv2D, Dense, Layer
from npae.network import output_start, recipes
from npae.network.recipes import RECIPES

PICTURE = (8, 8)
NETWORKS: dict[str, tuple[str, dict[str, Any]]] = {
    "vanilla": ("vanilla", {"code_size": 3}),
    "deep": ("deep", {"hidden": (7, 5), "code_size": 3}),
    "convolutional": ("convolutional", {"filters": (2, 3), "code_size": 3}),
    "denoising": ("denoising", {"hidden": (7, 5), "code_size": 3}),
    "denoising, convolutional": ("denoising", {"filters": (2,), "code_size": None}),
    "variational": ("variational", {"hidden": (7,), "code_size": 3}),
    "variational, convolutional": ("variational", {"filters": (2,), "code_size": 3}),
}
TIED = [("vanilla", {"code_size": 3}), ("deep", {"hidden": (7, 5), "code_size": 3})]


def weights(net: Autoencoder) -> list[Any]:
    halves = (net.encoder, net.decoder)
    return [layer for half in halves for layer in half.layers if isinstance(layer, Dense | Conv2D)]


def built(net: Autoencoder, dtype: str = "float64") -> Autoencoder:
    return net.build(PICTURE, seed=2, dtype=dtype, kernels=reference_kernels())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("loss", "gain"), [("bce", 0.3), ("mse", 0.1), ("bce_on_probabilities", 1.0)])
@pytest.mark.parametrize("network", NETWORKS)
def test_only_the_last_layer_starts_smaller_and_by_the_gain_of_the_loss(
    network: str, loss: str, gain: float, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, options = NETWORKS[network]
    small = weights(built(RECIPES[kind](PICTURE, **options, loss=loss), dtype))
    monkeypatch.setattr(output_start, "OUTPUT_GAINS", {})
    full = weights(built(RECIPES[kind](PICTURE, **options, loss=loss), dtype))
    for layer, other in zip(small[:-1], full[:-1], strict=True):
        np.testing.assert_array_equal(layer.W, other.W)
    np.testing.assert_allclose(small[-1].W, gain * full[-1].W, rtol=1e-6)
    assert np.abs(full[-1].W).max() > 0
    np.testing.assert_array_equal(small[-1].b, 0)


@pytest.mark.parametrize(("loss", "gain"), [("bce", 0.3), ("mse", 0.1)])
@pytest.mark.parametrize(("kind", "options"), TIED)
def test_tied_weights_which_are_used_twice_start_smaller_by_the_square_root(
    kind: str, options: dict[str, Any], loss: str, gain: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tied() -> list[Any]:
        return weights(built(RECIPES[kind](PICTURE, **options, loss=loss, tied_weights=True)))

    small = tied()
    monkeypatch.setattr(output_start, "OUTPUT_GAINS", {})
    full = tied()
    np.testing.assert_allclose(small[0].W, sqrt(gain) * full[0].W)
    for layer, other in zip(small[1:], full[1:], strict=True):
        np.testing.assert_array_equal(layer.W, other.W)


@pytest.mark.parametrize("layer", [Dense(40), Conv2D(40)])
def test_layers_of_an_own_network_start_as_they_are_told(layer: Layer) -> None:
    shape = (30,) if isinstance(layer, Dense) else (4, 4, 6)
    full: Any = type(layer)(40).build(shape, dtype="float64", kernels=reference_kernels())
    for gain in (0, 0.25, 1, 3.0):
        scaled: Any = type(layer)(40, gain=gain).build(shape, dtype="float64", kernels=reference_kernels())
        np.testing.assert_allclose(scaled.W, gain * full.W)


def test_an_own_network_has_no_gain_that_it_was_not_given() -> None:
    net = Autoencoder([Dense(3)], [Dense(8)], loss="mse")
    assert [layer.gain for layer in weights(net)] == [1.0, 1.0]
    assert "gain" not in str(net.config())


@pytest.mark.parametrize("gain", [-0.1, 1001, float("nan"), "small", None, True])
@pytest.mark.parametrize("kind", [Dense, Conv2D])
def test_another_gain_than_a_number_from_0_to_1000_is_refused(kind: Any, gain: Any) -> None:
    with pytest.raises(ValueError, match=r"gain is .*; expected"):
        kind(3, gain=gain)


def test_a_description_keeps_the_gain_and_one_without_it_is_of_gain_1() -> None:
    net = recipes.convolutional(PICTURE, filters=(2,), code_size=3, loss="mse")
    config = net.config()
    assert [c["gain"] for half in ("encoder", "decoder") for c in config[half] if "gain" in c] == [0.1]
    assert [layer.gain for layer in weights(Autoencoder.from_config(config))] == [1.0, 1.0, 1.0, 1.0, 0.1]
    for half in ("encoder", "decoder"):  # of a file from before there were gains
        for c in config[half]:
            c.pop("gain", None)
    earlier = Autoencoder.from_config(config)
    assert earlier.config() == config
    assert {layer.gain for layer in weights(earlier)} == {1.0}
