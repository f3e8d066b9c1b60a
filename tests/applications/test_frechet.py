"""The Fréchet distance: against SciPy's matrix square root and known cases, and what it says of samplers."""

from typing import Any

import numpy as np
import pytest
from helpers.small_models import data_for, fitted, samples
from hypothesis import given, settings
from hypothesis import strategies as st

import npae
from npae.applications import frechet, generation
from npae.applications.frechet import TooFewSamplesError, compare, features_for, frechet_distance, square_root
from npae.datasets import load_digits

seeds = st.integers(0, 2**32 - 1)


def drawn(seed: int, n: int, size: int, rank: int) -> Any:
    generator = np.random.default_rng(seed)
    return generator.standard_normal((n, rank)) @ generator.standard_normal((rank, size)) + generator.normal(size=size)


@given(seeds, st.integers(1, 6), st.integers(1, 6), st.integers(2, 30), st.integers(2, 30))
@settings(deadline=None)
def test_the_distance_is_that_of_scipys_eigenvalues(seed: int, size: int, rank: int, n: int, m: int) -> None:
    linalg = pytest.importorskip("scipy.linalg")
    a, b = drawn(seed, n, size, rank), drawn(seed + 1, m, size, size)
    covariances = [np.cov(x.T).reshape(size, size) for x in (a, b)]
    # The trace of the root of the product is the sum of the roots of its eigenvalues, which are not negative. SciPy's
    # root of the whole matrix need not exist where the matrix has no full rank.
    roots = np.sqrt(np.maximum(linalg.eigvals(covariances[0] @ covariances[1]).real, 0))
    expected = np.square(a.mean(axis=0) - b.mean(axis=0)).sum() + sum(map(np.trace, covariances)) - 2 * roots.sum()
    scale = sum(map(np.trace, covariances)) + 1
    assert frechet_distance(a, b) == pytest.approx(expected, abs=1e-5 * scale)


def test_the_distance_of_two_normal_distributions_of_one_axis_is_known() -> None:
    x = np.array([-1.0, 1.0, -1.0, 1.0])
    spread = x.std(ddof=1)
    assert frechet_distance(x[:, None], 3 * x[:, None] + 5) == pytest.approx(25 + (3 * spread - spread) ** 2)


@given(seeds, st.integers(1, 5))
@settings(deadline=None)
def test_equal_sets_have_no_distance_and_the_order_does_not_matter(seed: int, size: int) -> None:
    a, b = drawn(seed, 20, size, size), drawn(seed + 1, 15, size, size)
    assert frechet_distance(a, a[::-1]) == pytest.approx(0, abs=1e-6 * np.square(a).sum())
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a), rel=1e-6, abs=1e-6)
    assert frechet_distance(a, b) >= 0


@given(seeds, st.integers(1, 8), st.integers(1, 8))
@settings(deadline=None)
def test_a_square_root_squared_is_the_matrix(seed: int, size: int, rank: int) -> None:
    x = np.random.default_rng(seed).standard_normal((size, rank))
    np.testing.assert_allclose(square_root(x @ x.T) @ square_root(x @ x.T), x @ x.T, atol=1e-8 * np.square(x).sum())


def test_a_smaller_sample_has_a_larger_distance_from_its_own_distribution() -> None:
    a = np.random.default_rng(0).standard_normal((4000, 10))
    few, many = frechet_distance(a[:50], a[50:100]), frechet_distance(a[:2000], a[2000:])
    assert few > 10 * many


@pytest.mark.parametrize(("a", "b"), [((5, 3), (5, 2)), ((1, 3), (5, 3)), ((5,), (5,))])
def test_features_that_cannot_be_compared_are_refused(a: Any, b: Any) -> None:
    with pytest.raises(ValueError, match=r"features of shapes .* were given; give two samples or more of as many"):
        frechet_distance(np.zeros(a), np.zeros(b))


# Of a model


@pytest.fixture(scope="module")
def digits() -> Any:
    found = load_digits()
    return found.train_images[:1500].reshape(1500, -1), found.train_labels[:1500]


def test_a_mixture_draws_digits_that_are_closer_to_the_data_than_the_other_samplers_do(digits: Any) -> None:
    pytest.importorskip("sklearn")
    x, labels = digits
    model = npae.DeepAutoencoder(
        hidden=(64,), code_size=16, epochs=25, learning_rate=3e-3, batch_size=50, random_state=0
    ).fit(x)
    found = compare(model, x, labels)
    distances = dict(found.rows)
    assert list(distances) == ["gaussian", "gmm", "data"]
    assert distances["data"] < distances["gmm"] < 0.7 * distances["gaussian"]
    assert (found.n, found.size) == (750, 32)
    assert found.features.startswith("a classifier of the labels, right for ")
    assert compare(model, x, labels, ["gmm"]).rows == found.rows[1:]  # a function of its arguments


def test_without_different_labels_the_models_own_codes_are_the_features(monkeypatch: Any) -> None:
    model, x = fitted("variational"), data_for("variational", 24)
    for labels in (None, np.zeros(24)):
        found = compare(model, x, labels)
        assert (found.size, found.n, found.features) == (4, 12, "the model's own codes")
    assert [name for name, _ in found.rows] == ["prior", "gaussian", "data"]  # too few codes for a mixture
    monkeypatch.setattr(frechet, "has_sklearn", lambda: False)
    assert compare(model, x, np.arange(24) % 2).features == "the model's own codes"


def test_the_distance_of_the_data_is_that_of_its_halves_in_the_features() -> None:
    model, x = fitted("deep"), data_for("deep", 30)
    order = frechet.generator(0, "halves").permutation(30)
    codes = features_for(model, x).of(x[order])
    assert compare(model, x).rows[-1][1] == pytest.approx(frechet_distance(codes[:15], codes[15:]), rel=1e-6)


def test_of_many_samples_some_are_drawn(monkeypatch: Any) -> None:
    monkeypatch.setattr(frechet, "MOST", 20)
    assert compare(fitted("deep"), data_for("deep", 50)).n == 10


def test_too_few_samples_for_a_covariance_are_refused_with_the_number_that_is_needed() -> None:
    with pytest.raises(TooFewSamplesError, match=r"7 samples a side are too few .* in 4 features; give at least 16 in"):
        compare(fitted("deep"), data_for("deep", 15))
    assert compare(fitted("deep"), data_for("deep", 16)).n == 8


# Active dimensions


@pytest.mark.filterwarnings("ignore:the code has collapsed:UserWarning")
def test_a_dimension_whose_mean_varies_but_carries_little_is_not_active() -> None:
    model, x = fitted("variational"), samples(50, 12)
    arena = model.network_.arena
    values = {name: value for name, value, _ in arena.parameters()}
    for name in ("code.0.mu.W", "code.0.mu.b", "code.0.log_var.W", "code.0.log_var.b"):
        values[name][...] = 0
    values["code.0.mu.W"][:, 0] = 1.0
    spread = model.transform(x)[:, 0].std()
    for variance, column in ((0.05, 0), (0.5, 1)):
        values["code.0.mu.W"][:, column] = np.sqrt(variance) / spread
    mean = model.transform(x).mean(axis=0)
    values["code.0.mu.b"][:2] = -mean[:2]
    found = generation.bounds(model, x, 2)
    np.testing.assert_allclose(found.variance, [0.05, 0.5, 0, 0], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found.kl, [0.025, 0.25, 0, 0], rtol=1e-4, atol=1e-6)
    assert found.varying.tolist() == [True, True, False, False]
    assert found.active.tolist() == [False, True, False, False]


@pytest.mark.filterwarnings("ignore:the code has collapsed:UserWarning")
def test_bounds_of_a_conditional_model_are_those_given_the_labels() -> None:
    x, labels = data_for("variational", 40), np.arange(40) % 2
    x[:, 0] = 0.1 + 0.8 * labels
    model = npae.VariationalAutoencoder(
        conditional=True, hidden=(9,), code_size=2, epochs=40, learning_rate=0.02, batch_size=8, random_state=0
    ).fit(x, labels)
    right, wrong = generation.bounds(model, x, 5, labels=labels), generation.bounds(model, x, 5, labels=1 - labels)
    assert right.elbo > wrong.elbo + 0.5
    with pytest.raises(ValueError, match="depends on a label; give labels"):
        generation.bounds(model, x, 5)


def test_pictures_of_a_conditional_model_are_those_of_the_label() -> None:
    x, labels = data_for("variational", 40), np.arange(40) % 2
    model = npae.VariationalAutoencoder(
        conditional=True, hidden=(9,), code_size=2, epochs=1, batch_size=8, random_state=0
    ).fit(x, labels)
    walk = generation.walk(model, x[0], x[1], 3, labels=1)
    np.testing.assert_allclose(walk[[0, 2]], model.reconstruct(x[:2], [1, 1]), atol=1e-6)
    assert generation.walk(model, x[0], x[1], 3, spherical=True, labels=1).shape == (3, 12)
    for use in (generation.traversals, generation.latent_grid):
        given = x[0] if use is generation.traversals else x
        one, other = (use(model, given, 3, labels=label) for label in (0, 1))
        assert one.shape == other.shape
        assert not np.array_equal(one, other)
