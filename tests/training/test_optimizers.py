"""Optimizers compared with textbook loops over single numbers."""

import copy
import inspect
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npae.kernels import reference_kernels
from npae.kernels.execution.thread_team import ThreadTeam, parts, shared_team
from npae.layers import Dense
from npae.layers.aligned import ALIGNMENT, PAGE
from npae.layers.arena import Arena
from npae.training.optimizers import SGD, Adam, AdamW, Optimizer, RMSprop, clip_by_norm, optimizer_by_name
from npae.utils.types import Array

STEPS = 5
FACTORS = [1.0, 0.5, 0.1, 1.0, 0.2]  # what a schedule might give


def dense_arena(kernels: Any) -> Arena:
    """The arena of a dense layer 5 -> 3 with random parameters: 15 weights, 3 biases, and padding between."""
    arena = Dense(3).build((5,), dtype="float64", kernels=kernels).arena
    for _, value, _ in arena.parameters():
        value[...] = np.random.default_rng(0).standard_normal(value.shape)
    return arena


def gradients(arena: Arena) -> Iterator[None]:
    """A new random gradient in ``arena.dtheta`` for every step."""
    generator = np.random.default_rng(1)
    for _ in range(STEPS):
        for _, _, gradient in arena.parameters():
            gradient[...] = generator.standard_normal(gradient.shape)
        yield


def run(optimizer: Optimizer, arena: Arena) -> tuple[Array, list[Array]]:
    """θ after some steps with varying rates, and the gradients it saw."""
    optimizer.bind(arena)
    seen = []
    for factor, _ in zip(FACTORS, gradients(arena), strict=True):
        seen.append(arena.dtheta.copy())
        optimizer.step(factor)
    return arena.theta, seen


def naive_sgd(theta: float, g: list[float], rate: float, momentum: float) -> float:
    velocity = 0.0
    for gradient, factor in zip(g, FACTORS, strict=True):
        velocity = momentum * velocity + gradient
        theta = theta - rate * factor * velocity
    return theta


def naive_adam(
    theta: float, g: list[float], rate: float, beta1: float, beta2: float, epsilon: float, decay: float
) -> float:
    m = v = 0.0
    for t, (gradient, factor) in enumerate(zip(g, FACTORS, strict=True), start=1):
        theta = theta - rate * factor * decay * theta
        m = beta1 * m + (1 - beta1) * gradient
        v = beta2 * v + (1 - beta2) * gradient**2
        m_hat = m / (1 - beta1**t)
        v_hat = v / (1 - beta2**t)
        theta = theta - rate * factor * m_hat / (math.sqrt(v_hat) + epsilon)
    return theta


def naive_rmsprop(theta: float, g: list[float], rate: float, decay: float, epsilon: float) -> float:
    v = 0.0
    for gradient, factor in zip(g, FACTORS, strict=True):
        v = decay * v + (1 - decay) * gradient**2
        theta = theta - rate * factor * gradient / (math.sqrt(v) + epsilon)
    return theta


# An ε of 0.1 shows whether it stands inside or outside the root.
CASES = {
    "sgd": (SGD(0.3), lambda theta, g, is_weight: naive_sgd(theta, g, 0.3, 0.0)),
    "momentum": (SGD(0.3, momentum=0.8), lambda theta, g, is_weight: naive_sgd(theta, g, 0.3, 0.8)),
    "adam": (
        Adam(0.3, beta1=0.7, beta2=0.95, epsilon=0.1),
        lambda theta, g, is_weight: naive_adam(theta, g, 0.3, 0.7, 0.95, 0.1, 0.0),
    ),
    "adamw": (
        AdamW(0.3, beta1=0.7, beta2=0.95, epsilon=0.1, weight_decay=0.4),
        lambda theta, g, is_weight: naive_adam(theta, g, 0.3, 0.7, 0.95, 0.1, 0.4 if is_weight else 0.0),
    ),
    "rmsprop": (
        RMSprop(0.3, decay=0.8, epsilon=0.1),
        lambda theta, g, is_weight: naive_rmsprop(theta, g, 0.3, 0.8, 0.1),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_every_number_moves_as_the_formula_says(kernels: Any, name: str) -> None:
    optimizer, naive = CASES[name]
    arena = dense_arena(kernels)
    start = arena.theta.copy()
    theta, seen = run(optimizer, arena)
    is_weight = np.zeros(theta.size, dtype=bool)
    is_weight[arena.decayed] = True
    expected = [naive(start[i], [g[i] for g in seen], is_weight[i]) for i in range(theta.size)]
    np.testing.assert_allclose(theta, expected, rtol=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_padding_between_parameters_stays_zero(kernels: Any, name: str) -> None:
    """The padding between two parameters is part of the flat loop, and must not wander."""
    arena = dense_arena(kernels)
    theta, _ = run(CASES[name][0], arena)
    for _, value, _ in arena.parameters():
        value[...] = 0
    np.testing.assert_array_equal(theta, 0)


@pytest.mark.parametrize("name", CASES)
def test_the_gradient_is_left_as_it_is(kernels: Any, name: str) -> None:
    arena = dense_arena(kernels)
    optimizer, _ = CASES[name]
    optimizer.bind(arena)
    arena.dtheta[...] = np.arange(arena.dtheta.size)
    optimizer.step()
    np.testing.assert_array_equal(arena.dtheta, np.arange(arena.dtheta.size))


@pytest.mark.parametrize("name", CASES)
def test_state_and_step_count_are_all_that_a_run_needs_to_go_on(name: str) -> None:
    arena, resumed = dense_arena(reference_kernels()), dense_arena(reference_kernels())
    optimizer, _ = CASES[name]
    run(optimizer, arena)
    settings = inspect.signature(type(optimizer)).parameters
    again = type(optimizer)(**{name: getattr(optimizer, name) for name in settings})
    again.bind(resumed)
    resumed.theta[...] = arena.theta
    again.count[...] = optimizer.steps
    for key, vector in optimizer.state.items():
        again.state[key][...] = vector
    for a, o in ((arena, optimizer), (resumed, again)):
        a.dtheta[...] = 0.25
        o.step()
    np.testing.assert_array_equal(resumed.theta, arena.theta)


@pytest.mark.parametrize("name", CASES)
def test_binding_again_starts_afresh(name: str) -> None:
    optimizer, _ = CASES[name]
    first, second = dense_arena(reference_kernels()), dense_arena(reference_kernels())
    np.testing.assert_array_equal(run(optimizer, first)[0], run(optimizer, second)[0])
    assert optimizer.steps == STEPS


def test_adamw_shrinks_weights_and_leaves_biases_alone(kernels: Any) -> None:
    arena = dense_arena(kernels)
    weights, biases = (value.copy() for _, value, _ in arena.parameters())
    optimizer = AdamW(0.1, weight_decay=0.5)
    optimizer.bind(arena)
    optimizer.step()  # the gradient is zero
    (_, W, _), (_, b, _) = arena.parameters()
    np.testing.assert_allclose(W, weights * 0.95, rtol=1e-12)
    np.testing.assert_array_equal(b, biases)


@pytest.mark.parametrize("name", CASES)
def test_a_quadratic_bowl_is_descended(kernels: Any, name: str) -> None:
    arena = dense_arena(kernels)
    optimizer, _ = CASES[name]
    optimizer.bind(arena)
    before = arena.theta @ arena.theta
    for _ in range(30):
        arena.dtheta[...] = arena.theta
        optimizer.step(0.1)
    assert arena.theta @ arena.theta < 0.5 * before


@given(g=st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=20), limit=st.floats(1e-3, 1e4))
def test_clipping_shortens_a_long_gradient_to_the_limit_and_keeps_its_direction(g: list[float], limit: float) -> None:
    dtheta = np.array(g)
    length = math.sqrt(sum(v * v for v in g))
    assert clip_by_norm(dtheta, limit) == pytest.approx(length)
    expected = np.array(g) * (limit / length if length > limit else 1.0)
    np.testing.assert_allclose(dtheta, expected, rtol=1e-12)


# Shared out among threads


@given(size=st.integers(0, 300), n=st.integers(1, 9), dtype=st.sampled_from(["float32", "float64"]))
def test_parts_cover_a_vector_exactly_once_and_share_no_cache_line(size: int, n: int, dtype: str) -> None:
    vector = np.zeros(size, dtype)
    cut = parts(vector, n)
    assert len(cut) == n
    assert [i for part in cut for i in range(part.start, part.stop)] == list(range(size))
    assert all(part.start * vector.itemsize % 64 == 0 or part.start == size for part in cut)
    lengths = [part.stop - part.start for part in cut]
    assert max(lengths) - min(lengths) < 2 * 64 // vector.itemsize


def wide_arena(dtype: str) -> Arena:
    """Random parameters: 21 × 5 weights and 5 biases, many cache lines that no number of threads divides evenly."""
    arena = Dense(5).build((21,), dtype=dtype).arena
    arena.theta[...] = np.random.default_rng(0).standard_normal(arena.theta.size)
    return arena


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CASES)
def test_a_step_is_the_same_bit_for_bit_for_any_number_of_threads(name: str, dtype: str) -> None:
    results = []
    for team in (None, shared_team(1), shared_team(2), shared_team(3)):
        arena, optimizer = wide_arena(dtype), copy.copy(CASES[name][0])
        optimizer.bind(arena)
        for factor, _ in zip(FACTORS, gradients(arena), strict=True):
            optimizer.step(factor, team)
        results.append([arena.theta.tobytes(), *(vector.tobytes() for vector in optimizer.state.values())])
    assert results[0] == results[1] == results[2] == results[3]
    assert results[0][0] != wide_arena(dtype).theta.tobytes()


@given(units=st.integers(1, 40), n_in=st.integers(1, 40), n_jobs=st.integers(1, 9))
def test_the_decay_of_adamw_ends_where_the_biases_begin_wherever_the_vector_is_cut(
    units: int, n_in: int, n_jobs: int
) -> None:
    arena = Dense(units).build((n_in,), dtype="float64", kernels=reference_kernels()).arena
    arena.theta[...] = 1
    optimizer = AdamW(0.1, weight_decay=0.5)
    optimizer.bind(arena)
    optimizer.step(1.0, ThreadTeam(n_jobs))  # the gradient is zero
    expected = np.ones(arena.theta.size)
    expected[arena.decayed] = 0.95
    np.testing.assert_allclose(arena.theta, expected, rtol=1e-15)


@pytest.mark.parametrize(
    ("name", "setting", "value"), [("momentum", "momentum", np.float32(0.5)), ("adamw", "weight_decay", 0.0)]
)
def test_a_setting_that_changes_between_two_steps_counts_from_the_next_on(
    name: str, setting: str, value: float
) -> None:
    thetas = []
    for changed in (True, False):
        arena, optimizer = wide_arena("float64"), copy.copy(CASES[name][0])
        optimizer.bind(arena)
        arena.dtheta[...] = 0.3
        optimizer.step()
        if changed:
            setattr(optimizer, setting, value)
        expected = arena.theta.copy()
        optimizer.step()
        thetas.append(arena.theta.copy())
        if changed and name == "momentum":
            np.testing.assert_allclose(arena.theta, expected - 0.3 * (0.5 * 0.3 + 0.3), rtol=1e-12)
    assert not np.array_equal(thetas[0], thetas[1])


def test_a_setting_may_be_any_of_numpys_numbers() -> None:
    arenas = [wide_arena("float64") for _ in range(2)]
    for arena, number in zip(arenas, (float, np.float32), strict=True):
        optimizer = SGD(0.25, momentum=number(0.5))
        optimizer.bind(arena)
        for _ in gradients(arena):
            optimizer.step()
    np.testing.assert_array_equal(arenas[0].theta, arenas[1].theta)


def test_clipping_a_huge_float32_gradient_does_not_erase_it() -> None:
    dtheta = np.array([3e25, 4e25], dtype="float32")  # its square is more than float32 holds
    assert clip_by_norm(dtheta, 1.0) == pytest.approx(5e25, rel=1e-5)
    np.testing.assert_allclose(dtheta, [0.6, 0.8], rtol=1e-5)


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw", "rmsprop"])
def test_optimizers_are_made_by_name(name: str) -> None:
    optimizer = optimizer_by_name(name, 0.25)
    assert type(optimizer).__name__.lower() == name
    assert optimizer.learning_rate == 0.25


def test_options_reach_the_optimizer() -> None:
    assert optimizer_by_name("sgd", 0.1, momentum=0.5).momentum == 0.5


def test_an_unknown_optimizer_is_answered_by_the_known_ones() -> None:
    with pytest.raises(ValueError, match="unknown optimizer 'lion'; expected one of sgd, adam, adamw, rmsprop"):
        optimizer_by_name("lion", 0.1)


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan")])
def test_a_learning_rate_that_is_not_above_zero_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match=r"learning_rate is .*; expected a number above 0"):
        Adam(rate)


@pytest.mark.parametrize("optimizer", [SGD(), Adam(), AdamW(), RMSprop()], ids=lambda o: type(o).__name__)
def test_all_vectors_of_a_step_start_at_cache_lines_in_different_places_of_a_page(optimizer: Optimizer) -> None:
    arena = Dense(64).build((784,)).arena
    optimizer.bind(arena)
    vectors = [arena.theta, arena.dtheta, *optimizer.state.values()]
    places = [vector.ctypes.data % PAGE for vector in vectors]
    assert all(place % ALIGNMENT == 0 for place in places)
    assert len(set(places)) == len(vectors)
    assert all(vector.shape == arena.theta.shape and not vector.any() for vector in vectors[1:])
