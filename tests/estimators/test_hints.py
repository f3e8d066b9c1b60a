"""Hints where data was probably meant otherwise: when each is given, and when none is."""

import re
import warnings
from typing import Any

import numpy as np
import pytest
from helpers.small_models import samples
from hypothesis import given
from hypothesis import strategies as st

import npae
from npae.datasets import load_digits
from npae.estimators.hints import _are_neighbours, hint_at_code, hint_at_data
from npae.layers import Reparameterization
from npae.network import recipes
from npae.network.autoencoder import Autoencoder
from npae.utils.errors import ChannelsFirstHint, Hint, ScaleHint, UnusedCodeHint, WindowsHint
from npae.utils.types import Array, Shape

DENSE = recipes.deep((12,), hidden=(), code_size=2)
CONVOLUTIONAL = recipes.convolutional((12,), filters=(2,), code_size=2)
BOTH = {"dense": DENSE, "convolutional": CONVOLUTIONAL}


def hints(X: Array, network: Autoencoder) -> list[Hint]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        hint_at_data(X, network)
    assert all("\n" not in str(one.message) for one in caught)
    return [one.message for one in caught]  # type: ignore[misc]


def random(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).random(shape, dtype="float32")


def pictures(n: int, height: int, width: int, seed: int = 0) -> Array:
    """Smooth grey images, as sums of a few waves."""
    generator = np.random.default_rng(seed)
    rows, columns = np.arange(height)[:, None] / 28, np.arange(width) / 28
    waves = [
        generator.normal(size=(n, 1, 1)) * np.cos(6.3 * (a * rows + b * columns) + generator.uniform(0, 6.3, (n, 1, 1)))
        for a, b in generator.uniform(-1.5, 1.5, (6, 2))
    ]
    return 1 / (1 + np.exp(-sum(waves)))


# Channels


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 28, 28), (1, 8, 8), (4, 20, 30), (3, 64, 128)])
@pytest.mark.parametrize("network", BOTH.values(), ids=BOTH)
def test_images_with_channels_first_are_hinted_at_with_the_order_that_is_read(
    shape: Shape, network: Autoencoder
) -> None:
    (hint,) = hints(random(5, *shape), network)
    assert isinstance(hint, ChannelsFirstHint)
    channels, height, width = shape
    assert f"5 images of {channels}×{height} pixels with {width} channels" in str(hint)
    assert f"{height}×{width} pixels with channels first, fit X.transpose(0, 2, 3, 1)" in str(hint)
    assert hints(random(5, *shape).transpose(0, 2, 3, 1), network) == []


@given(height=st.integers(1, 40), width=st.integers(1, 40), channels=st.sampled_from([1, 2, 3, 4]))
def test_images_with_channels_last_are_not_hinted_at(height: int, width: int, channels: int) -> None:
    assert hints(random(3, height, width, channels), CONVOLUTIONAL) == []


@pytest.mark.parametrize("shape", [(1, 128, 9), (128, 1, 9), (16, 16, 31), (2, 2, 64), (4, 4, 32)])
def test_signals_and_maps_of_many_channels_are_not_hinted_at(shape: Shape) -> None:
    assert hints(random(5, *shape), CONVOLUTIONAL) == []


# Windows


@pytest.mark.parametrize("time", [30, 64, 1000])
@pytest.mark.parametrize("channels", [2, 3, 6, 9])
def test_windows_of_few_channels_are_hinted_at_with_the_shape_to_give(time: int, channels: int) -> None:
    steps = np.cumsum(np.random.default_rng(1).normal(size=(40, time, channels)), axis=1)  # random walks
    for X in (random(40, time, channels), steps):
        (hint,) = hints(X, CONVOLUTIONAL)
        assert isinstance(hint, WindowsHint)
        assert f"windows of {time} times with {channels} channels each, fit X[:, :, None, :]" in str(hint)
        assert hints(X[:, :, None, :], CONVOLUTIONAL) == []
        (hint,) = hints(X.transpose(0, 2, 1), CONVOLUTIONAL)
        assert f"{time} times with {channels} channels each, fit X.transpose(0, 2, 1)[:, :, None, :]" in str(hint)
        assert hints(X, DENSE) == []  # to which the order of values does not matter


def test_the_shape_that_is_named_can_be_learned() -> None:
    X = samples(20, 30, 3)
    model = npae.ConvolutionalAutoencoder(filters=(2,), code_size=2, epochs=1, batch_size=10, random_state=0)
    with pytest.warns(WindowsHint):
        model.fit(X)
    assert model.fit(X[:, :, None, :]).reconstruct(X[:, :, None, :]).shape == (20, 30, 1, 3)


@given(height=st.integers(4, 64), width=st.integers(4, 64), seed=st.integers(0, 1000))
def test_pictures_of_any_height_and_width_are_not_taken_for_windows(height: int, width: int, seed: int) -> None:
    assert hints(pictures(50, height, width, seed), CONVOLUTIONAL) == []


def test_neighbours_in_a_picture_are_alike_and_channels_are_not() -> None:
    assert _are_neighbours(pictures(30, 60, 12))
    assert not _are_neighbours(random(30, 60, 12))
    assert not _are_neighbours(np.ones((5, 20, 6)))  # nothing is known of them


# Columns


@pytest.mark.parametrize("factors", [[1, 1000], [1, 1, 1, 1e4], [1000, 1, 1, 1000], np.logspace(-3, 3, 8)])
def test_columns_of_very_different_scale_are_hinted_at_with_the_largest(factors: Any) -> None:
    X = np.random.default_rng(0).normal(size=(200, len(factors))) * factors
    (hint,) = hints(X, DENSE)
    assert isinstance(hint, ScaleHint)
    column = int(re.search(r"in column (\d+) but", str(hint)).group(1))  # type: ignore[union-attr]
    assert np.abs(X[:, column - 1]).max() == np.abs(X).max()
    assert "StandardScaler" in str(hint)
    assert hints((X - X.mean(axis=0)) / X.std(axis=0), DENSE) == []
    assert hints(X / np.abs(X).max(), DENSE) == []
    assert hints(X, CONVOLUTIONAL) == []  # to which columns are the times of a signal


def test_the_hint_names_the_column_of_a_dataframe() -> None:
    pandas = pytest.importorskip("pandas")
    X = pandas.DataFrame(np.random.default_rng(0).normal(size=(200, 3)) * [1, 1e4, 1], columns=["age", "pay", "size"])
    with pytest.warns(ScaleHint, match=r"in column 2 \('pay'\) but"):
        npae.VanillaAutoencoder(code_size=2, epochs=1).fit(X)


def test_a_column_far_from_zero_is_hinted_at() -> None:
    years = np.random.default_rng(0).integers(1990, 2020, 100)
    assert len(hints(np.column_stack([years, random(100), random(100)]), DENSE)) == 1


def one_hot(n: int, categories: int) -> Array:
    generator = np.random.default_rng(0)
    return np.eye(categories, dtype="float32")[np.minimum(generator.geometric(0.3, n), categories) - 1]


@pytest.mark.parametrize(
    "X",
    [
        one_hot(500, 30),
        np.random.default_rng(0).normal(size=(1000, 12)),
        np.random.default_rng(0).normal(size=(2, 12)),  # of few rows nothing is known
        np.random.default_rng(0).lognormal(size=(1000, 12)),
        np.random.default_rng(0).poisson(np.logspace(-2, 1, 40), (500, 40)),  # how often words occur
        np.hstack([one_hot(500, 10), np.random.default_rng(0).normal(size=(500, 5))]),
        np.column_stack([random(500), np.random.default_rng(0).integers(18, 90, 500)]),
        np.column_stack([np.zeros(500), np.full(500, 7.0), np.random.default_rng(0).normal(size=500)]),
        np.zeros((100, 4)),
        (255 * pictures(100, 20, 20)).reshape(100, -1),
        random(300, 6) * np.logspace(-5, 0, 6),
    ],
    ids=range(11),
)
def test_tables_of_like_columns_are_not_hinted_at(X: Array) -> None:
    assert hints(X, DENSE) == []


def test_flat_digits_of_0_to_255_are_not_taken_for_a_table() -> None:
    digits = load_digits().train_images[:500]
    assert hints(255 * digits.reshape(500, -1), DENSE) == []


# In fit and partial_fit


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_one_hint_points_at_the_line_that_gave_the_data(method: str) -> None:
    X = np.random.default_rng(0).normal(size=(200, 3)) * [1, 1, 1000]
    model = npae.VanillaAutoencoder(code_size=2, epochs=1, random_state=0)
    with pytest.warns(ScaleHint) as caught:
        getattr(model, method)(X)
    assert [one.filename for one in caught] == [__file__]
    model.partial_fit(X)  # is not hinted at again


def test_hints_can_be_turned_off_by_name_and_change_no_bit() -> None:
    X = np.random.default_rng(0).normal(size=(200, 3)) * [1, 1, 1000]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Hint)
        npae.VanillaAutoencoder(code_size=2, epochs=1, random_state=0).fit(X)


# The code of a variational model


def trained(**parameters: Any) -> tuple[Autoencoder, list[Hint]]:
    X = samples(400, 12, factors=2)
    defaults: dict[str, Any] = {"hidden": (16,), "code_size": 2, "epochs": 40, "batch_size": 20, "learning_rate": 0.01}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = npae.VariationalAutoencoder(**{**defaults, "random_state": 0, **parameters}).fit(X)
    assert all("\n" not in str(one.message) and one.filename == __file__ for one in caught)
    return model.network_, [one.message for one in caught]  # type: ignore[misc]


def test_a_code_that_carries_nothing_is_hinted_at() -> None:
    _, (hint,) = trained(beta=50.0)
    assert isinstance(hint, UnusedCodeHint)
    assert re.match(
        r"the code carries [\d.e-]+ nats about a sample after 40 epochs, so .*; lower beta \(50\)", str(hint)
    )


def test_dimensions_that_carry_nothing_are_counted() -> None:
    _, (hint,) = trained(code_size=12)
    assert isinstance(hint, UnusedCodeHint)
    unused = int(re.match(r"(\d+) of the code's 12 dimensions carry less than 0.05 nats", str(hint)).group(1))  # type: ignore[union-attr]
    assert 6 < unused < 12
    assert f"which {12 - unused} would be enough for" in str(hint)


def test_a_code_that_is_used_is_not_hinted_at() -> None:
    assert trained()[1] == []


@pytest.mark.parametrize(
    "parameters",
    [{"epochs": 9}, {"epochs": 12, "batch_size": 50}, {"beta_warm_up": 25}, {"validation_fraction": 0.5, "epochs": 9}],
    ids=str,
)
def test_after_a_short_training_nothing_is_said(parameters: dict[str, Any]) -> None:
    assert trained(beta=50.0, **parameters)[1] == []


def test_as_long_as_the_code_comes_into_use_nothing_is_said() -> None:
    network, _ = trained(beta=50.0)
    X, rising = samples(400, 12), {"kl": [0.001 * 1.2**epoch for epoch in range(40)]}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        hint_at_code(network, X, rising, 800)
    with pytest.warns(UnusedCodeHint):
        hint_at_code(network, X, {"kl": [0.001] * 40}, 800)


def test_other_models_have_no_such_code() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        hint_at_code(DENSE, samples(4, 12), {"kl": [0.0] * 40}, 800)
    assert not any(isinstance(layer, Reparameterization) for layer in DENSE.code.layers)


def peaks(n: int, width: float) -> Array:
    return np.exp(-((np.linspace(-5, 5, 80) / width) ** 2)) * 5000 * np.random.default_rng(0).random((n, 1))


def outlier(value: float, n: int = 1) -> Array:
    X = np.random.default_rng(0).normal(size=(2000, 5))
    X[:n, 4] = value
    return X


@pytest.mark.parametrize("X", [peaks(100, 1.0), peaks(100, 2.0), peaks(100, 1.0) + 1, outlier(900), outlier(1e6, 20)])
def test_signals_along_the_columns_and_a_few_outliers_are_not_hinted_at(X: Array) -> None:
    assert hints(X, DENSE) == []


@pytest.mark.parametrize(
    "X",
    [
        outlier(900, 40),  # of 2000 rows
        peaks(100, 1.0)[:, np.random.default_rng(0).permutation(80)],
        np.random.default_rng(0).normal(size=(100, 80)) * np.where(np.arange(80) == 40, 5000, 1),
    ],
)
def test_columns_in_no_order_and_many_large_rows_are_hinted_at(X: Array) -> None:
    (hint,) = hints(X, DENSE)
    assert isinstance(hint, ScaleHint)
