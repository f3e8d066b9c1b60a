"""Steps that are taken at once are those that Python takes one by one, to the bit, and stop where these do."""

import signal
import threading
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from helpers.single_steps import single_steps
from helpers.small_models import samples

from npae.kernels import compiled, default_kernels
from npae.kernels.execution import shared_lock
from npae.kernels.execution.thread_team import shared_team
from npae.layers import ActivityL1, AppendLabel, Dense, Dropout, GaussianNoise, MaskingNoise, Reparameterization
from npae.network import recipes
from npae.network.autoencoder import Autoencoder
from npae.training.optimizers import OPTIMIZERS, SGD, Adam
from npae.training.replicas import ThreadReplicas
from npae.training.schedules import Cosine
from npae.training.state import Data
from npae.training.trainer import Training
from npae.utils.errors import NonFiniteError
from npae.utils.source_rows import SourceRows
from npae.utils.sources import ArraySource

pytestmark = pytest.mark.skipif(default_kernels() is not compiled, reason="Python takes every step then")

X, LABELS = samples(50, 12), np.arange(50) % 3


def noisy() -> Autoencoder:
    noise = [GaussianNoise((0.1, 0.4)), MaskingNoise(0.2), Dropout(0.3)]
    code = [Reparameterization(3, beta=2.0, warm_up_steps=7), ActivityL1(0.1)]
    return Autoencoder([Dense(7)], [AppendLabel(3), Dense(12)], corrupt=noise, code=code).build((12,))


NETWORKS = {
    "vanilla": lambda: recipes.vanilla((12,), code_size=3).build((12,), dtype="float64"),
    "deep": lambda: recipes.deep((12,), hidden=(7,), code_size=3, tied_weights=True).build((12,)),
    "variational": lambda: recipes.variational((12,), hidden=(6,), code_size=3).build((12,)),
    "convolutional": lambda: recipes.convolutional((4, 3), filters=(2, 3), code_size=4).build((4, 3)),
    "noisy": noisy,
}


def at_once(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Filled with how many steps are taken at once, which no longer depends on the time that they take."""
    taken: list[int] = []
    steps = ThreadReplicas.steps

    def watched(self: ThreadReplicas, *arguments: Any) -> Any:
        totals = steps(self, *arguments)
        taken.append(len(totals))
        return totals

    monkeypatch.setattr(ThreadReplicas, "steps", watched)
    monkeypatch.setattr("npae.training.run.AT_ONCE", 1e6)
    return taken


def result(training: Training) -> Any:
    history = {name: values for name, values in training.history.items() if name != "seconds"}
    vectors = [training.network.theta, training.last_finite_theta, *training.optimizer.state.values()]
    return (
        [vector.tobytes() for vector in vectors],
        (history, training.network.terms, training.network.run.step, training.optimizer.steps),
    )


def trained(net: Autoencoder, x: Any, optimizer: Any = None, **options: Any) -> Any:
    training = Training(net, optimizer or Adam(1e-2), batch_size=8, **options)
    training.fit(x, 3, labels=LABELS if net.condition.n_labels else None)
    return result(training)


@pytest.mark.parametrize("n_jobs", [1, 2, 3])
@pytest.mark.parametrize("name", NETWORKS)
def test_steps_at_once_give_the_bits_of_steps_one_by_one(
    name: str, n_jobs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = X.reshape(50, *NETWORKS[name]().input_shape)
    with monkeypatch.context() as patch:
        taken = at_once(patch)
        found = trained(NETWORKS[name](), x, n_jobs=n_jobs, schedule=Cosine(20))
    assert taken == [1, 5, 1, 6, 1, 6, 1]  # after the first step it is known how long one takes
    single_steps(monkeypatch)
    assert found == trained(NETWORKS[name](), x, n_jobs=n_jobs, schedule=Cosine(20))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_takes_steps_at_once(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        taken = at_once(patch)
        found = trained(NETWORKS["vanilla"](), X.astype(float), OPTIMIZERS[name](1e-2), n_jobs=2)
    assert max(taken) == 6
    single_steps(monkeypatch)
    assert found == trained(NETWORKS["vanilla"](), X.astype(float), OPTIMIZERS[name](1e-2), n_jobs=2)


def bytes_source() -> SourceRows:
    return SourceRows(ArraySource(np.rint(X * 255).astype(np.uint8), divide=255))


@pytest.mark.parametrize(
    ("kind", "shuffle", "most"),
    [
        ("array", "window", 6),
        ("bytes", "global", 6),
        ("bytes", "window", 6),
        ("some of a source", "global", 6),
        ("half floats", "global", 1),
        ("sparse", "global", 1),
    ],
)
def test_rows_that_are_in_memory_are_taken_at_once_and_others_one_batch_at_a_time(
    kind: str, shuffle: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sparse = pytest.importorskip("scipy.sparse")
    x: Any = {
        "array": lambda: X,
        "bytes": bytes_source,
        "some of a source": lambda: SourceRows(ArraySource(X), np.arange(49, -1, -1)),
        "half floats": lambda: SourceRows(ArraySource(X.astype(np.float16)), dtype=np.float32),
        "sparse": lambda: net().check(sparse.csr_matrix(X), as_target=True),
    }

    def net() -> Autoencoder:
        return recipes.vanilla((12,), code_size=3).build((12,))

    def run() -> Any:
        training = Training(net(), Adam(1e-2), batch_size=8, shuffle=shuffle, n_jobs=2)
        training.run(Data(x[kind]()), 3)
        return result(training)

    with monkeypatch.context() as patch:
        taken = at_once(patch)
        found = run()
    assert max(taken) == most
    single_steps(monkeypatch)
    assert found == run()


def test_what_a_step_needs_python_for_is_done_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    class Own(SGD):
        def step(self, *arguments: Any) -> None:
            super().step(*arguments)

    taken = at_once(monkeypatch)
    trained(recipes.vanilla((12,), code_size=3, weight_decay=0.1).build((12,)), X)
    trained(recipes.vanilla((12,), code_size=3).build((12,)), X, Own())
    trained(recipes.vanilla((12,), code_size=3).build((12,), recorded=False), X)
    trained(recipes.vanilla((12,), code_size=3).build((12,)), X, clip_norm=1.0)
    assert taken == []


@pytest.mark.parametrize("step", [7, 8, 10])
def test_a_loss_that_is_not_finite_ends_the_steps_before_the_optimizer_moves(
    step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Epochs have seven steps: the rate of step 6, 7 or 9 makes the loss of the next one infinite."""

    def run() -> Any:
        net = recipes.vanilla((12,), code_size=3, loss="mse").build((12,))
        rate = lambda t: 1e30 if t == step - 1 else 1.0  # noqa: E731
        training = Training(net, SGD(1e-3), schedule=rate, batch_size=8, n_jobs=2)
        with np.errstate(all="ignore"), pytest.raises(NonFiniteError, match=r"epoch 2, step") as caught:
            training.run(Data(X), 3)
        said = str(caught.value), repr(caught.value.diagnosis), repr(net.terms), net.dtheta.tobytes()
        return *said, net.run.step, net.theta.tobytes(), training.history["loss"]

    with monkeypatch.context() as patch:
        at_once(patch)
        found = run()
    assert found[4] == max(step, 7)
    single_steps(monkeypatch)
    assert found == run()


@pytest.mark.parametrize("step", [0, 1, 4, 9])
def test_an_error_of_the_schedule_is_raised_after_the_steps_before_it(
    step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run() -> Any:
        def rate(t: int) -> float:
            if t == step:
                raise RuntimeError("no rate")
            return 1.0

        training = Training(NETWORKS["vanilla"](), Adam(1e-2), schedule=rate, batch_size=8)
        with pytest.raises(RuntimeError, match="no rate"):
            training.fit(X.astype(float), 2)
        assert training.network.run.step == training.optimizer.steps == step
        return result(training)

    with monkeypatch.context() as patch:
        at_once(patch)
        found = run()
    single_steps(monkeypatch)
    assert found == run()


@pytest.mark.parametrize("is_read", [False, True])
def test_the_schedule_is_asked_once_for_each_step(is_read: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    at_once(monkeypatch)
    asked: list[int] = []
    x: Any = SourceRows(ArraySource(X.astype(np.float16)), dtype=np.float32) if is_read else X
    net = recipes.vanilla((12,), code_size=3).build((12,))
    training = Training(net, Adam(1e-2), schedule=lambda t: float(not asked.append(t)), batch_size=8)  # type: ignore[func-returns-value]
    training.run(Data(x), 1)
    assert asked == [*range(7), 6]  # the last for the history


def test_settings_that_change_between_epochs_count_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def run() -> Any:
        net = noisy()
        training = Training(net, Adam(1e-2), batch_size=8, n_jobs=2)

        def change(training: Training) -> None:
            training.optimizer.learning_rate *= 0.5
            training.optimizer.beta1 = 0.5  # type: ignore[attr-defined]
            code: Any = net.code.layers[0]
            code.beta, code.warm_up_steps = np.float32(0.3), 29  # also of a type that rounds products

        training.fit(X, 3, labels=LABELS, callbacks=[change])
        training.change(SGD(0.01, momentum=0.5), batch_size=5, n_jobs=2)
        training.fit(X[:31], 2, labels=LABELS[:31])
        return result(training)

    with monkeypatch.context() as patch:
        at_once(patch)
        found = run()
    single_steps(monkeypatch)
    assert found == run()


@pytest.mark.parametrize(("seconds", "most"), [(1e-9, 1), (1e6, 6)])
def test_so_many_steps_are_taken_at_once_as_last_a_while(
    seconds: float, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = at_once(monkeypatch)
    monkeypatch.setattr("npae.training.run.AT_ONCE", seconds)
    trained(NETWORKS["deep"](), X)
    assert max(taken) == most


@pytest.mark.parametrize("what", ["network", "team"])
def test_steps_at_once_stop_after_one_for_which_another_thread_waits(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected, taken = trained(noisy(), X, n_jobs=2), at_once(monkeypatch)
    monkeypatch.setattr(shared_lock, "LONGEST", 0.0)  # it never comes
    net = noisy()
    waiting = (net.arena if what == "network" else shared_team(2)).lock.waiting
    waiting[0] = 1
    try:
        assert trained(net, X, n_jobs=2) == expected
    finally:
        waiting[0] = 0
    assert taken == [1] * 21


def test_the_short_last_batch_of_an_epoch_says_nothing_of_how_long_a_step_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken = at_once(monkeypatch)
    seconds, steps = 0.0, ThreadReplicas.steps

    def timed(self: ThreadReplicas, batches: Any, *arguments: Any) -> Any:
        nonlocal seconds
        seconds += batches.size  # a second for each sample
        return steps(self, batches, *arguments)

    monkeypatch.setattr(ThreadReplicas, "steps", timed)
    monkeypatch.setattr("npae.training.run.time", SimpleNamespace(perf_counter=lambda: seconds))
    monkeypatch.setattr("npae.training.run.AT_ONCE", 20)
    trained(NETWORKS["deep"](), X)
    assert taken == [1, 2, 2, 1, 1, *2 * [2, 2, 2, 1]]


@pytest.mark.skipif(threading.current_thread() is not threading.main_thread(), reason="signals are for the main thread")
def test_ctrl_c_within_steps_at_once_stops_after_them() -> None:
    net = recipes.vanilla((12,), code_size=3).build((12,))

    def pressed(step: int) -> float:
        if step == 1000:
            signal.raise_signal(signal.SIGINT)
        return 1.0

    training = Training(net, Adam(1e-3), batch_size=1, schedule=pressed)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.warns(UserWarning, match="interrupted in epoch 1;"):
            training.fit(np.tile(X, (2000, 1)), 1)
    finally:
        signal.signal(signal.SIGINT, before)
    assert 1000 < net.run.step < 100_000


def test_steps_after_which_a_handler_of_the_user_raises_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once(monkeypatch)
    net = recipes.vanilla((12,), code_size=3).build((12,))
    training = Training(net, Adam(1e-3), batch_size=8)
    steps = ThreadReplicas.steps

    def pressed(self: ThreadReplicas, *arguments: Any) -> Any:
        totals = steps(self, *arguments)
        if training.optimizer.steps > 1:
            raise KeyboardInterrupt  # as a handler does in the first line of Python after native code
        return totals

    monkeypatch.setattr(ThreadReplicas, "steps", pressed)
    with pytest.warns(UserWarning, match="interrupted in epoch 1;"):
        training.fit(X, 1)
    assert net.run.step == training.optimizer.steps == 6
