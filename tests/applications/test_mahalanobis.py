"""Mahalanobis distances: of new features, and of own features from the others."""

import numpy as np

from npae.applications import mahalanobis
from npae.applications.mahalanobis import Mahalanobis

RNG = np.random.default_rng(0)
MIX = RNG.normal(size=(3, 3))


def test_the_distance_of_normal_samples_is_that_of_the_draws_they_were_mixed_from(monkeypatch):
    monkeypatch.setattr(mahalanobis, "RIDGE", 0)
    draws = RNG.normal(size=(20000, 3))
    distance = Mahalanobis(draws @ MIX + 5)
    np.testing.assert_allclose(distance(draws[:100] @ MIX + 5), np.linalg.norm(draws[:100], axis=1), rtol=0.05)


def test_the_distance_of_an_own_sample_is_that_from_a_fit_without_it(monkeypatch):
    monkeypatch.setattr(mahalanobis, "RIDGE", 0)
    features = RNG.normal(size=(12, 3)) @ MIX
    expected = [Mahalanobis(np.delete(features, i, axis=0))(features[i : i + 1])[0] for i in range(12)]
    np.testing.assert_allclose(Mahalanobis(features).of_own(), expected, rtol=1e-6)
    assert (Mahalanobis(features).of_own() > Mahalanobis(features)(features)).all()


def test_a_direction_without_variance_has_a_distance():
    features = np.column_stack([RNG.normal(size=50), np.full(50, 2.0)])
    near, far = Mahalanobis(features)(np.array([[0.0, 2.0], [0.0, 3.0]]))
    assert near < 1 < far < np.inf
    assert Mahalanobis(np.ones((4, 2)))(np.ones((1, 2))).tolist() == [0.0]
