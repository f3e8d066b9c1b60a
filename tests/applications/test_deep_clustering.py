"""Deep embedded clustering: the gradient through the encoder, what training does, and what is refused."""

import numpy as np
import pytest
from helpers.finite_difference import numeric_gradient, relative_error
from helpers.small_models import data_for, fitted, samples

import npae
from npae import Autoencoder
from npae.applications.deep_clustering import deep_cluster
from npae.applications.soft_assignment import SoftAssignment, divergence, target_distribution
from npae.layers import ActivityL1, Dense, Tanh


@pytest.fixture(scope="module")
def blobs():
    """Three kinds of samples with noise, and which is which."""
    rng = np.random.default_rng(0)
    kinds = np.arange(150) % 3
    return (rng.random((3, 12))[kinds] + 0.15 * rng.normal(size=(150, 12))).clip(0, 1).astype("float32"), kinds


@pytest.mark.parametrize("weight", [0.0, 0.7])
@pytest.mark.parametrize("loss", ["bce", "mse"])
def test_the_gradient_of_own_loss_and_divergence_is_that_of_finite_differences(loss, weight):
    x = samples(5, 6).astype("float64")
    net = Autoencoder(
        [Dense(4), Tanh(), Dense(2)], [Dense(4), Tanh(), Dense(6)], loss=loss, code=[ActivityL1(0.1)], weight_decay=0.01
    ).build((6,), dtype="float64")
    layer = SoftAssignment(3, 0.6).build((2,), dtype="float64")
    layer.centroids[...] = np.random.default_rng(1).normal(size=(3, 2))
    p = target_distribution(layer(net.encode(x)))

    def total():
        own = net.losses(x).mean() + net.weight_penalty()
        return float(weight * own + divergence(p, layer(net.encode(x)))[0].mean())

    def code_gradient(z):
        return layer.backward(divergence(p, layer(z.copy()))[1])

    own = net.gradient_with_codes(x, code_gradient, weight)
    assert own == pytest.approx(net.losses(x).mean() + net.weight_penalty())
    gradients = {name: gradient.copy() for name, _, gradient in net.arena.parameters()}
    for name, value, _ in net.arena.parameters():
        if weight or name.startswith("encoder"):
            assert relative_error(gradients[name], numeric_gradient(total, value)) < 1e-6, name
        else:
            assert not gradients[name].any(), name
    net.gradient(x)
    without = {name: gradient.copy() for name, _, gradient in net.arena.parameters()}
    net.gradient_with_codes(x, np.zeros_like)
    for name, _, gradient in net.arena.parameters():
        np.testing.assert_allclose(gradient, without[name], atol=1e-12)


def test_training_ends_when_fewer_samples_than_asked_for_change_their_group(blobs):
    pytest.importorskip("sklearn")
    x, _ = blobs
    model = npae.DeepAutoencoder(hidden=(16,), code_size=2, epochs=10, batch_size=10, random_state=0).fit(x)
    found = deep_cluster(model, x, 8, tolerance=0.02)
    assert found.changed[-1] < 0.02
    assert all(changed >= 0.02 for changed in found.changed[:-1])


def test_groups_get_denser_and_the_model_that_was_given_stays(blobs):
    pytest.importorskip("sklearn")
    x, kinds = blobs
    model = npae.DeepAutoencoder(hidden=(16,), code_size=2, epochs=40, batch_size=10, random_state=0).fit(x)
    before = model.network_.theta.copy()
    with pytest.warns(UserWarning, match="give more updates"):  # than ten
        found = deep_cluster(model, x, 3, tolerance=0, updates=10)
    np.testing.assert_array_equal(model.network_.theta, before)
    assert len(found.changed) == 10
    codes = found.model.transform(x)
    groups = found.groups.groups
    assert {tuple(np.unique(groups[kinds == kind])) for kind in range(3)} == {(0,), (1,), (2,)}
    np.testing.assert_allclose(
        found.groups.distances, np.linalg.norm(codes - found.groups.centroids[groups], axis=1), rtol=1e-5
    )

    def spread(model):
        z = model.transform(x)
        within = np.mean([z[kinds == kind].var(axis=0).sum() for kind in range(3)])
        return within / z.var(axis=0).sum()

    assert spread(found.model) < 0.5 * spread(model)
    assert found.model.score(x) > model.score(x) - 1  # it still decodes
    assert found.model.fitted_to_.count_in(x) == len(x)


def test_the_same_seed_gives_the_same_model(blobs):
    pytest.importorskip("sklearn")
    x, _ = blobs
    model = npae.DeepAutoencoder(hidden=(16,), code_size=2, epochs=2, batch_size=10, random_state=0).fit(x)
    one, two = (deep_cluster(model, x, 3, updates=2, tolerance=1, seed=4) for _ in range(2))
    np.testing.assert_array_equal(one.model.network_.theta, two.model.network_.theta)
    assert len(one.changed) == 1  # fewer than all samples change their group


def test_too_few_updates_are_told_of(blobs):
    pytest.importorskip("sklearn")
    x, _ = blobs
    model = npae.DeepAutoencoder(hidden=(16,), code_size=2, epochs=2, batch_size=10, random_state=0).fit(x)
    with pytest.warns(UserWarning, match=r"after 1 updates .* still change their group, where less than 0.00% was"):
        deep_cluster(model, x, 5, updates=1, tolerance=0)


@pytest.mark.parametrize("kind", ["vanilla", "convolutional", "denoising"])
def test_every_type_with_one_code_for_a_sample_is_trained(kind):
    pytest.importorskip("sklearn")
    x = data_for(kind, 30)
    found = deep_cluster(fitted(kind), x, 2, updates=1, tolerance=1)
    assert np.isfinite(found.model.network_.theta).all()
    assert (found.model.network_.theta != fitted(kind).network_.theta).any()


def test_a_variational_model_and_wrong_values_are_refused():
    pytest.importorskip("sklearn")
    with pytest.raises(ValueError, match="a variational model has a distribution of codes; give a model of another"):
        deep_cluster(fitted("variational"), data_for("variational"), 2)
    with pytest.raises(ValueError, match="24 different samples cannot be divided into 25 groups"):
        deep_cluster(fitted("deep"), data_for("deep"), 25)
    with pytest.raises(ValueError, match="weight is -1"):
        deep_cluster(fitted("deep"), data_for("deep"), 2, weight=-1)
