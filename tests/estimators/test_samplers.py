"""What ``sample`` draws codes from: the prior, and the Gaussian and mixture of codes; what is kept and saved."""

import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.small_models import TYPES, data_for, fitted, samples, unfitted

import npae
from npae.cli import main
from npae.estimators import code_distributions, mixture
from npae.estimators.gaussian import Gaussian
from npae.estimators.mixture import COMPONENTS, Mixture
from npae.utils import safetensors
from npae.utils.errors import FileFormatError, MissingExtraError
from npae.utils.types import Array

KINDS = list(TYPES)


def grouped(n: int, seed: int = 0) -> Array:
    """Codes (n, 2) of three groups that no normal distribution describes."""
    generator = np.random.default_rng(seed)
    centres = np.array([[0.0, 5.0], [4.0, -3.0], [-4.0, -3.0]])
    return centres[generator.integers(3, size=n)] + 0.3 * generator.standard_normal((n, 2))


def far(codes: Array, draws: Array) -> Array:
    """The distance of each draw from the nearest code."""
    return np.sqrt(np.square(draws[:, None] - codes).sum(axis=2).min(axis=1))


def many(kind: str) -> Any:
    """A small fitted model with enough codes for a mixture."""
    return unfitted(kind, epochs=1).fit(data_for(kind, 80))


# The mixture


def test_a_mixture_draws_from_groups_between_which_a_gaussian_draws_as_well() -> None:
    pytest.importorskip("sklearn")
    codes, generator = grouped(600), np.random.default_rng(1)
    z, u = generator.standard_normal((2000, 2)), generator.random(2000)
    assert np.quantile(far(codes, Mixture.fit(codes).transform(z, u)), 0.99) < 0.5
    assert np.median(far(codes, Gaussian.fit(codes).transform(z))) > 0.8


def test_draws_of_a_mixture_have_its_weights_means_and_covariances() -> None:
    generator = np.random.default_rng(0)
    factors = np.tril(generator.standard_normal((3, 2, 2))) + 2 * np.eye(2)
    found = Mixture(np.array([0.2, 0.0, 0.8]), np.array([[0.0, 50.0], [500.0, 0.0], [-50.0, 0.0]]), factors)
    draws = found.transform(generator.standard_normal((40_000, 2)), generator.random(40_000))
    assert draws[:, 0].max() < 100  # none of the component without weight
    first = draws[:, 1] > 25
    assert first.mean() == pytest.approx(0.2, abs=0.01)
    np.testing.assert_allclose(draws[~first].mean(axis=0), [-50, 0], atol=0.1)
    np.testing.assert_allclose(np.cov(draws[~first].T), factors[2] @ factors[2].T, rtol=0.05, atol=0.05)


@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_a_mixture_does_not_depend_on_the_unit_of_the_codes(unit: float) -> None:
    pytest.importorskip("sklearn")
    one, other = Mixture.fit(grouped(300)), Mixture.fit(unit * grouped(300))
    np.testing.assert_allclose(other.means, unit * one.means, rtol=1e-6, atol=1e-6 * unit)
    np.testing.assert_allclose(other.factors, unit * one.factors, rtol=1e-3, atol=1e-6 * unit)


def test_codes_that_are_all_equal_have_a_mixture() -> None:
    pytest.importorskip("sklearn")
    found = Mixture.fit(np.full((40, 3), 7.0))
    np.testing.assert_allclose(found.transform(np.ones((5, 3)), np.linspace(0, 0.999, 5)), 7, atol=0.01)


# sample


@pytest.mark.parametrize("sampler", ["gaussian", "gmm"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_type_draws_from_its_codes_the_same_from_every_copy_and_file(
    kind: str, sampler: str, tmp_path: Path
) -> None:
    pytest.importorskip("sklearn")
    model, expected = many(kind), many(kind).sample(6, sampler=sampler)
    assert np.isfinite(expected).all()
    assert expected.shape == (6, *data_for(kind).shape[1:])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).sample(6, sampler=sampler), expected)
    np.testing.assert_array_equal(model.sample(6, sampler=sampler), expected)
    model.save(tmp_path / "m")
    np.testing.assert_array_equal(npae.load(tmp_path / "m").sample(6, sampler=sampler), expected)


def test_without_a_name_a_variational_model_draws_from_its_prior_and_the_others_from_the_gaussian() -> None:
    for kind in KINDS:
        model, default = fitted(kind), "prior" if kind == "variational" else "gaussian"
        np.testing.assert_array_equal(model.sample(4), model.sample(4, sampler=default))
    assert not np.array_equal(model.sample(4), model.sample(4, sampler="gaussian"))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "variational"])
def test_the_prior_of_a_model_without_one_is_refused(kind: str) -> None:
    with pytest.raises(ValueError, match=r'sampler="prior" was given, but \w+ has none, as only a variational'):
        fitted(kind).sample(sampler="prior")


def test_an_unknown_sampler_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="sampler is 'normal'; expected one of prior, gaussian, gmm"):
        fitted("deep").sample(sampler="normal")


def test_a_mixture_needs_as_many_samples_as_its_message_says() -> None:
    pytest.importorskip("sklearn")
    with pytest.raises(ValueError, match="a code of 4 values needs at least 50 training samples, but there were 49"):
        unfitted("deep", epochs=1).fit(data_for("deep", 49)).sample(sampler="gmm")
    assert unfitted("deep", epochs=1).fit(data_for("deep", 50)).sample(sampler="gmm").shape == (1, 12)


@pytest.mark.parametrize("sampler", ["gaussian", "gmm"])
def test_a_code_too_large_is_refused_by_the_samplers_that_are_fitted(sampler: str) -> None:
    x = samples(6, 12, 12, 1)
    model = npae.ConvolutionalAutoencoder(filters=(15,), code_size=None, epochs=1, batch_size=4, random_state=0).fit(x)
    with pytest.raises(ValueError, match="at most 512 values, but this model's has 540; choose a smaller code_size"):
        model.sample(sampler=sampler)


def test_a_large_code_of_a_variational_model_is_still_drawn_from_its_prior(tmp_path: Path) -> None:
    model = npae.VariationalAutoencoder(code_size=513, hidden=(4,), epochs=1, batch_size=4, random_state=0)
    model.fit(samples(6, 5)).save(tmp_path / "m")
    assert npae.load(tmp_path / "m").sample(2).shape == (2, 5)


def test_without_scikit_learn_a_mixture_is_drawn_from_but_not_fitted(monkeypatch: Any, tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    many("deep").save(tmp_path / "without")
    model = many("deep")
    expected = model.sample(3, sampler="gmm")
    model.save(tmp_path / "with")
    unused = many("deep")
    monkeypatch.setattr("npae.utils.scikit_learn.has_sklearn", lambda: False)
    monkeypatch.setitem(sys.modules, "sklearn", None)
    np.testing.assert_array_equal(npae.load(tmp_path / "with").sample(3, sampler="gmm"), expected)
    with pytest.raises(MissingExtraError, match=r"mixture of normal distributions needs scikit-learn, which"):
        unused.sample(sampler="gmm")
    with pytest.raises(ValueError, match="the file of this model holds no mixture: call sample"):
        npae.load(tmp_path / "without").sample(sampler="gmm")


def test_a_variational_file_of_an_earlier_version_has_its_prior_and_says_it_has_no_gaussian(
    tmp_path: Path,
) -> None:
    model = fitted("variational")
    model.save(tmp_path / "new")
    arrays, metadata = safetensors.read(tmp_path / "new")
    kept = {name: array for name, array in arrays.items() if not name.startswith("code_m") and name != "code_factor"}
    assert len(kept) == len(arrays) - 2
    safetensors.write(tmp_path / "old", kept, metadata)
    old = npae.load(tmp_path / "old")
    np.testing.assert_array_equal(old.sample(3), model.sample(3))
    with pytest.raises(ValueError, match="holds no Gaussian of its codes, as an earlier version saved it"):
        old.sample(sampler="gaussian")


# What is kept


def test_codes_of_a_random_choice_are_kept_and_the_data_is_not(monkeypatch: Any) -> None:
    monkeypatch.setattr(code_distributions, "CODES_KEPT", 70)
    x, rows = samples(300, 12), code_distributions.chosen(np.arange(300), 70)
    assert len(rows) == 70
    assert rows.tolist() == sorted(set(rows))  # in their order, each once
    for kind in ("vanilla", "variational"):
        model = unfitted(kind, epochs=1, batch_size=100).fit(x)
        np.testing.assert_allclose(model._distributions.codes[0], model.transform(x[rows]), atol=1e-6)
        assert not np.shares_memory(model._distributions.codes[0], x)


@pytest.mark.parametrize("period", [2, 3, 4, 5, 10])
def test_of_kinds_that_alternate_each_has_its_share_of_the_codes(period: int, monkeypatch: Any) -> None:
    monkeypatch.setattr(code_distributions, "CODES_KEPT", 400)
    monkeypatch.setattr(code_distributions, "CODES_OF_A_PART", 200)
    x = np.tile(np.eye(period, 12, dtype="float32"), (4000 // period, 1))
    model = unfitted("vanilla", epochs=1, batch_size=500)
    for n, train in ((400, model.fit), (200, model.partial_fit)):
        counts = np.unique(train(x)._distributions.codes[0].round(4), axis=0, return_counts=True)[1]
        assert counts.sum() == n
        assert len(counts) == period
        assert (abs(counts - n / period) < 4 * np.sqrt(n / period)).all()


def test_of_a_large_code_as_many_are_kept_as_a_mixture_needs(monkeypatch: Any) -> None:
    monkeypatch.setattr(code_distributions, "CODES_KEPT", 10)
    assert mixture.codes_needed(20) == 210
    for n in (210, 800):
        model = unfitted("vanilla", code_size=20, epochs=1, batch_size=200).fit(samples(n, 12))
        assert len(model._distributions.codes[0]) == 210


def test_codes_are_those_of_the_model_after_the_last_training_on_enough_samples() -> None:
    model, x = fitted("vanilla"), data_for("vanilla", 40)
    model.sample()
    model.partial_fit(x)
    np.testing.assert_allclose(model._distributions.codes[0], model.transform(x), rtol=1e-5)
    np.testing.assert_allclose(model.code_distribution_.mean, model.transform(x).mean(axis=0), rtol=1e-4)


def test_codes_of_fewer_samples_than_twice_the_code_size_are_added_to_earlier_ones() -> None:
    model, x = fitted("vanilla"), data_for("vanilla", 31)
    earlier = model._distributions.codes[0]
    model.partial_fit(x[24:])
    np.testing.assert_allclose(
        model._distributions.codes[0], np.concatenate([earlier, model.transform(x[24:])]), atol=1e-6
    )


def test_many_small_parts_leave_no_more_codes_than_are_kept(monkeypatch: Any) -> None:
    monkeypatch.setattr(code_distributions, "CODES_KEPT", 60)
    model, x = unfitted("vanilla"), data_for("vanilla", 70)
    for start in range(0, 70, 7):
        model.partial_fit(x[start : start + 7])
    assert len(model._distributions.codes[0]) == 60
    np.testing.assert_allclose(model._distributions.codes[0][-7:], model.transform(x[-7:]), atol=1e-6)


def test_a_loaded_model_keeps_its_gaussian_where_too_few_samples_follow(tmp_path: Path) -> None:
    fitted("deep").save(tmp_path / "m")
    model = npae.load(tmp_path / "m")
    before = model.code_distribution_.mean
    model.partial_fit(data_for("deep", 7))
    np.testing.assert_array_equal(model.code_distribution_.mean, before)


def test_codes_are_kept_without_larger_buffers_than_training_has() -> None:
    model = unfitted("deep", epochs=1, batch_size=8).fit(data_for("deep", 300))
    assert model.network_.arena.capacity == 8


def test_a_fit_that_is_repeated_forgets_the_mixture() -> None:
    pytest.importorskip("sklearn")
    model = many("deep")
    before = model.sample(3, sampler="gmm")
    model.fit(data_for("deep", 80, seed=5))
    assert not np.array_equal(model.sample(3, sampler="gmm"), before)


# Files


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("mixture_weights", lambda a: a / 2, "does not hold shares of 1"),
        ("mixture_weights", lambda a: np.where(np.arange(len(a)) == 0, 1 - (a.sum() - a[0]) + 1e-3, a), "shares of 1"),
        ("mixture_weights", lambda a: a[:-1], "float64 of shape"),
        ("mixture_means", lambda a: a[:, :-1], "float64 of shape"),
        ("mixture_means", lambda a: a.astype("float32"), "is float32"),
        ("mixture_factors", lambda a: np.full_like(a, np.inf), "contains NaN or infinity"),
        ("mixture_factors", None, "is missing"),
    ],
)
def test_a_damaged_mixture_is_refused_by_name(name: str, change: Any, words: str, tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    model = many("deep")
    model.sample(sampler="gmm")
    model.save(tmp_path / "whole")
    arrays, metadata = safetensors.read(tmp_path / "whole")
    changed = {k: v if k != name else change(np.array(v)) for k, v in arrays.items() if k != name or change is not None}
    safetensors.write(tmp_path / "wrong", changed, metadata)
    with pytest.raises(FileFormatError, match=rf"{name}.*{words}"):
        npae.load(tmp_path / "wrong")


# The command line


def test_npae_train_saves_a_mixture_that_npae_sample_draws_from(
    tmp_path: Path, monkeypatch: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("sklearn")
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", samples(80, 12))
    options = ["--hidden", "6", "--code-size", "4", "--epochs", "1", "--batch-size", "40", "--no-verbose"]
    assert main(["train", "deep", "--data", "x.npy", "--out", "run", *options]) == 0
    for sampler in ("gaussian", "gmm"):
        assert (
            main(["sample", "run/model.safetensors", "--sampler", sampler, "-n", "5", "--out", f"{sampler}.npy"]) == 0
        )
        drawn = np.load(f"{sampler}.npy")
        np.testing.assert_array_equal(drawn, npae.load("run/model.safetensors").sample(5, sampler=sampler))
    assert len(npae.load("run/model.safetensors").code_mixture_.weights) == COMPONENTS
    capsys.readouterr()
    assert main(["sample", "run/model.safetensors", "--sampler", "prior", "--out", "prior.npy"]) == 2
    assert "--sampler prior was given, but DeepAutoencoder has none" in capsys.readouterr().err
    assert not Path("prior.npy").exists()
