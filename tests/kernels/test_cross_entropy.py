"""The cross-entropy of logits: its accuracy in each format, and that a row's result depends on the row alone."""

from typing import Any

import numpy as np
import pytest

from npae.kernels import compiled
from npae.kernels.simd.cross_entropy import PART

Array = np.ndarray[Any, np.dtype[Any]]

WIDTHS = [1, 7, 16, 17, 255, 784, PART, PART + 1, 2 * PART + 21]
EPSILONS = 8  # of the format; equal numbers, as here, round the same way


def loss_and_gradient(z: Array, t: Array) -> tuple[Array, Array]:
    losses, dz = np.empty(len(z), z.dtype), np.empty_like(z)
    compiled.bce_on_logits(z, t, 0.25, losses, dz)
    return losses, dz


def exact_losses(z: Array, t: Array) -> Array:
    z, t = z.astype(np.longdouble), t.astype(np.longdouble)
    losses: Array = np.sum(np.maximum(z, 0) - z * t + np.log1p(np.exp(-np.abs(z))), axis=1)
    return losses


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", WIDTHS)
def test_a_loss_is_accurate_for_rows_rebuilt_badly_and_nearly_perfectly(size: int, dtype: str) -> None:
    t = np.random.default_rng(size).integers(2, size=(12, size)).astype(dtype)
    certainty = np.array([[-20, -3, -1, -0.1, 0, 0.1, 1, 3, 10, 16.5, 20, 40]], dtype).T
    z = (2 * t - 1) * certainty
    losses, _ = loss_and_gradient(z, t)
    np.testing.assert_allclose(losses, exact_losses(z, t), rtol=EPSILONS * np.finfo(dtype).eps, atol=0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", WIDTHS)
def test_the_loss_and_gradient_of_a_row_have_the_same_bits_alone_as_among_others(size: int, dtype: str) -> None:
    generator = np.random.default_rng(size)
    z, t = generator.standard_normal((5, size)).astype(dtype), generator.random((5, size)).astype(dtype)
    losses, dz = loss_and_gradient(z, t)
    for n in range(5):
        alone, dz_alone = loss_and_gradient(z[n : n + 1].copy(), t[n : n + 1].copy())
        assert alone[0] == losses[n]
        np.testing.assert_array_equal(dz_alone[0], dz[n])
