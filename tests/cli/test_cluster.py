"""npae cluster with --data: the file, the choice of a number of groups, the picture, and what is refused."""

import json

import numpy as np
import pytest
from helpers.files import read_rows, work_beside

import npae
from npae.cli import main

pytest.importorskip("sklearn")

QUICK = {"hidden": (16,), "code_size": 2, "epochs": 20, "batch_size": 10, "random_state": 0}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Samples of three kinds that follow one another, their labels, and models."""
    folder = tmp_path_factory.mktemp("cluster")
    rng = np.random.default_rng(0)
    kinds = np.repeat([-1, 5, 1], 30)
    x = (rng.random((3, 8, 8))[np.arange(90) // 30] + 0.05 * rng.normal(size=(90, 8, 8))).clip(0, 1).astype("float32")
    np.save(folder / "x.npy", x)
    np.save(folder / "same.npy", x[:1].repeat(8, axis=0))
    np.savetxt(folder / "labels.csv", kinds, fmt="%d")
    np.savetxt(folder / "short.csv", kinds[:89], fmt="%d")
    np.savetxt(folder / "flat.csv", x.reshape(90, -1), delimiter=",")
    npae.DeepAutoencoder(**QUICK).fit(x).save(folder / "model.safetensors")
    npae.VariationalAutoencoder(**QUICK).fit(x).save(folder / "vae.safetensors")
    conditional = npae.VariationalAutoencoder(conditional=True, **{**QUICK, "epochs": 1}).fit(x, kinds)
    conditional.save(folder / "conditional.safetensors")
    npae.DeepAutoencoder(**QUICK).fit(x.reshape(90, -1)).save(folder / "flat.safetensors")
    return folder


@pytest.fixture(autouse=True)
def there(folder, tmp_path, monkeypatch):
    """Each test in a folder of its own, with links to the files."""
    work_beside(folder, tmp_path, monkeypatch)


def table(path="groups.csv"):
    return read_rows(path)


@pytest.mark.parametrize("method", ["kmeans", "dec"])
def test_each_sample_has_a_row_with_its_group_and_the_distance_from_the_centroid(method, capsys):
    arguments = ["--data", "x.npy", "--labels", "labels.csv", "--clusters", "3", "--method", method]
    assert main(["cluster", "model.safetensors", *arguments]) == 0
    rows = table()
    assert list(rows[0]) == ["index", "group", "distance"]
    assert [row["index"] for row in rows] == [str(i) for i in range(90)]
    groups = [row["group"] for row in rows]
    assert [len(set(groups[i : i + 30])) for i in (0, 30, 60)] == [1, 1, 1]
    assert set(groups) == {"0", "1", "2"}
    out = capsys.readouterr().out
    assert "3 groups of 30 to 30 samples; silhouette 0." in out
    assert "adjusted Rand index 1.0000, mutual information 1.0000" in out
    assert ("trained for groups" in out) is (method == "dec")
    if method == "kmeans":
        codes = npae.load("model.safetensors").transform(np.load("x.npy"))
        first = np.linalg.norm(codes[:30] - codes[:30].mean(axis=0), axis=1)
        np.testing.assert_allclose([float(row["distance"]) for row in rows[:30]], first, atol=1e-5)


@pytest.mark.parametrize(
    ("given", "tried"), [(["--clusters", "2-4"], "234"), (["--clusters", "auto"], None), ([], None)]
)
def test_of_several_numbers_of_groups_the_one_with_the_largest_silhouette_is_taken(given, tried, capsys):
    assert main(["cluster", "model.safetensors", "--data", "x.npy", *given]) == 0
    head, *lines = capsys.readouterr().out.strip().split("\n")
    assert head.split() == ["groups", "silhouette"]
    measured = {line.split()[0]: float(line.split()[1]) for line in lines[:-1]}
    assert list(measured) == list(tried or map(str, range(2, 13)))
    assert max(measured, key=measured.get) == "3"
    assert {row["group"] for row in table()} == {"0", "1", "2"}
    assert f"3 groups of 30 to 30 samples; silhouette {measured['3']:.4f}" in lines[-1]
    assert "Rand" not in lines[-1]  # without labels


def test_one_group_has_no_silhouette(capsys):
    assert main(["cluster", "model.safetensors", "--data", "x.npy", "--clusters", "1"]) == 0
    assert "1 group of 90 to 90 samples; no silhouette, which needs several groups" in capsys.readouterr().out


def test_the_model_that_dec_trained_is_saved_and_groups_like_the_file():
    arguments = ["--data", "x.npy", "--clusters", "3", "--method", "dec", "--save", "refined.safetensors"]
    assert main(["cluster", "model.safetensors", *arguments, "--out", "dec.json"]) == 0
    refined, before = npae.load("refined.safetensors"), npae.load("model.safetensors")
    assert (refined.network_.theta != before.network_.theta).any()
    with open("dec.json", encoding="utf-8") as file:
        groups = [row["group"] for row in json.load(file)]
    assert main(["cluster", "refined.safetensors", "--data", "x.npy", "--clusters", "3"]) == 0
    pairs = set(zip(groups, [row["group"] for row in table()], strict=True))
    assert len(pairs) == 3


def test_folders_of_images_have_names_and_labels_and_centroids_a_picture(tmp_path, capsys):
    image = pytest.importorskip("PIL.Image")
    for i, x in enumerate(np.load("x.npy")):
        folder = tmp_path / "kinds" / ("one", "two", "the third")[i // 30]
        folder.mkdir(parents=True, exist_ok=True)
        image.fromarray((255 * x).astype("uint8")).save(folder / f"no {i:02}.png")
    arguments = ["--data", "kinds", "--clusters", "3", "--picture", "centroids.png"]
    assert main(["cluster", "model.safetensors", *arguments]) == 0
    assert "adjusted Rand index 1.0000" in capsys.readouterr().out
    rows = table()
    assert rows[0]["file"] == "one/no 00.png"
    assert len({row["file"] for row in rows}) == 90
    with image.open("centroids.png") as picture:
        shown = np.asarray(picture)[::2, ::2] / 255
    assert shown.shape == (2 * 9 - 1, 2 * 9 - 1)
    model, x = npae.load("model.safetensors"), npae.datasets.read("kinds")
    members = x[[row["group"] == "0" for row in rows]]
    np.testing.assert_allclose(
        shown[:8, :8], model.inverse_transform(model.transform(members).mean(axis=0)[None])[0], atol=0.02
    )


X = ["--data", "x.npy"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "--train is missing; give a .npy, .npz, .csv or idx file"),
        (["--out", "g.csv", "--train", "x.npy"], "--out is for --data, which is not given; give the samples to group"),
        ([*X, "--train", "x.npy"], "--train is for the comparison without --data; leave one of the two out"),
        (
            [*X, "--clusters", "91"],
            "90 different samples cannot be divided into 91 groups; give at most as many groups",
        ),
        (["--data", "same.npy", "--clusters", "2"], "1 different sample cannot be divided into 2 groups; give at most"),
        (
            ["--data", "same.npy"],
            "1 different sample cannot be divided into 2 groups or more; give --clusters 1",
        ),
        ([*X, "--save", "m.safetensors"], "--save is for the model that --method dec trains"),
        ([*X, "--labels", "short.csv"], "short.csv holds 89 labels for 90 samples; give one for each"),
        ([*X, "--out", "g.txt"], "--out g.txt does not end in .csv or .json"),
        ([*X, "--method", "dec", "--save", "m.npz"], "--save m.npz does not end in .safetensors"),
    ],
)
def test_a_mistake_is_one_sentence_and_nothing_is_written(arguments, sentence, tmp_path, capsys):
    before = sorted(tmp_path.iterdir())
    assert main(["cluster", "model.safetensors", *arguments]) == 2
    printed = capsys.readouterr()
    (line,) = printed.err.strip().split("\n")
    assert sentence in line
    assert not printed.out
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["vae.safetensors", *X, "--method", "dec"], "a variational model has a distribution of codes"),
        (["flat.safetensors", "--data", "flat.csv", "--picture", "p.png"], "--picture is for images, but"),
        (["conditional.safetensors", *X, "--picture", "p.png"], "--picture decodes centroids, for which a conditional"),
    ],
)
def test_what_a_model_cannot_do_is_refused(arguments, sentence, tmp_path, capsys):
    before = sorted(tmp_path.iterdir())
    assert main(["cluster", *arguments]) == 2
    assert sentence in capsys.readouterr().err
    assert sorted(tmp_path.iterdir()) == before


def test_labels_of_the_digits_are_their_own(capsys):
    assert main(["cluster", "model.safetensors", "--data", "digits", "--labels", "labels.csv"]) == 2
    assert "--labels was given with --data digits, which have their own; leave it out" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["0", "-3", "3-2", "1-4", "2-", "two", "2.5", "", "2-3-4"])
def test_what_is_no_number_of_groups_is_refused(text, capsys):
    with pytest.raises(SystemExit):
        main(["cluster", "model.safetensors", *X, f"--clusters={text}"])
    assert "give one such as" in capsys.readouterr().err
