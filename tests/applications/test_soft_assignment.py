"""Soft assignments, their target and the divergence of both: values of the paper's equations, and gradients."""

import numpy as np
import pytest
from helpers.finite_difference import layer_errors, numeric_gradient, relative_error

from npae.applications.soft_assignment import SoftAssignment, divergence, target_distribution
from npae.gradcheck import Verdict, check, check_layer

RNG = np.random.default_rng(0)


def layer_with(centroids, scale=1.0):
    layer = SoftAssignment(len(centroids), scale).build(centroids.shape[1:], dtype="float64")
    layer.centroids[...] = centroids
    return layer


def soft_by_loops(z, centroids, scale):
    """Equation 1 as it is written."""
    q = np.empty((len(z), len(centroids)))
    for i in range(len(z)):
        for j in range(len(centroids)):
            q[i, j] = 1 / (1 + sum((z[i] - centroids[j]) ** 2) / scale**2)
        q[i] /= q[i].sum()
    return q


def published_gradients(z, centroids, p, q):
    """Equations 4 and 5, for the mean over the samples; s = 1."""
    dz, dcentroids = np.zeros_like(z), np.zeros_like(centroids)
    for i in range(len(z)):
        for j in range(len(centroids)):
            difference = z[i] - centroids[j]
            term = 2 / (1 + difference @ difference) * (p[i, j] - q[i, j]) * difference / len(z)
            dz[i] += term
            dcentroids[j] -= term
    return dz, dcentroids


@pytest.mark.parametrize("scale", [1.0, 0.3, 7.0])
def test_assignments_are_those_of_the_equation_and_sum_to_one(scale):
    z, centroids = RNG.normal(size=(6, 3)), RNG.normal(size=(4, 3))
    q = layer_with(centroids, scale)(z)
    np.testing.assert_allclose(q, soft_by_loops(z, centroids, scale), rtol=1e-10)
    np.testing.assert_allclose(q.sum(axis=1), 1)


@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_the_gradients_of_codes_and_centroids_are_those_of_finite_differences(scale):
    layer = layer_with(RNG.normal(size=(4, 3)), scale)
    errors = layer_errors(layer, RNG.normal(size=(5, 3)), RNG)
    assert set(errors) == {"dx", "softassignment.centroids"}
    assert max(errors.values()) < 1e-7, errors


def test_the_gradient_checker_passes_the_layer_and_the_divergence():
    report = check_layer(SoftAssignment(4, scale=0.8), (3,))
    assert report.verdict is Verdict.PASS, str(report)
    p, q = (a / a.sum(axis=1, keepdims=True) for a in RNG.random((2, 4, 3)) + 0.1)
    report = check(lambda q: divergence(p, q)[0].mean(), lambda g, q: g * divergence(p, q)[1], [q])
    assert report.verdict is Verdict.PASS, str(report)


def test_layer_and_divergence_together_have_the_published_gradients():
    z, centroids = RNG.normal(size=(7, 3)), RNG.normal(size=(4, 3))
    layer = layer_with(centroids)
    q = layer(z).copy()
    p = target_distribution(q)
    _, dq = divergence(p, q)
    dz, dcentroids = published_gradients(z, centroids, p, q)
    np.testing.assert_allclose(layer.backward(dq), dz, atol=1e-14)
    np.testing.assert_allclose(layer.dcentroids, dcentroids, atol=1e-14)

    def loss():
        return float(divergence(p, layer(z))[0].mean())

    assert relative_error(dz, numeric_gradient(loss, z)) < 1e-7


def test_the_target_is_sharper_and_more_even():
    q = layer_with(np.array([[0.0], [4.0]]))(np.array([[-0.5], [0.1], [0.3], [3.0]]))
    p = target_distribution(q)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    assert (p.max(axis=1) > q.max(axis=1)).all()
    f = q.sum(axis=0)
    np.testing.assert_allclose(p[0, 0] / p[0, 1], (q[0, 0] ** 2 / f[0]) / (q[0, 1] ** 2 / f[1]))


def test_a_code_on_a_centroid_and_one_far_away_have_finite_gradients():
    layer = layer_with(np.array([[0.0, 0.0], [1.0, 0.0]]))
    q = layer(np.array([[0.0, 0.0], [1e6, 0.0]]))
    losses, dq = divergence(target_distribution(q), q)
    assert np.isfinite(losses).all()
    assert np.isfinite(layer.backward(dq)).all()


def test_images_are_no_codes():
    with pytest.raises(ValueError, match=r"codes of shape \(2, 3\) are no vectors; give codes of shape \(size,\)"):
        SoftAssignment(2).build((2, 3))
