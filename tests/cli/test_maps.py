"""npae reduce hands over the coordinates of its map, with the place, file and label of each sample."""

import numpy as np
import pytest
from helpers.files import read_rows
from helpers.same_sides import SAME_SIDES

import npae
from npae.applications import reduction
from npae.cli import main

pytestmark = SAME_SIDES

pytest.importorskip("sklearn")
Image = pytest.importorskip("PIL.Image")

N = 26


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("maps")
    rng = np.random.default_rng(0)
    x = (rng.integers(0, 256, (N, 4, 4)) / 255).astype(np.float32)
    np.save(path / "x.npy", x)
    np.save(path / "signs.npy", np.where(np.arange(N) % 3, 1, -1))
    for i, image in enumerate(x):
        name = path / "images" / f"{i % 2}" / f"{i:02}.png"
        name.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.rint(image * 255).astype(np.uint8)).save(name)
    for size in (1, 3):
        model = npae.DeepAutoencoder(code_size=size, hidden=(8,), epochs=1, batch_size=13, random_state=0)
        model.fit(x).save(path / f"{size}.safetensors")
    return path


@pytest.fixture(autouse=True)
def there(folder, monkeypatch):
    monkeypatch.chdir(folder)


def coordinates(*arguments, model="3"):
    assert main(["reduce", f"{model}.safetensors", *arguments, "--out", "map.csv", "--force"]) == 0
    return read_rows("map.csv")


SIDES = ["--train", "x.npy", "--test", "x.npy"]
PRINCIPAL = ["principal coordinate 1 of the codes", "principal coordinate 2 of the codes"]


def test_coordinates_of_unlabeled_data_have_no_labels():
    rows = coordinates(*SIDES)
    assert list(rows[0]) == ["index", *PRINCIPAL]
    codes = npae.load("3.safetensors").transform(np.load("x.npy"))
    assert np.allclose([[float(row[name]) for name in PRINCIPAL] for row in rows], reduction.plane(codes).points)


def test_coordinates_of_images_in_folders_name_file_and_label(folder):
    rows = coordinates("--train", "images", "--test", "images", "--first", "24")
    assert list(rows[0]) == ["index", "file", "label", *PRINCIPAL]
    assert all((folder / "images" / row["file"]).is_file() for row in rows)
    assert all(row["file"].split("/")[0] == row["label"] for row in rows)
    files = [f"{i % 2}/{i:02}.png" for i in (*range(0, N, 2), *range(1, N, 2))]
    assert all(files[int(row["index"])] == row["file"] for row in rows)
    assert len(rows) == 24


def test_signs_are_labels():
    rows = coordinates(*SIDES, "--test-labels", "signs.npy", "--train-labels", "signs.npy")
    assert [row["label"] for row in rows[:4]] == ["-1", "1", "1", "-1"]
    labels = ["--test-labels", "signs.npy", "--train-labels", "signs.npy"]
    for name in ("map.svg", "map.png"):
        pytest.importorskip("matplotlib")
        assert main(["reduce", "3.safetensors", *SIDES, *labels, "--out", name, "--force"]) == 0


def test_t_sne_keeps_groups_together():
    rng = np.random.default_rng(0)
    codes = np.concatenate([rng.normal(size=(20, 5)), rng.normal(size=(20, 5)) + 30])
    plane = reduction.plane(codes, "tsne")
    assert plane.axes == ("t-SNE 1", "t-SNE 2")
    inside = np.linalg.norm(plane.points[:20] - plane.points[:20].mean(axis=0), axis=1).max()
    assert np.linalg.norm(plane.points[:20].mean(axis=0) - plane.points[20:].mean(axis=0)) > inside


def test_t_sne_on_the_command_line_names_its_axes():
    rows = coordinates(*SIDES, "--method", "tsne")
    assert list(rows[0]) == ["index", "t-SNE 1", "t-SNE 2"]


def test_a_code_of_one_value_is_a_line():
    assert list(coordinates(*SIDES, model="1")[0]) == ["index", "code value 1"]
    pytest.importorskip("matplotlib")
    assert main(["reduce", "1.safetensors", *SIDES, "--out", "line.svg"]) == 0


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["3.safetensors", *SIDES, "--method", "tsne"], "--method is for the map that --out writes"),
        (["1.safetensors", *SIDES, "--method", "tsne", "--out", "no.csv"], "codes of one value, but needs at least 4"),
    ],
)
def test_a_method_that_cannot_be_used_is_refused(arguments, expected, capsys, folder):
    assert main(["reduce", *arguments]) == 2
    assert expected in capsys.readouterr().err
    assert not (folder / "no.csv").exists()


def test_too_few_codes_and_unknown_methods_are_refused():
    with pytest.raises(ValueError, match="3 codes, but needs at least 4 codes of 2 values; take method pca"):
        reduction.plane(np.eye(3), "tsne")
    with pytest.raises(ValueError, match="method is 'umap'; expected one of pca, tsne"):
        reduction.plane(np.eye(3), "umap")
