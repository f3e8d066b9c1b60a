"""Applications: what a model of digits reaches, measures compared with independent ones, and error messages."""

import numpy as np
import pytest
from helpers.small_models import TYPES, data_for, fitted, samples, unfitted
from hypothesis import given
from hypothesis import strategies as st

import npae
from npae.applications import anomaly, classification, clustering, compression, generation, reduction, retrieval
from npae.applications.compression.bits import ADDED_ERROR
from npae.applications.features import feature_sets
from npae.applications.quantization import Quantizer
from npae.applications.retrieval import Index
from npae.datasets import load_digits
from npae.storage.model_file import fingerprint
from npae.utils.errors import NotFittedError

KINDS = list(TYPES)


@pytest.fixture(scope="module")
def digits():
    return load_digits()


@pytest.fixture(scope="module")
def trained(digits):
    """A model that has really learned something, in a few seconds."""
    model = npae.DeepAutoencoder(code_size=8, hidden=(256, 128), epochs=25, batch_size=50, random_state=0)
    return model.fit(digits.train_images)


def labels_for(n):
    return np.arange(n) % 3


# What all share


@pytest.mark.parametrize("kind", KINDS)
def test_a_fingerprint_is_that_of_the_parameters_and_survives_the_file(kind, tmp_path):
    model = fitted(kind)
    model.save(tmp_path / "m.safetensors")
    again = npae.load(tmp_path / "m.safetensors")
    assert fingerprint(again.network_) == fingerprint(model.network_)
    again.network_.theta[0] += 1
    assert fingerprint(again.network_) != fingerprint(model.network_)


def test_feature_sets_have_the_same_samples_and_equal_code_sizes():
    ways = feature_sets(fitted("denoising"), data_for("denoising"), data_for("denoising", n=5))
    assert [(w.name, w.train.shape, w.test.shape) for w in ways] == [
        ("autoencoder", (24, 4), (5, 4)),
        ("PCA", (24, 4), (5, 4)),
        ("raw", (24, 12), (5, 12)),
    ]


X = data_for("variational")
LABELS = labels_for(len(X))


@pytest.mark.parametrize(
    "use",
    [
        lambda model: feature_sets(model, X, X),
        lambda model: Index.of(model, X),
        lambda model: compression.compress(model, X),
        lambda model: compression.decompress(model, compression.pack(Quantizer(X[0], 1.0), X.astype("uint16"), "")),
        lambda model: anomaly.compare(model, X, X, {"noise": X}),
        lambda model: reduction.compare(model, X, X),
        lambda model: retrieval.compare(model, X, LABELS, X, LABELS),
        lambda model: clustering.compare(model, X, X, LABELS),
        lambda model: classification.compare(model, X, LABELS, X, LABELS),
        lambda model: generation.walk(model, X[0], X[1], spherical=True),
        lambda model: generation.traversals(model, X[0]),
        lambda model: generation.latent_grid(model, X),
        lambda model: generation.bounds(model, X),
        lambda model: model.n_iter_,
        lambda model: model.code_distribution_,
    ],
)
def test_a_model_that_is_not_fitted_says_so_wherever_it_is_used(use):
    with pytest.raises(NotFittedError, match=r"this VariationalAutoencoder is not fitted yet; call fit\(X\) first"):
        use(unfitted("variational"))


def test_a_missing_attribute_of_a_fitted_model_is_not_reported_as_not_fitted():
    with pytest.raises(AttributeError, match="no attribute 'feature_names_in_'") as caught:
        fitted("variational").feature_names_in_  # noqa: B018
    assert not isinstance(caught.value, NotFittedError)
    assert not hasattr(unfitted("variational"), "network_")


# Compression


def test_a_stream_takes_about_its_entropy(trained, digits):
    x = digits.test_images
    codes = trained.transform(x)
    quantizer = Quantizer.fit(codes, 5)
    numbers = quantizer.quantize(codes)
    entropy = 0.0
    for column in numbers.T:
        p = np.unique(column, return_counts=True)[1] / len(column)
        entropy -= (p * np.log2(p)).sum() * len(column) / 8
    assert entropy < len(compression.pack(quantizer, numbers, "")) < 1.15 * entropy + 200


def test_bits_are_chosen_so_that_quantising_adds_little_error(trained, digits):
    x = digits.test_images[:300]
    bits = compression.fewest_bits(trained, x, trained.transform(x))
    assert 3 <= bits <= 8
    error = [np.square(y - x).mean() for y in (trained.reconstruct(x), _round_trip(trained, x))]
    assert error[1] <= (1 + ADDED_ERROR) * error[0] * 1.001


def _round_trip(model, x):
    return compression.decompress(model, compression.compress(model, x))


def test_fewer_bytes_than_pca_at_equal_quality_and_more_quality_than_jpeg(trained, digits):
    pytest.importorskip("PIL")
    from npae.applications import codec_comparison

    rows = {c.name: c for c in codec_comparison.compare(trained, digits.train_images, digits.test_images[:300])}
    ours = rows["autoencoder"]
    assert ours.bytes < rows["PCA, at least this PSNR"].bytes
    assert ours.psnr > rows["PCA, same code size"].psnr
    assert ours.psnr > rows["PCA, at most these bytes"].psnr
    (jpeg,) = (c for name, c in rows.items() if name.startswith("JPEG"))
    assert jpeg.bytes <= ours.bytes
    assert ours.psnr > jpeg.psnr


# Reduction, clustering, classification


def test_overlap_is_one_for_the_same_and_small_for_unrelated_features():
    x = np.random.default_rng(0).normal(size=(200, 5))
    assert reduction.neighbour_overlap(x, 3 * x + 1) == 1
    assert reduction.neighbour_overlap(x, np.random.default_rng(1).normal(size=(200, 5))) < 0.15


def test_at_equal_size_codes_beat_pca_in_error_neighbours_and_precision(trained, digits):
    pytest.importorskip("sklearn")
    train, test = digits.train_images, digits.test_images[:300]
    ours, pca = reduction.compare(trained, train, test)
    assert (ours.name, ours.size, pca.size) == ("autoencoder", 8, 8)
    assert ours.error < 0.85 * pca.error
    assert ours.trustworthiness > 0.9
    rows = retrieval.compare(trained, train, digits.train_labels, test, digits.test_labels[:300])
    assert rows[0][2] > rows[1][2] + 0.02
    assert rows[0][3] > rows[1][3] + 0.02


def test_groups_and_classifiers_are_measured_for_all_three(trained, digits):
    pytest.importorskip("sklearn")
    from npae.applications import classification, clustering

    train, test = digits.train_images[:600], digits.test_images[:300]
    groups = clustering.compare(trained, train, test, digits.test_labels[:300])
    assert [(row[0], row[1]) for row in groups] == [("autoencoder", 8), ("PCA", 8), ("raw", 784)]
    assert all(0.2 < value < 1 for row in groups for value in row[2:])
    rows = classification.compare(trained, train, digits.train_labels[:600], test, digits.test_labels[:300])
    assert all(0.5 < few < every < 1 for _, _, few, every in rows)


def test_a_map_is_the_code_itself_where_it_has_two_values():
    codes = np.random.default_rng(0).normal(size=(9, 2))
    assert reduction.plane(codes).points is codes
    assert reduction.plane(np.random.default_rng(0).normal(size=(9, 5))).points.shape == (9, 2)


# Anomalies


@given(st.lists(st.integers(0, 9), min_size=1, max_size=30), st.lists(st.integers(0, 9), min_size=1, max_size=30))
def test_the_area_under_the_curve_is_a_share_of_pairs(inliers, outliers):
    pairs = [(s > f) + 0.5 * (s == f) for f in inliers for s in outliers]
    assert anomaly.auroc(np.array(inliers), np.array(outliers)) == pytest.approx(np.mean(pairs))


def test_noise_is_detected_among_digits(trained, digits):
    test = digits.test_images[:200]
    areas = anomaly.compare(trained, digits.train_images[:500], test, {"noise": anomaly.noise_like(test)})
    assert list(areas) == ["noise"]
    assert min(areas["noise"]["reconstruction"], areas["noise"]["PCA"]) > 0.99


# Generation


@given(st.integers(0, 99), st.integers(2, 6))
def test_a_walk_on_the_sphere_stays_on_it(seed, size):
    a, b = np.random.default_rng(seed).normal(size=(2, size))
    path = generation.slerp(a, b, np.linspace(0, 1, 7))
    np.testing.assert_allclose(path[[0, -1]], [a, b], atol=1e-9)
    np.testing.assert_allclose(
        np.linalg.norm(path, axis=1), np.linspace(np.linalg.norm(a), np.linalg.norm(b), 7), rtol=1e-9
    )
    steps = np.linalg.norm(path / np.linalg.norm(path, axis=1, keepdims=True), axis=1)
    np.testing.assert_allclose(steps, 1)


def test_codes_without_a_direction_are_refused():
    with pytest.raises(ValueError, match="has no direction"):
        generation.slerp(np.zeros(3), np.ones(3), np.linspace(0, 1, 3))


def test_a_walk_between_samples_of_two_shapes_is_refused():
    with pytest.raises(ValueError, match=r"a has shape \(12,\) and b has \(11,\); give two samples"):
        generation.walk(fitted("variational"), X[0], X[1, :11], spherical=True)


def test_between_equal_codes_the_walk_stands_still():
    a = np.array([1.0, 2.0])
    np.testing.assert_allclose(generation.slerp(a, a, np.linspace(0, 1, 4)), np.tile(a, (4, 1)))


@pytest.mark.parametrize("kind", KINDS)
def test_walks_traversals_and_grids_have_the_shape_of_samples(kind):
    model, x = fitted(kind), data_for(kind)
    shape = x.shape[1:]
    assert generation.traversals(model, x[0], 3).shape == (4, 3, *shape)
    assert generation.latent_grid(model, x, 3).shape == (9, *shape)
    if np.all(np.linalg.norm(model.transform(x[:2]), axis=1)):
        for spherical in (False, True):
            walk = generation.walk(model, x[0], x[1], 4, spherical=spherical)
            np.testing.assert_allclose(walk[[0, -1]], model.reconstruct(x[:2]), atol=1e-5)


def test_a_traversal_changes_one_dimension_at_a_time():
    model, x = fitted("vanilla", activation="linear", loss="mse"), data_for("vanilla")
    across = generation.traversals(model, x[0], 3, reach=1.0)
    code = model.transform(x[:1])
    code[0, 2] = 1.0
    np.testing.assert_allclose(across[2, 2], model.inverse_transform(code)[0], atol=1e-6)


@pytest.mark.filterwarnings("ignore:the code has collapsed:UserWarning")
def test_bounds_agree_with_the_score_and_more_draws_are_tighter():
    model, x = fitted("variational", epochs=20), data_for("variational")
    few, many = generation.bounds(model, x, 1), generation.bounds(model, x, 400)
    assert few.elbo == pytest.approx(few.importance_weighted)
    assert many.elbo < many.importance_weighted
    head = model.network_.code.layers[0]
    model.transform(x)
    expected = 0.5 * (head.mu**2 + np.exp(head.log_var) - 1 - head.log_var).mean(axis=0)
    np.testing.assert_allclose(many.kl, expected, rtol=1e-5)


@pytest.mark.filterwarnings("ignore:the code has collapsed:UserWarning")
@pytest.mark.parametrize("loss", ["bce", "mse"])
def test_the_bound_of_a_linear_model_closes_on_the_evidence(loss):
    """With a posterior that does not look at x, and a decoder that does not look at z, log p(x) is known exactly."""
    model = fitted("variational", loss=loss)
    for name, value, _ in model.network_.arena.parameters():
        if name.startswith(("code", "decoder")) and name.endswith("W"):
            value[...] = 0
        if name.startswith("code") and name.endswith("b"):
            value[...] = 0
    x = data_for("variational")
    found = generation.bounds(model, x, 3)
    y = model.reconstruct(x).astype("float64")
    by_value = x * np.log(y) + (1 - x) * np.log1p(-y) if loss == "bce" else -((x - y) ** 2) - 0.5 * np.log(np.pi)
    assert found.elbo == pytest.approx(by_value.sum(axis=1).mean(), rel=1e-5)
    assert found.importance_weighted == pytest.approx(found.elbo, rel=1e-6)
    assert not found.active.any()


def test_a_collapsed_code_is_warned_about_and_a_used_one_is_not():
    x = samples(64, 12)
    with pytest.warns(UserWarning, match="the code has collapsed: only 0 of 4 dimensions.*lower beta"):
        generation.bounds(fitted("variational", beta=1000.0, epochs=60, learning_rate=0.02), x, 2)
    model = npae.VariationalAutoencoder(code_size=2, hidden=(16,), beta=0.01, epochs=60, batch_size=8, random_state=0)
    assert generation.bounds(model.fit(x), x, 2).active.all()


def test_bounds_of_other_than_variational_models_are_refused():
    with pytest.raises(ValueError, match=r"need a VariationalAutoencoder.*DeepAutoencoder has none"):
        generation.bounds(fitted("deep"), data_for("deep"))
