"""Gradient, sum and optimizer as one call on the threads: the same bits as one after the other, and θ stays on NaN."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from npae.optimizers import SGD, Adam, AdamW, Optimizer, RMSprop

import npae
from npae.kernels.execution import thread_team
from npae.kernels.execution.program import Program
from npae.kernels.execution.thread_team import Plan, ThreadTeam, blocks
from npae.training import Training
from npae.training.replicas import ThreadReplicas
from npae.utils.errors import NonFiniteError

X = np.random.default_rng(0).random((90, 24), dtype="float32")
OPTIMIZERS = [SGD(0.1, momentum=0.9), Adam(0.01), AdamW(0.01, weight_decay=0.3), RMSprop(0.01)]


def network(**options: Any) -> npae.Autoencoder:
    return npae.recipes.vanilla((24,), code_size=5, **options).build((24,), seed=3)


def bound(optimizer: Optimizer, net: npae.Autoencoder) -> Optimizer:
    optimizer.bind(net.arena)
    return optimizer


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda o: type(o).__name__)
@pytest.mark.parametrize("n_jobs", [1, 2, 3])
def test_a_joined_step_has_the_bits_of_gradient_and_step(
    optimizer: Optimizer, n_jobs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thread_team, "BLOCK", 48)
    results = []
    for is_joined in (True, False):
        net = network()
        replicas = ThreadReplicas(net, n_jobs)
        bound(optimizer, net)
        replicas.set_data(X)
        losses = []
        for step, n in enumerate([30, 30, 7, 2, 1, 30]):
            chosen = np.arange(step, step + n)
            if is_joined:
                losses.append(replicas.joined_step(chosen, optimizer, 1 / (1 + step)))
            else:
                losses.append(replicas.gradient(chosen))
                optimizer.step(1 / (1 + step), replicas.team)
        assert optimizer.steps == 6
        results.append((losses, net.theta.copy(), *optimizer.kept_state().values()))
    for joined, apart in zip(*results, strict=True):
        np.testing.assert_array_equal(joined, apart)


def test_settings_of_the_optimizer_that_change_between_joined_steps_count() -> None:
    thetas = []
    for beta1 in (0.9, 0.5):
        net, optimizer = network(), Adam(0.01)
        replicas = ThreadReplicas(net, 2)
        bound(optimizer, net)
        replicas.set_data(X)
        replicas.joined_step(np.arange(20), optimizer, 1.0)
        replicas.joined_step(np.arange(30, 50), optimizer, 1.0)
        optimizer.beta1 = beta1
        replicas.joined_step(np.arange(50, 70), optimizer, 1.0)
        bound(optimizer, net)  # the state begins anew, in other memory
        replicas.joined_step(np.arange(20), optimizer, 1.0)
        assert optimizer.state["m"].any()
        thetas.append(net.theta.copy())
    assert (thetas[0] != thetas[1]).any()


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_loss_that_is_not_finite_moves_nothing(n_jobs: int) -> None:
    x = X.copy()
    x[33, 3] = np.nan
    net, optimizer = network(loss="mse"), Adam(0.01)
    replicas = ThreadReplicas(net, n_jobs)
    bound(optimizer, net)
    replicas.set_data(x)
    before = net.theta.copy()
    loss = replicas.joined_step(np.arange(20, 40), optimizer, 1.0)
    assert loss is not None
    assert np.isnan(loss)
    np.testing.assert_array_equal(net.theta, before)
    assert not optimizer.state["m"].any()
    loss = replicas.joined_step(np.arange(20), optimizer, 1.0)
    assert loss is not None
    assert np.isfinite(loss)
    assert np.isfinite(net.theta).all()
    assert (net.theta != before).any()


def test_training_that_diverges_after_its_first_step_names_the_layer() -> None:
    training = Training(network(loss="mse"), SGD(1e30), batch_size=30)
    with pytest.raises(NonFiniteError, match=r"in epoch 1, step [23], first in (encoder|decoder)"):
        training.fit(X, 3)
    assert np.isfinite(training.network.theta).all()


class Counted(SGD):
    """Counts its steps."""

    taken = 0

    def step(self, *arguments: Any) -> None:
        type(self).taken += 1
        super().step(*arguments)


@pytest.mark.parametrize(
    ("optimizer", "options"), [(Counted(0.1), {}), (SGD(0.1), {"weight_decay": 0.1})], ids=["own step", "weight decay"]
)
def test_where_python_has_a_part_in_the_step_nothing_is_joined(optimizer: Optimizer, options: dict[str, Any]) -> None:
    net = network(**options)
    replicas = ThreadReplicas(net, 1)
    bound(optimizer, net)
    replicas.set_data(X)
    before = net.theta.copy()
    assert replicas.joined_step(np.arange(20), optimizer, 1.0) is None
    np.testing.assert_array_equal(net.theta, before)
    assert optimizer.steps == 0


def test_an_optimizer_with_a_step_of_its_own_takes_every_step() -> None:
    Counted.taken = 0
    Training(network(), Counted(0.1), batch_size=30).fit(X, 2)
    assert Counted.taken == 6


@given(st.integers(0, 300), st.integers(0, 300), st.integers(1, 64))
def test_blocks_cover_a_part_once(start: int, length: int, size: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(thread_team, "BLOCK", size)
        found = blocks(slice(start, start + length))
    numbers = [i for block in found for i in range(block.start, block.stop)]
    assert numbers == list(range(start, start + length))
    assert all(0 < block.stop - block.start <= size for block in found)


def adding(kernels: Any, vector: np.ndarray) -> Program:
    program = Program()
    program.add(kernels.add_scaled, np.ones_like(vector), 1.0, vector)
    return program


@pytest.mark.parametrize("value", [0.0, -1e300, np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("way", ["team", "narrow", "in turn", "python"])
def test_guarded_stages_run_only_if_the_guard_is_finite(value: float, way: str) -> None:
    kernels = network().arena.kernels
    vectors = [np.zeros(4, "float32") for _ in range(4)]
    programs = [adding(kernels, vector) for vector in vectors]
    if way == "python":
        programs[0].add(lambda: None)
    guard = np.zeros(3)
    guard[1] = value
    plan = Plan(programs[:2], guarded=[programs[2:]], guard=guard)
    if way in ("team", "python"):
        ThreadTeam(2).carry_out(plan)
    elif way == "narrow":
        ThreadTeam(1).carry_out(plan.narrowed(1))
    else:
        plan.run_in_turn()
    done = [int(vector[0]) for vector in vectors]
    assert done == [1, 1, *(2 * [int(np.isfinite(value))])]
