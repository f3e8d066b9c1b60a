"""The command line's application verbs: output, files and error messages."""

import numpy as np
import pytest
from helpers.small_models import samples

import npae
from npae.cli import main

N = 60


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Images with labels for training and testing, another kind of images, and two models."""
    folder = tmp_path_factory.mktemp("applications")
    for name, seed in (("train", 0), ("test", 1)):
        x = samples(N, 8, 8, seed=seed)
        np.save(folder / f"{name}.npy", x)
        np.save(folder / f"{name}-labels.npy", (x[:, 0, 0] > 0.5).astype(int) + 2 * (x[:, 4, 4] > 0.5))
    np.save(folder / "strange.npy", np.random.default_rng(0).random((30, 8, 8), dtype="float32"))
    np.save(folder / "wide.npy", samples(5, 8, 9))
    quick = {"code_size": 3, "epochs": 30, "batch_size": 10}
    x = np.load(folder / "train.npy")
    npae.DeepAutoencoder(hidden=(16,), random_state=0, **quick).fit(x).save(folder / "model.safetensors")
    npae.DeepAutoencoder(hidden=(16,), random_state=1, **quick).fit(x).save(folder / "other.safetensors")
    npae.VariationalAutoencoder(beta=0.1, random_state=0, **quick).fit(x).save(folder / "vae.safetensors")
    return folder


@pytest.fixture(autouse=True)
def there(folder, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "200")  # so that each row of a table is one line


SIDES = ["--train", "train.npy", "--test", "test.npy"]
LABELS = ["--train-labels", "train-labels.npy", "--test-labels", "test-labels.npy"]


def rows(capsys):
    """The lines of the table that was printed, without its head."""
    return [line.split() for line in capsys.readouterr().out.strip().split("\n")[1:]]


@pytest.mark.parametrize("verb", ["retrieve", "cluster", "classify"])
def test_codes_stand_beside_pca_and_raw_features(verb, capsys):
    pytest.importorskip("sklearn")
    assert main([verb, "model.safetensors", *SIDES, *LABELS]) == 0
    table = rows(capsys)[:3]
    assert [(row[0], row[1]) for row in table] == [("autoencoder", "3"), ("PCA", "3"), ("raw", "64")]
    assert all(0 <= float(value) <= 1 for row in table for value in row[2:])


def test_reduce_measures_and_draws_a_map(capsys):
    pytest.importorskip("sklearn")
    assert main(["reduce", "model.safetensors", *SIDES, "--out", "map.svg"]) == 0
    assert [row[0] for row in rows(capsys)] == ["autoencoder", "PCA"]
    with open("map.svg") as file:
        assert "<svg" in file.read()


def test_detect_names_the_outliers(capsys):
    assert main(["detect", "model.safetensors", *SIDES, "--outliers", "strange.npy"]) == 0
    table = rows(capsys)
    assert [row[0] for row in table] == ["strange.npy", "noise"]
    assert all(0 <= float(value) <= 1 for row in table for value in row[1:])
    assert all(float(row[1]) > 0.5 for row in table)  # of the reconstruction error


def test_what_was_indexed_is_found_and_shown(folder, capsys):
    from PIL import Image

    assert main(["index", "model.safetensors", "--data", "train.npy", "--out", "i.safetensors", "--force"]) == 0
    capsys.readouterr()
    assert main(["search", "model.safetensors", "i.safetensors", "train.npy", "-k", "4", "--first", "2"]) == 0
    assert [row[2] for row in rows(capsys) if row[1] == "1"] == ["0", "1"]
    np.save("one.npy", np.load("train.npy")[7])
    for more in ([], ["--data", "train.npy"]):
        arguments = [
            "search",
            "model.safetensors",
            "i.safetensors",
            "one.npy",
            "-k",
            "4",
            "--out",
            "found.png",
            "--force",
            *more,
        ]
        assert main(arguments) == 0
        assert rows(capsys)[0][:3] == ["0", "1", "7"]
        with Image.open("found.png") as image:
            assert image.size == (2 * (5 * 9 - 1), 2 * 8)


def test_compressed_images_come_back(capsys):
    assert main(["compress", "model.safetensors", "--data", "test.npy", "--bits", "8", "--out", "x.npaez"]) == 0
    assert "bits per value, PSNR" in capsys.readouterr().out
    assert main(["decompress", "model.safetensors", "x.npaez", "--out", "back.npy"]) == 0
    rebuilt = npae.load("model.safetensors").reconstruct(np.load("test.npy"))
    np.testing.assert_allclose(np.load("back.npy"), rebuilt, atol=0.05)


def test_compression_is_compared(capsys):
    pytest.importorskip("PIL")
    assert main(["compress", "model.safetensors", "--data", "test.npy", "--compare", "train.npy"]) == 0
    text = capsys.readouterr().out
    assert "PCA, same code size" in text
    assert "JPEG" in text


def test_generate_draws_and_judges(folder, capsys):
    assert main(["generate", "vae.safetensors", "--data", "train.npy", "--draws", "3", "--out", "drawn"]) == 0
    assert {p.name for p in (folder / "drawn").iterdir()} == {
        "samples.png",
        "walks.png",
        "traversals.png",
        "grid.png",
    }
    text = capsys.readouterr().out
    assert "3 of 3 dimensions are active" in text
    assert "ELBO" in text
    assert main(["generate", "model.safetensors", "--data", "train.npy", "--out", "drawn", "--force"]) == 0
    assert "ELBO" not in capsys.readouterr().out


def test_the_digits_are_a_name_that_one_may_give(capsys):
    """Only the reading is tried: no model here is for digits."""
    assert main(["detect", "model.safetensors", "--train", "digits"]) == 2
    assert "(n, 8, 8)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["retrieve", "model.safetensors", "--train", "train.npy"], "without --test; give what is to be measured, too"),
        (["cluster", "model.safetensors", *SIDES], "--train-labels is missing"),
        (
            ["classify", "model.safetensors", *SIDES, *LABELS[:3], "strange.npy"],
            "an array of shape (30, 8, 8), but labels have one value a sample",
        ),
        (["detect", "model.safetensors", *SIDES, "--outliers", "wide.npy"], "expects (n, 8, 8)"),
        (["search", "other.safetensors", "index.safetensors", "train.npy"], "made by another model"),
        (["search", "model.safetensors", "model.safetensors", "train.npy"], "is no index"),
        (["search", "model.safetensors", "index.safetensors", "wide.npy"], "expects (n, 8, 8)"),
        (
            ["search", "model.safetensors", "index.safetensors", "test.npy", "--data", "strange.npy", "--out", "f.png"],
            "--data has 30 samples, but the index 60",
        ),
        (["decompress", "other.safetensors", "images.npaez"], "another model"),
        (["decompress", "model.safetensors", "cut.npaez"], "bytes are missing or changed"),
        (["decompress", "model.safetensors", "test.npy"], "no file of npae compress"),
        (["decompress", "model.safetensors", "missing.npaez"], "there is no file missing.npaez"),
        (["compress", "model.safetensors", "--data", "test.npy", "--bits", "0", "--force"], "bits is 0"),
        (
            ["compress", "model.safetensors", "--data", "text.csv", "--force"],
            "holds the text 'red', but a number is expected",
        ),
        (["export", "model.safetensors", "--to", "python", "--out", "none/m.py"], "does not exist"),
    ],
)
def test_a_mistake_in_use_is_one_sentence_and_leaves_files_alone(arguments, expected, folder, capsys):
    again = ["--out", "index.safetensors", "--force"]
    assert main(["index", "model.safetensors", "--data", "train.npy", *again]) == 0
    assert main(["compress", "model.safetensors", "--data", "test.npy", "--force"]) == 0
    (folder / "cut.npaez").write_bytes((folder / "images.npaez").read_bytes()[:-3])
    (folder / "text.csv").write_text("size,colour\n1,red\n")
    before = {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}
    capsys.readouterr()
    assert main(arguments) == 2
    (line,) = capsys.readouterr().err.strip().split("\n")
    assert line.startswith(f"npae {arguments[0]}: ")
    assert expected in line
    assert {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()} == before


@pytest.mark.parametrize("verb", [["index", "--data", "train.npy"], ["export", "--to", "onnx"]])
@pytest.mark.parametrize("model", ["", "/"])
def test_a_model_without_a_name_is_no_file(verb, model, capsys):
    assert main([verb[0], model, *verb[1:]]) == 2
    assert ("MODEL is empty; give a name" if model == "" else "there is no file") in capsys.readouterr().err


def test_generate_refuses_too_few_samples_and_a_file_before_it_works(capsys):
    np.save("three.npy", np.load("test.npy")[:3])
    assert main(["generate", "vae.safetensors", "--data", "three.npy", "--out", "pictures"]) == 2
    assert "--data has 3 samples; give at least 4" in capsys.readouterr().err
    assert main(["generate", "vae.safetensors", "--data", "test.npy", "--out", "test.npy"]) == 2
    printed = capsys.readouterr()
    assert "test.npy is a file; give a folder" in printed.err
    assert not printed.out


@pytest.mark.parametrize("option", ["--test", "--train-labels", "--test-labels"])
def test_data_for_one_side_is_not_ignored(option, capsys):
    assert main(["detect", "model.safetensors", "--train", "digits", option, "test.npy"]) == 2
    assert f"{option} was given with --train digits, which have their own; leave it out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "suffix"),
    [
        (["reduce", "model.safetensors", *SIDES, "--out", "map.gif"], ".svg, .png, .csv or .json"),
        (["search", "model.safetensors", "none", "test.npy", "--out", "found.svg"], ".png, .csv or .json"),
    ],
)
def test_a_picture_of_another_kind_is_refused(arguments, suffix, capsys):
    assert main(arguments) == 2
    assert f"give a {suffix} file" in capsys.readouterr().err


def test_reduce_says_how_many_samples_it_needs(capsys):
    pytest.importorskip("sklearn")
    assert main(["reduce", "model.safetensors", *SIDES, "--first", "20"]) == 2
    assert "20 test samples are too few to compare 10 neighbours; give more than 20" in capsys.readouterr().err


def test_a_picture_of_what_was_found_needs_the_indexed_data(capsys):
    np.save("sixty.npy", samples(N, 8, 9))
    assert main(["index", "model.safetensors", "--data", "train.npy", "--out", "i.safetensors", "--force"]) == 0
    arguments = ["search", "model.safetensors", "i.safetensors", "test.npy", "--data", "sixty.npy", "--out", "f.png"]
    assert main(arguments) == 2
    assert "--data has samples of shape (8, 9), but the queries (8, 8)" in capsys.readouterr().err


@pytest.mark.parametrize("learned", ["wide.npy", "none.npy"])
def test_compress_looks_at_what_to_compare_with_before_it_writes(learned, folder, capsys):
    arguments = ["compress", "model.safetensors", "--data", "test.npy", "--out", "early.npaez", "--compare", learned]
    assert main(arguments) == 2
    assert "; " in capsys.readouterr().err
    assert not (folder / "early.npaez").exists()


def test_compress_compares_a_single_image_with_little_learned(capsys):
    pytest.importorskip("PIL")
    np.save("one.npy", np.load("test.npy")[:1, :7])
    np.save("two.npy", np.load("train.npy")[:2, :7])
    npae.DeepAutoencoder(code_size=3, hidden=(4,), epochs=1, batch_size=2).fit(np.load("two.npy")).save("m.safetensors")
    assert main(["compress", "m.safetensors", "--data", "one.npy", "--out", "o.npaez", "--compare", "two.npy"]) == 0
    printed = capsys.readouterr().out
    assert "JPEG" in printed
    assert "same code size" not in printed  # two samples have no three axes


def test_a_model_is_not_replaced_by_its_own_export(folder, tmp_path, capsys):
    path = tmp_path / "m.py"
    before = (folder / "model.safetensors").read_bytes()
    path.write_bytes(before)
    assert main(["export", str(path), "--to", "python", "--force"]) == 2
    assert "m.py is the file given as MODEL, which would be lost; give another name" in capsys.readouterr().err
    assert path.read_bytes() == before
