"""What the small start of the last layer is for: squared error keeps up with cross-entropy, and samples are smooth."""

import numpy as np

import npae
from npae.datasets import load_digits
from npae.utils.types import Array


def test_squared_error_learns_digits_as_well_as_cross_entropy_by_its_own_measure() -> None:
    """With the full start it is 4 to 18 % behind; half of the digits and smaller layers, so that it takes a second."""
    digits = load_digits()
    errors = {}
    for loss in ("bce", "mse"):
        model = npae.DeepAutoencoder(hidden=(128, 64), code_size=16, loss=loss, epochs=8, batch_size=64, random_state=0)
        rebuilt = model.fit(digits.train_images[:2500]).reconstruct(digits.test_images)
        errors[loss] = float(np.square(rebuilt.clip(0, 1) - digits.test_images).mean())
    assert errors["mse"] <= 0.95 * errors["bce"]


def blurred_pictures(n: int) -> Array:
    """Pictures (n, 32, 32) in [0, 1] that vary from pixel to pixel about as much as photographs of faces do."""
    generator = np.random.default_rng(0)
    x = generator.standard_normal((n, 32, 32))
    for axis in (1, 2):
        for _ in range(6):
            x = (np.roll(x, 1, axis=axis) + 2 * x + np.roll(x, -1, axis=axis)) / 4
    return (0.5 + 0.2 * x / x.std()).clip(0, 1).astype("float32")


def roughness(x: Array) -> float:
    """Mean absolute difference of neighbouring pixels of images (n, height, width)."""
    return float(np.abs(np.diff(x, axis=1)).mean() + np.abs(np.diff(x, axis=2)).mean()) / 2


def test_samples_of_a_variational_model_with_squared_error_are_no_noise() -> None:
    """With the full start they are ten times as rough as the pictures."""
    x = blurred_pictures(200)
    model = npae.VariationalAutoencoder(code_size=24, beta=0.2, loss="mse", epochs=10, batch_size=32, random_state=0)
    assert 0 < roughness(model.fit(x).sample(50)) <= 3 * roughness(x)
