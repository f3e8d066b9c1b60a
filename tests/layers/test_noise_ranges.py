"""Noise of unknown strength: a level for each sample, drawn between two at every step."""

import numpy as np
import pytest
from helpers.small_models import data_for

import npae
from npae.cli import main
from npae.kernels import reference_kernels
from npae.layers import Dropout, GaussianNoise, MaskingNoise, SaltAndPepperNoise

KINDS = [GaussianNoise, MaskingNoise, SaltAndPepperNoise]
every_kind = pytest.mark.parametrize("kind", KINDS)


def corrupted(layer, n=300, size=400, *, step=0, seed=0):
    """Samples of 0.5 with noise, in float64."""
    layer.build((size,), seed=seed, dtype="float64", kernels=reference_kernels())
    layer.run.training, layer.run.step = True, step
    return layer(np.full((n, size), 0.5)).copy()


def strengths(kind, y):
    """The level of each sample, estimated from its values."""
    return y.std(axis=1) if kind is GaussianNoise else (y != 0.5).mean(axis=1)


@every_kind
def test_the_level_of_each_sample_lies_evenly_between_the_two(kind):
    layer = kind((0.2, 0.6))
    found = strengths(kind, corrupted(layer))
    assert found == pytest.approx(layer.levels, abs=5 * 0.5 / np.sqrt(400))
    assert layer.levels.min() >= 0.2
    assert layer.levels.max() < 0.6
    quarters = np.quantile(layer.levels, [0.25, 0.5, 0.75])
    assert quarters == pytest.approx([0.3, 0.4, 0.5], abs=5 * 0.4 * 0.5 / np.sqrt(300))


@every_kind
def test_levels_do_not_depend_on_the_noise(kind):
    layer = kind((0.2, 0.6))
    corrupted(layer)
    first = layer.drawn.reshape(-1)[: len(layer.levels)]
    assert abs(np.corrcoef(first, layer.levels)[0, 1]) < 5 / np.sqrt(300)


@every_kind
def test_levels_are_a_function_of_seed_and_step(kind):
    y = corrupted(kind((0.2, 0.6)), step=3, seed=1)
    np.testing.assert_array_equal(corrupted(kind((0.2, 0.6)), step=3, seed=1), y)
    assert not np.array_equal(corrupted(kind((0.2, 0.6)), step=4, seed=1), y)
    assert not np.array_equal(corrupted(kind((0.2, 0.6)), step=3, seed=2), y)


@every_kind
def test_two_equal_levels_are_as_one(kind):
    np.testing.assert_array_equal(corrupted(kind((0.3, 0.3))), corrupted(kind(0.3)))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ((0.5, 0.1), r"\(0.5, 0.1\), from high to low; give the lower number first"),
        ((-0.1, 0.5), r"is -0\.1; expected a number"),
        ((0.3,), "expected a number, or two, the lower first"),
        ([0.1, 0.2, 0.3], "expected a number, or two, the lower first"),
        ((), "expected a number, or two, the lower first"),
        ((0.1, None), "a value in .* is None; expected a number"),
        ((0.1, float("inf")), "is inf; expected a number"),
        ("0,1", "is '0,1'; expected a number"),
    ],
)
def test_a_level_that_is_neither_a_number_nor_a_range_is_refused(value, expected):
    for kind in KINDS:
        with pytest.raises(ValueError, match=expected):
            kind(value)
    with pytest.raises(ValueError, match=f"noise_level.*{expected.removeprefix('a value in .* ')}"):
        npae.DenoisingAutoencoder(noise_level=value).fit(data_for("denoising"))


@pytest.mark.parametrize("kind", [MaskingNoise, SaltAndPepperNoise])
def test_a_fraction_above_one_is_refused(kind):
    with pytest.raises(ValueError, match=r"is 1\.5; expected a number from 0 to 1"):
        kind((0.5, 1.5))


def test_dropout_takes_one_level():
    with pytest.raises(ValueError, match=r"the level of Dropout is \(0.1, 0.5\); expected a number"):
        Dropout((0.1, 0.5))


def small(**options):
    settings = {"hidden": (9,), "code_size": 3, "epochs": 2, "batch_size": 5, "random_state": 0}
    settings |= {"optimizer": "sgd", "momentum": 0.0, "learning_rate": 0.01} | options  # which remembers nothing
    return npae.DenoisingAutoencoder(noise_level=(0.1, 0.6), **settings)


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("noise", ["gaussian", "masking", "salt_and_pepper"])
def test_a_model_learns_the_same_bits_again_and_after_loading(noise, n_jobs, tmp_path):
    x = data_for("denoising")
    models = [small(noise=noise, n_jobs=n_jobs).fit(x) for _ in range(2)]
    models[0].save(tmp_path / "model.safetensors")
    models.append(npae.load(tmp_path / "model.safetensors"))
    assert models[2].noise_level == (0.1, 0.6)
    assert models[2].network_.corrupt.layers[0].level == (0.1, 0.6)
    for model in models:
        model.partial_fit(x)
    for other in models[1:]:
        np.testing.assert_array_equal(models[0].network_.theta, other.network_.theta)


def test_a_range_learns_otherwise_than_its_middle():
    x = data_for("denoising")
    assert not np.array_equal(small().fit(x).network_.theta, small().set_params(noise_level=0.35).fit(x).network_.theta)


def test_the_command_line_takes_a_range(tmp_path, capsys):
    np.save(tmp_path / "x.npy", data_for("denoising"))
    train = [
        "train",
        "denoising",
        "--data",
        str(tmp_path / "x.npy"),
        "--hidden",
        "9",
        "--code-size",
        "3",
        "--epochs",
        "1",
    ]
    train += ["--batch-size", "10", "--no-verbose", "--out", str(tmp_path / "run")]
    assert main([*train, "--noise-level", "0.5,0.1"]) == 2
    assert "--noise-level is (0.5, 0.1), from high to low; give the lower number first" in capsys.readouterr().err
    assert main([*train, "--noise-level", "0,0.5"]) == 0
    assert npae.load(tmp_path / "run/model.safetensors").noise_level == (0.0, 0.5)
    with pytest.raises(SystemExit):
        main([*train, "--noise-level", "weak"])
