"""Several threads, one gradient."""

import os
import signal
import time

import numpy as np
import pytest
from small_models import samples

import npae
from npae import recipes
from npae.autoencoder import Autoencoder
from npae.layers import Dense, Layer
from npae.optimizers import Adam
from npae.replicas import Replicas, count_jobs
from npae.training import Training

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
    replicas = Replicas(cut, n_jobs)
    assert replicas.gradient(x) == pytest.approx(whole.gradient(x), rel=1e-12)
    np.testing.assert_allclose(cut.dtheta, whole.dtheta, atol=1e-12 * np.abs(whole.dtheta).max())
    assert cut.terms == pytest.approx(whole.terms)


def test_replicas_share_parameters_and_nothing_else():
    net = built("vanilla")
    (other,) = Replicas(net, 2).others
    assert np.shares_memory(other.theta, net.theta)
    assert np.shares_memory(other.encoder.layers[0].W, net.theta)
    assert not np.shares_memory(other.dtheta, net.dtheta)


def test_every_shard_has_noise_of_its_own_that_is_redrawn_at_every_step():
    net = recipes.denoising((50,), hidden=(), code_size=2).build((50,))
    replicas = Replicas(net, 2)
    x = np.full((2, 50), 0.5, dtype="float32")
    seen = []
    for step in (0, 0, 1):
        net.run.step = step
        replicas.gradient(x)
        seen.append([r.corrupt.layers[0].y.copy() for r in (net, *replicas.others)])
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


def test_an_error_in_a_thread_reaches_the_caller():
    class Fragile(Layer):
        def plan(self, input_shape, arena):
            return input_shape

        def forward(self, x):
            if self.run.shard:
                raise RuntimeError("broken in a thread")
            return x

        def backward(self, dy):
            return dy

    net = Autoencoder([Fragile(), Dense(2)], [Dense(5)], loss="mse").build((5,))
    with pytest.raises(RuntimeError, match="broken in a thread"):
        Replicas(net, 2).gradient(samples(4, 5))


def test_jobs_are_counted_as_scikit_learn_counts_them():
    assert count_jobs(None) == 1
    assert count_jobs(3) == 3
    assert 1 <= count_jobs(-1) <= (os.cpu_count() or 1)


@pytest.mark.parametrize("wrong", [0, -2, 1.5, "two"])
def test_a_number_of_jobs_that_is_none_is_refused(wrong):
    with pytest.raises(ValueError, match=r"n_jobs is .* expected a number of threads, -1 for all processors, or None"):
        npae.VanillaAutoencoder(n_jobs=wrong).fit(samples(200, 12))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_process_has_threads_of_its_own():
    model = npae.VanillaAutoencoder(code_size=2, epochs=1, batch_size=10, n_jobs=2, random_state=0)
    x = samples(20, 6)
    model.fit(x)
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        model.partial_fit(x)
        os._exit(0 if model.n_iter_ == 2 else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_the_others_finish_before_an_error_is_raised(monkeypatch):
    net = built("vanilla")
    replicas = Replicas(net, 2)
    (other,) = replicas.others
    finished = []

    def slow(*arguments):
        time.sleep(0.2)
        finished.append(True)

    def broken(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(other, "shard_gradient", slow)
    monkeypatch.setattr(net, "shard_gradient", broken)
    with pytest.raises(KeyboardInterrupt):
        replicas.gradient(samples(4, 12).astype("float64"))
    assert finished
