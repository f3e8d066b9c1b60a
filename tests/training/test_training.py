"""Training: the samples of each step, the history, and the end of a run."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from helpers.single_steps import single_steps
from helpers.small_models import samples
from hypothesis import given
from hypothesis import strategies as st

from npae import Autoencoder
from npae.layers import ActivityL1, Dense, GaussianNoise, Layer, MaskingNoise, ReLU, Reparameterization, Tanh
from npae.layers.arena import Arena
from npae.training.optimizers import SGD, Adam, Optimizer, RMSprop
from npae.training.trainer import Training
from npae.utils.errors import NonFiniteError
from npae.utils.randomness import generator
from npae.utils.types import Array, Shape

WIDTH = 12
X = samples(22, WIDTH)


def plain(seed: int = 0, *, dtype: str = "float32", **slots: Any) -> Autoencoder:
    return Autoencoder([Dense(6), Tanh(), Dense(3)], [Dense(WIDTH)], loss="mse", **slots).build(
        (WIDTH,), seed=seed, dtype=dtype
    )


def noisy(seed: int = 0) -> Autoencoder:
    return plain(seed, corrupt=[GaussianNoise(0.3)])


def variational(seed: int = 0, **options: Any) -> Autoencoder:
    return Autoencoder(
        [Dense(6), Tanh()], [Dense(6), Tanh(), Dense(WIDTH)], code=[Reparameterization(3, **options)]
    ).build((WIDTH,), seed=seed)


KINDS = {"plain": plain, "noisy": noisy, "variational": variational}


def trained(net: Autoencoder, epochs: int = 3, optimizer: Optimizer | None = None, **options: Any) -> Training:
    fit_options = {k: options.pop(k) for k in ("validation", "patience", "callbacks") if k in options}
    training = Training(net, optimizer or Adam(1e-2), **{"batch_size": 5, **options})
    training.fit(X, epochs, **fit_options)
    return training


def watched_batches(net: Autoencoder, monkeypatch: pytest.MonkeyPatch) -> list[Array]:
    """Filled with a copy of every batch that ``net`` is trained on; its first layer returns what it is given."""
    seen: list[Array] = []
    first: Any = net.encoder.layers[0]
    after_each_step(net, monkeypatch, lambda: seen.append(first.y.copy()))
    return seen


def after_each_step(net: Autoencoder, monkeypatch: pytest.MonkeyPatch, look: Callable[[], object]) -> None:
    """Call ``look`` when a batch has passed the network; the layers' buffers hold what they computed for it."""
    finish = net.finish_gradient
    single_steps(monkeypatch)

    def watched(terms: dict[str, float]) -> float:
        look()
        return finish(terms)

    monkeypatch.setattr(net, "finish_gradient", watched)


@contextmanager
def overflow() -> Iterator[None]:
    """Let NumPy overflow in silence, as compiled kernels do."""
    with np.errstate(all="ignore"):
        yield


# What a step sees


@given(n=st.integers(1, 30), batch_size=st.integers(1, 40))
def test_an_epoch_shows_every_sample_exactly_once(n: int, batch_size: int) -> None:
    x = np.arange(n, dtype="float32")[:, None] * np.ones(2, dtype="float32")
    net = Autoencoder([ReLU(), Dense(1)], [Dense(2)], loss="mse").build((2,))
    with pytest.MonkeyPatch.context() as monkeypatch:
        seen = watched_batches(net, monkeypatch)
        Training(net, SGD(1e-12), batch_size=batch_size).fit(x, 2)
    per_epoch = -(-n // batch_size)
    assert len(seen) == 2 * per_epoch
    for epoch in (seen[:per_epoch], seen[per_epoch:]):
        assert [len(batch) for batch in epoch[:-1]] == [batch_size] * (per_epoch - 1)
        rows = np.concatenate(epoch)
        assert (rows[:, 0] == rows[:, 1]).all()
        assert sorted(rows[:, 0]) == list(range(n))
    assert net.run.step == 2 * per_epoch


def orders(seed: int, epochs: int, history: dict[str, list[float]] | None = None) -> list[list[float]]:
    """The order of the samples in each epoch."""
    x = np.arange(50, dtype="float32")[:, None] * np.ones(2, dtype="float32")
    net = Autoencoder([ReLU(), Dense(1)], [Dense(2)], loss="mse").build((2,), seed=seed)
    with pytest.MonkeyPatch.context() as monkeypatch:
        seen = watched_batches(net, monkeypatch)
        Training(net, SGD(1e-12), batch_size=50, history=history).fit(x, epochs)
    return [list(batch[:, 0]) for batch in seen]


def test_the_order_is_a_function_of_seed_and_epoch() -> None:
    first = orders(0, 3)
    assert first == orders(0, 3)
    assert len({tuple(order) for order in [*first, *orders(1, 3), list(range(50))]}) == 7
    assert orders(0, 1, history={"loss": [1.0, 1.0]}) == [first[2]]


def test_the_data_is_left_as_it_is() -> None:
    before = X.copy()
    trained(noisy())
    np.testing.assert_array_equal(X, before)


def test_noise_is_redrawn_at_every_step_and_in_every_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = MaskingNoise(0.5)
    net = plain(corrupt=[noise])
    masks: list[bytes] = []
    after_each_step(net, monkeypatch, lambda: masks.append(noise.keep.tobytes()))
    Training(net, SGD(1e-3), batch_size=11).fit(X, 4)
    assert len(masks) == len(set(masks)) == 8


def test_the_code_is_redrawn_at_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    net = variational()
    code: Any = net.code.layers[0]
    draws: list[bytes] = []

    def look() -> None:
        draws.append(code.eps.tobytes())
        np.testing.assert_allclose(code.z, code.mu + code.sigma * code.eps, rtol=1e-5, atol=1e-6)

    after_each_step(net, monkeypatch, look)
    Training(net, SGD(1e-3), batch_size=11).fit(X, 4)
    assert len(draws) == len(set(draws)) == 8


def test_the_target_of_a_denoising_network_is_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    net = noisy()
    noise: Any = net.corrupt.layers[0]
    decoder: Any = net.decoder.layers[-1]
    inputs: list[Array] = []
    targets: list[Array] = []

    def look() -> None:
        inputs.append(noise.y.copy())
        targets.append(decoder.y - net.loss.dy * len(decoder.y) / 2)  # dy = 2 (y − t) / N

    after_each_step(net, monkeypatch, look)
    Training(net, SGD(1e-3), batch_size=11).fit(X, 1)
    order = generator(0, "shuffle", 0).permutation(len(X))
    for given_input, target, chosen in zip(inputs, targets, (order[:11], order[11:]), strict=True):
        np.testing.assert_allclose(target, X[chosen], atol=1e-5)
        assert 0.2 < np.std(given_input - X[chosen]) < 0.4


# One seed, one result


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_parameters_bit_for_bit(kind: str) -> None:
    first, second = KINDS[kind](7), KINDS[kind](7)
    trained(first)
    np.random.seed(5)  # noqa: NPY002 (whatever the program's own generator does)
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    trained(second)
    assert first.theta.tobytes() == second.theta.tobytes()
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


@pytest.mark.parametrize("kind", KINDS)
def test_another_seed_gives_other_parameters(kind: str) -> None:
    first, second = KINDS[kind](7), KINDS[kind](8)
    trained(first)
    trained(second)
    assert not np.allclose(first.theta, second.theta)


@pytest.mark.parametrize("kind", KINDS)
def test_the_seed_reaches_order_and_noise_and_not_only_the_weights(kind: str) -> None:
    first, second = KINDS[kind](7), KINDS[kind](8)
    second.theta[...] = first.theta
    trained(first)
    trained(second)
    assert not np.array_equal(first.theta, second.theta)


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_in_two_parts_equals_a_run_in_one(kind: str) -> None:
    whole, parts = KINDS[kind](), KINDS[kind]()
    trained(whole, epochs=4, optimizer=SGD(1e-3))
    first = trained(parts, epochs=1, optimizer=SGD(1e-3))
    trained(parts, epochs=3, optimizer=SGD(1e-3), history=first.history)
    assert whole.theta.tobytes() == parts.theta.tobytes()
    assert first.epoch == 4


# What is recorded


@pytest.mark.parametrize(
    ("make", "terms"),
    [
        (plain, set()),
        (variational, {"kl"}),
        (lambda: plain(weight_decay=1e-3), {"weight_decay"}),
        (lambda: plain(code=[ActivityL1(1e-3)]), {"activity"}),
    ],
    ids=["plain", "variational", "weight decay", "activity"],
)
@pytest.mark.parametrize("validation", [None, X[:4]], ids=["", "validation"])
def test_history_has_one_entry_an_epoch_for_each_part_of_the_loss(
    make: Callable[[], Autoencoder], terms: set[str], validation: Array | None
) -> None:
    history = trained(make(), validation=validation).history
    parts = {"reconstruction"} | terms
    expected = {"loss", "learning_rate", "seconds"} | parts | ({"validation_loss"} if validation is not None else set())
    assert set(history) == expected
    assert all(len(values) == 3 and np.isfinite(values).all() for values in history.values())
    assert all(type(value) is float for values in history.values() for value in values)
    np.testing.assert_allclose(history["loss"], np.sum([history[part] for part in parts], axis=0), rtol=1e-6)
    assert all(seconds > 0 for seconds in history["seconds"])


def test_the_loss_of_an_epoch_is_the_mean_over_its_samples_whatever_the_size_of_the_last_batch() -> None:
    net = plain(dtype="float64")
    history = trained(net, epochs=1, optimizer=SGD(1e-15), batch_size=21).history
    np.testing.assert_allclose(history["loss"], net.losses(X).mean(), rtol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_losses_fall_on_data_that_can_be_learned(kind: str) -> None:
    loss = trained(KINDS[kind](), epochs=40, validation=samples(10, WIDTH, seed=1)).history
    assert loss["loss"][-1] < 0.85 * loss["loss"][0]
    assert loss["validation_loss"][-1] < 0.9 * loss["validation_loss"][0]


@pytest.mark.parametrize("kind", KINDS)
def test_the_validation_loss_is_that_of_the_parameters_after_the_epoch_without_noise(kind: str) -> None:
    net, validation = KINDS[kind](), samples(10, WIDTH, seed=1)
    history = trained(net, validation=validation).history
    assert history["validation_loss"][-1] == float(net.losses(validation).mean())


def test_with_weight_decay_the_validation_loss_counts_the_weights_as_they_are_after_the_epoch() -> None:
    net, validation = plain(weight_decay=0.1, dtype="float64"), samples(10, WIDTH, seed=1)
    history = trained(net, optimizer=Adam(0.05), validation=validation).history
    weights = sum(float((W**2).sum()) for name, W, _ in net.arena.parameters() if name.endswith(".W"))
    expected = net.losses(validation).mean() + 0.5 * 0.1 * weights
    np.testing.assert_allclose(history["validation_loss"][-1], expected, rtol=1e-9)


def test_history_of_earlier_epochs_is_continued() -> None:
    training = trained(plain(), epochs=2)
    first = {name: list(values) for name, values in training.history.items()}
    training.fit(X, 3)
    assert training.epoch == 5
    assert all(training.history[name][:2] == values for name, values in first.items())
    assert all(len(values) == 5 for values in training.history.values())


def test_without_a_progress_bar_none_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even one that shows nothing starts a thread."""
    monkeypatch.setattr("tqdm.tqdm.__new__", lambda *_, **__: pytest.fail("a progress bar was made"))
    Training(plain(), Adam(), batch_size=5).fit(X, 1)


def test_the_progress_bar_is_shown_only_where_it_is_asked_for(capfd: pytest.CaptureFixture[str]) -> None:
    Training(plain(), Adam(), batch_size=5).fit(X, 1)
    assert capfd.readouterr() == ("", "")
    Training(plain(), Adam(), batch_size=5).fit(X, 2, verbose=True)
    shown = capfd.readouterr().err
    assert "epoch 2" in shown
    assert "loss=" in shown
    assert "44.0/44.0" in shown


# How a run ends

#: Other data: learning X makes its loss rise sooner or later.
STRANGE = 1 - samples(10, WIDTH, seed=1)


@pytest.mark.parametrize("patience", [1, 4])
def test_early_stopping_ends_after_patience_and_returns_to_the_best_parameters(patience: int) -> None:
    net = plain(dtype="float64")
    losses = trained(net, epochs=200, validation=STRANGE, patience=patience).history["validation_loss"]
    early_stopping = int(np.argmin(losses))
    assert len(losses) == early_stopping + 1 + patience < 200
    assert all(loss >= losses[early_stopping] for loss in losses[early_stopping:])
    assert float(net.losses(STRANGE).mean()) == min(losses)


def with_scripted_validation(script: list[float], patience: int) -> tuple[Training, list[Array]]:
    """A run of ten epochs whose validation losses are given, and the parameters after each epoch."""
    net, thetas = plain(), []

    def scripted(_: Array, labels: None) -> Array:
        thetas.append(net.theta.copy())
        return np.array([script[len(thetas) - 1]])

    net.losses = scripted  # type: ignore[method-assign]
    return trained(net, epochs=len(script), validation=STRANGE, patience=patience), thetas


def test_early_stopping_waits_anew_after_each_improvement() -> None:
    script = [5.0, 6.0, 4.0, 5.0, 5.0, 3.0, 7.0, 3.0, 4.0, 1.0]
    training, thetas = with_scripted_validation(script, patience=3)
    assert training.history["validation_loss"] == script[:9]
    assert training.network.theta.tobytes() == thetas[5].tobytes()


def test_a_run_that_never_stalls_ends_with_the_best_parameters_too() -> None:
    training, thetas = with_scripted_validation([5.0, 4.0, 6.0, 7.0], patience=99)
    assert len(thetas) == 4
    assert training.network.theta.tobytes() == thetas[1].tobytes()


def test_without_patience_the_last_parameters_stay() -> None:
    net = plain(dtype="float64")
    losses = trained(net, epochs=60, validation=STRANGE).history["validation_loss"]
    assert len(losses) == 60
    assert losses[-1] > min(losses)
    assert float(net.losses(STRANGE).mean()) == losses[-1]


def test_callbacks_are_called_with_the_training_after_each_epoch() -> None:
    calls: list[tuple[Training, int]] = []
    training = trained(plain(), callbacks=[lambda training: calls.append((training, training.epoch))])
    assert calls == [(training, 1), (training, 2), (training, 3)]


def test_a_callback_that_returns_true_ends_training_after_all_callbacks_were_called() -> None:
    calls = []
    training = trained(
        plain(), epochs=9, callbacks=[lambda t: t.epoch == 2, lambda t: calls.append(t.epoch), lambda t: False]
    )
    assert training.epoch == 2
    assert calls == [1, 2]
    assert not training.interrupted


def test_a_callback_may_return_a_numpy_bool() -> None:
    assert trained(plain(), epochs=9, callbacks=[lambda t: np.bool_(t.epoch >= 2)]).epoch == 2


def test_ctrl_c_between_epochs_keeps_what_was_learned_and_warns() -> None:
    def press(training: Training) -> None:
        if training.epoch == 2:
            raise KeyboardInterrupt

    net, reference = plain(), plain()
    training = Training(net, Adam(1e-2), batch_size=5)
    with pytest.warns(UserWarning, match=r"interrupted in epoch 3.*kept"):
        training.fit(X, 9, callbacks=[press])
    trained(reference, epochs=2)
    assert training.interrupted
    assert training.epoch == 2
    assert net.theta.tobytes() == reference.theta.tobytes()


def test_ctrl_c_within_a_step_keeps_the_steps_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    net = plain()
    thetas: list[Array] = []

    def press() -> None:
        thetas.append(net.theta.copy())
        if len(thetas) == 8:  # the third step of the second epoch
            raise KeyboardInterrupt

    after_each_step(net, monkeypatch, press)
    training = Training(net, Adam(1e-2), batch_size=5)
    with pytest.warns(UserWarning, match="interrupted in epoch 2"):
        training.fit(X, 9)
    assert training.interrupted
    assert net.theta.tobytes() == thetas[-1].tobytes() != thetas[5].tobytes()
    assert {len(values) for values in training.history.values()} == {1}
    monkeypatch.undo()
    training.fit(X, 1)
    assert not training.interrupted
    assert training.epoch == 2


def test_ctrl_c_with_early_stopping_returns_to_the_best_parameters() -> None:
    def press(training: Training) -> None:
        if training.epoch == 60:
            raise KeyboardInterrupt

    net = plain(dtype="float64")
    training = Training(net, Adam(1e-2), batch_size=5)
    with pytest.warns(UserWarning, match="interrupted"):
        training.fit(X, 99, validation=STRANGE, patience=99, callbacks=[press])
    losses = training.history["validation_loss"]
    assert losses[-1] > min(losses) == float(net.losses(STRANGE).mean())


# Schedules, clipping, penalties


def test_the_schedule_gives_the_factor_of_the_rate_at_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    class Watched(SGD):
        def step(self, *arguments: Any) -> None:
            super().step(*arguments)
            rates.append(float(self.rate[0]))

    rates: list[float] = []
    training = trained(plain(), epochs=2, optimizer=Watched(2**-10), schedule=lambda step: 1 / (1 + step))
    assert rates == [2**-10 / (1 + step) for step in range(10)]
    assert training.history["learning_rate"] == [rates[4], rates[9]]


def test_a_factor_of_zero_leaves_the_parameters_as_they_are() -> None:
    net = plain()
    before = net.theta.copy()
    trained(net, schedule=lambda step: 0.0)
    np.testing.assert_array_equal(net.theta, before)


def test_the_schedule_goes_on_where_the_network_stands() -> None:
    net = plain()
    trained(net, epochs=1)
    asked = []
    trained(net, epochs=1, schedule=lambda step: asked.append(step) or 1.0)
    assert set(asked) == {5, 6, 7, 8, 9}


def one_step(clip_norm: float | None) -> float:
    net = plain(dtype="float64")
    before = net.theta.copy()
    trained(net, epochs=1, optimizer=SGD(1.0), batch_size=len(X), clip_norm=clip_norm)
    return float(np.linalg.norm(net.theta - before))


def test_clip_norm_bounds_the_length_of_a_step_and_leaves_shorter_ones() -> None:
    free = one_step(None)
    assert free > 0.2
    np.testing.assert_allclose(one_step(0.1), 0.1, rtol=1e-6)
    assert one_step(2 * free) == free


def weights_of(net: Autoencoder) -> float:
    return float(sum((W**2).sum() for name, W, _ in net.arena.parameters() if name.endswith(".W")))


def test_weight_decay_shrinks_weights() -> None:
    without, mild, strong = plain(), plain(weight_decay=0.01), plain(weight_decay=0.3)
    for net in (without, mild, strong):
        trained(net, epochs=40)
    assert weights_of(without) > 1.02 * weights_of(mild)
    assert weights_of(mild) > 2 * weights_of(strong)


def test_weight_decay_is_half_its_strength_times_the_squared_weights_and_leaves_biases_alone() -> None:
    net = plain(weight_decay=0.3, dtype="float64")
    net.theta[net.arena.decayed.stop :] = 100.0
    net.gradient(X)
    np.testing.assert_allclose(net.terms["weight_decay"], 0.15 * weights_of(net), rtol=1e-12)


def test_activity_l1_makes_codes_sparser() -> None:
    shares = []
    for strength in (0.0, 0.3):
        net = Autoencoder(
            [Dense(10), ReLU()], [Dense(WIDTH)], loss="mse", code=[ActivityL1(strength)] if strength else []
        ).build((WIDTH,))
        trained(net, epochs=60)
        shares.append(float((np.abs(net.encode(X)) < 1e-3).mean()))
    assert shares[1] > shares[0] + 0.15


def test_beta_rises_over_the_warm_up() -> None:
    # A rate of almost nothing: the divergence stays, so that its price tells beta.
    net = variational(beta=2.0, warm_up_steps=4)
    kl = trained(net, epochs=6, optimizer=SGD(1e-30), batch_size=len(X)).history["kl"]
    np.testing.assert_allclose(np.array(kl) / kl[-1], [0.25, 0.5, 0.75, 1, 1, 1], rtol=1e-5)


# Values that are not finite


class Planted(Layer):
    """The identity, except that one value is NaN at one step."""

    def __init__(self, at: int = -1) -> None:
        self.at = at

    def plan(self, input_shape: Shape, arena: Arena) -> Shape:
        arena.buffer(self, "y", input_shape)
        return input_shape

    def forward(self, x: Array) -> Array:
        self.y[...] = x
        if self.run.step == self.at:
            self.y[-1, -1] = np.nan
        return self.y

    def backward(self, dy: Array) -> Array:
        return dy


def planted(slot: str) -> Autoencoder:
    """A network that meets NaN at its eighth step (of five an epoch), in the middle of one slot."""
    slots: dict[str, list[Layer]] = {
        "corrupt": [GaussianNoise(0.1)],
        "encoder": [Dense(6), Tanh(), Dense(3)],
        "code": [ActivityL1(1e-3)],
        "decoder": [Dense(6), Tanh(), Dense(WIDTH)],
    }
    slots[slot].insert(1, Planted(7))
    return Autoencoder(loss="mse", **slots).build((WIDTH,))  # type: ignore[arg-type]


def assert_kept(net: Autoencoder, training: Training, message: str) -> None:
    """Training raises ``message`` and leaves the parameters as they were after the last complete epoch."""
    thetas = [net.theta.copy()]
    with overflow(), pytest.raises(NonFiniteError, match=message):
        training.fit(X, 4, callbacks=[lambda training: thetas.append(net.theta.copy()) or False])
    assert net.theta.tobytes() == thetas[-1].tobytes()
    assert np.isfinite(net.theta).all()
    assert training.epoch == len(thetas) - 1


@pytest.mark.parametrize("slot", ["corrupt", "encoder", "code", "decoder"])
def test_nan_ends_training_naming_epoch_step_and_layer(slot: str) -> None:
    net = planted(slot)
    assert_kept(net, Training(net, Adam(), batch_size=5), rf"epoch 2, step 3, first in {slot}\.1;")


def test_nan_behind_a_variational_code_is_found() -> None:
    net = Autoencoder([Dense(6), Tanh()], [Dense(6), Planted(7), Dense(WIDTH)], code=[Reparameterization(3)])
    net.build((WIDTH,))
    assert_kept(net, Training(net, Adam(), batch_size=5), r"epoch 2, step 3, first in decoder\.1;")


def test_a_variance_that_overflows_is_found_in_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    net = variational()
    monkeypatch.setattr("npae.training.run.AT_ONCE", 0.0)  # so that the schedule is asked at each step

    def plant(step: int) -> float:
        if step == 6:
            net.code.layers[0].log_var_head.b[...] = 1e4
        return 1e-6

    training = Training(net, SGD(), schedule=plant, batch_size=5)
    assert_kept(net, training, r"epoch 2, step 2, first in code\.0;")


@pytest.mark.parametrize("optimizer", [SGD, RMSprop])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_huge_learning_rate_ends_training_with_the_parameters_of_the_last_epoch(optimizer: Any, dtype: str) -> None:
    net = plain(dtype=dtype)
    huge = 1e30 if dtype == "float32" else 1e200
    training = Training(net, optimizer(1e-3), schedule=lambda step: huge if step == 6 else 1.0, batch_size=5)
    assert_kept(net, training, r"epoch 2, step 3.*; lower the learning rate \(0\.001\) or set clip_norm")


def test_a_parameter_that_the_last_step_of_an_epoch_makes_infinite_is_not_kept() -> None:
    net = plain()

    class Planting(SGD):
        def step(self, *arguments: Any) -> None:
            super().step(*arguments)
            if self.steps == 10:
                net.decoder.layers[0].W[0, 0] = np.nan

    training = Training(net, Planting(), batch_size=5)
    assert_kept(net, training, r"epoch 2, step 5, first in decoder\.0;")


def test_training_can_go_on_after_nan() -> None:
    net = planted("encoder")
    training = Training(net, Adam(), batch_size=5)
    with pytest.raises(NonFiniteError):
        training.fit(X, 2)
    net.encoder.layers[1].at = -1  # type: ignore[attr-defined]
    training.fit(X, 2)
    assert {len(values) for values in training.history.values()} == {3}


# Mistakes


@pytest.mark.parametrize(
    ("options", "advice"),
    [
        ({"batch_size": 0}, r"batch_size is 0; expected a whole number of at least 1"),
        ({"clip_norm": 0.0}, r"clip_norm is 0\.0; expected a number above 0"),
        ({"clip_norm": float("nan")}, r"clip_norm is nan; expected a number above 0"),
    ],
)
def test_invalid_settings_of_a_training_are_refused(options: dict[str, Any], advice: str) -> None:
    with pytest.raises(ValueError, match=advice):
        Training(plain(), Adam(), **options)


def test_bad_data_is_refused_before_the_first_step() -> None:
    bad = X.copy()
    bad[3, 1] = np.nan
    net = plain()
    training = Training(net, Adam())
    with pytest.raises(ValueError, match=r"1 of 264 values, the first at index \(3, 1\)"):
        training.fit(bad, 1)
    with pytest.raises(ValueError, match=r"1 of 264 values"):
        training.fit(X, 1, validation=bad)
    with pytest.raises(ValueError, match=r"from -1 to 1"):
        Training(variational(), Adam()).fit(2 * np.round(X) - 1, 1)
    assert net.run.step == 0
    assert training.history == {}


def test_a_normal_run_gives_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trained(plain(), epochs=1)


# Where random numbers come from


@given(seed=st.integers(0, 2**64 - 1), step=st.integers(0, 2**63 - 1))
def test_random_numbers_are_a_function_of_seed_purpose_and_step(seed: int, step: int) -> None:
    def draw(*key: Any) -> bytes:
        return generator(*key).random(4).tobytes()

    base = draw(seed, "noise", step)
    assert draw(seed, "noise", step) == base
    others = [(seed ^ 1, "noise", step), (seed, "shuffle", step), (seed, "noise", step + 1), (seed ^ 1 << 63, "noise")]
    assert all(draw(*key) != base for key in others)


def test_random_numbers_are_the_same_on_every_machine() -> None:
    assert generator(1, "shuffle", 2).integers(1000, size=5).tolist() == [237, 444, 927, 870, 14]
