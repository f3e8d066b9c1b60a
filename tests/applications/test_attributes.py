"""Attribute vectors, on data whose attribute is known."""

import numpy as np
import pytest

import npae
from npae.applications.attributes import apply_attribute, attribute_vector
from npae.cli import main


@pytest.fixture(scope="module")
def bright():
    """Images whose right half is bright or dark, their labels, and a model of them."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 200)
    x = rng.random((200, 4, 4), dtype="float32") * 0.3
    x[labels == 1, :, 2:] += 0.6
    model = npae.DeepAutoencoder(code_size=3, hidden=(12,), epochs=30, batch_size=20, random_state=0).fit(x)
    return x, labels, model


def test_the_vector_is_the_difference_of_mean_codes(bright):
    x, labels, model = bright
    codes = model.transform(x)
    expected = codes[labels == 1].mean(axis=0) - codes[labels == 0].mean(axis=0)
    assert attribute_vector(model, x[labels == 1], x[labels == 0]) == pytest.approx(expected, abs=1e-5)


def test_added_it_gives_the_attribute_and_subtracted_takes_it_away(bright):
    x, labels, model = bright
    vector = attribute_vector(model, x[labels == 1], x[labels == 0])
    changed = apply_attribute(model, x[:20], vector, [-1, 0, 1])
    assert changed.shape == (20, 3, 4, 4)
    assert changed[:, 1] == pytest.approx(model.reconstruct(x[:20]), abs=1e-5)
    right = changed[..., 2:].mean(axis=(2, 3))  # (samples, strengths)
    assert (right[labels[:20] == 0, 2] - right[labels[:20] == 0, 1] > 0.3).all()
    assert (right[labels[:20] == 1, 1] - right[labels[:20] == 1, 0] > 0.3).all()
    left = changed[..., :2].mean(axis=(2, 3))
    assert np.abs(left[labels[:20] == 0, 2] - left[labels[:20] == 0, 1]).mean() < 0.1


@pytest.mark.parametrize(
    ("vector", "strengths", "expected"),
    [
        ([0, 0, 0], [], "strengths are empty; give at least one number"),
        ([0, 0, 0], [np.nan], "a strength is nan; expected a finite number"),
        ([0, 0], [1], r"expects \(n, 3\)"),
        ([0, np.inf, 0], [1], "vectors"),
    ],
)
def test_what_is_no_vector_or_strength_is_refused(bright, vector, strengths, expected):
    x, _, model = bright
    with pytest.raises(ValueError, match=expected):
        apply_attribute(model, x[:2], vector, strengths)


@pytest.fixture
def files(bright, tmp_path, monkeypatch):
    x, labels, model = bright
    monkeypatch.chdir(tmp_path)
    model.save("m.safetensors")
    for name, samples in {
        "plus": x[labels == 1],
        "minus": x[labels == 0],
        "x": x[:6],
        "wide": np.ones((3, 5, 5)),
    }.items():
        np.save(f"{name}.npy", samples)
    return ["attribute", "m.safetensors", "--data", "x.npy", "--plus", "plus.npy", "--minus", "minus.npy"]


def test_the_command_writes_what_the_functions_return(bright, files, capsys):
    x, labels, model = bright
    assert main([*files, "--strength", "2", "--steps", "5", "--first", "4", "--out", "a.npy"]) == 0
    assert "4 samples in 5 strengths from -2 to 2 in a.npy" in capsys.readouterr().out
    vector = attribute_vector(model, x[labels == 1], x[labels == 0])
    np.testing.assert_allclose(np.load("a.npy"), apply_attribute(model, x[:4], vector, [-2, -1, 0, 1, 2]), atol=1e-6)


def test_a_picture_has_the_originals_first(files):
    Image = pytest.importorskip("PIL.Image")
    assert main([*files, "--out", "a.png"]) == 0
    with Image.open("a.png") as image:
        assert image.size == (2 * (8 * 5 - 1), 2 * (6 * 5 - 1))
        first = np.asarray(image)[: 2 * 4 : 2, : 2 * 4 : 2]
    assert np.array_equal(first, np.rint(np.load("x.npy")[0] * 255))


def test_a_conditional_model_needs_a_label(bright, files, capsys):
    x, labels, _ = bright
    model = npae.VariationalAutoencoder(
        conditional=True, code_size=2, hidden=(8,), epochs=1, batch_size=50, random_state=0
    )
    model.fit(x, labels).save("m.safetensors")
    assert main([*files, "--out", "a.npy"]) == 2
    assert "this model is conditional; give --label, one of 0, 1" in capsys.readouterr().err
    assert main([*files, "--out", "a.npy", "--label", "1"]) == 0
    vector = attribute_vector(model, x[labels == 1], x[labels == 0])
    expected = apply_attribute(model, x[:6], vector, np.linspace(-1, 1, 7), labels=1)
    np.testing.assert_allclose(np.load("a.npy"), expected, atol=1e-6)


@pytest.mark.parametrize("strength", ["0", "-1", "nan", "inf"])
def test_a_strength_that_is_none_is_refused(files, strength, capsys):
    assert main([*files, "--strength", strength]) == 2
    assert "--strength is" in capsys.readouterr().err


def test_one_strength_is_refused_since_both_ends_are_included(files, capsys):
    assert main([*files, "--steps", "1", "--out", "a.npy"]) == 2
    assert "--steps is 1; expected a whole number of at least 2, for both ends" in capsys.readouterr().err


def test_samples_of_another_shape_are_refused(files, capsys):
    assert main([*files[:-1], "wide.npy"]) == 2
    assert "expects (n, 4, 4)" in capsys.readouterr().err
