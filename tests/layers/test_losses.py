"""Losses compared with their formula, written as loops, and with finite differences."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers.finite_difference import numeric_gradient, relative_error
from hypothesis import given
from hypothesis import strategies as st

from npae.layers.arena import Arena
from npae.layers.losses import LOSSES, Loss, loss_by_name
from npae.utils.types import Array, Shape
from npae.utils.validation import check_samples

NAMES = ["bce", "bce_on_probabilities", "mse"]
every_loss = pytest.mark.parametrize("name", NAMES)

batches = st.tuples(st.integers(1, 4), st.integers(5, 7), st.integers(0, 2**32 - 1))


def built(name: str, shape: Shape, n: int, kernels: Any, dtype: str = "float64") -> Loss:
    """The loss, ready for batches of n outputs of ``shape``."""
    loss, arena = loss_by_name(name), Arena(dtype, kernels)
    loss.plan(shape, arena)
    arena.allocate()
    arena.resize(n)
    arena.run.sample_weight = 1 / n
    return loss


def output_and_target(name: str, n: int, width: int, seed: int) -> tuple[Array, Array]:
    generator = np.random.default_rng(seed)
    y = generator.normal(0, 2, (n, width))
    if name == "bce_on_probabilities":
        y = generator.uniform(0.05, 0.95, (n, width))
    return y, generator.uniform(0, 1, (n, width))


def sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z))


FORMULAS: dict[str, Callable[[float, float], float]] = {
    "bce": lambda z, t: -t * math.log(sigmoid(z)) - (1 - t) * math.log(1 - sigmoid(z)),
    "bce_on_probabilities": lambda p, t: -t * math.log(p) - (1 - t) * math.log(1 - p),
    "mse": lambda y, t: (y - t) ** 2,
}


def test_every_loss_is_tested_here() -> None:
    assert sorted(LOSSES) == sorted(NAMES)


@every_loss
@given(batch=batches)
def test_a_samples_loss_is_the_sum_of_the_formula_over_its_elements(kernels: Any, name: str, batch: Any) -> None:
    y, t = output_and_target(name, *batch)
    losses, _ = built(name, y.shape[1:], len(y), kernels).value_and_gradient(y, t)
    expected = [sum(FORMULAS[name](a, b) for a, b in zip(*rows, strict=True)) for rows in zip(y, t, strict=True)]
    np.testing.assert_allclose(losses, expected, rtol=1e-10)


@every_loss
@given(batch=batches)
def test_the_gradient_is_that_of_the_mean_over_the_batch(kernels: Any, name: str, batch: Any) -> None:
    y, t = output_and_target(name, *batch)
    loss = built(name, y.shape[1:], len(y), kernels)
    dy = loss.value_and_gradient(y, t)[1].copy()
    numeric = numeric_gradient(lambda: float(loss.value_and_gradient(y, t)[0].mean()), y)
    assert relative_error(dy, numeric) < 1e-6


@every_loss
def test_images_and_their_flat_rows_have_the_same_loss(kernels: Any, name: str) -> None:
    y, t = output_and_target(name, 3, 24, 0)
    flat, flat_gradient = built(name, (24,), 3, kernels).value_and_gradient(y, t)
    image, image_gradient = built(name, (4, 3, 2), 3, kernels).value_and_gradient(
        y.reshape(3, 4, 3, 2), t.reshape(3, 4, 3, 2)
    )
    np.testing.assert_array_equal(image, flat)
    assert image_gradient.shape == (3, 4, 3, 2)
    np.testing.assert_array_equal(image_gradient.reshape(3, 24), flat_gradient)


@every_loss
def test_neither_output_nor_target_is_changed(kernels: Any, name: str) -> None:
    y, t = output_and_target(name, 3, 5, 0)
    before = y.copy(), t.copy()
    built(name, (5,), 3, kernels).value_and_gradient(y, t)
    np.testing.assert_array_equal((y, t), before)


@every_loss
def test_float32_agrees_with_float64(kernels: Any, name: str) -> None:
    y, t = output_and_target(name, 3, 5, 0)
    single = built(name, (5,), 3, kernels, "float32").value_and_gradient(y.astype("float32"), t.astype("float32"))
    double = built(name, (5,), 3, kernels).value_and_gradient(y, t)
    for a, b in zip(single, double, strict=True):
        assert a.dtype == np.float32
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_cross_entropy_of_extreme_logits_is_finite_and_exact(kernels: Any, dtype: str) -> None:
    z = np.array([[1000, -1000, 1000, -1000, 50, -50]], dtype=dtype)
    t = np.array([[1, 0, 0, 1, 1, 0]], dtype=dtype)
    losses, dz = built("bce", (6,), 1, kernels, dtype).value_and_gradient(z, t)
    np.testing.assert_allclose(losses, [2000], rtol=1e-6)
    np.testing.assert_allclose(dz, [[0, 0, 1, -1, 0, 0]], atol=1e-20)


def test_cross_entropy_of_a_well_placed_logit_does_not_round_to_zero(kernels: Any) -> None:
    """log(1 + e⁻⁵⁰) is e⁻⁵⁰, not 0."""
    losses, _ = built("bce", (1,), 1, kernels).value_and_gradient(np.array([[50.0]]), np.array([[1.0]]))
    assert losses[0] == pytest.approx(math.exp(-50), rel=1e-6, abs=0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_cross_entropy_of_probabilities_zero_and_one_is_finite(kernels: Any, dtype: str) -> None:
    p = np.array([[0, 1, 0, 1]], dtype=dtype)
    loss = built("bce_on_probabilities", (4,), 1, kernels, dtype)
    losses, dp = loss.value_and_gradient(p, p.copy())
    assert losses[0] == pytest.approx(0, abs=1e-6)
    losses, dp = loss.value_and_gradient(p, 1 - p)
    floor = np.finfo(dtype).eps ** 2
    assert losses[0] == pytest.approx(-4 * math.log(floor), rel=1e-5)
    np.testing.assert_allclose(dp, np.array([[-1, 1, -1, 1]]) / floor, rtol=1e-5)


def test_cross_entropy_is_least_where_output_and_target_agree(kernels: Any) -> None:
    t = np.array([[0.2, 0.7]])
    for name, y in (("bce", np.log(t / (1 - t))), ("bce_on_probabilities", t.copy())):
        losses, dy = built(name, (2,), 1, kernels).value_and_gradient(y, t)
        np.testing.assert_allclose(dy, 0, atol=1e-15)
        assert losses[0] == pytest.approx(-np.sum(t * np.log(t) + (1 - t) * np.log(1 - t)))


@every_loss
def test_nan_in_the_output_is_nan_in_that_samples_loss_and_gradient_only(kernels: Any, name: str) -> None:
    y, t = output_and_target(name, 3, 5, 0)
    y[1, 2] = np.nan
    losses, dy = built(name, (5,), 3, kernels).value_and_gradient(y, t)
    np.testing.assert_array_equal(np.isnan(losses), [False, True, False])
    np.testing.assert_array_equal(np.isnan(dy), np.isnan(y))


def test_only_cross_entropy_needs_the_unit_interval_and_only_logits_are_shown_through_a_sigmoid() -> None:
    assert [loss_by_name(name).needs_unit_interval for name in NAMES] == [True, True, False]
    assert [loss_by_name(name).on_logits for name in NAMES] == [True, False, False]


@pytest.mark.parametrize("values", [[0.0, 255.0], [-0.5, 1.0]])
def test_targets_outside_the_unit_interval_are_refused_with_the_range_seen(values: list[float]) -> None:
    with pytest.raises(ValueError, match=f"from 0 to 1, but the data runs from {values[0]:g} to {values[1]:g}; scale"):
        check_samples([values], (2,), "float64", "targets", unit_interval=True)
    check_samples([[0.0, 1.0]], (2,), "float64", "targets", unit_interval=True)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_targets_that_are_not_finite_are_refused_as_such(bad: float) -> None:
    with pytest.raises(
        ValueError, match=r"targets contains NaN or infinity: 1 of 2 values, the first at index \(0, 1\)"
    ):
        check_samples([[300.0, bad]], (2,), "float64", "targets", unit_interval=True)


def test_the_error_for_an_unknown_loss_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match="unknown loss 'hinge'; expected one of bce, bce_on_probabilities, mse"):
        loss_by_name("hinge")
