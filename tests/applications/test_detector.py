"""The detector of anomalies: its threshold, its scores, and what it says about the known-good samples."""

import warnings

import numpy as np
import pytest
from helpers.small_models import data_for, fitted, samples

import npae
from npae.applications.anomaly_scores import SCORES, negative_elbo
from npae.applications.detector import Detector

MODEL = {"hidden": (16,), "code_size": 2, "epochs": 40, "batch_size": 20, "random_state": 0}


@pytest.fixture(scope="module")
def model():
    return npae.VariationalAutoencoder(beta=0.1, **MODEL).fit(samples(300, 8))


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("rate", [0.02, 0.1, 0.5])
def test_new_good_samples_exceed_the_threshold_at_the_rate_that_was_asked_for(score, rate, model):
    detector = Detector(model, samples(600, 8, seed=1), score=score, false_positive_rate=rate)
    share = detector.find(samples(3000, 8, seed=2)).is_anomaly.mean()
    assert abs(share - rate) < 4 * np.sqrt(rate * (1 - rate) * (1 / 3000 + 1 / 600))


def test_distances_of_few_known_good_samples_keep_the_rate_too(model):
    """Without leaving each out of its own mean, a third more would be taken for anomalies."""
    shares = [
        Detector(model, samples(12, 8, seed=s), score="joint", false_positive_rate=0.2).find(new).is_anomaly.mean()
        for new in [samples(500, 8, seed=2)]
        for s in range(100, 160)
    ]
    assert np.mean(shares) < 0.24


@pytest.mark.parametrize("score", SCORES)
def test_samples_of_another_kind_have_larger_scores(score, model):
    x = samples(100, 8, seed=2)
    far_out, noise = x + 0.8 * np.sign(x - 0.5), np.random.default_rng(0).random((100, 8), dtype="float32")
    detector = Detector(model, samples(200, 8, seed=1), score=score)
    assert detector.find(far_out).is_anomaly.mean() > 0.8
    if score != "mahalanobis":  # the codes of noise are ordinary
        assert detector.find(noise).is_anomaly.mean() > 0.1


@pytest.mark.parametrize("score", SCORES)
def test_a_score_depends_on_the_sample_alone(score, model):
    x = samples(5, 8, seed=2)
    detector = Detector(model, samples(200, 8, seed=1), score=score)
    one_by_one = np.concatenate([detector.score(x[i : i + 1]) for i in range(5)])
    np.testing.assert_allclose(detector.score(x), one_by_one, rtol=1e-4)


def test_the_threshold_is_the_quantile_that_the_rate_asks_for(model):
    known = samples(99, 8, seed=1)
    scores = np.sort(Detector(model, known, false_positive_rate=0.5).score(known))
    for rate, place in ((0.01, 98), (0.02, 97), (0.5, 49), (0.99, 0)):
        with warnings.catch_warnings(action="error"):
            detector = Detector(model, known, false_positive_rate=rate)
        assert detector.threshold == scores[place]
        assert detector.false_positive_rate == rate


def test_a_rate_finer_than_the_samples_allow_is_told_of(model):
    known = samples(98, 8, seed=1)
    sentence = (
        r"a false-positive rate of 0.01 cannot be kept with 98 known-good samples, .*rate of 0.01; give at least 99"
    )
    with pytest.warns(UserWarning, match=sentence):
        detector = Detector(model, known, false_positive_rate=0.01)
    assert detector.threshold == detector.score(known).max()
    assert detector.false_positive_rate == 1 / 99


def test_the_value_that_is_reconstructed_worst_is_named(model):
    x = samples(300, 8, seed=2)
    x[:, 5] = 3  # beyond what a sigmoid returns
    found = Detector(model, samples(200, 8, seed=1)).find(x)
    assert set(found.furthest) == {5}
    assert set(found.given) == {3}
    np.testing.assert_array_equal(found.rebuilt, model.reconstruct(x)[:, 5])


def test_samples_that_the_model_was_fitted_to_are_counted(model):
    x = samples(300, 8)
    for known, n in ((x, 300), (samples(200, 8, seed=1), 0), (np.concatenate([x[:30], samples(200, 8, seed=1)]), 30)):
        assert Detector(model, known, false_positive_rate=0.1).n_fitted == n


@pytest.mark.filterwarnings("ignore:the code has collapsed:UserWarning")
@pytest.mark.parametrize("loss", ["bce", "mse"])
def test_the_elbo_agrees_with_the_bound_of_generation(loss):
    from npae.applications.generation import bounds

    x = samples(60, 8)
    model = npae.VariationalAutoencoder(**{**MODEL, "loss": loss, "beta": 0.5}).fit(x)
    expected = bounds(model, x, 400).elbo
    assert negative_elbo(model, x, 400).mean() == pytest.approx(-expected, rel=0.02)


def test_values_beyond_the_interval_of_cross_entropy_raise_the_elbo_by_their_squares(model):
    x = samples(1, 8, seed=3).repeat(2, axis=0)
    x[:, 0] = [1, 3]
    detector = Detector(model, samples(200, 8, seed=1), score="elbo")
    near, far = detector.score(x)
    assert np.isfinite(far)
    assert far > near


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"score": "lof"}, "the score is 'lof'; expected one of reconstruction, mahalanobis, joint, elbo"),
        ({"score": "elbo"}, "elbo is for variational models, but this one is a DeepAutoencoder; give reconstruction"),
        ({"false_positive_rate": 0}, "false_positive_rate is 0"),
        ({"false_positive_rate": 1}, "false_positive_rate is 1"),
        ({"false_positive_rate": float("nan")}, "false_positive_rate is nan"),
    ],
)
def test_wrong_options_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        Detector(fitted("deep"), data_for("deep"), **options)


def test_a_conditional_model_is_refused():
    x = samples(24, 12)
    model = npae.VariationalAutoencoder(conditional=True, **{**MODEL, "epochs": 1}).fit(x, np.arange(24) % 2)
    with pytest.raises(ValueError, match="this model is conditional; give one that was fitted without"):
        Detector(model, x)


def test_too_few_known_good_samples_are_refused():
    x = data_for("deep")
    sentence = (
        "9 known-good samples cannot give a threshold for the score joint, a distance in 5 dimensions; give at least 10"
    )
    with pytest.raises(ValueError, match=sentence):
        Detector(fitted("deep"), x[:9], score="joint")
    with pytest.raises(
        ValueError, match="1 known-good sample cannot give a threshold for the score reconstruction; give at least 2"
    ):
        Detector(fitted("deep"), x[:1])


def test_a_score_that_is_not_finite_is_refused():
    x = data_for("deep")
    detector = Detector(fitted("deep", loss="mse", activation="linear"), x, false_positive_rate=0.5)
    sentence = "sample 1 has values so large that its score is not finite; scale the data"
    with np.errstate(all="ignore"), pytest.raises(ValueError, match=sentence):
        detector.find(np.array([x[0], np.full(12, 3e38)]))
