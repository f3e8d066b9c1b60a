"""Trained models compared with theory: the subspace of PCA, the evidence bound, removed noise."""

import warnings
from functools import cache
from typing import Any

import numpy as np
import pytest
from helpers.small_models import samples

import npae
from npae.utils.types import Array

CODE = 3


def plane(n: int = 60, width: int = 8) -> Array:
    """Samples (n, width) around a plane of CODE dimensions, off the origin, with some noise in every direction."""
    generator = np.random.default_rng(4)
    directions = generator.standard_normal((CODE, width))
    x = generator.standard_normal((n, CODE)) * [1.0, 0.8, 0.6] @ directions
    return 0.5 + x + 0.2 * generator.standard_normal((n, width))


def principal(x: Array) -> tuple[float, Array]:
    """PCA's summed squared error per sample with CODE components, and these components (CODE, width)."""
    _, s, components = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
    return float((s[CODE:] ** 2).sum() / len(x)), components[:CODE]


def largest_angle(a: Array, b: Array) -> float:
    """The largest principal angle, in radians, between the row spaces of a and b."""
    qa, qb = np.linalg.qr(a.T)[0], np.linalg.qr(b.T)[0]
    return float(np.arccos(np.clip(np.linalg.svd(qa.T @ qb, compute_uv=False).min(), -1, 1)))


@pytest.mark.parametrize("kind", ["vanilla", "tied vanilla", "deep"])
def test_a_linear_autoencoder_reaches_the_loss_of_pca_and_spans_its_subspace(kind: str) -> None:
    x = plane()
    common: dict[str, Any] = {
        "code_size": CODE,
        "activation": "linear",
        "loss": "mse",
        "epochs": 1500,
        "batch_size": len(x),
        "learning_rate": 0.05,
        "schedule": "cosine",
        "dtype": "float64",
        "random_state": 1,
    }
    model = (
        npae.DeepAutoencoder(hidden=(5,), **common)
        if kind == "deep"
        else npae.VanillaAutoencoder(tied_weights=kind != "vanilla", **common)
    )
    loss, components = principal(x)
    start = -model.set_params(epochs=1).fit(x).score(x)
    reached = -model.set_params(epochs=1500).fit(x).score(x)
    assert start > 5 * loss
    assert loss * (1 - 1e-9) <= reached < loss * 1.01
    # What the decoder adds to its value at code 0, for each unit of the code: the directions it spans.
    directions = model.inverse_transform(np.eye(CODE)) - model.inverse_transform(np.zeros((1, CODE)))
    assert largest_angle(directions, components) < 0.01


def test_a_smaller_code_loses_what_pca_loses() -> None:
    """The comparison above would notice a code of another size."""
    x = plane()
    _, components = principal(x)
    assert largest_angle(components[:2], components) < 1e-6
    assert largest_angle(components, np.roll(components, 1, axis=1)) > 0.1


# The variational model


@cache
def variational() -> tuple[npae.VariationalAutoencoder, Array]:
    """A small variational model of binary data, trained, and data that it has not seen."""
    x = (samples(160, 10) > 0.5).astype("float64")
    model = npae.VariationalAutoencoder(
        hidden=(12,), code_size=2, epochs=80, batch_size=20, learning_rate=5e-3, random_state=0, dtype="float64"
    )
    return model.fit(x[:100]), x[100:]


def draw(x: Array, steps: int) -> tuple[Array, Array, Array, Array]:
    """Codes (steps, n, code) as training draws them, their mean and log-variance (n, code), and the bound (steps,)."""
    net = variational()[0].network_
    code, before = net.code.layers[0], net.run.step
    codes, bounds = [], []
    for step in range(steps):
        net.run.step = 10_000 + step
        bounds.append(-net.gradient(x))
        codes.append(code.z.copy())
    net.run.step = before
    return np.array(codes), code.mu.copy(), code.log_var.copy(), np.array(bounds)


def log_normal(z: Array, mean: Any = 0.0, log_var: Any = 0.0) -> Array:
    """Log density of z (…, code) under N(mean, exp(log_var)), summed over the code."""
    return -0.5 * (np.log(2 * np.pi) + log_var + (z - mean) ** 2 / np.exp(log_var)).sum(axis=-1)


def log_weights(x: Array, codes: Array, mean: Array, log_var: Array) -> Array:
    """log p(x | z) p(z) / q(z | x) of every drawn code (steps, n), from the decoder's probabilities alone."""
    model, _ = variational()
    p = np.array([model.inverse_transform(z) for z in codes])
    log_likelihood = (x * np.log(p) + (1 - x) * np.log(1 - p)).sum(axis=-1)
    return log_likelihood + log_normal(codes) - log_normal(codes, mean, log_var)


def test_codes_are_drawn_with_the_variance_that_the_model_states() -> None:
    _, x = variational()
    codes, mean, log_var, _ = draw(x[:12], 2000)
    standardized = (codes - mean) / np.exp(0.5 * log_var)
    assert np.abs(standardized.mean(axis=0)).max() < 5 / np.sqrt(2000)
    assert np.abs(standardized.var(axis=0) - 1).max() < 5 * np.sqrt(2 / 2000)
    assert np.abs(log_var).max() > 0.5, "a variance of 1 everywhere would test nothing"


def test_the_bound_of_training_is_the_mean_log_weight_of_drawn_codes() -> None:
    """−loss = E[log p(x|z) + log p(z) − log q(z|x)]: reconstruction and analytic KL in the same unit, nats."""
    _, x = variational()
    codes, mean, log_var, bounds = draw(x, 400)
    difference = bounds - log_weights(x, codes, mean, log_var).mean(axis=1)  # (steps,)
    assert abs(difference.mean()) < 5 * difference.std() / np.sqrt(len(difference))
    assert difference.std() < 1


def test_the_bound_does_not_exceed_the_importance_weighted_bound() -> None:
    """Burda, Grosse & Salakhutdinov 2016: log of the mean weight of k codes, between the ELBO and log p(x)."""
    model, x = variational()
    codes, mean, log_var, bounds = draw(x, 500)
    w = log_weights(x, codes, mean, log_var)
    top = w.max(axis=0)
    weighted = float((top + np.log(np.exp(w - top).mean(axis=0))).mean())
    error = bounds.std() / np.sqrt(len(bounds))
    assert bounds.mean() < weighted + 5 * error
    assert weighted - bounds.mean() < 0.2 * abs(weighted), "the two bounds belong to one model"
    # log p(x) from codes of the prior alone, which knows nothing of the encoder
    z = np.random.default_rng(0).standard_normal((20_000, 2))
    p = model.inverse_transform(z)  # (20000, features)
    likelihood = np.exp(x @ np.log(p).T + (1 - x) @ np.log(1 - p).T)  # (n, 20000)
    assert abs(weighted - np.log(likelihood.mean(axis=1)).mean()) < 0.1


def test_the_variational_model_uses_its_code() -> None:
    """A mean over pixels against a sum over codes would let the code collapse."""
    model, x = variational()
    assert model.transform(x).std(axis=0).max() > 0.5
    assert model.history_["kl"][-1] > 0.3
    constant = np.broadcast_to(x.mean(axis=0), x.shape)
    assert np.abs(model.reconstruct(x) - x).mean() < 0.8 * np.abs(constant - x).mean()


def test_samples_of_a_variational_model_have_the_mean_of_the_data() -> None:
    model, x = variational()
    drawn = model.sample(2000)
    assert np.abs(drawn.mean(axis=0) - x.mean(axis=0)).max() < 0.25
    assert drawn.std(axis=0).min() > 0.05


@pytest.mark.filterwarnings("ignore::npae.utils.errors.UnusedCodeHint")
def test_more_beta_means_less_divergence_and_more_loss_of_detail() -> None:
    x = (samples(100, 10) > 0.5).astype("float32")
    last = {}
    for beta in (0.1, 4.0):
        model = npae.VariationalAutoencoder(
            hidden=(12,), code_size=2, epochs=60, batch_size=20, learning_rate=5e-3, beta=beta, random_state=0
        ).fit(x)
        last[beta] = model.history_["kl"][-1] / beta, model.history_["reconstruction"][-1]
    assert last[0.1][0] > 2 * last[4.0][0]
    assert last[0.1][1] < last[4.0][1]


# The denoising model


@pytest.mark.parametrize("noise", ["gaussian", "masking", "salt_and_pepper"])
def test_a_denoising_model_removes_noise_better_than_doing_nothing(noise: str) -> None:
    clean = samples(260, 16, factors=2)
    generator = np.random.default_rng(8)
    drawn = generator.random(clean.shape)
    noisy = {
        "gaussian": np.clip(clean + 0.4 * generator.standard_normal(clean.shape), 0, 1),
        "masking": np.where(drawn < 0.4, 0, clean),
        "salt_and_pepper": np.where(drawn < 0.2, 0, np.where(drawn < 0.4, 1, clean)),
    }[noise]
    model = npae.DenoisingAutoencoder(
        hidden=(24,), code_size=4, noise=noise, noise_level=0.4, epochs=80, batch_size=20, learning_rate=5e-3,
        random_state=0,
    )  # fmt: skip
    model.fit(clean[:200])

    def error(x: Array) -> float:
        return float(((x - clean[200:]) ** 2).mean())

    rebuilt = model.reconstruct(noisy[200:])
    assert error(rebuilt) < 0.5 * error(noisy[200:])
    plain = npae.DeepAutoencoder(
        hidden=(24,), code_size=4, epochs=80, batch_size=20, learning_rate=5e-3, random_state=0
    ).fit(clean[:200])
    assert error(rebuilt) < 0.8 * error(plain.reconstruct(noisy[200:])), "training with noise is what helps"


def test_noise_of_level_zero_is_the_deep_model() -> None:
    x = samples(30, 10)
    common: dict[str, Any] = {"hidden": (6,), "code_size": 2, "epochs": 3, "batch_size": 7, "random_state": 0}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        denoising = npae.DenoisingAutoencoder(noise_level=0.0, **common).fit(x)
        deep = npae.DeepAutoencoder(**common).fit(x)
    np.testing.assert_array_equal(denoising.transform(x), deep.transform(x))
