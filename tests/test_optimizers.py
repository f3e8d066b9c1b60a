"""Optimizers against loops over single numbers, as a textbook would write them."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npae.arena import Arena
from npae.kernels import reference_kernels
from npae.layers import Dense
from npae.optimizers import SGD, Adam, AdamW, Optimizer, RMSprop, clip_by_norm, optimizer_by_name
from npae.types import Array

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
def test_what_is_no_parameter_stays_zero(kernels: Any, name: str) -> None:
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
    again = type(optimizer)(**{k: v for k, v in vars(optimizer).items() if k not in ("arena", "state", "steps")})
    again.bind(resumed)
    resumed.theta[...] = arena.theta
    again.steps = optimizer.steps
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


def test_clipping_a_huge_float32_gradient_does_not_erase_it() -> None:
    dtheta = np.array([3e25, 4e25], dtype="float32")  # its square is more than float32 holds
    assert clip_by_norm(dtheta, 1.0) == pytest.approx(5e25, rel=1e-5)
    np.testing.assert_allclose(dtheta, [0.6, 0.8], rtol=1e-5)


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw", "rmsprop"])
def test_optimizers_have_names(name: str) -> None:
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
