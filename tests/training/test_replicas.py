"""Data-parallel training: the gradient of several threads is that of one."""

import os
import signal

import numpy as np
import pytest
from helpers.small_models import samples

import npae
from npae.layers import ActivityL1, Dense, GaussianNoise, Layer, LeakyReLU, Reparameterization
from npae.network import recipes
from npae.network.autoencoder import Autoencoder
from npae.training.optimizers import Adam
from npae.training.replicas import ThreadReplicas, effective_n_jobs
from npae.training.trainer import Training

NETWORKS = {
    "vanilla": lambda: recipes.vanilla((12,), code_size=3, weight_decay=0.1),
    "tied": lambda: recipes.deep((12,), hidden=(7,), code_size=3, tied_weights=True),
    "convolutional": lambda: recipes.convolutional((7, 6), filters=(2, 3), code_size=4),
    "sparse": lambda: recipes.deep((12,), hidden=(7,), code_size=3, activity_l1=0.3),
}


def built(name, **options):
    return NETWORKS[name]().build((7, 6) if name == "convolutional" else (12,), dtype="float64", **options)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("n_jobs", [1, 2, 3])
@pytest.mark.parametrize("n", [1, 2, 7, 12])
def test_shards_add_up_to_the_gradient_of_the_batch(name, n_jobs, n):
    whole, cut = built(name), built(name)
    x = samples(n, *whole.input_shape).astype("float64")
    replicas = ThreadReplicas(cut, n_jobs)
    replicas.set_data(x)
    assert replicas.gradient(np.arange(n)) == pytest.approx(whole.gradient(x), rel=1e-12)
    np.testing.assert_allclose(cut.dtheta, whole.dtheta, atol=1e-12 * np.abs(whole.dtheta).max())
    assert cut.terms == pytest.approx(whole.terms)


def test_replicas_share_parameters_and_nothing_else():
    net = built("vanilla")
    _, other = ThreadReplicas(net, 2).networks
    assert np.shares_memory(other.theta, net.theta)
    assert np.shares_memory(other.encoder.layers[0].W, net.theta)
    assert not np.shares_memory(other.dtheta, net.dtheta)


def test_every_shard_has_different_noise_that_is_redrawn_at_every_step():
    net = recipes.denoising((50,), hidden=(), code_size=2).build((50,))
    replicas = ThreadReplicas(net, 2)
    replicas.set_data(np.full((2, 50), 0.5, dtype="float32"))
    seen = []
    for step in (0, 0, 1):
        net.run.step = step
        replicas.gradient(np.arange(2))
        seen.append([r.corrupt.layers[0].y.copy() for r in replicas.networks])
    assert not np.array_equal(seen[0][0], seen[0][1])
    assert np.array_equal(seen[0], seen[1])
    assert not np.array_equal(seen[0][1], seen[2][1])


@pytest.mark.parametrize("kind", ["vanilla", "denoising", "variational"])
def test_one_seed_and_one_number_of_jobs_give_one_result(kind):
    x = samples(60, 12)
    thetas = []
    for _ in range(2):
        net = recipes.RECIPES[kind]((12,), code_size=3).build((12,), seed=4)
        Training(net, Adam(), batch_size=16, n_jobs=2).fit(x, 3)
        thetas.append(net.theta.tobytes())
    assert thetas[0] == thetas[1]


class Fragile(Layer):
    """The identity, or an error in every shard but the first."""

    is_broken = False

    def plan(self, input_shape, arena):
        return input_shape

    def forward(self, x):
        if self.run.shard and Fragile.is_broken:
            raise RuntimeError("broken in a replica")
        return x

    def backward(self, dy):
        return dy


def test_an_error_in_a_replica_reaches_the_caller_and_the_network_stays_usable(monkeypatch):
    net = Autoencoder([Fragile(), Dense(2)], [Dense(5)], loss="mse").build((5,))
    x = samples(4, 5)
    replicas = ThreadReplicas(net, 2)
    replicas.set_data(x)
    monkeypatch.setattr(Fragile, "is_broken", True)
    with pytest.raises(RuntimeError, match="broken in a replica"):
        replicas.gradient(np.arange(4))
    monkeypatch.undo()
    assert replicas.gradient(np.arange(4)) == pytest.approx(net.gradient(x), rel=1e-5)
    assert not net.run.training


def test_an_error_while_a_pass_is_recorded_leaves_the_network_usable(monkeypatch):
    net, twin = built("convolutional"), built("convolutional")
    x = samples(6, 7, 6).astype("float64")
    replicas = ThreadReplicas(net, 2)
    replicas.set_data(x)

    def interrupted(dy):
        raise KeyboardInterrupt

    monkeypatch.setattr(net.encoder.layers[1], "backward", interrupted)
    with pytest.raises(KeyboardInterrupt):
        replicas.gradient(np.arange(6))
    monkeypatch.undo()
    assert net.gradient(x) == twin.gradient(x)
    assert replicas.gradient(np.arange(6)) == pytest.approx(twin.gradient(x), rel=1e-12)


def test_jobs_are_counted_as_scikit_learn_counts_them():
    assert effective_n_jobs(None) == 1
    assert effective_n_jobs(3) == 3
    assert 1 <= effective_n_jobs(-1) <= (os.cpu_count() or 1)


@pytest.mark.parametrize("wrong", [0, -2, 1.5, "two"])
def test_an_invalid_number_of_jobs_is_refused(wrong):
    with pytest.raises(ValueError, match=r"n_jobs is .* expected a number of threads, -1 for all processors, or None"):
        npae.VanillaAutoencoder(n_jobs=wrong).fit(samples(200, 12))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_process_starts_its_own_threads():
    model = npae.VanillaAutoencoder(code_size=2, epochs=1, batch_size=10, n_jobs=2, random_state=0)
    x = samples(20, 6)
    model.fit(x)
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        model.partial_fit(x)
        os._exit(0 if model.n_iter_ == 2 else 1)
    assert os.waitpid(child, 0)[1] == 0


# What was recorded is made anew where something has changed


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("n_jobs", [1, 2, 3])
def test_batches_of_changing_length_are_each_learned_from_as_they_are(name, n_jobs):
    whole, cut = built(name), built(name)
    x = samples(40, *whole.input_shape).astype("float64")
    replicas = ThreadReplicas(cut, n_jobs)
    replicas.set_data(x)
    order = np.random.default_rng(0).permutation(40)
    for start, length in ((0, 5), (5, 5), (10, 2), (12, 1), (0, 5), (13, 27), (3, 5), (30, 2)):
        chosen = order[start : start + length]
        assert replicas.gradient(chosen) == pytest.approx(whole.gradient(x[chosen]), rel=1e-12)
        np.testing.assert_allclose(cut.dtheta, whole.dtheta, atol=1e-12 * np.abs(whole.dtheta).max())


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_other_data_and_other_contents_are_learned_from(n_jobs):
    whole, cut = built("convolutional"), built("convolutional")
    replicas = ThreadReplicas(cut, n_jobs)
    first, longer = (samples(n, 7, 6, seed=n).astype("float64") for n in (9, 12))
    for x in (first, first.copy(), longer, longer[3:], longer[:9], first):
        replicas.set_data(x)
        for _ in range(2):
            assert replicas.gradient(np.arange(4)) == pytest.approx(whole.gradient(x[:4]), rel=1e-12)
            x[...] = 1 - x


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_the_network_may_be_used_for_larger_batches_between_two_steps(n_jobs):
    whole, cut = built("convolutional"), built("convolutional")
    x = samples(300, 7, 6).astype("float64")
    replicas = ThreadReplicas(cut, n_jobs)
    replicas.set_data(x)
    for n in (4, 10, 100, 300):
        assert replicas.gradient(np.arange(4)) == pytest.approx(whole.gradient(x[:4]), rel=1e-12)
        np.testing.assert_allclose(cut.dtheta, whole.dtheta, atol=1e-12 * np.abs(whole.dtheta).max())
        cut.reconstruct(x[:n])
        cut.losses(1 - x[:n])
        cut.gradient(1 - x[:n])


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_a_callback_may_use_the_network_and_changes_nothing_by_it(n_jobs):
    x = samples(50, 12)
    thetas = []
    for callback in (lambda t: None, lambda t: t.network.losses(samples(40 * t.epoch, 12)) is None):
        net = recipes.variational((12,), hidden=(6,), code_size=3).build((12,))
        Training(net, Adam(), batch_size=16, n_jobs=n_jobs).fit(x, 4, callbacks=[callback])
        thetas.append(net.theta.tobytes())
    assert thetas[0] == thetas[1]


def with_settings(level=0.2, slope=0.1, beta=0.5, strength=0.1):
    encoder = [Dense(7), LeakyReLU(slope)]
    code = [Reparameterization(3, beta=beta), ActivityL1(strength)]
    return Autoencoder(encoder, [Dense(12)], corrupt=[GaussianNoise(level)], code=code).build((12,))


SETTINGS = {
    "level": (lambda net: net.corrupt.layers[0], 0.6),
    "slope": (lambda net: net.encoder.layers[1], np.float32(0.5)),
    "beta": (lambda net: net.code.layers[0], 3.0),
    "strength": (lambda net: net.code.layers[1], np.float32(2)),
}


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_setting_of_a_layer_that_changes_counts_for_every_replica_from_the_next_epoch_on(setting, n_jobs):
    layer_of, value = SETTINGS[setting]
    net, fresh, unchanged = with_settings(), with_settings(**{setting: value}), with_settings()
    x = samples(6, 12)
    replicas = ThreadReplicas(net, n_jobs)
    replicas.set_data(x)
    replicas.gradient(np.arange(6))
    setattr(layer_of(net), setting, value)
    losses = []
    for each in (replicas, ThreadReplicas(fresh, n_jobs), ThreadReplicas(unchanged, n_jobs)):
        each.set_data(x)
        losses.append(each.gradient(np.arange(6)))
    assert losses[0] == losses[1] != losses[2]
    assert net.dtheta.tobytes() == fresh.dtheta.tobytes() != unchanged.dtheta.tobytes()


class Shy(Layer):
    """The identity, whose constructor does not store its argument."""

    def __init__(self, argument):
        pass

    def plan(self, input_shape, arena):
        return input_shape

    def forward(self, x):
        return x

    def backward(self, dy):
        return dy


def test_a_layer_without_a_config_can_be_trained_on_one_thread():
    net = Autoencoder([Shy(1), Dense(2)], [Dense(5)], loss="mse").build((5,))
    x = samples(20, 5)
    before = net.losses(x).mean()
    Training(net, Adam(1e-2), batch_size=5).fit(x, 5)
    assert net.losses(x).mean() < before
