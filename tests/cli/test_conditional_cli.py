"""Conditional models, samplers and distances on the command line."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.small_models import samples

import npae
from npae.cli import main

N = 90
TRAIN = ["train", "variational", "--hidden", "9", "--code-size", "2", "--epochs", "2", "--batch-size", "30"]
TRAIN += ["--no-verbose", "--conditional"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images, their labels in a text, and the same images in folders whose names have spaces."""
    folder = tmp_path_factory.mktemp("conditional")
    x, places = samples(N, 8, 8), np.arange(N) % 3
    np.save(folder / "x.npy", x)
    plain = npae.VariationalAutoencoder(hidden=(4,), code_size=2, epochs=1, batch_size=30, random_state=0)
    plain.fit(x).save(folder / "plain.safetensors")
    names = np.array(["brown bear", "cat", "dög"])[places]
    (folder / "names.csv").write_text("\n".join(names) + "\n", encoding="utf-8")
    (folder / "two.csv").write_text("-1\n+1\n" * (N // 2), encoding="utf-8")
    image = pytest.importorskip("PIL.Image")
    for i, (sample, name) in enumerate(zip(x, names, strict=True)):
        (folder / "pets" / name).mkdir(parents=True, exist_ok=True)
        image.fromarray((255 * sample).astype("uint8")).save(folder / "pets" / name / f"{i}.png")
    return folder


@pytest.fixture(autouse=True)
def there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)


@pytest.fixture(scope="module")
def pets(folder: Path) -> str:
    run = folder / "pets-run"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main([*TRAIN, "--data", "pets", "--out", str(run)]) == 0
    return str(run / "model.safetensors")


def test_folders_give_the_labels_of_a_conditional_model(pets: str) -> None:
    model = npae.load(pets)
    assert model.classes_.tolist() == ["brown bear", "cat", "dög"]
    assert (Path(pets).parent / "reconstructions.png").exists()
    assert main(["sample", pets, "--label", "brown bear", "-n", "3", "--out", "bears.npy", "--force"]) == 0
    np.testing.assert_array_equal(np.load("bears.npy"), model.sample(3, labels="brown bear"))


@pytest.mark.parametrize(("file", "label", "expected"), [("names.csv", "dög", "dög"), ("two.csv", "-1", -1)])
def test_a_file_gives_labels_of_any_kind(file: str, label: str, expected: Any) -> None:
    assert main([*TRAIN, "--data", "x.npy", "--labels", file, "--out", "run", "--force"]) == 0
    model = npae.load("run/model.safetensors")
    assert main(["sample", "run/model.safetensors", f"--label={label}", "-n", "3", "--out", "s.npy", "--force"]) == 0
    np.testing.assert_array_equal(np.load("s.npy"), model.sample(3, labels=expected))


def test_reconstruct_decode_and_interpolate_take_labels(pets: str) -> None:
    model, x = npae.load(pets), npae.datasets.read("pets")
    labels = npae.datasets.read_labels("pets")
    assert main(["reconstruct", pets, "--data", "pets", "--out", "r.npy", "--force"]) == 0
    np.testing.assert_array_equal(np.load("r.npy"), model.reconstruct(x, labels))
    assert main(["encode", pets, "--data", "pets", "--out", "z.npy", "--force"]) == 0
    assert main(["decode", pets, "z.npy", "--label", "cat", "--out", "d.npy", "--force"]) == 0
    np.testing.assert_allclose(np.load("d.npy"), model.inverse_transform(model.transform(x), "cat"), atol=1e-6)
    assert main(["interpolate", pets, "--data", "pets", "--label", "cat", "--out", "i.npy", "--force"]) == 0
    np.testing.assert_array_equal(np.load("i.npy"), model.interpolate(x[0], x[1], labels="cat"))


def test_generate_judges_and_draws_a_conditional_model(pets: str, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("sklearn")
    assert main(["generate", pets, "--data", "pets", "--draws", "2", "--out", "drawn", "--force"]) == 0
    text = capsys.readouterr().out
    assert "of 2 dimensions are active, with 0.05 nats or more; the means of " in text
    assert "no Fréchet distance: 45 samples a side are too few for a Fréchet distance in 32 features" in text
    from PIL import Image

    with Image.open("drawn/samples.png") as picture:
        assert picture.size == (3 * 9 - 1, 4 * 9 - 1)  # a column for each label, of four samples


def test_generate_prints_the_distance_of_each_sampler_beside_that_of_the_data(
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("sklearn")
    options = ["--hidden", "9", "--code-size", "2", "--epochs", "2", "--batch-size", "30", "--no-verbose"]
    assert main(["train", "deep", "--data", "x.npy", "--out", "plain", *options]) == 0
    capsys.readouterr()
    assert (
        main(["generate", "plain/model.safetensors", "--data", "x.npy", "--sampler", "gmm", "--out", "of-plain"]) == 0
    )
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:4]] == ["drawn", "gaussian", "gmm", "data"]
    assert lines[4] == "to half of the data, 45 samples a side, in 2 features of the model's own codes"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            [*TRAIN, "--data", "x.npy"],
            "--conditional needs a label for each sample; give a file with a label",
        ),
        (
            [*TRAIN[:-1], "--data", "x.npy", "--labels", "names.csv"],
            "--labels was given without --conditional, which alone has a use for them; give both",
        ),
        ([*TRAIN, "--labels", "names.csv"], "--labels was given with the digits, which have their own; leave it out"),
        (["sample", "{pets}"], "this model is conditional; give --label, one of 'brown bear', 'cat', 'dög'"),
        (["sample", "{pets}", "--label", "cow"], "labels have 'cow', which the model was not fitted with; it knows"),
        (
            ["generate", "{pets}", "--data", "x.npy"],
            "this model is conditional; give a file with a label for each sample",
        ),
        (
            ["reconstruct", "{pets}", "--data", "x.npy"],
            "this model is conditional; give a file with a label for each sample",
        ),
        (["interpolate", "{pets}", "--data", "x.npy"], "this model is conditional; give --label, one of 'brown bear'"),
        (
            ["reconstruct", "plain.safetensors", "--data", "x.npy", "--labels", "two.csv"],
            "this model is not conditional",
        ),
        (["sample", "plain.safetensors", "--label", "cat"], "--label is 'cat', but this model is not conditional"),
        (
            ["export", "{pets}", "--to", "python"],
            "it decodes a code with its label, for which an exported decoder",
        ),
    ],
)
def test_what_is_missing_is_said_in_one_sentence(
    arguments: list[str], words: str, pets: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*(argument.format(pets=pets) for argument in arguments), "--out", "new.npy"]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
