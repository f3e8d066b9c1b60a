"""A few rows are encoded in one recorded call, to the same codes, and what is refused or hinted at stays so."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from helpers.small_models import TYPES, data_for, fitted, samples, unfitted

import npae
from npae.layers import Dense, LeakyReLU
from npae.network.autoencoder import Autoencoder
from npae.network.few_rows import MOST_ROWS, MOST_VALUES, are_few
from npae.network.posterior import posterior


def plain(kind: str, dtype: str = "float32") -> tuple[Autoencoder, Autoencoder]:
    """A network of a type with random biases, too, and a twin that records nothing."""
    shape = TYPES[kind][1]
    nets = [unfitted(kind).make_network(shape, "bce", 1) for _ in range(2)]
    for net, recorded in zip(nets, (True, False), strict=True):
        net.build(shape, dtype=dtype, recorded=recorded)
        net.theta[...] = np.random.default_rng(0).standard_normal(net.theta.shape)
    return nets[0], nets[1]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", TYPES)
def test_codes_are_those_of_the_same_layers_without_recording(kind: str, dtype: str) -> None:
    net, twin = plain(kind, dtype)
    x = data_for(kind, MOST_ROWS + 1).astype(dtype)
    for n in (3, 3, 3, MOST_ROWS, MOST_ROWS, 1, 1, 3, MOST_ROWS + 1):  # the buffers grow after the first recording
        assert are_few(x[:n], net) == (n <= MOST_ROWS)
        assert not are_few(x[:n], twin)
        np.testing.assert_array_equal(net.encode(x[:n]), twin.encode(x[:n]))
        np.testing.assert_array_equal(net.encode_checked(x[:n]), twin.encode_checked(x[:n]))
    assert sorted(net._of_few._recorded) == [1, 3, MOST_ROWS]


def test_the_first_call_with_a_number_of_rows_is_not_recorded() -> None:
    net, _ = plain("vanilla")
    x = data_for("vanilla", 4)
    net.encode(x)
    assert not net._of_few._recorded
    net.encode(x)
    assert list(net._of_few._recorded) == [4]


def test_codes_follow_the_parameters_and_the_settings_of_layers() -> None:
    net = npae.Autoencoder([Dense(4), LeakyReLU(0.5)], [Dense(6)], loss="mse").build((6,))
    x = samples(5, 6)
    net.encode(x)
    first = net.encode(x)
    net.encoder.layers[1].slope = 0.25
    second = net.encode(x)
    np.testing.assert_array_equal(second, np.where(first < 0, first / 2, first))
    net.theta[...] *= 2
    np.testing.assert_array_equal(net.encode(x), 2 * second)
    assert first.min() < 0
    assert not np.shares_memory(first, second)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_is_refused_with_its_place(bad: float) -> None:
    net, _ = plain("vanilla")
    x = data_for("vanilla", 4)
    net.encode(x)
    net.encode(x)
    x[2, 5] = bad
    with pytest.raises(
        ValueError, match=r"samples contains NaN or infinity: 1 of 48 values, the first at index \(2, 5\)"
    ):
        net.encode(x)


def test_rows_of_another_shape_or_none_are_refused_as_ever() -> None:
    net, _ = plain("vanilla")
    x = data_for("vanilla", 4)
    net.encode(x)
    with pytest.raises(ValueError, match="the model expects"):
        net.encode(x[:, :5])
    with pytest.raises(ValueError, match="samples are empty"):
        net.encode(x[:0])
    for n_jobs in (0, True, 257):
        with pytest.raises(ValueError, match=f"n_jobs is {n_jobs}"):
            net.encode(x, n_jobs=n_jobs)


def strided(x: Any) -> Iterator[Any]:
    yield np.asfortranarray(x)
    yield np.repeat(x, 2, axis=1)[:, ::2]
    yield x.astype("float64")
    yield x.tolist()
    yield x.astype(">f4")


def test_rows_in_another_order_type_or_container_have_the_same_codes() -> None:
    net, _ = plain("vanilla")
    x = data_for("vanilla", 4)
    net.encode(x)
    for other in strided(x):
        np.testing.assert_array_equal(net.encode(other), net.encode(x))


def test_codes_drawn_in_training_are_not_recorded() -> None:
    net, _ = plain("variational")
    x = data_for("variational", 4)
    with net._training():
        assert not are_few(x, net)
    assert are_few(x, net)


def test_rows_with_many_values_are_not_few() -> None:
    net = npae.Autoencoder([Dense(1)], [Dense(MOST_VALUES // 2)], loss="mse").build((MOST_VALUES // 2,))
    x = np.zeros((3, MOST_VALUES // 2), "float32")
    assert are_few(x[:2], net)
    assert not are_few(x, net)
    assert net.encode(x).shape == (3, 1)


def test_settings_tell_apart_what_configurations_tell_apart() -> None:
    net, other = plain("denoising")
    assert net.settings() == other.settings()
    net.corrupt.layers[0].level = 0.125
    assert net.config() != other.config()
    assert net.settings() != other.settings()
    other.corrupt.layers[0].level = 0.125
    assert net.settings() == other.settings()
    net.weight_decay = 0.5
    assert net.settings() != other.settings()


@pytest.mark.parametrize("kind", [staticmethod, classmethod])
def test_settings_have_those_of_a_layer_of_your_own_whose_config_is_of_the_class(kind: Any) -> None:
    own: Any = type("Own", (npae.layers.Dense,), {"config": kind(lambda *cls: {"units": 5, "of": len(cls)})})
    net = npae.Autoencoder([npae.layers.Dense(2)], [own(5)], loss="mse")
    net.plan((5,))
    assert net.settings()[-1] == net.decoder.layers[0].config()


@pytest.mark.parametrize("n", [1, 2, 7])
def test_the_distribution_of_a_few_codes_is_that_of_these_samples_however_often_it_is_asked(n: int) -> None:
    model = fitted("variational")
    x = data_for("variational", 40)
    mean, log_variance = (part[:n] for part in posterior(model.network_, x))
    for _ in range(3):
        model.transform(x[:n])
        model.transform(x[5 : 5 + n])
        again = posterior(model.network_, x[:n])
        np.testing.assert_allclose(again[0], mean, atol=1e-5)
        np.testing.assert_allclose(again[1], log_variance, atol=1e-5)
