"""What a model keeps in memory after it was used, and what it lets go of."""

import gc
import os
import tracemalloc
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from helpers.small_models import TYPES, data_for, fitted, samples, unfitted

import npae
from npae import Autoencoder
from npae.layers import Dense, Layer
from npae.layers.arena import Arena
from npae.training.replicas import effective_n_jobs
from npae.utils.types import Array, Shape

USES: dict[str, Any] = {
    "transform": lambda model, x: model.transform(x),
    "reconstruct": lambda model, x: model.reconstruct(x),
    "score": lambda model, x: model.score(x),
    "score_samples": lambda model, x: model.score_samples(x),
    "interpolate": lambda model, x: model.interpolate(x[0], x[1]),
    "gradient": lambda model, x: model.network_.gradient(x),
    "losses": lambda model, x: model.network_.losses(x, x.copy()),
    "first_non_finite": lambda model, x: model.network_.first_non_finite(x),
    "partial_fit": lambda model, x: model.partial_fit(x),
}


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("n", [5, 600])
@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("kind", TYPES)
def test_the_data_is_gone_with_its_last_reference_whatever_the_model_did_with_it(kind: str, use: str, n: int) -> None:
    model, x = fitted(kind), data_for(kind, n)
    before = model.score(data_for(kind))
    data = weakref.ref(x)
    USES[use](model, x)
    del x
    assert data() is None
    assert use == "partial_fit" or model.score(data_for(kind)) == before


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("kind", TYPES)
def test_codes_are_gone_with_their_last_reference(kind: str) -> None:
    model, z = fitted(kind), np.ones((300, 4), "float32")
    codes = weakref.ref(z)
    model.inverse_transform(z)
    del z
    assert codes() is None


@pytest.mark.parametrize("use", ["transform", "reconstruct", "score", "partial_fit"])
@pytest.mark.parametrize("kind", ["vanilla", "denoising"])
def test_data_that_was_converted_is_not_kept(kind: str, use: str) -> None:
    x = data_for(kind, 20_000).astype("float64")
    model = fitted(kind, dtype="float32")
    USES[use](model, x)
    tracemalloc.start()
    try:
        USES[use](model, x)  # as float32 it takes 1 MB
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 200_000


class Keeping(Layer):
    """The identity, which keeps its input under a name of its own."""

    def plan(self, input_shape: Shape, arena: Arena) -> Shape:
        arena.buffer(self, "y", input_shape)
        arena.workspace(self, "scale", input_shape, lambda: np.ones(input_shape))
        return input_shape

    def forward(self, x: Array) -> Array:
        self.given = x
        self.y[...] = x * self.scale
        return self.y

    def backward(self, dy: Array) -> Array:
        return dy * self.scale


@pytest.mark.usefixtures("no_collector")
def test_a_layer_of_ones_own_keeps_its_buffers_and_not_the_data() -> None:
    net = Autoencoder([Keeping(), Dense(2)], [Dense(6)], loss="mse").build((6,))
    x = samples(300, 6)
    expected, data = net.losses(x), weakref.ref(x)
    del x
    assert data() is None
    assert net.losses(samples(300, 6)).tobytes() == expected.tobytes()


def test_buffers_that_a_caller_gives_back_are_not_taken_from_the_layers() -> None:
    net = Autoencoder([Dense(4), Keeping()], [Dense(6)], loss="mse").build((6,))
    net.encode(samples(5, 6))
    y = net.encoder.layers[1].y  # a view of the network's own memory
    expected = net.decode(y.copy())
    np.testing.assert_array_equal(net.decode(y), expected)
    net.encode(samples(5, 6))
    assert net.encoder.layers[1].y.shape == (5, 4)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_parts_of_different_lengths_leave_one_recorded_step(n_jobs: int) -> None:
    model = unfitted("vanilla", batch_size=100, n_jobs=n_jobs)
    x = samples(400, 12)
    for n in [3, *range(40, 60), 400, 7, 399, 250]:
        model.partial_fit(x[:n])
        assert len(model.training_._replicas._batches) <= 2  # a whole batch, and the last one of an epoch
    model.partial_fit(x[:80])
    assert list(model.training_._replicas._batches) == [80]


def test_parts_of_one_length_are_recorded_once() -> None:
    model, x = unfitted("vanilla", batch_size=10), samples(24, 12)
    model.partial_fit(x)
    recorded = dict(model.training_._replicas._batches)
    assert set(recorded) == {10, 4}
    model.partial_fit(x)
    assert model.training_._replicas._batches == recorded


def test_parts_of_different_lengths_are_learned_as_by_a_model_that_records_nothing() -> None:
    models = [unfitted("denoising", batch_size=16, recorded=recorded) for recorded in (True, False)]
    for model in models:
        for n in (40, 7, 16, 40, 3):
            model.partial_fit(data_for("denoising", n))
    np.testing.assert_array_equal(models[0].network_.theta, models[1].network_.theta)


def test_encodings_for_many_numbers_of_threads_leave_two_recordings() -> None:
    model, x = fitted("vanilla"), data_for("vanilla", 600)
    expected = model.transform(x)
    for n_jobs in (1, 2, 3, 4, 2):
        np.testing.assert_array_equal(model.set_params(n_jobs=n_jobs).transform(x), expected)
        assert set(model.network_._encodings) <= {1, n_jobs}


@pytest.mark.parametrize("n_jobs", [257, 10**9, np.int64(300)])
def test_more_than_256_threads_are_refused(n_jobs: int) -> None:
    x = data_for("vanilla", 600)
    with pytest.raises(ValueError, match=rf"n_jobs is {n_jobs}; expected at most 256 threads, or -1 for as many as"):
        npae.VanillaAutoencoder(n_jobs=n_jobs).fit(x)
    model = fitted("vanilla").set_params(n_jobs=n_jobs)
    for use in (model.transform, model.partial_fit):
        with pytest.raises(ValueError, match="at most 256 threads"):
            use(x)
    with pytest.raises(ValueError, match="at most 256 threads"):
        model.network_.encode(x, n_jobs=n_jobs)


def test_256_threads_are_allowed_whatever_the_processors() -> None:
    assert effective_n_jobs(256) == effective_n_jobs(np.int16(256)) == 256
    assert fitted("vanilla", n_jobs=2 * (os.cpu_count() or 1) + 1).n_iter_ == 2
